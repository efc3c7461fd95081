"""What a kindergarten's page tells of its past places: never of so few families that one could be recognised."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from applications.reports.demand import SHOWN, demand
from applications.states import BidState
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    ReferralFactory,
    VacancyFactory,
)

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def group():
    return GroupFactory()


def enrol(group, *, waited: int, signed_at: datetime) -> None:
    vacancy = VacancyFactory(group=group, opens_at=signed_at - 9 * DAY)
    application = ApplicationFactory(filed_at=signed_at - waited * DAY)
    bid = BidFactory(vacancy=vacancy, application=application)
    ContractFactory(referral=ReferralFactory(bid=bid, application=application), signed_at=signed_at)


def test_the_middle_of_five_contracts_of_the_last_year(group) -> None:
    for waited in (10, 20, 300, 40):
        enrol(group, waited=waited, signed_at=NOW - DAY)
    # Of another kindergarten, and of the year before.
    enrol(GroupFactory(kindergarten=KindergartenFactory()), waited=1, signed_at=NOW - DAY)
    enrol(group, waited=1, signed_at=NOW - 366 * DAY)
    assert demand(group.kindergarten, now=NOW).waited_days is None
    enrol(group, waited=50, signed_at=NOW - 364 * DAY)
    assert demand(group.kindergarten, now=NOW).waited_days == 40


def test_past_places_are_told_with_those_who_applied_and_a_few_are_hidden(group) -> None:
    full = VacancyFactory(group=group, opens_at=NOW - 3 * DAY, seats_total=2, seats_taken=2)
    for state in (BidState.ACTIVATED, BidState.WITHDRAWN, BidState.LOST):
        BidFactory(vacancy=full, state=state)
    closed = VacancyFactory(group=group, opens_at=NOW - 9 * DAY, state="closed", seats_total=3)
    for _number in range(6):
        BidFactory(vacancy=closed, state=BidState.LOST)
    VacancyFactory(group=group, opens_at=NOW - DAY)
    VacancyFactory(group=group, opens_at=NOW + DAY, published_at=NOW - DAY)
    VacancyFactory(group=group, opens_at=NOW - DAY, state="draft", published_at=None)
    VacancyFactory(opens_at=NOW - 3 * DAY, state="closed")
    past = demand(group.kindergarten, now=NOW).past
    assert [(one.places, one.applied) for one in past] == [(2, "<5"), (3, "6")]


def test_one_child_that_applied_twice_is_one(group) -> None:
    vacancy = VacancyFactory(group=group, opens_at=NOW - 9 * DAY, state="closed")
    application = ApplicationFactory()
    for _number in range(2):
        BidFactory(vacancy=vacancy, application=application, state=BidState.WITHDRAWN)
    for _number in range(4):
        BidFactory(vacancy=vacancy, state=BidState.WITHDRAWN)
    assert [one.applied for one in demand(group.kindergarten, now=NOW).past] == ["5"]


def test_the_page_costs_the_same_however_long_its_history(
    client: Client, group, django_assert_num_queries
) -> None:
    address = group.kindergarten.get_absolute_url()
    VacancyFactory(group=group, state="closed")
    client.get(address)
    with django_assert_num_queries(15):
        client.get(address)
    for _number in range(SHOWN + 2):
        BidFactory(
            vacancy=VacancyFactory(group=GroupFactory(kindergarten=group.kindergarten), state="closed")
        )
    with django_assert_num_queries(15):
        page = client.get(address)
    assert len(page.context["demand"].past) == SHOWN
