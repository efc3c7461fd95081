"""Moves of numbers: who waits how long, what a move changes, what stops and what holds it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import check_password

from accounts import audit
from accounts.identity import Identity
from accounts.models import NumberMove, User
from accounts.numbers import concerned, moves, rules
from accounts.numbers.moves import Claimant, Fault, Kind, NotMoved, Proof, Renewed
from accounts.registry import PhoneTie
from applications.disputes.guardianships import decide_guardianship
from children.models import Dispute
from notifications.models import Message, Notice
from tests.accounts.walk import PHONE
from tests.factories import ChildFactory, DisputeFactory, GuardianshipFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NEW = "+77017770001"
PASSWORD = "parent-pass-1"


@pytest.fixture
def owner():
    return UserFactory(phone=PHONE, profile__phone_tie="yes", last_login=NOW - timedelta(days=100))


def ask(owner, *, kind=Kind.CHANGE, proof=Proof.NEW_NUMBER, new_phone=NEW, now=NOW, **more):
    options = {"renewed": Renewed.of(owner, PASSWORD), "asked_by": owner, "address": None} | more
    return moves.ask(owner, kind=kind, proof=proof, new_phone=new_phone, now=now, **options)


def claim(owner, *, now=NOW, **more):
    said = {
        "claimant": Claimant("ОМАРОВ ТІМУР", Identity(document_number="H12345678"), PhoneTie.YES),
        "asked_by": None,
        "renewed": None,
    } | more
    return ask(owner, kind=Kind.RECYCLING, proof=Proof.CLAIM, new_phone=None, now=now, **said)


def told(kind):
    return {one.phone.as_e164 for one in Message.objects.filter(kind=kind)}


def fresh(move):
    return NumberMove.objects.get(pk=move.pk)


def numbers_of(owner):
    found = User.objects.get(pk=owner.pk)
    return found.phone.as_e164 if found.phone else "", found.username


class TestChange:
    def test_with_both_codes_is_done_at_once_and_ends_every_session(self, owner):
        stamp = owner.get_session_auth_hash()
        move = ask(owner, proof=Proof.BOTH_NUMBERS)
        assert move.done_at == NOW
        after = User.objects.get(pk=owner.pk)
        assert (after.phone, after.username, after.phone_proven_at) == (NEW, NEW, NOW)
        assert after.get_session_auth_hash() != stamp
        assert check_password(PASSWORD, after.password)
        # What the state said was about the other number.
        assert after.profile.phone_tie == PhoneTie.UNASKED
        assert (told("number_left"), told("number_moved")) == ({PHONE}, {NEW})
        assert Notice.objects.filter(recipient=owner, kind="number_moved").count() == 1
        assert list(audit.journal_of(owner).values_list("action", flat=True)) == [
            "number_moved",
            "number_move_asked",
        ]
        assert not fresh(move).password

    def test_without_the_old_one_waits_72_hours_to_the_microsecond(self, owner):
        move = ask(owner)
        assert move.due_at == NOW + timedelta(hours=72)
        assert told("number_move_asked") == {PHONE}
        assert Notice.objects.filter(recipient=owner, kind="number_move_asked").exists()
        assert moves.complete_due(now=move.due_at - MICROSECOND) == 0
        assert numbers_of(owner) == (PHONE, PHONE)
        assert moves.complete_due(now=move.due_at) == 1
        assert numbers_of(owner) == (NEW, NEW)
        assert moves.complete_due(now=move.due_at) == 0
        assert told("number_left") == {PHONE}

    def test_can_be_stopped_until_it_is_due_and_not_from_then_on(self, owner):
        move = ask(owner)
        with pytest.raises(NotMoved) as late:
            moves.stop(move, by=owner, address=None, now=move.due_at)
        assert late.value.fault is Fault.TOO_LATE
        moves.stop(move, by=owner, address=None, now=move.due_at - MICROSECOND)
        assert told("number_stays") == {PHONE}
        assert moves.complete_due(now=move.due_at) == 0
        with pytest.raises(NotMoved) as over:
            moves.stop(move, by=owner, address=None, now=NOW)
        assert over.value.fault is Fault.OVER
        assert numbers_of(owner) == (PHONE, PHONE)
        # And again, as if nothing had been asked.
        assert ask(owner, now=move.due_at).is_live

    def test_reading_settles_what_is_due_before_the_sweep(self, owner):
        move = ask(owner)
        moves.settle(PHONE, now=move.due_at - MICROSECOND)
        assert fresh(move).is_live
        moves.settle(NEW, now=move.due_at)
        assert numbers_of(owner) == (NEW, NEW)

    def test_one_at_a_time_and_a_number_for_one_account(self, owner):
        ask(owner)
        with pytest.raises(NotMoved) as second:
            ask(owner, new_phone="+77017770002")
        assert second.value.fault is Fault.UNDER_WAY
        other = UserFactory()
        with pytest.raises(NotMoved) as taken:
            ask(other)
        assert taken.value.fault is Fault.NUMBER_BUSY
        with pytest.raises(NotMoved) as same:
            ask(other, new_phone=other.phone.as_e164)
        assert same.value.fault is Fault.SAME_NUMBER

    def test_a_number_that_was_registered_meanwhile_stops_it(self, owner):
        move = ask(owner)
        UserFactory(phone=NEW)
        moves.complete_due(now=move.due_at)
        assert fresh(move).stopped_because == NumberMove.Stopped.NUMBER_TAKEN
        assert numbers_of(owner) == (PHONE, PHONE)
        assert User.objects.get(pk=owner.pk).check_password(PASSWORD)

    def test_a_password_changed_meanwhile_is_never_brought_back(self, owner):
        move = ask(owner)
        owner.set_password("another-pass-2")
        owner.save()
        moves.complete_due(now=move.due_at)
        after = User.objects.get(pk=owner.pk)
        assert not after.check_password(PASSWORD)
        assert not after.has_usable_password()


class TestOtherKinds:
    def test_a_document_waits_for_a_second_employee(self, owner):
        move = ask(owner, kind=Kind.ASSISTED, proof=Proof.DOCUMENT, renewed=None)
        assert move.due_at is None
        assert moves.complete_due(now=NOW + timedelta(days=1000)) == 0
        second = UserFactory()
        moves.perform(move, by=second, reason="Құжат", address=None, now=NOW + timedelta(days=1))
        assert numbers_of(owner) == (NEW, NEW)
        assert fresh(move).done_by == second
        assert not User.objects.get(pk=owner.pk).has_usable_password()

    def test_a_recycled_number_leaves_the_account_and_its_children(self, owner):
        child = ChildFactory()
        GuardianshipFactory(child=child, user=owner)
        move = claim(owner)
        # The number itself is told nothing: it is the stranger's.
        assert told("number_claimed") == set()
        assert Notice.objects.filter(recipient=owner, kind="number_claimed").exists()
        moves.complete_due(now=move.due_at)
        assert numbers_of(owner) == ("", f"no-number-{owner.pk.hex}")
        assert child.guardianships.get().ended_at is None
        assert told("number_freed") == {PHONE}
        assert (fresh(move).claimant, fresh(move).claimant_identity, fresh(move).claimant_hash) == (
            "",
            "",
            "",
        )
        # Afterwards it can be moved.
        later = ask(User.objects.get(pk=owner.pk), kind=Kind.RECOVERY, proof=Proof.SECOND_PHONE, renewed=None)
        moves.complete_due(now=later.due_at)
        assert numbers_of(owner) == (NEW, NEW)

    def test_an_account_that_was_used_meanwhile_keeps_its_number(self, owner):
        move = claim(owner)
        User.objects.filter(pk=owner.pk).update(last_login=move.due_at - MICROSECOND)
        moves.complete_due(now=move.due_at)
        assert numbers_of(owner) == (PHONE, PHONE)
        assert (fresh(move).is_live, fresh(move).due_at) == (True, None)

    def test_the_owner_makes_an_official_decide(self, owner):
        move = claim(owner)
        moves.stop(move, by=owner, address=None, now=NOW)
        assert (fresh(move).is_live, fresh(move).due_at) == (True, None)
        # What the owner asks for goes before the claim.
        assert ask(owner).is_live
        assert fresh(move).stopped_because == NumberMove.Stopped.SUPERSEDED


class TestWhatHolds:
    @pytest.fixture
    def dispute(self, owner):
        child = ChildFactory()
        stranger = GuardianshipFactory(child=child, user=owner)
        other = GuardianshipFactory(child=child).user
        return DisputeFactory(guardianship=stranger, raised_by=other, raised_at=NOW)

    @pytest.mark.parametrize("side", ["disputed", "disputing"])
    def test_an_open_dispute_and_only_as_long_as_it_is_open(self, owner, dispute, side):
        account = owner if side == "disputed" else dispute.raised_by
        move = ask(account)
        at_once = ask(UserFactory(), proof=Proof.BOTH_NUMBERS, new_phone="+77017770009")
        assert at_once.done_at
        moves.complete_due(now=move.due_at)
        assert fresh(move).is_live
        # It can be stopped as long as it is held.
        decide_guardianship(
            dispute, outcome=Dispute.Outcome.STANDS, actor=StaffFactory(), reason="Куәлік", now=NOW
        )
        moves.complete_due(now=move.due_at)
        assert fresh(move).done_at == move.due_at

    def test_also_a_change_with_both_codes(self, owner, dispute):
        move = ask(owner, proof=Proof.BOTH_NUMBERS)
        assert move.is_live
        assert concerned.what_holds(owner)
        moves.stop(move, by=owner, address=None, now=NOW + timedelta(days=9))
        assert numbers_of(owner) == (PHONE, PHONE)


class TestTheOtherGuardians:
    @pytest.mark.parametrize(("proof", "hears"), [(Proof.BOTH_NUMBERS, 0), (Proof.NEW_NUMBER, 1)])
    def test_hear_of_it_once_unless_both_numbers_have_proven_it(self, owner, proof, hears):
        other = UserFactory()
        for _number in range(2):
            child = ChildFactory()
            GuardianshipFactory(child=child, user=owner)
            GuardianshipFactory(child=child, user=other)
        move = ask(owner, proof=proof)
        moves.complete_due(now=move.due_at)
        assert Notice.objects.filter(recipient=other, kind="guardian_moved").count() == hears
        assert audit.journal_of(other).filter(action="guardian_moved").count() == hears


def test_the_periods_of_the_rules_end_to_the_microsecond():
    assert rules.is_in_use(NOW, now=NOW + rules.IN_USE_FOR - MICROSECOND)
    assert not rules.is_in_use(NOW, now=NOW + rules.IN_USE_FOR)
    assert not rules.is_silent(NOW, now=NOW + rules.SILENT_FROM - MICROSECOND)
    assert rules.is_silent(NOW, now=NOW + rules.SILENT_FROM)
