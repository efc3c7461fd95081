"""What everybody may read of the reports: the reports' own figures, and of few people nothing, wherever one looks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache

from applications.models import Event
from applications.reports import counts
from applications.reports.asked import Asked, Slice
from applications.reports.published import PUBLISHED, Untold, table_of_published
from applications.states import Move, ReferralState
from bulletin.models import Vacancy
from tests.factories import (
    ApplicationFactory,
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReferralFactory,
    VacancyFactory,
)

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
IN_OCTOBER, IN_NOVEMBER = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return LocalityFactory()


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def vacancy_in(locality, **fields):
    return VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=locality)), **fields)


def refer(number, locality, *, state=ReferralState.EXPIRED, issued_at=IN_NOVEMBER, days=100):
    vacancy = vacancy_in(locality, published_at=datetime(2024, 1, 1, tzinfo=UTC))
    return [
        ReferralFactory(
            application=ApplicationFactory(locality=locality, filed_at=issued_at - timedelta(days=days)),
            bid__vacancy=vacancy,
            issued_at=issued_at,
            state=state,
        )
        for _one in range(number)
    ]


def published(name, slice_, *places, place=None, now=NOW):
    return table_of_published(PUBLISHED[name], slice_, place=place, places=places, now=now)


def column(table, name):
    return {row.key: row.values[name] for row in table.rows if row.values[name] != 0}


def test_they_are_the_figures_of_the_reports(here, kentau):
    refer(6, here)
    refer(7, here, state=ReferralState.SIGNED)
    refer(8, kentau, state=ReferralState.SIGNED, issued_at=IN_OCTOBER)
    for place in (None, here):
        asked = Asked(NOW, (place,) if place else (here, kentau), are_everywhere=place is None)
        ours = counts.no_shows(asked, Slice.MONTH)
        table = published("no-shows", Slice.MONTH, here, kentau, place=place)
        assert [row.key for row in table.rows] == asked.months
        for name in ("referrals", "expired", "signed", "expired_percent"):
            assert table.total.values[name] == ours[None][name]
            assert {row.key: row.values[name] for row in table.rows if row.key in ours} == {
                key: row[name] for key, row in ours.items() if key
            }


def test_a_small_count_takes_another_with_it_in_every_table(here, kentau):
    """Three no-shows of Kentau: told are neither they nor those of Turkistan, from which they could be taken away."""
    refer(12, here)
    refer(3, kentau)
    everywhere = published("no-shows", Slice.LOCALITY, here, kentau)
    assert column(everywhere, "expired") == {here.pk: Untold.COVERED, kentau.pk: Untold.FEW}
    assert everywhere.total.values["expired"] == 15
    alone = published("no-shows", Slice.MONTH, here, kentau, place=here)
    assert (alone.total.values["expired"], alone.rows[-1].values["expired"]) == (
        Untold.COVERED,
        Untold.COVERED,
    )
    assert alone.total.values["expired_percent"] is Untold.COVERED
    assert (
        published("no-shows", Slice.MONTH, here, kentau, place=kentau).total.values["referrals"] is Untold.FEW
    )


def test_of_a_row_the_rest_is_not_told(here):
    """Of nine referrals one still valid: the eight that ran out would tell it."""
    refer(8, here)
    refer(1, here, state=ReferralState.ISSUED)
    row = published("no-shows", Slice.MONTH, here, place=here).rows[-1].values
    assert (row["referrals"], row["expired"], row["issued"]) == (9, Untold.COVERED, Untold.FEW)
    assert (row["signed"], row["expired_percent"]) == (0, Untold.COVERED)


def test_how_many_named_no_second_language_is_not_told(here):
    """Ten contracts in Kazakh groups and two in Russian ones: the rows of a language say who is not in it."""
    for language, number in (("kk", 10), ("ru", 2)):
        group = GroupFactory(kindergarten=KindergartenFactory(locality=here), language=language)
        for _one in range(number):
            made = ReferralFactory(
                application=ApplicationFactory(locality=here),
                bid__vacancy=VacancyFactory(group=group),
                state=ReferralState.SIGNED,
            )
            ContractFactory(referral=made, signed_at=IN_NOVEMBER)
    table = published("places", Slice.LANGUAGE, here, place=here)
    assert column(table, "signed") == {"kk": Untold.COVERED, "ru": Untold.FEW}
    assert table.total.values["signed"] == 12


def test_days_are_told_from_five_referrals_on(here):
    for days in (10, 20, 30, 400):
        refer(1, here, days=days)
    table = published("waits", Slice.MONTH, here, place=here)
    assert (table.total.values["median"], table.total.values["slow"]) == (Untold.FEW, Untold.FEW)
    assert table.rows[0].values["median"] is None
    cache.clear()
    refer(1, here, days=40)
    row = published("waits", Slice.YEAR, here, place=here).rows[0].values
    assert (row["median"], row["slow"]) == (30, 400)


def test_a_queue_is_hidden_where_it_is_small_and_nowhere_else(here):
    """Its order is public from five on, so that another one need not be hidden with it."""
    ApplicationFactory.create_batch(4, locality=here, child__birth_date=date(2023, 5, 1))
    ApplicationFactory.create_batch(5, locality=here, child__birth_date=date(2024, 5, 1))
    table = published("queue", Slice.YEAR, here, place=here)
    assert column(table, "waiting") == {2024: 5, 2023: Untold.FEW}
    assert "waiting" not in [one.name for one in PUBLISHED["queue"].columns_by(Slice.MONTH)]


def test_all_tables_are_of_the_minute_that_they_name(here):
    first = published("waits", Slice.MONTH, here, place=here)
    refer(5, here)
    later = published("waits", Slice.YEAR, here, place=None, now=NOW + timedelta(minutes=4))
    assert (first.counted_at, later.counted_at, later.rows) == (NOW, NOW, [])
    cache.clear()
    assert published("waits", Slice.YEAR, here, now=NOW + timedelta(minutes=4)).total.values["median"] == 100


@pytest.mark.parametrize(
    ("zone", "is_alone"), [("Asia/Almaty", False), ("Asia/Almaty", True), ("Asia/Tokyo", True)]
)
def test_all_figures_of_months_begin_at_the_same_local_midnight(zone, is_alone):
    """Between local midnight and that of UTC the first month shown is already the next one."""
    place = LocalityFactory(slug="there", timezone=zone)
    midnight = datetime(2026, 11, 1, tzinfo=ZoneInfo(zone))
    begins = datetime(2025, 12, 1, tzinfo=ZoneInfo(zone))
    moment = timedelta(microseconds=1)
    for at in (begins - moment, begins):
        vacancy_in(place, published_at=at, seats_total=1)
        for made in refer(5, place, issued_at=at, state=ReferralState.SIGNED):
            ContractFactory(referral=made, signed_at=at)
    Vacancy.objects.filter(published_at__lt=datetime(2025, 1, 1, tzinfo=UTC)).update(seats_total=20)

    def figures(now):
        cache.clear()
        asked = {"place": place if is_alone else None, "now": now}
        places, shows = (published(name, Slice.MONTH, place, **asked) for name in ("places", "no-shows"))
        totals = places.total.values["published"], places.total.values["signed"], shows.total.values["signed"]
        return (places.rows[0].key, *totals)

    assert figures(midnight - moment) == (date(2025, 11, 1), 2, 10, 10)
    assert figures(midnight) == (date(2025, 12, 1), 1, 5, 5)


def test_a_city_of_many_places_costs_as_many_statements_as_one(here, django_assert_num_queries):
    """And every figure is what the report itself counts for the place."""

    def statements(*places):
        for name, expected in EXPECTED.items():
            cache.clear()
            with django_assert_num_queries(expected):
                published(name, Slice.MONTH, *places)

    refer(6, here)
    statements(here)
    others = [LocalityFactory(slug=f"place-{number}", order=number) for number in range(1, 20)]
    refer(6, others[0]), refer(6, others[1])
    statements(here, *others)


# Each kind of row is read once: who waits, who moved, who changed queues; groups, vacancies, contracts; referrals.
EXPECTED = {"queue": 3, "places": 3, "waits": 1, "no-shows": 1}


def enter(application, place, year, *, move=Move.FILE, was="", at=IN_OCTOBER):
    Event.objects.create(
        application=application, at=at, move=move, from_state=was, to_state="waiting", locality=place,
        birth_year=year, tier=2, filed_at=application.filed_at,
    )  # fmt: skip


@pytest.mark.parametrize(
    "zones", [("Asia/Almaty", "Asia/Almaty"), ("Asia/Tokyo", "Asia/Almaty")], ids=["one", "two"]
)
def test_what_is_counted_together_is_what_each_place_counts_alone(zones):
    first, second = (
        LocalityFactory(slug=f"zone-{number}", timezone=zone) for number, zone in enumerate(zones)
    )
    places = (first, second)
    for place, number in ((first, 3), (second, 2)):
        # Between the midnights of the two zones.
        for made in refer(number, place, issued_at=datetime(2026, 10, 31, 17, tzinfo=UTC), days=number):
            ContractFactory(referral=made, signed_at=datetime(2026, 10, 31, 17, tzinfo=UTC))
        for year, languages in ((2022, ["kk"]), (2023, ["kk", "ru"])):
            waiting = ApplicationFactory(
                locality=place, child__birth_date=date(year, 5, 1), languages=languages
            )
            enter(waiting, place, year)
    moved = ApplicationFactory(locality=second, child__birth_date=date(2022, 5, 1))
    enter(moved, first, 2022)
    enter(moved, second, 2022, move=Move.CHANGE_LOCALITY, was="waiting", at=IN_NOVEMBER)
    together: dict = {}
    for one in PUBLISHED.values():
        for slice_ in (None, Slice.MONTH, Slice.YEAR, Slice.LANGUAGE):
            for asked in (
                Asked(NOW, places, are_everywhere=True), Asked(NOW, (first,)), Asked(NOW, (second,))
            ):  # fmt: skip
                alone = one.report.count(asked, slice_)
                assert one.report.count(replace(asked, together=together), slice_) == alone
