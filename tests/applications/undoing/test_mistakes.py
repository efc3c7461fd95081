"""A refusal, a revocation and a contract by mistake: undone if the family has not gone on and nobody loses a place."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.bidding import ending as bid_ending
from applications.bidding import publication
from applications.jobs.invariants import differences
from applications.journal_actions import Action
from applications.models import Application, Bid, Contract, Event, Headcount, Referral, UndoRequest
from applications.moves import Refused, write_event
from applications.places.occupancy import over_promised
from applications.referrals import ending, issuing
from applications.referrals.due import last_day_of
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, Move, ProposalState, ReferralState, UndoKind
from applications.undoing import requests
from applications.waiting import filing
from bulletin.models import Vacancy
from bulletin.workdays import end_of_day
from notifications.models import Notice
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import ApplicationFactory, DisputeFactory, VacancyFactory
from tests.staff import employee, inside, press, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
# Monday: three working days after NOW, two of the five of a referral of then are left.
LATER = datetime(2019, 7, 1, 10, 0, tzinfo=ZONE)


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def official(scene):
    return employee(Role.OFFICIAL)


@pytest.fixture
def bid(scene):
    write_event(scene.application, Move.FILE, before="", actor=scene.parent, now=NOW)
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)


def refused_bid(bid, worker):
    bid_ending.reject_bid(bid, actor=worker, reason="Топ толық", now=NOW)
    return UndoKind.REFUSAL


def revoked(bid, worker):
    referral = issuing.activate_bid(bid, actor=worker, now=NOW)
    ending.revoke_referral(referral, actor=worker, reason="Қателік", now=NOW)
    return UndoKind.REVOCATION


def signed(bid, worker):
    referral = issuing.activate_bid(bid, actor=worker, now=NOW)
    ending.sign_contract(referral, actor=worker, contract_number="114", now=NOW)
    return UndoKind.CONTRACT


MISTAKES = [refused_bid, revoked, signed]


def ask(bid, kind, worker, *, now=LATER):
    return requests.ask_to_undo(bid, kind=kind, reason="Басқа бала еді", actor=worker, now=now)


def why_refused(call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    return refusal.value.reason


def undo(bid, kind, worker, official, *, now=LATER):
    return requests.approve_undo(ask(bid, kind, worker, now=now), actor=official, now=now)


def test_a_refused_bid_waits_again_with_a_new_last_day(scene, bid, worker, official):
    was_due = bid.answer_due
    undo(bid, refused_bid(bid, worker), worker, official)
    bid.refresh_from_db()
    scene.vacancy.refresh_from_db()
    assert (bid.state, bid.holds_seat, bid.decided_at, bid.reason) == (BidState.PENDING, True, None, "")
    # Two working days after Monday.
    assert was_due < bid.answer_due == end_of_day(date(2019, 7, 3), ZONE)
    assert scene.vacancy.seats_taken == 1
    assert Application.objects.get().state == ApplicationState.BID_PLACED
    assert Notice.objects.filter(kind="bid_restored").count() == 1
    assert AuditEntry.objects.filter(action=Action.REFUSAL_UNDONE, subject=scene.parent).exists()
    assert list(differences()) == []
    issuing.activate_bid(bid, actor=worker, now=LATER)


def test_a_revoked_referral_has_the_working_days_that_were_left(scene, bid, worker, official):
    """Revoked on the day of its issue, with five days left; the 8th is off."""
    undo(bid, revoked(bid, worker), worker, official)
    referral = Bid.objects.get().referral
    assert (referral.state, referral.ended_at, referral.reason) == (ReferralState.ISSUED, None, "")
    assert last_day_of(referral) == date(2019, 7, 9)
    end = end_of_day(date(2019, 7, 9), ZONE)
    assert (referral.is_valid(now=end - MICROSECOND), referral.is_valid(now=end)) == (True, False)
    assert Application.objects.get().runs_out_at == end
    assert Notice.objects.filter(kind="referral_restored").count() == 1
    assert list(differences()) == []
    ending.sign_contract(referral, actor=worker, now=end - MICROSECOND)


def test_while_its_last_day_stood_still_a_revoked_referral_lost_no_day(scene, bid, worker, official):
    """Held on the day of its issue with five days left, and revoked after its last day had gone by."""
    referral = issuing.activate_bid(bid, actor=worker, now=NOW)
    Referral.objects.update(held_since=NOW)
    then = datetime(2019, 7, 9, 10, 0, tzinfo=ZONE)
    ending.revoke_referral(referral, actor=worker, reason="Қателік", now=then)
    undo(bid, UndoKind.REVOCATION, worker, official, now=then + timedelta(days=1))
    assert last_day_of(Bid.objects.get().referral) == date(2019, 7, 17)


def test_an_undone_contract_gives_its_referral_time_and_its_place_back(scene, bid, worker, official):
    kind = signed(bid, worker)
    undo(bid, kind, worker, official)
    referral = Bid.objects.get().referral
    scene.vacancy.refresh_from_db()
    assert not Contract.objects.exists()
    assert (referral.state, last_day_of(referral)) == (ReferralState.ISSUED, date(2019, 7, 9))
    assert (scene.vacancy.seats_taken, Bid.objects.get().holds_seat) == (1, True)
    event = Event.objects.latest("id")
    assert (event.move, event.data["contract"]) == (Move.UNDO_CONTRACT, "114")
    assert Notice.objects.filter(kind="contract_undone").count() == 1
    assert list(differences()) == []
    # The number is free again, for the child whom it was meant for.
    ending.sign_contract(referral, actor=worker, contract_number="114", now=LATER)


def test_a_last_day_that_is_later_stays_and_so_does_its_paper(scene, bid, worker, official):
    kind, own = signed(bid, worker), end_of_day(date(2019, 7, 25), ZONE)
    Referral.objects.update(valid_until=own, pdf="referrals/kept.pdf")
    undo(bid, kind, worker, official)
    referral = Referral.objects.get()
    assert (referral.valid_until, referral.pdf.name) == (own, "referrals/kept.pdf")


@pytest.mark.parametrize("mistake", [revoked, signed])
def test_while_a_guardian_is_disputed_the_last_day_stands_still(scene, bid, worker, official, mistake):
    kind = mistake(bid, worker)
    DisputeFactory(guardianship__child=scene.application.child)
    undo(bid, kind, worker, official)
    assert Bid.objects.get().referral.held_since == LATER


# --- the place has gone -------------------------------------------------------------------------------------------


def taken_by_others(scene, bid):
    for _place in range(Vacancy.objects.get(pk=scene.vacancy.pk).seats_free):
        other = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        place_bid(other, scene.vacancy, actor=other.filed_by, now=LATER)


def offered_to_another(scene, bid):
    """After an award by number what is given back goes to the next of its bidders."""
    Bid.objects.filter(pk=bid.pk).update(placed_at=LATER - MICROSECOND)
    other = ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
    offered_to(
        SimpleNamespace(
            application=other, vacancy=scene.vacancy, parent=other.filed_by, now=LATER - MICROSECOND
        )
    )
    Vacancy.objects.update(seats_total=1)


def recalled(scene, bid):
    publication.recall_vacancy(
        Vacancy.objects.get(pk=scene.vacancy.pk), actor=scene.staff, reason="Жөндеу", now=LATER
    )


def published_anew(scene, bid):
    publication.close_vacancy(Vacancy.objects.get(pk=scene.vacancy.pk), actor=scene.staff, now=LATER)
    VacancyFactory(group=scene.group, seats_total=scene.group.capacity, opens_at=LATER)


@pytest.mark.parametrize("mistake", [refused_bid, revoked])
def test_nobody_is_displaced(scene, bid, worker, official, mistake):
    kind = mistake(bid, worker)
    request = ask(bid, kind, worker)
    for meanwhile in (taken_by_others, offered_to_another, recalled, published_anew):
        with transaction.atomic():
            meanwhile(scene, bid)
            before = list(Vacancy.objects.order_by("pk").values_list("seats_taken", flat=True))
            refusal = why_refused(requests.approve_undo, request, actor=official, now=LATER)
            assert refusal == Refusal.PLACE_GONE, meanwhile
            assert list(Vacancy.objects.order_by("pk").values_list("seats_taken", flat=True)) == before
            assert UndoRequest.objects.get().state == ProposalState.PROPOSED
            assert over_promised(now=LATER) == []
            transaction.set_rollback(True)
    requests.approve_undo(request, actor=official, now=LATER)


def test_a_count_that_holds_the_child_is_made_anew_first(scene, bid, worker, official):
    """The contract is among the 23 counted children; with two places promised the group of 25 is full."""
    kind = signed(bid, worker)
    counted = {
        "group": scene.group,
        "school_year": 2018,
        "state": ProposalState.APPROVED,
        "proposed_at": LATER,
        "proposed_by": worker,
        "decided_by": official,
    }
    Headcount.objects.create(children=24, counted_at=LATER, **counted)
    assert over_promised(now=LATER) == []
    request = ask(bid, kind, worker)
    assert why_refused(requests.approve_undo, request, actor=official, now=LATER) == Refusal.COUNT_FIRST
    assert Contract.objects.exists()
    assert Application.objects.get().state == ApplicationState.ENROLLED
    Headcount.objects.create(children=23, counted_at=LATER + MICROSECOND, **counted)
    requests.approve_undo(request, actor=official, now=LATER + MICROSECOND)
    assert over_promised(now=LATER + MICROSECOND) == []


# --- the family has gone on ---------------------------------------------------------------------------------------


def moved_on(scene):
    other = VacancyFactory(group=scene.group, opens_at=NOW)
    again = place_bid(Application.objects.get(), other, actor=scene.parent, now=LATER)
    bid_ending.withdraw_bid(again, actor=scene.parent, now=LATER)


def archived(scene):
    filing.archive(Application.objects.get(), actor=scene.parent, now=LATER)


def learns_another_language(scene):
    Application.objects.update(languages=["kk"])


@pytest.mark.parametrize("mistake", [refused_bid, revoked])
def test_a_family_that_went_on_is_left_alone(scene, bid, worker, official, mistake):
    kind = mistake(bid, worker)
    request = ask(bid, kind, worker)
    for meanwhile in (moved_on, archived, learns_another_language):
        with transaction.atomic():
            meanwhile(scene)
            refusal = why_refused(requests.approve_undo, request, actor=official, now=LATER)
            assert refusal == Refusal.GONE_ON, meanwhile
            assert not requests.may_ask(bid, kind)
            transaction.set_rollback(True)


def test_a_child_with_another_application_keeps_its_contract(scene, bid, worker, official, monkeypatch):
    kind = signed(bid, worker)
    request = ask(bid, kind, worker)
    filing.file_application(
        child=scene.application.child,
        locality=scene.locality,
        languages=["ru"],
        actor=scene.parent,
        now=LATER,
    )
    assert why_refused(requests.approve_undo, request, actor=official, now=LATER) == Refusal.GONE_ON
    # Filed at the same moment, it is not seen; then the constraint says the same.
    monkeypatch.setattr(requests, "_refuse_impossible", lambda *args, **kwargs: None)
    assert why_refused(requests.approve_undo, request, actor=official, now=LATER) == Refusal.GONE_ON
    assert Contract.objects.exists()


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mistake", MISTAKES)
def test_from_the_button_to_the_family(scene, bid, worker, official, clock, client_of, mistake):
    kind = mistake(bid, worker)
    obj, name = {
        UndoKind.REFUSAL: (bid, "undo-refusal"),
        UndoKind.REVOCATION: (Bid.objects.get(), "undo-revocation"),
        UndoKind.CONTRACT: (Contract.objects.first(), "undo-contract"),
    }[kind]
    if kind == UndoKind.REVOCATION:
        obj = obj.referral
    admin = f"admin:applications_{obj._meta.model_name}"
    page, button = (
        reverse(f"{admin}_change", args=[obj.pk]),
        reverse(f"{admin}_work", args=[obj.pk, name]),
    )
    desk, office = inside(worker), inside(official)
    assert button in desk.get(page).content.decode()
    assert press(desk, button, {"reason": " "}).context["errors"]
    assert press(desk, button, {"reason": "Басқа бала еді"}).url == page
    request = UndoRequest.objects.get()
    shown = desk.get(page).content.decode()
    assert button not in shown
    assert reverse("admin:applications_undorequest_change", args=[request.pk]) in shown
    press(office, reverse("admin:applications_undorequest_work", args=[request.pk, "approve"]))
    request.refresh_from_db()
    assert request.state == ProposalState.APPROVED
    family = client_of(scene.parent)
    told = family.get(reverse("applications:application", args=[scene.application.pk]))
    assert "Басқа бала еді" in told.content.decode()
