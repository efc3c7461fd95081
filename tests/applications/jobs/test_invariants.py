"""Whatever contradicts something else is named."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from applications.jobs.invariants import differences
from applications.models import Application, Bid, QueueCount, StopListEntry
from applications.moves import write_event
from applications.referrals import ending, issuing, stops
from applications.states import ApplicationState, BidState, Move
from bulletin.models import Closing, Kindergarten, Vacancy
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bid(scene):
    """A bid of an application whose history begins with its filing."""
    application = scene.application
    write_event(application, Move.FILE, before="", actor=scene.parent, now=application.filed_at)
    return place_bid(application, scene.vacancy, actor=scene.parent, now=scene.now)


def test_all_is_well_along_the_whole_way(scene, bid, capsys):
    steps = [
        lambda: issuing.activate_bid(bid, actor=scene.staff, now=scene.now),
        lambda: ending.expire_referral(bid.referral, now=bid.referral.valid_until),
        lambda: stops.lift_stop(StopListEntry.objects.get(), now=StopListEntry.objects.get().until),
        lambda: place_bid(
            scene.application, scene.vacancy, actor=scene.parent, now=scene.now + timedelta(days=60)
        ),
    ]
    for step in steps:
        assert list(differences()) == []
        step()
        scene.application.refresh_from_db()
    call_command("check_invariants")
    assert "Everything agrees" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda: Vacancy.objects.update(seats_taken=2), "2 places taken, but 1 bids and offers hold one"),
        (lambda: Bid.objects.update(holds_seat=False), "waits for an answer without a place"),
        (lambda: Bid.objects.update(state=BidState.LOST), "has ended and still holds a place"),
        (lambda: Bid.objects.update(state=BidState.LOST), "bid_placed without pending bid"),
        (
            lambda: Vacancy.objects.update(
                awarded_at=F("opens_at"), closes_at=F("opens_at") + timedelta(days=1)
            ),
            "was awarded before its end",
        ),
        (lambda: Application.objects.update(state=ApplicationState.WAITING), "waiting with pending bid"),
        (
            lambda: Application.objects.update(state=ApplicationState.REFERRED),
            "referred without issued referral",
        ),
        (
            lambda: Application.objects.update(state=ApplicationState.STOP_LISTED),
            "stop_listed without running stop",
        ),
        (
            lambda: Application.objects.update(state=ApplicationState.ENROLLED),
            "enrolled without signed referral",
        ),
        (lambda: Application.objects.update(birth_year=2016), "does not stand where its last event left it"),
        (lambda: QueueCount.objects.all().delete(), "queue count"),
        (
            lambda: Closing.objects.create(
                kindergarten=Kindergarten.objects.get(),
                cause=Closing.Cause.REPAIR,
                starts_on=NOW.date(),
                reason="x",
                decided_at=NOW,
                decided_by=StaffFactory(),
            ),
            "is in the bulletin, but its group is closed",
        ),
    ],
)
def test_damage_is_named(bid, damage, named, capsys):
    damage()
    with pytest.raises(CommandError):
        call_command("check_invariants")
    assert named in capsys.readouterr().out


def test_a_bid_of_which_no_event_tells(scene, bid):
    Bid.objects.create(
        application=scene.application,
        vacancy=scene.vacancy,
        state=BidState.WITHDRAWN,
        placed_at=scene.now,
        placed_by=scene.parent,
    )
    assert [line for line in differences() if "no event tells" in line]
