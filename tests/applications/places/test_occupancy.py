"""What is taken and promised of a group, school year by school year."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from applications.bidding import publication
from applications.jobs.invariants import differences
from applications.models import Headcount
from applications.places import occupancy
from applications.places.occupancy import (
    Counted,
    Occupancy,
    Promised,
    occupancies_of,
    over_promised,
    place_day,
    reckon,
    room,
)
from applications.states import BidState, ProposalState, ReferralState
from bulletin.models import Vacancy
from bulletin.school_years import school_year, suitable_years, year_in_words
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    BidFactory,
    ContractFactory,
    GroupFactory,
    ReferralFactory,
    StaffFactory,
    VacancyFactory,
)

MICROSECOND = timedelta(microseconds=1)
AT = datetime(2026, 10, 1, tzinfo=UTC)


class TestSchoolYear:
    @pytest.mark.parametrize(
        ("day", "year"),
        [
            (date(2026, 8, 31), 2025),
            (date(2026, 9, 1), 2026),
            (date(2026, 12, 31), 2026),
            (date(2027, 1, 1), 2026),
            (date(2028, 2, 29), 2027),
        ],
    )
    def test_it_runs_from_september_to_august(self, day, year):
        assert school_year(day) == year

    def test_in_words(self):
        assert (year_in_words(2026), year_in_words(2099)) == ("2026/27", "2099/00")

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("opens", "free", "year"),
        [
            # The first of September begins in Turkistan six hours before it does in UTC.
            ("2019-08-31T17:59:59.999999", "2019-08-31T12:00", 2018),
            ("2019-08-31T18:00", "2019-08-31T12:00", 2019),
            ("2019-06-26T12:00", "2019-09-02T03:00", 2019),
            ("2019-10-01T12:00", "2019-03-01T12:00", 2019),
        ],
    )
    def test_a_vacancy_belongs_to_the_year_in_which_its_places_can_be_taken(self, opens, free, year):
        at = {
            name: datetime.fromisoformat(text).replace(tzinfo=UTC)
            for name, text in (("opens_at", opens), ("vacant_from", free))
        }
        assert school_year(place_day(VacancyFactory(published_at=None, **at))) == year


class TestSuitableYears:
    @pytest.mark.parametrize(
        ("group", "years"),
        [
            ("1-2", {2017, 2018}),
            ("2-3", {2016, 2017}),
            ("3-4", {2015, 2016}),
            ("5-6", {2013, 2014}),
            ("mixed", set(range(2012, 2019))),
        ],
    )
    def test_on_a_day_of_2019(self, group, years):
        assert set(suitable_years(group, on=date(2019, 6, 26))) == years

    @given(
        day=st.dates(date(2019, 1, 1), date(2030, 12, 31)),
        born=st.dates(date(2010, 1, 1), date(2030, 12, 31)),
    )
    def test_who_is_of_the_age_of_a_group_is_never_refused(self, day, born):
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        if 1 <= age < 6:
            assert born.year in suitable_years(f"{age}-{age + 1}", on=day)


class TestReckoning:
    def test_without_a_count_everything_since_ever_is_carried_on(self):
        promises = [Promised(2024, 0, (AT, AT)), Promised(2026, 5)]
        assert reckon([], promises) == [Occupancy(None, None, 0, 7)]

    def test_a_count_holds_the_contracts_signed_by_then(self):
        signed = (AT - MICROSECOND, AT, AT + MICROSECOND)
        (found,) = reckon([Counted(2026, 10, AT)], [Promised(2026, 4, signed)])
        assert (found.children, found.promised) == (10, 5)

    @pytest.mark.parametrize(("year", "in_the_count"), [(2025, True), (2026, True), (2027, False)])
    def test_a_count_holds_no_contract_for_a_later_school_year(self, year, in_the_count):
        rows = reckon([Counted(2026, 20, AT)], [Promised(year, 0, (AT - MICROSECOND,) * 5)])
        assert rows[-1].total == (20 if in_the_count else 25)
        assert room(25, rows, year=2027) == (5 if in_the_count else 0)

    @given(
        happens=st.lists(
            st.tuples(st.sampled_from(["sign", "sign", "count"]), st.integers(2024, 2026)), max_size=12
        )
    )
    def test_whoever_signed_is_counted_once(self, happens):
        """Contracts for any year and true counts of any year, in any order; nobody leaves."""
        inside: Counter[int] = Counter()
        counts, promises = {}, []
        for number, (what, year) in enumerate(happens):
            at = AT + number * MICROSECOND
            if what == "sign":
                inside[year] += 1
                promises.append(Promised(year, 0, (at,)))
            else:
                present = sum(children for comes_in, children in inside.items() if comes_in <= year)
                counts[year] = Counted(year, present, at)
        assert room(25, reckon(counts.values(), promises), year=2026) == 25 - inside.total()

    def test_a_count_of_that_later_year_holds_it(self):
        counts = [Counted(2026, 20, AT), Counted(2027, 7, AT)]
        this, following = reckon(counts, [Promised(2027, 0, (AT - MICROSECOND,) * 5)])
        assert (this.total, following.total) == (20, 7)

    def test_what_was_promised_for_an_earlier_year_and_is_not_signed_comes_on_top(self):
        before, now = reckon([Counted(2026, 10, AT)], [Promised(2025, 3, (AT - MICROSECOND,))])
        assert (before.until, before.total) == (2026, 4)
        assert (now.since, now.total) == (2026, 13)

    def test_each_year_with_a_count_stands_for_itself_until_the_next(self):
        counts = [Counted(2026, 3, AT), Counted(2024, 20, AT - timedelta(days=700))]
        rows = reckon(counts, [Promised(2024, 1), Promised(2025, 2), Promised(2026, 4)])
        assert [(row.since, row.until, row.total) for row in rows] == [(2024, 2026, 23), (2026, None, 10)]

    def test_room_is_that_of_the_year_and_of_all_later_ones(self):
        rows = reckon([Counted(2025, 20, AT), Counted(2026, 0, AT)], [Promised(2026, 25)])
        assert room(25, rows, year=2026) == 0
        # Who comes now is still there in September.
        assert room(25, rows, year=2025) == 0
        assert room(25, reckon([Counted(2025, 20, AT), Counted(2026, 0, AT)], []), year=2025) == 5
        assert room(25, reckon([Counted(2025, 20, AT), Counted(2026, 0, AT)], []), year=2026) == 25

    @given(
        counts=st.dictionaries(st.integers(2020, 2024), st.integers(0, 30), max_size=4),
        promises=st.lists(
            st.builds(
                Promised,
                st.integers(2019, 2025),
                st.integers(0, 9),
                st.lists(st.integers(-900, 900).map(lambda days: AT + timedelta(days=days)), max_size=4).map(
                    tuple
                ),
            ),
            max_size=5,
        ),
        more=st.integers(1, 9),
        year=st.integers(2019, 2025),
    )
    def test_a_promise_takes_as_much_room_as_it_promises(self, counts, promises, more, year):
        counted = [
            Counted(one, children, AT + timedelta(days=one - 2022)) for one, children in counts.items()
        ]
        before, after = reckon(counted, promises), reckon(counted, [*promises, Promised(year, more)])
        assert room(25, after, year=year) == room(25, before, year=year) - more
        for other in range(2019, 2026):
            assert room(25, after, year=other) <= room(25, before, year=other)


@pytest.mark.django_db
class TestWhatCounts:
    @pytest.fixture
    def group(self, scene):
        return GroupFactory(kindergarten=scene.group.kindergarten, capacity=25)

    def total(self, group, now=NOW):
        (found,) = occupancies_of([group], now=now)[group.pk]
        return found.total

    def vacancy(self, group, **fields):
        return VacancyFactory(
            **{"group": group, "seats_total": 5, "opens_at": NOW - timedelta(days=2)} | fields
        )

    def test_all_places_while_they_are_in_the_bulletin(self, group):
        closes = NOW + timedelta(hours=1)
        self.vacancy(group, seats_taken=2, closes_at=closes)
        assert self.total(group, now=closes - MICROSECOND) == 5
        assert self.total(group, now=closes) == 2

    @pytest.mark.parametrize("state", ["closed", "recalled"])
    def test_afterwards_those_that_somebody_holds(self, group, state):
        self.vacancy(group, seats_taken=2, state=state)
        assert self.total(group) == 2

    def test_no_draft(self, group):
        self.vacancy(group, state=Vacancy.State.DRAFT, published_at=None)
        assert self.total(group) == 0

    @pytest.mark.parametrize(("bids", "counted"), [(2, 2), (4, 3)])
    def test_collected_bids_that_wait_for_their_award(self, group, bids, counted):
        vacancy = self.vacancy(
            group, seats_total=3, mode=Vacancy.Mode.QUEUE_ORDER, closes_at=NOW - timedelta(hours=1)
        )
        for _number in range(bids):
            BidFactory(vacancy=vacancy)
        assert self.total(group) == counted
        Vacancy.objects.update(state=Vacancy.State.RECALLED)
        assert self.total(group) == 0

    def test_a_contract_signed_before_the_count_is_in_it(self, group):
        vacancy = self.vacancy(group, seats_taken=3, state=Vacancy.State.CLOSED)
        counted_at = NOW - timedelta(days=1)
        for at in (counted_at, counted_at + MICROSECOND):
            bid = BidFactory(vacancy=vacancy, state=BidState.ACTIVATED, holds_seat=True)
            referral = ReferralFactory(
                application=bid.application, bid=bid, state=ReferralState.SIGNED, number=f"{at.microsecond}"
            )
            ContractFactory(referral=referral, signed_at=at)
        Headcount.objects.create(
            group=group, school_year=2018, children=10, counted_at=counted_at, state=ProposalState.APPROVED,
            proposed_at=counted_at, proposed_by=StaffFactory(), decided_at=NOW, decided_by=StaffFactory(),
        )  # fmt: skip
        # Ten, the contract signed later, and the referral that is under way.
        assert self.total(group) == 12

    def test_a_count_of_this_year_leaves_the_contracts_of_the_next_one(self, group):
        september = datetime(2019, 9, 1, tzinfo=ZONE)
        vacancy = self.vacancy(group, seats_taken=5, state=Vacancy.State.CLOSED, vacant_from=september)
        for _number in range(5):
            bid = BidFactory(vacancy=vacancy, state=BidState.ACTIVATED, holds_seat=True)
            referral = ReferralFactory(application=bid.application, bid=bid, state=ReferralState.SIGNED)
            ContractFactory(referral=referral, signed_at=NOW - timedelta(hours=1))
        Headcount.objects.create(
            group=group, school_year=2018, children=0, counted_at=NOW, state=ProposalState.APPROVED,
            proposed_at=NOW, proposed_by=StaffFactory(), decided_at=NOW, decided_by=StaffFactory(),
        )  # fmt: skip
        assert room(25, occupancies_of([group], now=NOW)[group.pk], year=2019) == 20

    def test_a_count_that_waits_for_an_official_does_not_count(self, group):
        Headcount.objects.create(
            group=group,
            school_year=2018,
            children=10,
            counted_at=NOW,
            proposed_at=NOW,
            proposed_by=StaffFactory(),
        )
        assert self.total(group) == 0

    def test_as_many_statements_for_many_groups_as_for_one(self, group, scene):
        costs = []
        for groups in ([group], [group, scene.group, GroupFactory()]):
            with CaptureQueriesContext(connection) as queries:
                occupancies_of(groups, now=NOW)
            costs.append(len(queries))
        assert costs == [5, 5]


@pytest.mark.django_db
class TestTheNightlyCheck:
    """What was over-promised before there was a check is named, and nothing of it is cut."""

    def test_it_names_a_group_of_which_more_is_promised(self, scene, clock):
        before = VacancyFactory(group=scene.group, seats_total=23, seats_taken=0)
        Vacancy.objects.filter(pk=before.pk).update(state="closed", seats_taken=1)
        assert not [one for one in differences() if "room for" in one]
        again = VacancyFactory(group=scene.group, seats_total=23)
        assert [(one.group, one.excess) for one in over_promised(now=NOW)] == [(scene.group, 1)]
        assert over_promised([GroupFactory()], now=NOW) == []
        (named,) = [one for one in differences() if "room for" in one]
        assert f"group {scene.group.pk} " in named
        again.refresh_from_db()
        assert (again.state, again.seats_total) == (Vacancy.State.PUBLISHED, 23)

    def test_school_years_that_are_over_are_not_named(self, scene, clock):
        VacancyFactory(group=scene.group, seats_total=25, opens_at=datetime(2019, 6, 1, tzinfo=ZONE))
        assert over_promised(now=NOW)
        Headcount.objects.create(
            group=scene.group, school_year=2019, children=0, counted_at=NOW, state=ProposalState.APPROVED,
            proposed_at=NOW, proposed_by=scene.staff, decided_at=NOW, decided_by=scene.staff,
        )  # fmt: skip
        Vacancy.objects.update(state=Vacancy.State.CLOSED)
        assert over_promised(now=datetime(2019, 9, 1, tzinfo=ZONE)) == []


@pytest.mark.django_db
def test_what_is_closed_with_bids_is_not_published_anew(scene, clock):
    """The manual's group of twenty-five: twenty-three closed with one bid, then twenty-five anew."""
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=23, seats_taken=1)
    scene.vacancy.refresh_from_db()
    publication.close_vacancy(scene.vacancy, actor=scene.staff, now=NOW)
    for seats, published in ((25, False), (24, True)):
        draft = VacancyFactory(
            group=scene.group, seats_total=seats, state=Vacancy.State.DRAFT, published_at=None,
            opens_at=NOW + timedelta(hours=2),
        )  # fmt: skip
        if published:
            publication.publish_vacancy(draft, actor=scene.staff, now=NOW)
        else:
            with pytest.raises(Exception, match="24"):
                publication.publish_vacancy(draft, actor=scene.staff, now=NOW)
    assert over_promised(now=NOW) == []


@pytest.mark.django_db
def test_the_contracts_of_a_group_are_looked_up_whatever_the_planner_takes_the_tables_to_hold():
    """No table is joined as a whole, and each step has its index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {occupancy._CONTRACTS_OF}", [[uuid4()]])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    for bad in ("Hash Join", "Merge Join", "Seq Scan"):
        assert bad not in plan, plan
    assert plan.count("Nested Loop") == 4
