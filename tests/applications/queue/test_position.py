"""The number from the buckets, from counting, and from the order written out, over histories that nobody wrote down."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.models import Application, Rules
from applications.queue.buckets import bucket_differences, fold_buckets
from applications.queue.order import interleave
from applications.queue.position import (
    count_position,
    in_order,
    last_position,
    numbers_of,
    position,
    positions,
)
from applications.states import QUEUED_STATES, ApplicationState, Tier
from tests.factories import ApplicationFactory, ChildFactory, LocalityFactory, UserFactory
from tests.thorough import examples

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FAMILIES = 12

# Few different times, so that they collide, on both sides of a month's end in UTC and in Almaty.
TIMES = [
    datetime(2026, 1, 31, 18, 59, tzinfo=UTC),
    datetime(2026, 1, 31, 19, 0, tzinfo=UTC),
    datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 2, 1, 0, 0, tzinfo=UTC),
    datetime(2026, 2, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 15, 12, 0, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 0, tzinfo=UTC),
]
VALUES = {
    "state": st.sampled_from(ApplicationState),
    "tier": st.sampled_from(Tier),
    "filed_at": st.sampled_from(TIMES),
    "birth_year": st.sampled_from([2021, 2022]),
    "place": st.sampled_from([0, 1]),
}
standings = st.fixed_dictionaries(VALUES)
changes = st.one_of(
    *(st.tuples(st.integers(0, FAMILIES - 1), st.just(name), value) for name, value in VALUES.items()),
    st.tuples(st.integers(0, FAMILIES - 1), st.just("gone"), st.none()),
    st.tuples(st.just(0), st.just("fold"), st.none()),
)
histories = st.tuples(
    st.lists(standings, min_size=1, max_size=FAMILIES), st.lists(changes, max_size=25), st.integers(1, 4)
)


@pytest.fixture
def families(db):
    parent = UserFactory()
    places = [LocalityFactory(), LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")]
    children = [ChildFactory(birth_date=date(2022, 1, 1)) for _ in range(FAMILIES)]
    return parent, places, children


def columns(standing, places):
    """What a standing is in the table."""
    row = {name: value for name, value in standing.items() if name != "place"}
    if "place" in standing:
        row["locality"] = places[standing["place"]]
    if "state" in standing:
        row["archived_at"] = NOW if standing["state"] == ApplicationState.ARCHIVED else None
    return row


def live_through(first, history, families):
    """File the first applications, then change them one by one."""
    parent, places, children = families
    filed = [
        Application(
            child=child, number=f"26-{index}", sequence=index, languages=["kk"], filed_by=parent,
            interest_confirmed_at=NOW, **columns(standing, places),
        )
        for index, (child, standing) in enumerate(zip(children, first, strict=False))
    ]  # fmt: skip
    Application.objects.bulk_create(filed)
    for index, name, value in history:
        one = Application.objects.filter(sequence=index)
        if name == "fold":
            fold_buckets()
        elif name == "gone":
            one.delete()
        else:
            one.update(**columns({name: value}, places))


def naive_number(application, everyone, ratio):
    """The number by writing the whole queue out."""
    tiers: dict[Tier, list[UUID]] = {tier: [] for tier in Tier}
    for other in sorted(everyone, key=lambda other: (other.filed_at, other.sequence)):
        key = (other.locality_id, other.birth_year)
        if key == (application.locality_id, application.birth_year) and other.state in QUEUED_STATES:
            tiers[Tier(other.tier)].append(other.pk)
    order = interleave(tiers, general_per_priority=ratio)
    return (order.index(application.pk) + 1, len(order)) if application.pk in order else None


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=histories)
def test_the_number_is_that_of_the_written_order_after_any_history(families, history):
    first, then, ratio = history
    with transaction.atomic():
        Rules.objects.create(valid_from=date(2026, 1, 1), general_per_priority=ratio)
        live_through(first, then, families)
        everyone = list(Application.objects.select_related("locality"))
        numbers = numbers_of(everyone, now=NOW)
        places = positions(everyone, now=NOW)
        for application in everyone:
            place = position(application, now=NOW)
            assert places.get(application.pk) == place
            assert place == count_position(application, now=NOW)
            assert (place and (place.number, place.total)) == naive_number(application, everyone, ratio)
            assert numbers.get(application.pk) == (place and place.number)
            assert place is None or sum(place.ahead.values()) == place.number - 1
        assert bucket_differences() == []
        transaction.set_rollback(True)


WAITING = {"state": "waiting", "filed_at": TIMES[0], "birth_year": 2022, "place": 0}


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    terms=st.dictionaries(
        st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([-400, -1, 0, 1])), st.integers(1, 4)
    )
)
def test_the_ratio_is_that_of_the_rules_in_force(families, terms):
    """The statement chooses among the rules as `rules.choose` does; the locality's day has begun before UTC's."""
    places = families[1]
    evening = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
    today = date(2026, 11, 2)
    with transaction.atomic():
        Rules.objects.all().delete()
        for (place, days), ratio in terms.items():
            Rules.objects.create(
                locality=None if place is None else places[place],
                valid_from=today + timedelta(days=days),
                general_per_priority=ratio,
            )
        tiers = [Tier.GENERAL] * 6 + [Tier.PRIORITY] * 3
        live_through([WAITING | {"tier": tier} for tier in tiers], [], families)
        for application in Application.objects.select_related("locality"):
            place = position(application, now=evening)
            assert place == count_position(application, now=evening)
            assert place == positions([application], now=evening)[application.pk]
        transaction.set_rollback(True)


def test_a_page_of_numbers_costs_one_statement(families, django_assert_num_queries):
    live_through([WAITING | {"tier": 2, "place": index % 2} for index in range(FAMILIES)], [], families)
    everyone = list(Application.objects.select_related("locality"))
    with django_assert_num_queries(1):
        assert len(positions(everyone, now=NOW)) == FAMILIES
    with django_assert_num_queries(0):
        assert positions([], now=NOW) == {}


def test_the_number_is_one_statement(families, django_assert_num_queries):
    """Two statements on the queue could see two different queues."""
    live_through(
        [{"state": "waiting", "tier": 2, "filed_at": TIMES[0], "birth_year": 2022, "place": 0}], [], families
    )
    application = Application.objects.select_related("locality").get()
    with django_assert_num_queries(1):
        position(application, now=NOW)


def test_a_number_moves_up_when_somebody_far_ahead_leaves(families):
    waiting = {"state": "waiting", "tier": Tier.GENERAL, "birth_year": 2022, "place": 0}
    live_through(
        [waiting | {"filed_at": TIMES[0] - timedelta(days=900)}, waiting | {"filed_at": TIMES[5]}],
        [],
        families,
    )
    last = Application.objects.get(sequence=1)
    assert position(last, now=NOW).number == 2
    Application.objects.filter(sequence=0).update(state=ApplicationState.ENROLLED)
    assert position(last, now=NOW).number == 1


def test_who_leaves_after_being_read_has_no_place_in_the_order(db):
    place = LocalityFactory()
    first, leaving, last = [
        ApplicationFactory(locality=place, child__birth_date=date(2022, 1, 1), filed_at=at)
        for at in TIMES[:3]
    ]
    read = [last, leaving, first]
    Application.objects.filter(pk=leaving.pk).update(state=ApplicationState.ARCHIVED, archived_at=NOW)
    assert in_order(read, now=NOW) == [first, last]


def test_of_who_filed_before_the_first_of_a_tier_nobody_stands(db):
    own = ApplicationFactory(filed_at=NOW - timedelta(days=1))
    found = [
        last_position(
            locality=own.locality,
            birth_year=own.birth_year,
            tier=own.tier,
            until=(own.filed_at + shift, own.sequence),
            now=NOW,
        )
        for shift in (timedelta(microseconds=-1), timedelta(0))
    ]
    assert found == [None, count_position(own, now=NOW)]
