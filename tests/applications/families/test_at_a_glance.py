"""What a family reads of its children at a glance: the number, what waits for its answer, and until when."""

from datetime import UTC, date, datetime, timedelta

import pytest

from applications.families.at_a_glance import glances_of
from applications.families.due import DueKind
from applications.models import Application, Offer, Rules
from applications.states import ApplicationState, BidState, OfferState
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    DisputeFactory,
    ReferralFactory,
    VacancyFactory,
    reckon_all,
)

pytestmark = pytest.mark.django_db
# The end of 20 December in Turkistan is 19:00 UTC.
UNTIL = datetime(2026, 12, 20, 19, tzinfo=UTC)
NOW = datetime(2026, 12, 16, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock.move_to(NOW)


@pytest.fixture
def application():
    born = {"child__birth_date": date(2022, 5, 4)}
    ahead = ApplicationFactory(filed_at=NOW - timedelta(days=60), **born)
    return ApplicationFactory(locality=ahead.locality, **born)


def glance_of(application):
    (glance,) = glances_of(application.filed_by, now=NOW)
    return glance


def brought(application, state):
    application.state = state
    application.save()
    reckon_all()
    return application


def test_a_waiting_child_has_its_number_and_nothing_to_answer(application):
    glance = glance_of(application)
    assert (glance.number, glance.asks, glance.last_day) == (2, None, None)
    assert glances_of(ReferralFactory().issued_by, now=NOW) == []


def test_a_referral_names_its_last_day(application):
    ReferralFactory(application=brought(application, ApplicationState.REFERRED), valid_until=UNTIL)
    glance = glance_of(application)
    assert (glance.number, glance.asks, glance.last_day) == (2, DueKind.REFERRAL, date(2026, 12, 20))


def test_an_offered_place_names_its_last_day(application):
    Offer.objects.create(
        vacancy=VacancyFactory(),
        application=application,
        state=OfferState.OFFERED,
        freed_at=NOW,
        made_at=NOW,
        until=UNTIL,
    )
    assert (glance_of(application).asks, glance_of(application).last_day) == (
        DueKind.OFFER,
        date(2026, 12, 20),
    )


def test_who_is_asked_for_its_interest_reads_until_when(application):
    Rules.objects.create(valid_from=date(2026, 1, 1), interest_month=12, interest_day=24)
    Application.objects.update(interest_confirmed_at=NOW - timedelta(days=400))
    glance = glance_of(application)
    assert (glance.asks, glance.last_day) == (DueKind.INTEREST, date(2026, 12, 24))


def test_who_has_lapsed_is_asked_to_come_back(application):
    glance = glance_of(brought(application, ApplicationState.LAPSED))
    assert (glance.number, glance.asks) == (None, DueKind.COMING_BACK)


def test_a_collected_bid_waits_for_nobodys_answer(application):
    BidFactory(
        application=brought(application, ApplicationState.BID_PLACED),
        state=BidState.PENDING,
        holds_seat=False,
    )
    assert glance_of(application).state_label == "Өтінім қабылдаудың аяқталуы күтілуде"


def test_what_is_disputed_is_left_to_its_page(application):
    DisputeFactory(guardianship=application.child.guardianships.get())
    assert glance_of(application).number is None


def test_what_ran_out_is_left_to_its_page(application):
    referred = brought(application, ApplicationState.REFERRED)
    ReferralFactory(application=referred, valid_until=NOW, issued_at=NOW - timedelta(days=7))
    Application.objects.filter(pk=application.pk).update(runs_out_at=NOW)
    glance = glance_of(application)
    assert (glance.number, glance.asks) == (None, None)


def test_the_archive_is_not_shown(application):
    application.archived_at = NOW
    brought(application, ApplicationState.ARCHIVED)
    assert glances_of(application.filed_by, now=NOW) == []
