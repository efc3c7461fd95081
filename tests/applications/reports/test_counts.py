"""What each report counts, in a small city whose figures were worked out by hand, and beside the public statistics."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache

from applications.models import Correction, Event
from applications.reports import counts
from applications.reports.asked import Asked, Slice
from applications.reports.catalogue import REPORTS
from applications.reports.tables import table_of
from applications.states import ApplicationState, BenefitState, BidState, CorrectionState, Move, ReferralState
from balabaqsha import statistics
from bulletin.models import Locality
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BenefitFactory,
    BidFactory,
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReferralFactory,
    StaffFactory,
    VacancyFactory,
)

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER, IN_NOVEMBER = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return LocalityFactory()


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def happened(application, move, at, *, before="", after="waiting", locality=None, birth_year=None):
    Event.objects.create(
        application=application,
        at=at,
        move=move,
        from_state=before,
        to_state=after,
        locality=locality or application.locality,
        birth_year=birth_year or application.birth_year,
        tier=2,
        filed_at=application.filed_at,
    )


def filed(locality, at, *, year=2023, languages=("kk",), **fields):
    application = ApplicationFactory(
        locality=locality, child__birth_date=date(year, 5, 1), languages=languages, filed_at=at, **fields
    )
    happened(application, Move.FILE, at)
    return application


@pytest.fixture
def queues(here, kentau):
    """Four wait: three here (one born in 2022), one in Kentau who moved there in November; two left from here."""
    long_ago = datetime(2024, 1, 1, tzinfo=UTC)
    filed(here, long_ago, languages=("kk", "ru"))
    filed(here, IN_OCTOBER)
    filed(here, IN_NOVEMBER, year=2022, languages=("ru",), state=ApplicationState.REFERRED)
    moved = filed(here, IN_OCTOBER)
    happened(moved, Move.CHANGE_LOCALITY, IN_NOVEMBER, before="waiting", locality=kentau)
    moved.locality = kentau
    moved.save()
    enrolled = filed(here, long_ago, state=ApplicationState.ENROLLED)
    happened(enrolled, Move.PLACE_BID, IN_OCTOBER, before="waiting", after="bid_placed")
    happened(enrolled, Move.SIGN_CONTRACT, IN_NOVEMBER, before="referred", after="enrolled")
    stopped = filed(here, long_ago, state=ApplicationState.STOP_LISTED)
    happened(stopped, Move.EXPIRE_REFERRAL, IN_OCTOBER, before="referred", after="stop_listed")


def told(counted, *names):
    """The rows of a slice, or all together where there is no slice."""
    rows = {key: row for key, row in counted.items() if key is not None} or counted
    return {key: tuple(row[name] for name in names) for key, row in rows.items()}


MOVED = ("waiting", "came", "left", "enrolled")


class TestQueue:
    def test_by_locality_and_year(self, queues, here, kentau):
        asked = Asked(NOW, (here, kentau))
        # Who moved house came in October, left in November, and came elsewhere.
        assert told(counts.queue(asked, Slice.LOCALITY), *MOVED) == {
            here.pk: (3, 3, 3, 1),
            kentau.pk: (1, 1, 0, 0),
        }
        assert told(counts.queue(asked, None), *MOVED) == {None: (4, 3, 2, 1)}
        assert told(counts.queue(Asked(NOW, (here,)), Slice.YEAR), *MOVED) == {
            2023: (2, 2, 3, 1),
            2022: (1, 1, 0, 0),
        }
        assert told(counts.queue(Asked(NOW, (kentau,), language="ru"), None), *MOVED) == {None: (0, 0, 0, 0)}

    def test_in_each_language_that_a_family_names(self, queues, here):
        assert told(counts.queue(Asked(NOW, (here,)), Slice.LANGUAGE), "waiting", "came") == {
            "kk": (2, 2),
            "ru": (2, 1),
        }

    def test_by_month_the_ends_and_what_happened_add_up(self, queues, here, kentau):
        found = counts.queue(Asked(NOW, (here,)), Slice.MONTH)
        assert len(found) == 12 + 1
        # At the end of September three waited here, of whom one is enrolled and one on the stop-list by now.
        assert told(found, *MOVED)[OCTOBER] == (4, 2, 1, 0)
        assert told(found, *MOVED)[NOVEMBER] == (3, 1, 2, 1)
        assert found[date(2026, 9, 1)]["waiting"] == 3
        # A single month is told as it is among the others.
        one = counts.queue(Asked(NOW, (here,), month=OCTOBER), Slice.MONTH)
        assert one == {OCTOBER: found[OCTOBER], None: found[OCTOBER] | {"waiting": 3}}

    def test_a_corrected_year_moves_between_the_queues(self, here):
        child = filed(here, IN_OCTOBER, year=2023)
        happened(child, Move.CORRECT, IN_NOVEMBER, before="waiting", birth_year=2022)
        happened(child, Move.CORRECT, IN_NOVEMBER, before="waiting", birth_year=2022)
        child.birth_year = 2022
        child.save()
        assert told(counts.queue(Asked(NOW, (here,)), Slice.YEAR), *MOVED) == {
            2023: (0, 1, 1, 0),
            2022: (1, 1, 0, 0),
        }
        assert told(counts.queue(Asked(NOW, (here,)), None), *MOVED) == {None: (1, 1, 0, 0)}

    def test_it_is_what_the_public_statistics_say(self, queues, here, kentau):
        public = {row.birth_year: row.waiting for row in statistics.waiting_by_year(here)}
        ours = counts.queue(Asked(NOW, (here,)), Slice.YEAR)
        assert {year: row["waiting"] for year, row in ours.items() if year} == public


@pytest.fixture
def places(here, kentau):
    """A group of 25 in each locality; of the five places published here three are of October."""
    found = {}
    for locality, language in ((here, "kk"), (kentau, "ru")):
        garden = KindergartenFactory(locality=locality)
        found[locality.pk] = GroupFactory(
            kindergarten=garden, age_group="3-4", language=language, capacity=25
        )
    group = found[here.pk]
    VacancyFactory(group=group, birth_years=[2022, 2023], published_at=IN_OCTOBER, seats_total=3)
    VacancyFactory(group=group, birth_years=[2023], published_at=IN_NOVEMBER, seats_total=2)
    VacancyFactory(group=found[kentau.pk], birth_years=[2023], published_at=IN_NOVEMBER, seats_total=7)
    return found


def referral(group, *, days, issued_at=IN_NOVEMBER, state=ReferralState.ISSUED, year=2023, **bid):
    locality = group.kindergarten.locality
    application = ApplicationFactory(
        locality=locality, child__birth_date=date(year, 5, 1), filed_at=issued_at - days * DAY
    )
    old = {"published_at": datetime(2024, 1, 1, tzinfo=UTC)}
    vacancy = {f"bid__vacancy__{name}": value for name, value in old.items()}
    return ReferralFactory(
        application=application,
        bid__vacancy__group=group,
        **vacancy,
        **{f"bid__{name}": value for name, value in bid.items()},
        issued_at=issued_at,
        state=state,
    )


def test_places(places, here, kentau):
    ContractFactory(
        referral=referral(places[here.pk], days=10, state=ReferralState.SIGNED), signed_at=IN_NOVEMBER
    )
    asked = Asked(NOW, (here, kentau))
    names = ("groups", "capacity", "published", "signed")
    assert told(counts.places(asked, Slice.LOCALITY), *names) == {
        here.pk: (1, 25, 5, 1),
        kentau.pk: (1, 25, 7, 0),
    }
    # A vacancy for two years is counted in both; groups have no birth year.
    by_year = counts.places(Asked(NOW, (here,)), Slice.YEAR)
    assert told(by_year, "published", "signed") == {2022: (3, 0), 2023: (5, 1)}
    assert "capacity" not in by_year[2022]
    assert counts.places(asked, Slice.YEAR)[None]["published"] == 12
    ours = told(counts.places(Asked(NOW, (here,)), Slice.MONTH), "published", "signed")
    assert ours == {OCTOBER: (3, 0), NOVEMBER: (2, 1)}


@pytest.mark.parametrize(
    ("slice_", "year", "are_told"),
    [
        (Slice.LOCALITY, None, True),
        (Slice.LOCALITY, 2023, False),
        (Slice.YEAR, None, False),
        (Slice.MONTH, None, False),
    ],
)
def test_groups_that_can_not_be_told_are_no_zero(places, here, slice_, year, are_told):
    """Also in a month without any row, and in all."""
    table = table_of(REPORTS["places"], Asked(NOW, (here,), birth_year=year), slice_)
    cells = {(row.values["groups"], row.values["capacity"]) for row in (*table.rows, table.total)}
    assert cells == {(1, 25) if are_told else (None, None)}
    assert table.rows[0].values["published"] is not None


def test_days_to_referral_are_whole_days_of_the_months_asked_for(places, here):
    group = places[here.pk]
    for days in (10, 20, 21, 30, 100):
        referral(group, days=days, issued_at=IN_NOVEMBER)
    referral(group, days=7, issued_at=IN_OCTOBER)
    names = ("referrals", "median", "slow")
    assert told(counts.waits(Asked(NOW, (here,)), Slice.MONTH), *names) == {
        OCTOBER: (1, 7, 7),
        NOVEMBER: (5, 21, 100),
    }
    assert told(counts.waits(Asked(NOW, (here,), month=OCTOBER), None), *names) == {None: (1, 7, 7)}
    assert told(counts.waits(Asked(NOW, (here,), birth_year=2020), None), *names) == {None: (0, None, None)}


def test_answers_are_late_from_the_first_instant_after_the_last_day(places, here):
    vacancy = places[here.pk].vacancies.first()
    due = IN_NOVEMBER + 3 * DAY
    moment = timedelta(microseconds=1)

    def bid(state, decided_at=None, **fields):
        fields = {"answer_due": due, **fields}
        BidFactory(
            application=ApplicationFactory(locality=here),
            vacancy=vacancy,
            state=state,
            placed_at=IN_NOVEMBER,
            decided_at=decided_at,
            **fields,
        )

    bid(BidState.ACTIVATED, due - moment)
    bid(BidState.ACTIVATED, due, stand_in="late")
    bid(BidState.REJECTED, due - moment)
    bid(BidState.WITHDRAWN, due)
    bid(BidState.VOID, due - moment)
    bid(BidState.PENDING, answer_due=NOW)
    bid(BidState.PENDING, answer_due=NOW + moment)
    # Nobody owes an answer while bids are collected, or to one that lost.
    bid(BidState.LOST, answer_due=None)
    names = ("bids", "accepted", "refused", "waiting", "unanswered")
    shares = ("refused_percent", "late", "overdue", "stood_in")
    garden = places[here.pk].kindergarten_id
    found = counts.answers(Asked(NOW, (here,)), Slice.KINDERGARTEN)
    assert told(found, *shares) == {garden: (33, 2, 1, 1)}
    # Every bid is in one of the columns: none is left that nobody can explain.
    assert told(found, *names) == {garden: (7, 2, 1, 2, 2)}


def test_no_shows_are_referrals_that_ran_out(places, here):
    group = places[here.pk]
    for state in (*ReferralState, ReferralState.EXPIRED):
        referral(group, days=10, state=state)
    found = counts.no_shows(Asked(NOW, (here,)), Slice.KINDERGARTEN)[group.kindergarten_id]
    # Two of the five that have ended; one is still valid.
    assert (found["referrals"], found["expired"], found["issued"], found["expired_percent"]) == (6, 2, 1, 40)


def test_benefits_and_corrections(here, kentau):
    category = BenefitCategoryFactory()
    for state in (BenefitState.VERIFIED, BenefitState.VERIFIED, BenefitState.REJECTED):
        BenefitFactory(
            application=ApplicationFactory(locality=here),
            category=category,
            state=state,
            claimed_at=IN_NOVEMBER,
        )
    BenefitFactory(application=ApplicationFactory(locality=kentau), category=category, claimed_at=IN_NOVEMBER)
    assert told(counts.benefits(Asked(NOW, (here,)), Slice.CATEGORY), "claims", "verified", "rejected") == {
        category.pk: (3, 2, 1)
    }
    staff = StaffFactory()
    for fields in (
        {"state": CorrectionState.APPROVED, "new_birth_year": 2022, "new_filed_at": IN_OCTOBER},
        {"new_birth_year": 2022},
    ):
        Correction.objects.create(
            application=ApplicationFactory(locality=here),
            previous_filed_at=NOW,
            previous_birth_year=2023,
            reason="x",
            document_number="1",
            document_date=OCTOBER,
            proposed_at=IN_OCTOBER,
            proposed_by=staff,
            **fields,
        )
    names = ("corrections", "approved", "proposed", "of_date", "of_year", "of_registry")
    assert told(counts.corrections(Asked(NOW, (here,)), Slice.MONTH), *names) == {OCTOBER: (2, 1, 1, 1, 2, 0)}


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_every_cut_of_every_report_has_its_columns(
    report, queues, places, here, kentau, django_assert_max_num_queries
):
    """And costs few statements, whatever it is cut by and narrowed to."""
    asked = Asked(NOW, tuple(Locality.objects.all()), birth_year=2023, language="kk")
    for slice_ in report.slices:
        cache.clear()
        with django_assert_max_num_queries(6):
            table = table_of(report, asked, slice_)
        # However it is cut, it comes to the same in all.
        alone = report.count(asked, None)[None]
        known = {
            name: value for name, value in table.total.values.items() if name in alone and value is not None
        }
        assert known == {name: alone[name] for name in known}, slice_
        for row in (*table.rows, table.total):
            assert {column.name for column in report.columns} <= set(row.values), (report.name, slice_)
            assert row.label not in ("", "—")


def test_figures_are_of_one_minute(here):
    asked = Asked(NOW, (here,))
    report = REPORTS["queue"]
    first = table_of(report, asked, Slice.LOCALITY)
    filed(here, IN_NOVEMBER)
    again = table_of(report, Asked(NOW + timedelta(seconds=30), (here,)), Slice.LOCALITY)
    assert (again.total.values["waiting"], again.counted_at) == (0, NOW)
    assert first.rows == again.rows
    cache.clear()
    assert table_of(report, asked, Slice.LOCALITY).total.values["waiting"] == 1
