"""A coming that was noted by mistake is taken back, and a number of a contract corrected."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts import audit
from accounts.audit import journal_of
from accounts.roles import Role
from applications.admin.work import page_of
from applications.journal_actions import Action
from applications.models import Application, Bid, Contract, Event, Referral, UndoRequest
from applications.moves import Refused, write_event
from applications.referrals import coming, ending, issuing
from applications.referrals.due import last_day_of
from applications.referrals.numbering import correct_number
from applications.refusals import Refusal
from applications.rules.coming import last_day_without
from applications.states import Move, ProposalState, ReferralState, UndoKind
from applications.undoing import requests
from applications.undoing.noted import may_take_back, take_back_coming
from bulletin.workdays import Calendar
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import ApplicationFactory
from tests.staff import employee, inside, official_of, worker_of

pytestmark = pytest.mark.usefixtures("scene_once")

MICROSECOND = timedelta(microseconds=1)
# Issued on Wednesday the 26th, five working days: up to and including Wednesday the 3rd.
LAST_DAY = date(2019, 7, 3)
OVER = datetime(2019, 7, 4, tzinfo=ZONE)
MIDNIGHT = datetime(2019, 6, 27, tzinfo=ZONE)


def test_the_last_day_of_before_and_never_a_day_that_is_over():
    calendar = Calendar(set(), set(), first=date(2019, 1, 1), last=date(2019, 12, 31))
    told = date(2019, 7, 12)
    for today, becomes in (
        (date(2019, 7, 1), LAST_DAY),
        (date(2019, 7, 2), LAST_DAY),
        (LAST_DAY, date(2019, 7, 4)),
        # A Friday: the next working day is Monday.
        (date(2019, 7, 5), date(2019, 7, 8)),
        (told, told),
    ):
        assert last_day_without(LAST_DAY, told=told, today=today, calendar=calendar) == becomes


@pytest.fixture
def referral(scene):
    write_event(scene.application, Move.FILE, before="", actor=scene.parent, now=NOW)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    return issuing.activate_bid(bid, actor=scene.staff, now=NOW)


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    return refusal.value.reason


def note(referral, actor, *, now=NOW):
    return coming.note_coming(referral, came_on=now.date(), actor=actor, now=now)


@pytest.mark.django_db
class TestTakenBack:
    def test_on_the_same_day_by_who_noted_it(self, scene, referral, worker):
        before = Referral.objects.values("valid_until", "working_days", "came_on").get()
        runs_out = Application.objects.get().runs_out_at
        noted, other = note(referral, worker), worker_of(scene.group.kindergarten)
        assert last_day_of(noted) >= LAST_DAY
        last = MIDNIGHT - MICROSECOND
        assert may_take_back(noted, worker, now=last)
        assert refused(take_back_coming, noted, actor=other, now=last) == Refusal.NOT_ALLOWED
        assert refused(take_back_coming, noted, actor=worker, now=MIDNIGHT) == Refusal.NOT_ALLOWED
        taken_back = take_back_coming(noted, actor=worker, now=last)
        assert Referral.objects.values("valid_until", "working_days", "came_on").get() == before
        assert Application.objects.get().runs_out_at == runs_out
        notice = Notice.objects.get(kind="coming_taken_back")
        assert f"{last_day_of(taken_back):%d.%m.%Y}" in notice.text
        assert journal_of(scene.parent).first().action == Action.COMING_TAKEN_BACK
        # Not twice; and then it can be noted anew, and taken back once more.
        assert refused(take_back_coming, taken_back, actor=worker, now=last) == Refusal.NOT_ALLOWED
        take_back_coming(note(taken_back, worker), actor=worker, now=last)
        assert Event.objects.filter(move=Move.TAKE_COMING_BACK).count() == 2

    def test_not_what_no_event_tells_of(self, referral, worker):
        Referral.objects.update(came_on=NOW.date())
        referral.refresh_from_db()
        assert not may_take_back(referral, worker, now=NOW)

    def test_later_an_official_decides_and_the_family_has_a_day_to_come(self, scene, referral, worker):
        """Noted on the last day: it may not be told that the referral ended yesterday."""
        noted = note(referral, worker, now=OVER - MICROSECOND)
        told = last_day_of(noted)
        asked = requests.ask_to_undo(
            noted.bid, kind=UndoKind.NOTED, reason="Басқа отбасы келді", actor=worker, now=OVER
        )
        assert Referral.objects.get().came_on == noted.came_on
        requests.approve_undo(asked, actor=official_of(scene.locality), now=OVER)
        referral = Referral.objects.get()
        assert (referral.came_on, last_day_of(referral)) == (None, date(2019, 7, 5))
        assert last_day_of(referral) < told
        assert referral.is_valid(now=OVER)
        assert "Басқа отбасы келді" in Notice.objects.get(kind="coming_taken_back").text

    @pytest.mark.parametrize("since", ["moved", "held", "signed", "asked"])
    def test_not_once_something_went_on_from_it(self, scene, referral, worker, since):
        noted = note(referral, worker)
        if since == "moved":
            Referral.objects.update(valid_until=noted.valid_until + timedelta(days=1))
        elif since == "held":
            Referral.objects.update(held_since=NOW)
        elif since == "signed":
            ending.sign_contract(noted, actor=worker, now=NOW)
        else:
            requests.ask_to_undo(noted.bid, kind=UndoKind.NOTED, reason="Қателік", actor=worker, now=NOW)
        asked = refused(take_back_coming, noted, actor=worker, now=NOW)
        assert asked == (Refusal.PROPOSAL_WAITS if since == "asked" else Refusal.NOT_ALLOWED)
        if since != "asked":
            again = refused(
                requests.ask_to_undo, noted.bid, kind=UndoKind.NOTED, reason="Қате", actor=worker, now=NOW
            )
            assert again == Refusal.GONE_ON
        assert Referral.objects.get().came_on == NOW.date()
        assert not Notice.objects.filter(kind="coming_taken_back").exists()
        assert UndoRequest.objects.count() == (since == "asked")

    def test_the_page_offers_it_and_the_confirmation_says_how(self, scene, referral, worker, clock):
        desk, work = inside(worker), "admin:applications_referral_work"
        asked = desk.get("/ru" + reverse(work, args=[referral.pk, "came"])).content.decode()
        assert "до конца дня" in asked
        assert desk.get(reverse(work, args=[referral.pk, "came-not"])).status_code == 403
        desk.post(reverse(work, args=[referral.pk, "came"]), {"came_on": "2019-06-26"})
        page = desk.get(reverse("admin:applications_referral_change", args=[referral.pk])).content.decode()
        assert reverse(work, args=[referral.pk, "came-not"]) in page
        assert reverse(work, args=[referral.pk, "undo-coming"]) not in page
        colleague = inside(worker_of(scene.group.kindergarten))
        page = colleague.get(page_of(referral)).content.decode()
        assert reverse(work, args=[referral.pk, "undo-coming"]) in page
        assert reverse(work, args=[referral.pk, "came-not"]) not in page
        desk.post(reverse(work, args=[referral.pk, "came-not"]), {})
        assert Referral.objects.get().came_on is None

    def test_signing_meanwhile_closes_the_request_as_every_page_says(self, scene, referral, worker, clock):
        noted = note(referral, worker)
        asked = requests.ask_to_undo(
            noted.bid, kind=UndoKind.NOTED, reason="Басқа отбасы келді", actor=worker, now=NOW
        )
        desk, office = inside(worker), inside(official_of(scene.locality))
        work, decide = "admin:applications_referral_work", "admin:applications_undorequest_work"
        approve, decline = (reverse(decide, args=[asked.pk, name]) for name in ("approve", "decline"))
        sign, request = reverse(work, args=[referral.pk, "sign"]), page_of(asked)
        # Whoever is about to sign, and whoever decides, reads that it waits, and what signing does to it.
        for reader, address in ((desk, page_of(referral)), (desk, sign), (office, request)):
            page = reader.get(address).content.decode()
            assert ["сұрау өзі жабылады" in page, "тек қабылдамауға" in page] == [True, False], address
        page = office.get(request).content.decode()
        assert approve in page
        assert "field-came_on" not in page
        desk.post(sign, {"contract_number": ""})
        # It is closed by itself, and whoever asked is told why; nobody has decided it.
        page = office.get(request).content.decode()
        assert approve not in page
        assert decline not in page
        ended = UndoRequest.objects.get()
        assert (ended.state, ended.decided_by, ended.decided_at) == (ProposalState.ENDED, None, NOW)
        notice = Notice.objects.get(recipient=worker, kind="staff_undo_ended")
        assert ["қол қойылды" in notice.text_kk, request in notice.link] == [True, True]
        assert Action.UNDO_ENDED in {entry.action for entry in journal_of(scene.parent)}
        assert refused(
            requests.decline_undo, ended, actor=official_of(scene.locality), reason="x", now=NOW
        ) == (Refusal.PROPOSAL_DECIDED)

    def test_a_name_in_its_reason_is_read_in_the_history_by_who_reads_names(self, scene, referral, worker):
        name = scene.application.child.last_name.capitalize()
        noted = note(referral, worker)
        asked = requests.ask_to_undo(
            noted.bid,
            kind=UndoKind.NOTED,
            reason=f"{name}ның орнына басқа отбасы келді",
            actor=worker,
            now=NOW,
        )
        history = reverse("admin:applications_undorequest_history", args=[asked.pk])
        for reader, is_named in ((official_of(scene.locality), True), (employee(Role.AUDITOR), False)):
            page = inside(reader).get(history).content.decode()
            assert "орнына басқа отбасы келді" in page
            assert (name in page) == is_named

    @pytest.mark.parametrize("end", ["revoke", "expire"])
    def test_a_request_ends_with_its_referral(self, scene, referral, worker, end):
        noted = note(referral, worker)
        requests.ask_to_undo(noted.bid, kind=UndoKind.NOTED, reason="x", actor=worker, now=NOW)
        if end == "revoke":
            ending.revoke_referral(noted, actor=worker, reason="x", now=NOW)
        else:
            ending.expire_referral(noted, now=noted.valid_until)
        assert UndoRequest.objects.get().state == ProposalState.ENDED
        # What may be asked now is not in its way.
        kind = UndoKind.REVOCATION if end == "revoke" else UndoKind.COMING
        assert requests.may_ask(Bid.objects.get(pk=noted.bid_id), kind)


@pytest.mark.django_db
class TestNumber:
    def test_it_is_corrected_with_a_reason_that_the_family_reads(self, scene, referral, worker, clock):
        contract = ending.sign_contract(referral, actor=worker, contract_number="17-A", now=NOW)
        other_family = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        bid = place_bid(other_family, scene.vacancy, actor=other_family.filed_by, now=NOW)
        other = ending.sign_contract(
            issuing.activate_bid(bid, actor=scene.staff, now=NOW), actor=worker, contract_number="71", now=NOW
        )
        by = {"actor": worker, "now": NOW}
        for number in ("17-A", " ", other.number):
            with pytest.raises(ValidationError):
                correct_number(contract, number=number, reason="Қате терілді", **by)
        assert refused(correct_number, contract, number="17", reason=" ", **by) == Refusal.REASON_MISSING
        desk, address = (
            inside(worker),
            reverse("admin:applications_contract_work", args=[contract.pk, "number"]),
        )
        answer = desk.post(address, {"number": "71", "reason": "Қате терілді, қағаздағыдай"})
        assert answer.context["errors"]
        desk.post(address, {"number": "17-Б", "reason": "Қате терілді, қағаздағыдай"})
        assert Contract.objects.get(pk=contract.pk).number == "17-Б"
        entry = journal_of(scene.parent).first()
        assert (entry.action, entry.actor) == (Action.CONTRACT_NUMBER_CORRECTED, worker)
        assert "17-A → 17-Б" in entry.reason
        assert audit.history_of(contract).filter(action=Action.CONTRACT_NUMBER_CORRECTED).count() == 1
        # Undone, or ended, by a colleague while the page was open: no number is corrected any more.
        with_referral = Referral.objects.filter(pk=contract.referral_id)
        for state in (ReferralState.ENDED, ReferralState.ISSUED):
            with_referral.update(state=state)
            assert (
                refused(correct_number, contract, number="18", reason="Қате терілді", **by) == Refusal.GONE_ON
            )
        assert Contract.objects.get(pk=contract.pk).number == "17-Б"
        with_referral.update(state=ReferralState.SIGNED)
        # An official signs nothing, and corrects nothing.
        assert inside(employee(Role.OFFICIAL)).post(address, {}).status_code == 403
