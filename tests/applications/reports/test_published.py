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


def test_they_are_the_figures_of_the_reports_to_the_nearest_five(here, kentau):
    refer(6, here)
    refer(7, here, state=ReferralState.SIGNED)
    refer(8, kentau, state=ReferralState.SIGNED, issued_at=IN_OCTOBER)
    refer(5, kentau, issued_at=IN_OCTOBER)
    asked = Asked(NOW, (here, kentau), are_everywhere=True)
    table = published("no-shows", Slice.MONTH, here, kentau)
    assert [row.key for row in table.rows] == asked.months
    assert counts.no_shows(asked, Slice.MONTH)[None]["expired_percent"] == 42
    told = {row.key: row.values for row in (*table.rows, table.total)}
    assert {key: [told[key][name] for name in OUTCOMES] for key in (OCTOBER, NOVEMBER, None)} == {
        OCTOBER: [15, 5, 10, 40],
        NOVEMBER: [15, 5, 5, 45],
        None: [25, 10, 15, 40],
    }
    assert published("no-shows", Slice.MONTH, here, kentau, place=here).total.values["referrals"] == 15


OUTCOMES = ("referrals", "expired", "signed", "expired_percent")


@pytest.mark.parametrize(
    ("count", "told"), [(0, 0), (1, Untold.FEW), (4, Untold.FEW), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15)]
)
def test_of_fewer_than_five_nothing_is_told_and_of_more_about_how_many(here, count, told):
    refer(count, here)
    assert published("no-shows", Slice.MONTH, here, place=here).total.values["referrals"] == told


@pytest.mark.parametrize(
    ("expired", "signed", "told"),
    [
        (5, 5, (5, 5)),
        # Each of the referrals stands in a public register: what nearly all came to is what each of them came to.
        (9, 4, (Untold.COVERED, Untold.COVERED)),
        (9, 0, (Untold.COVERED, Untold.COVERED)),
        (1, 0, (Untold.COVERED, Untold.COVERED)),
        (0, 0, (0, 0)),
    ],
)
def test_nobody_learns_of_anybody_how_it_ended(here, expired, signed, told):
    refer(expired, here)
    refer(signed, here, state=ReferralState.SIGNED)
    row = published("no-shows", Slice.MONTH, here, place=here).rows[-1].values
    assert (row["expired"], row["signed"]) == told
    assert isinstance(row["expired_percent"], int) is (told[0] == 5)


def test_a_small_count_is_no_difference_of_others(here, kentau):
    """Three of Kentau: all places less Turkistan would be five."""
    refer(12, here)
    refer(3, kentau)
    everywhere = published("no-shows", Slice.LOCALITY, here, kentau)
    assert column(everywhere, "referrals") == {here.pk: 10, kentau.pk: Untold.FEW}
    assert everywhere.total.values["referrals"] == 15


def test_days_are_told_from_five_referrals_on(here):
    for days in (10, 20, 30, 400):
        refer(1, here, days=days)
    table = published("waits", Slice.MONTH, here, place=here)
    assert (table.total.values["median"], table.total.values["slow"]) == (Untold.COVERED,) * 2
    assert table.rows[0].values["median"] is None
    cache.clear()
    refer(1, here, days=40)
    row = published("waits", Slice.YEAR, here, place=here).rows[0].values
    assert (row["median"], row["slow"]) == (30, 400)


def test_a_queue_is_told_like_any_other_count(here):
    ApplicationFactory.create_batch(4, locality=here, child__birth_date=date(2023, 5, 1))
    ApplicationFactory.create_batch(7, locality=here, child__birth_date=date(2024, 5, 1))
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
        totals = (
            places.total.values["published"],
            places.total.values["signed"],
            shows.total.values["referrals"],
        )
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
