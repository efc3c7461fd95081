"""Nobody decides for their own child, not even from an employee's account, which is another one than the parent's."""

from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.translation import gettext
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.identity import iin_hash
from accounts.journal_actions import Action
from accounts.models import AuditEntry, User
from accounts.roles import Role
from applications.admin.work import WorkAdmin
from applications.bidding import ending as bid_ending
from applications.closings import deciding
from applications.models import (
    Application,
    Bid,
    Contract,
    Correction,
    Event,
    Referral,
    StopListEntry,
    UndoRequest,
)
from applications.moves import Refused
from applications.referrals import coming, ending, issuing, stops
from applications.referrals.leaving import end_contract
from applications.referrals.returning import return_to_queue
from applications.referrals.transferring import transfer, undo_transfer
from applications.refusals import Refusal
from applications.states import DECISIONS, ApplicationState, Move, StandIn, UndoKind
from applications.undoing import requests
from bulletin.models import Closing, Group
from children.models import Guardianship
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ContractFactory,
    DisputeFactory,
    GroupFactory,
    GuardianshipFactory,
    StaffFactory,
    UndoRequestFactory,
    UserFactory,
    nth_iin,
)
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


def account_of(parent: User, **fields) -> User:
    """The parent's account as an employee."""
    return StaffFactory(staff_iin_hash=parent.profile.iin_hash, **fields)


@pytest.fixture
def bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


@pytest.fixture
def referral(scene, bid):
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


@pytest.fixture
def stop(scene, referral):
    ending.expire_referral(referral, now=referral.valid_until)
    return StopListEntry.objects.get()


@pytest.fixture
def came_in_time(scene, stop):
    return UndoRequestFactory(bid=stop.referral.bid, proposed_at=scene.now)


@pytest.fixture
def refused_by_mistake(scene, bid):
    bid_ending.reject_bid(bid, actor=scene.staff, reason="x", now=scene.now)
    return UndoRequestFactory(kind=UndoKind.REFUSAL, bid=bid, came_on=None)


@pytest.fixture
def revoked_by_mistake(scene, referral):
    ending.revoke_referral(referral, actor=scene.staff, reason="x", now=scene.now)
    return UndoRequestFactory(kind=UndoKind.REVOCATION, bid=referral.bid, came_on=None)


@pytest.fixture
def signed_by_mistake(scene, referral):
    ending.sign_contract(referral, actor=scene.staff, now=scene.now)
    return UndoRequestFactory(kind=UndoKind.CONTRACT, bid=referral.bid, came_on=None)


@pytest.fixture
def contract(scene, referral):
    return ending.sign_contract(referral, actor=scene.staff, now=scene.now)


@pytest.fixture
def closed(scene, contract):
    closing = Closing(
        kindergarten=scene.group.kindergarten,
        group=scene.group,
        cause=Closing.Cause.REPAIR,
        starts_on=scene.now.date(),
        reason="x",
    )
    deciding.close(closing, actor=employee(Role.OFFICIAL), now=scene.now)
    return contract


@pytest.fixture
def moved(scene, contract):
    return transfer(
        contract, target=beside(scene.group), reason="x", actor=scene.staff, now=scene.now
    ).contract


@pytest.fixture
def ended_by_mistake(scene, contract):
    end_contract(contract, left_on=scene.now.date(), reason="x", actor=scene.staff, now=scene.now)
    return UndoRequestFactory(kind=UndoKind.LEAVING, bid=contract.referral.bid, came_on=None)


@pytest.fixture
def noted_by_mistake(scene, referral):
    coming.note_coming(referral, came_on=scene.now.date(), actor=scene.staff, now=scene.now)
    return UndoRequestFactory(kind=UndoKind.NOTED, bid=referral.bid, came_on=None)


UNDONE = {
    Move.TAKE_COMING_BACK: "noted_by_mistake",
    Move.UNDO_LEAVING: "ended_by_mistake",
    Move.CONFIRM_COMING: "came_in_time",
    Move.UNDO_REFUSAL: "refused_by_mistake",
    Move.UNDO_REVOCATION: "revoked_by_mistake",
    Move.UNDO_CONTRACT: "signed_by_mistake",
}


def beside(group: Group) -> Group:
    """Another group of the same kindergarten, for the same children."""
    return GroupFactory(
        kindergarten=group.kindergarten,
        name=f"{group.name} {Group.objects.count()}",
        age_group=group.age_group,
        language=group.language,
    )


def lift_stop(by, now):
    stop = StopListEntry.objects.get()
    stops.lift_stop(stop, actor=by, reason="Қате", now=stop.starts_at + timedelta(minutes=1))


def move_to_another_group(by, now):
    contract = Contract.objects.get()
    transfer(contract, target=beside(contract.group), reason="x", actor=by, now=now)


def approve_undo(by, now):
    by.user_permissions.add(
        *Permission.objects.filter(codename__in=["change_undorequest", "work_everywhere"])
    )
    requests.approve_undo(UndoRequest.objects.get(), actor=by, now=now)


HOW = {
    Move.LIFT_STOP: lift_stop,
    Move.ISSUE_REFERRAL: lambda by, now: issuing.activate_bid(Bid.objects.get(), actor=by, now=now),
    Move.REJECT_BID: lambda by, now: bid_ending.reject_bid(
        Bid.objects.get(), actor=by, reason="Қате", now=now
    ),
    Move.END_CONTRACT: lambda by, now: end_contract(
        Contract.objects.get(), left_on=now.date(), reason="x", actor=by, now=now
    ),
    Move.TRANSFER: move_to_another_group,
    Move.UNDO_TRANSFER: lambda by, now: undo_transfer(Contract.objects.get(), reason="x", actor=by, now=now),
    Move.RETURN_TO_QUEUE: lambda by, now: return_to_queue(
        Contract.objects.get(), reason="x", actor=by, now=now
    ),
    Move.NOTE_COMING: lambda by, now: coming.note_coming(
        Referral.objects.get(), came_on=now.date(), actor=by, now=now
    ),
    Move.REVOKE_REFERRAL: lambda by, now: ending.revoke_referral(
        Referral.objects.get(), actor=by, reason="Қате", now=now
    ),
    Move.SIGN_CONTRACT: lambda by, now: ending.sign_contract(Referral.objects.get(), actor=by, now=now),
    **dict.fromkeys(UNDONE, approve_undo),
}


def decide(scene, move: Move, by: User) -> None:
    """Let the employee `by` decide, in the summer's afternoon."""
    HOW[move](by, scene.now + timedelta(minutes=1))


BEFORE = {
    Move.ISSUE_REFERRAL: "bid",
    Move.REJECT_BID: "bid",
    Move.REVOKE_REFERRAL: "referral",
    Move.SIGN_CONTRACT: "referral",
    Move.LIFT_STOP: "stop",
    Move.NOTE_COMING: "referral",
    Move.END_CONTRACT: "contract",
    Move.TRANSFER: "contract",
    Move.UNDO_TRANSFER: "moved",
    Move.RETURN_TO_QUEUE: "closed",
    **UNDONE,
}


def test_every_decision_is_tried():
    assert set(BEFORE) == DECISIONS


@pytest.mark.parametrize("move", BEFORE)
class TestDecisions:
    def test_nothing_is_decided_by_a_guardian_in_another_account(self, scene, request, move):
        request.getfixturevalue(BEFORE[move])
        second = GuardianshipFactory(child=scene.application.child).user
        before = Event.objects.count()
        for guardian in (scene.parent, second):
            with pytest.raises(Refused) as refused:
                decide(scene, move, account_of(guardian))
            assert refused.value.reason == Refusal.OWN_CHILD
        assert Event.objects.count() == before
        decide(scene, move, StaffFactory(staff_iin_hash=iin_hash(nth_iin(14077))))
        assert Event.objects.count() > before

    def test_former_guardians_may(self, scene, request, move):
        request.getfixturevalue(BEFORE[move])
        former = GuardianshipFactory(child=scene.application.child, ended_at=scene.now).user
        before = Event.objects.count()
        decide(scene, move, account_of(former))
        assert Event.objects.count() > before


class Pages:
    @staticmethod
    def page(obj):
        return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])

    @classmethod
    def buttons(cls, desk, obj):
        works = desk.get(cls.page(obj)).context["works"]
        return [work["url"].rstrip("/").rsplit("/", 1)[1] for work in works]

    @staticmethod
    def work(obj, name):
        return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_work", args=[obj.pk, name])


class TestOfficials(Pages):
    """Each page of the workplace whose buttons decide about a child."""

    @pytest.fixture
    def pages(self, scene, referral):
        ending.expire_referral(referral, now=referral.valid_until)
        stop = StopListEntry.objects.get()
        application = scene.application
        other = GuardianshipFactory(child=application.child)
        by = {"proposed_by": StaffFactory(), "proposed_at": scene.now}
        return {
            "applications.application": ApplicationFactory(child__birth_date=application.child.birth_date),
            "applications.benefit": BenefitFactory(application=application),
            "applications.correction": Correction.objects.create(
                application=application,
                previous_filed_at=application.filed_at,
                previous_birth_year=application.birth_year,
                new_filed_at=application.filed_at - timedelta(days=1),
                document_number="12",
                document_date=scene.now.date(),
                reason="Архив анықтамасы",
                **by,
            ),
            "applications.stoplistentry": stop,
            "applications.undorequest": UndoRequestFactory(bid=stop.referral.bid, **by),
            "applications.contract": ContractFactory(
                referral__application__state=ApplicationState.ENROLLED,
                referral__bid__vacancy=scene.vacancy,
            ),
            "children.dispute": DisputeFactory(guardianship=other, due_at=scene.now + timedelta(days=2)),
        }

    def test_are_told_before_anything_is_typed(self, pages, scene, clock):
        words = gettext("This is your own child: another official decides.")
        StopListEntry.objects.update(until=scene.now + timedelta(days=90))
        mother = UserFactory()
        own, other = employee(Role.OFFICIAL, staff_iin_hash=mother.profile.iin_hash), employee(Role.OFFICIAL)
        for name, obj in pages.items():
            admin = site._registry[type(obj)]
            GuardianshipFactory(child=admin.child_of(obj), user=mother)
            works = self.buttons(inside(other), obj)
            assert works, name
            desk = inside(own)
            assert self.buttons(desk, obj) == [], name
            assert words in desk.get(self.page(obj)).content.decode(), name
            for work in works:
                for press in (desk.get, desk.post):
                    answer = press(self.work(obj, work))
                    assert (answer.status_code, answer.url) == (302, self.page(obj)), (name, work)
                assert words in desk.get(answer.url).content.decode(), (name, work)
            Guardianship.objects.filter(user=mother).delete()

    def test_every_page_with_such_buttons_is_tried(self, pages):
        tried = {*pages, "applications.bid", "applications.referral"}
        kindergartens = {
            "bulletin.closing",
            "bulletin.group",
            "bulletin.pause",
            "bulletin.photo",
            "bulletin.reportedincident",
            "bulletin.review",
            "bulletin.vacancy",
        }
        proposals = {
            "applications.cityexport",
            "applications.formerprotocol",
            "applications.groupproposal",
            "applications.headcount",
            "applications.profileproposal",
            "applications.rulesproposal",
        }
        with_works = {
            model._meta.label_lower
            for model, admin in site._registry.items()
            if isinstance(admin, WorkAdmin) and admin.works
        }
        # Of a person, and of papers that name a child that may not be here yet: each in a test of its own.
        people = {
            "accounts.assistedmove",
            "accounts.firstsignin",
            "accounts.numbermove",
            "accounts.objection",
            "applications.complaint",
            "applications.formerline",
            "children.guardianclaim",
        }
        assert with_works - kindergartens - proposals - people == tried


class TestTheOnlyEmployee(Pages):
    @pytest.fixture
    def worker(self, scene, clock):
        return worker_of(scene.group.kindergarten, staff_iin_hash=scene.parent.profile.iin_hash)

    @pytest.fixture
    def office(self, clock):
        return inside(employee(Role.OFFICIAL))

    def test_is_told_who_decides_and_the_official_does(self, scene, bid, worker, office):
        desk = inside(worker)
        words = gettext(
            "This is your own child, and nobody else in the kindergarten can decide: "
            "the education department decides."
        )
        assert self.buttons(desk, bid) == []
        assert words in desk.get(self.page(bid)).content.decode()
        for answer in (
            desk.get(self.work(bid, "activate"), follow=True),
            desk.post(self.work(bid, "activate"), follow=True),
            desk.post(self.work(bid, "reject"), {"reason": "Топта орын қалмады"}, follow=True),
        ):
            assert answer.redirect_chain == [(self.page(bid), 302)]
            assert words in answer.content.decode()
        assert not Referral.objects.exists()

        assert self.buttons(office, bid) == ["activate", "reject"]
        office.post(self.work(bid, "activate"))
        referral = Referral.objects.get()
        assert self.buttons(desk, referral) == []
        assert words in desk.get(self.page(referral)).content.decode()
        assert self.buttons(office, referral) == ["sign", "came", "revoke"]
        office.post(self.work(referral, "sign"), {"contract_number": ""})
        assert Application.objects.get().state == ApplicationState.ENROLLED

        contract = Contract.objects.get()
        assert words in desk.get(self.page(contract)).content.decode()
        assert "end" in self.buttons(office, contract)
        office.post(self.work(contract, "end"), {"left_on": scene.now.date(), "reason": "Көшіп кетті"})
        assert Application.objects.get().state == ApplicationState.ARCHIVED
        assert "take-back" in self.buttons(office, contract)

    @pytest.mark.parametrize("lacking", ["role", "password", "app"])
    def test_a_colleague_who_can_not_decide_is_none(self, scene, bid, worker, office, lacking):
        colleague = worker_of(scene.group.kindergarten)
        if lacking == "role":
            colleague.groups.clear()
        elif lacking == "app":
            TOTPDevice.objects.filter(user=colleague).update(confirmed=False)
        else:
            colleague.set_unusable_password()
            colleague.save()
        words = gettext(
            "This is your own child, and nobody else in the kindergarten can decide: "
            "the education department decides."
        )
        assert words in inside(worker).get(self.page(bid)).content.decode()
        assert self.buttons(office, bid) == ["activate", "reject"]
        office.post(self.work(bid, "activate"))
        assert Bid.objects.get().stand_in == StandIn.NOBODY_ELSE
        assert "sign" in self.buttons(office, Referral.objects.get())

    def test_has_a_colleague(self, scene, bid, worker, office):
        colleague = worker_of(scene.group.kindergarten)
        words = gettext("This is your own child: a colleague in the kindergarten decides.")
        assert words in inside(worker).get(self.page(bid)).content.decode()
        assert self.buttons(inside(colleague), bid) == ["activate", "reject"]
        assert self.buttons(office, bid) == []
        assert office.post(self.work(bid, "activate")).status_code == 403
        assert not Referral.objects.exists()
        colleague.is_active = False
        colleague.save()
        assert self.buttons(office, bid) == ["activate", "reject"]

    def test_has_a_spouse_there_and_the_official_is_the_aunt(self, scene, bid, worker, clock):
        spouse = GuardianshipFactory(child=scene.application.child).user
        worker_of(scene.group.kindergarten, staff_iin_hash=spouse.profile.iin_hash)
        aunt = GuardianshipFactory(child=scene.application.child, source=Guardianship.Source.REGISTRY).user
        desk = inside(employee(Role.OFFICIAL, staff_iin_hash=aunt.profile.iin_hash))
        assert self.buttons(desk, bid) == []
        answer = desk.post(self.work(bid, "activate"), follow=True)
        assert gettext("This is your own child: another official decides.") in answer.content.decode()
        assert not Referral.objects.exists()
        assert self.buttons(inside(employee(Role.OFFICIAL)), bid) == ["activate", "reject"]

    def test_what_is_decided_already_says_nothing_of_it(self, scene, bid, worker):
        bid_ending.withdraw_bid(bid, actor=scene.parent, now=scene.now)
        assert gettext("This is your own child") not in inside(worker).get(self.page(bid)).content.decode()


class TestTheIin:
    @pytest.fixture
    def boss(self, clock):
        user = employee(Role.OFFICIAL)
        user.is_superuser = True
        user.save()
        return user

    @staticmethod
    def page(user):
        return reverse("admin:accounts_user_change", args=[user.pk])

    def test_is_entered_once_and_shown_to_nobody(self, boss):
        desk, worker, iin = inside(boss), employee(Role.KINDERGARTEN), nth_iin(5)
        sent = {
            "is_active": "on",
            "groups": [str(group.pk) for group in worker.groups.all()],
            "staff_iin": iin,
        }
        assert desk.post(self.page(worker), sent).status_code == 302
        worker.refresh_from_db()
        assert worker.staff_iin_hash == iin_hash(iin)
        entry = AuditEntry.objects.get(action=Action.STAFF_IIN_SET)
        assert (entry.actor, entry.subject) == (boss, worker)
        assert iin not in f"{entry.target}{entry.reason}"
        assert iin not in desk.get(self.page(worker)).content.decode()

        assert desk.post(self.page(worker), sent | {"staff_iin": ""}).status_code == 302
        worker.refresh_from_db()
        assert worker.staff_iin_hash == iin_hash(iin)

    @pytest.mark.parametrize("typed", ["12345", nth_iin(5)[:-1] + "x", "of another"])
    def test_what_is_none_is_said_at_its_field(self, boss, typed):
        worker, other = employee(Role.KINDERGARTEN), StaffFactory(staff_iin_hash=iin_hash(nth_iin(6)))
        iin = nth_iin(6) if typed == "of another" else typed
        answer = inside(boss).post(self.page(worker), {"is_active": "on", "staff_iin": iin})
        assert "staff_iin" in answer.context["adminform"].form.errors
        worker.refresh_from_db()
        assert worker.staff_iin_hash is None
        assert other.staff_iin_hash

    def test_a_parents_page_asks_for_none(self, boss):
        parent = UserFactory()
        assert 'name="staff_iin"' not in inside(boss).get(self.page(parent)).content.decode()

    def test_who_lacks_it_is_found(self, boss):
        known, unknown = StaffFactory(staff_iin_hash=iin_hash(nth_iin(6))), StaffFactory()
        rows = inside(boss).get(reverse("admin:accounts_user_changelist"), {"iin": "missing"}).context["cl"]
        found = {user.pk for user in rows.result_list}
        assert unknown.pk in found
        assert known.pk not in found
