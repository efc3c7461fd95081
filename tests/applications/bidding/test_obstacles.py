"""Why a vacancy can't be published: every reason at once, each at its field."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from applications.bidding.obstacles import why_not_publish
from applications.models import Rules
from bulletin import services
from bulletin.models import AgeGroup, Vacancy
from tests.applications.conftest import NOW, ZONE
from tests.factories import GroupFactory, StaffFactory, VacancyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calendar_2019")]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def draft(**fields):
    defaults = {"state": Vacancy.State.DRAFT, "opens_at": NOW + HOUR, "published_at": None}
    return VacancyFactory.create(**defaults | fields)


def problems(vacancy, **options):
    return [one.field for one in why_not_publish(vacancy, **{"now": NOW} | options)]


def test_all_reasons_at_once():
    vacancy = draft(
        seats_total=26,
        birth_years=[2019],
        opens_at=NOW - DAY,
        closes_at=NOW - DAY + HOUR,
        mode=Vacancy.Mode.QUEUE_ORDER,
        vacant_from=NOW + DAY,
    )
    # Whether places and years fit is judged by the day, which is wrong itself.
    assert problems(vacancy) == ["opens_at"]
    vacancy.opens_at, vacancy.closes_at = NOW + HOUR, NOW + HOUR + MICROSECOND
    assert problems(vacancy) == ["closes_at", "birth_years", "seats_total"]
    vacancy.vacant_from = datetime(2001, 1, 1, tzinfo=UTC)
    assert problems(vacancy) == ["vacant_from", "closes_at"]
    assert problems(draft()) == []


class TestPlaces:
    @pytest.mark.parametrize(("seats", "valid"), [(1, True), (25, True), (26, False), (0, False)])
    def test_they_fit_into_the_group(self, seats, valid):
        vacancy = draft()
        vacancy.seats_total = seats
        assert ("seats_total" not in problems(vacancy)) == valid

    def test_vacancies_of_one_group_fit_into_it_together(self):
        group = GroupFactory.create(capacity=25)
        VacancyFactory.create(group=group, seats_total=20, seats_taken=20, opens_at=NOW - HOUR)
        VacancyFactory.create(group=group, seats_total=25, state=Vacancy.State.RECALLED, opens_at=NOW - HOUR)
        VacancyFactory.create(group=group, seats_total=25, opens_at=NOW - HOUR, closes_at=NOW)
        VacancyFactory.create(seats_total=25, opens_at=NOW - HOUR)
        assert problems(draft(group=group, seats_total=5)) == []
        assert problems(draft(group=group, seats_total=6)) == ["seats_total"]
        assert problems(draft(group=group, seats_total=3), beside=2) == []
        assert problems(draft(group=group, seats_total=3), beside=3) == ["seats_total"]

    def test_those_of_a_vacancy_whose_end_a_pause_holds_off_are_needed(self):
        group = GroupFactory.create(capacity=25)
        VacancyFactory.create(
            group=group, seats_total=20, opens_at=NOW - 2 * HOUR, closes_at=NOW - MICROSECOND
        )
        assert problems(draft(group=group, seats_total=6)) == []
        services.pause_bidding(
            locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=StaffFactory.create(), now=NOW - HOUR
        )
        assert problems(draft(group=group, seats_total=6)) == ["seats_total"]

    def test_how_many_are_left_is_said(self):
        group = GroupFactory.create(capacity=25)
        VacancyFactory.create(group=group, seats_total=20, opens_at=NOW - HOUR)
        with translation.override("ru"):
            (said,) = why_not_publish(draft(group=group, seats_total=6), now=NOW)
        assert "Осталось мест: 5" in said.words
        assert "2018/19" in said.words


class TestYears:
    @pytest.mark.parametrize(
        ("years", "valid"),
        [
            ([2017], True),
            ([2016, 2017], True),
            ([2015], False),
            ([2018], False),
            ([2019], False),
            ([2017, 2015], False),
            ([2017, 2017], False),
            ([], False),
            ([0], False),
            ([32767], False),
        ],
    )
    def test_they_suit_a_group_of_two_year_olds(self, years, valid):
        vacancy = draft()
        vacancy.birth_years = years
        assert ("birth_years" not in problems(vacancy)) == valid

    @pytest.mark.parametrize(("year", "valid"), [(2011, False), (2012, True), (2018, True), (2019, False)])
    def test_a_group_of_mixed_ages_takes_all_kindergarten_children(self, year, valid):
        vacancy = draft(group=GroupFactory(age_group=AgeGroup.MIXED), birth_years=[year])
        assert (problems(vacancy) == []) == valid

    def test_the_day_is_that_on_which_a_place_can_be_taken(self):
        free = datetime(2020, 1, 1, tzinfo=ZONE)
        assert problems(draft(birth_years=[2018], vacant_from=free - MICROSECOND)) == ["birth_years"]
        assert problems(draft(birth_years=[2018], vacant_from=free)) == []

    def test_of_a_wrong_opening_the_years_are_not_called_wrong(self):
        for opens_at in (datetime(2020, 6, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)):
            assert problems(draft(opens_at=opens_at, birth_years=[2025])) == ["opens_at"]


class TestTimes:
    @pytest.mark.parametrize(
        ("opens_in", "short", "valid"),
        [
            (HOUR, False, True),
            (HOUR - MICROSECOND, False, False),
            (HOUR - MICROSECOND, True, True),
            (timedelta(0), True, True),
            (-MICROSECOND, True, False),
            (180 * DAY, False, True),
            (180 * DAY + MICROSECOND, False, False),
        ],
    )
    def test_when_it_opens(self, opens_in, short, valid):
        vacancy = draft(opens_at=NOW + opens_in)
        assert ("opens_at" not in problems(vacancy, is_short_notice=short)) == valid

    def test_the_rules_of_the_place_say_how_long_before(self):
        vacancy = draft(opens_at=NOW + 12 * HOUR - MICROSECOND)
        Rules.objects.create(
            locality=vacancy.locality, valid_from=NOW.date() - DAY, publication_lead_hours=12
        )
        assert problems(vacancy) == ["opens_at"]
        vacancy.opens_at += MICROSECOND
        assert problems(vacancy) == []

    def test_the_earliest_opening_is_named_by_the_clock_of_the_place_in_whole_minutes(self):
        now = NOW + MICROSECOND
        with translation.override("ru"):
            (said,) = why_not_publish(draft(opens_at=now), now=now)
        assert "26.06.2019 17:21" in said.words

    def test_the_calendar_has_to_reach_the_end_of_the_priority_window(self):
        # The last day of the calendar is the last of 2020.
        now = datetime(2020, 12, 1, 12, tzinfo=ZONE)
        late = draft(opens_at=datetime(2020, 12, 30, 18, tzinfo=ZONE), birth_years=[2018])
        assert problems(late, now=now) == ["opens_at"]
        late.opens_at = datetime(2020, 12, 28, 18, tzinfo=ZONE)
        assert problems(late, now=now) == []

    @pytest.mark.parametrize(
        ("apart", "valid"),
        [
            (366 * DAY, True),
            (366 * DAY + MICROSECOND, False),
            (-366 * DAY, True),
            (-366 * DAY - MICROSECOND, False),
        ],
    )
    def test_a_place_is_free_about_the_time_of_its_opening(self, apart, valid):
        vacancy = draft(vacant_from=NOW + HOUR + apart, birth_years=[2017])
        assert ("vacant_from" not in problems(vacancy)) == valid

    @pytest.mark.parametrize("name", ["opens_at", "closes_at", "vacant_from"])
    @pytest.mark.parametrize("year", [1, 1900, 2014, 2099, 9999])
    def test_years_that_nobody_means(self, name, year):
        vacancy = draft()
        edge = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, 23, 59, tzinfo=UTC)
        setattr(vacancy, name, edge)
        assert problems(vacancy) == [name]

    @pytest.mark.parametrize(
        ("open_for", "valid"),
        [(MICROSECOND, True), (timedelta(0), False), (366 * DAY, True), (366 * DAY + MICROSECOND, False)],
    )
    def test_it_closes_after_its_opening(self, open_for, valid):
        vacancy = draft()
        vacancy.closes_at = vacancy.opens_at + open_for
        assert (problems(vacancy) == []) == valid

    @pytest.mark.parametrize(
        ("collected_for", "valid"), [(None, False), (HOUR, True), (HOUR - MICROSECOND, False)]
    )
    @pytest.mark.parametrize("short", [True, False])
    def test_bids_are_collected_long_enough_to_be_sent(self, collected_for, valid, short):
        vacancy = draft()
        vacancy.mode = Vacancy.Mode.QUEUE_ORDER
        vacancy.closes_at = None if collected_for is None else vacancy.opens_at + collected_for
        assert problems(vacancy, is_short_notice=short) == ([] if valid else ["closes_at"])
