"""Numbers that move at the same moment: real threads, real locks, and controls without them."""

from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import OperationalError
from django.db.models import QuerySet
from psycopg2.errors import DeadlockDetected

from accounts import contacts, services
from accounts.identity import Identity
from accounts.models import NumberMove, Profile, SmsCode, User
from accounts.numbers import claims, moves
from accounts.numbers.moves import Claimant, Fault, Kind, NotMoved, Proof, Renewed
from accounts.sms_codes import check_code, send_code
from notifications.models import Message, Notice
from tests.accounts.walk import newest_code
from tests.concurrency.test_bids import together
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(hours=72)
MICROSECOND = timedelta(microseconds=1)
FORMER, FIRST, SECOND = "+77017779876", "+77017770001", "+77017770002"
ROUNDS = 5


@pytest.fixture
def owner():
    return UserFactory(phone=FORMER)


def asked(owner, new_phone=FIRST, proof=Proof.NEW_NUMBER):
    """As a device asks: with the account as it was when the code was entered."""
    device = User.objects.get(pk=owner.pk)
    try:
        return moves.ask(
            device,
            kind=Kind.CHANGE,
            proof=proof,
            new_phone=new_phone,
            renewed=Renewed("", device.get_session_auth_hash()),
            asked_by=device,
            address=None,
            now=NOW,
        )
    except NotMoved as refused:
        return refused.fault


def both_change(owner):
    """Two devices that both have read the account before either asks."""
    devices = [User.objects.get(pk=owner.pk) for _device in range(2)]

    def change(device, number):
        try:
            return moves.ask(
                device,
                kind=Kind.CHANGE,
                proof=Proof.BOTH_NUMBERS,
                new_phone=number,
                asked_by=device,
                address=None,
                now=NOW,
            ).new_phone.as_e164
        except NotMoved as refused:
            return refused.fault

    return together(lambda: change(devices[0], FIRST), lambda: change(devices[1], SECOND))


class TestTwoDevices:
    def test_control_without_the_lock_both_are_told_that_it_is_theirs(self, owner, monkeypatch):
        both_have_read = Barrier(2)

        def read_only(pk):
            account = User.objects.get(pk=pk)
            both_have_read.wait(PATIENCE)
            return account

        monkeypatch.setattr(moves, "_lock_account", read_only)
        assert both_change(owner) == [FIRST, SECOND]
        assert NumberMove.objects.exclude(done_at=None).count() == 2

    def test_one_changes_it_and_the_other_reads_so(self, owner):
        for _round in range(ROUNDS):
            NumberMove.objects.all().delete()
            Message.objects.all().delete()
            User.objects.update(phone=FORMER, username=FORMER)
            answers = both_change(owner)
            assert Fault.CHANGED_MEANWHILE in answers
            (done,) = set(answers) - {Fault.CHANGED_MEANWHILE}
            after = User.objects.get()
            assert (after.phone, after.username) == (done, done)
            assert NumberMove.objects.exclude(done_at=None).count() == 1


class TestOneCode:
    def enter(self, owner, code, **more):
        def once():
            verdict = check_code(
                phone=FORMER,
                purpose=SmsCode.Purpose.OLD_NUMBER,
                session="s",
                code=code,
                now=NOW,
                **more,
            )
            return verdict.ok

        return together(once, once)

    @pytest.fixture
    def code(self, owner):
        send_code(
            phone=FORMER,
            purpose=SmsCode.Purpose.OLD_NUMBER,
            session="s",
            language="kk",
            address=None,
            device="",
            now=NOW,
        )
        return newest_code(FORMER)

    def test_control_without_the_lock_it_counts_twice(self, owner, code, monkeypatch):
        both_have_read = Barrier(2)
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows.all())
        assert self.enter(owner, code, proves_more=lambda: both_have_read.wait(PATIENCE) is not None) == [
            True,
            True,
        ]

    def test_counts_once(self, owner, code):
        for _round in range(ROUNDS):
            SmsCode.objects.update(used_at=None)
            assert sorted(self.enter(owner, code)) == [False, True]


class TestStoppedAndDue:
    """Stopped in the last microsecond while a worker finds it due: it is the one or the other."""

    def race(self, move):
        def stop():
            try:
                moves.stop(move, by=move.account, address=None, now=DUE - MICROSECOND)
            except NotMoved:
                return False
            return True

        return together(stop, lambda: moves.complete(move, now=DUE))

    def test_control_by_what_both_read_before_it_is_stopped_and_done(self, owner, monkeypatch):
        move = asked(owner)
        read = [(User.objects.get(), NumberMove.objects.get()) for _side in range(2)]
        for lock in ("_lock", "_lock_all"):
            monkeypatch.setattr(moves, lock, lambda move: read.pop())
        moves.stop(move, by=owner, address=None, now=DUE - MICROSECOND)
        assert moves.complete(move, now=DUE)
        assert User.objects.get().phone == FIRST

    def test_one_of_them(self, owner):
        for _round in range(ROUNDS):
            NumberMove.objects.all().delete()
            Message.objects.all().delete()
            User.objects.update(phone=FORMER, username=FORMER)
            move = asked(owner)
            stopped, done = self.race(move)
            assert stopped != done
            after = NumberMove.objects.get()
            assert (after.stopped_at is not None, after.done_at is not None) == (stopped, done)
            assert User.objects.get().phone == (FIRST if done else FORMER)
            stays = Message.objects.filter(kind="number_stays")
            assert stays.exists() == stopped


def or_error(work):
    """What `work` returns, or the fault of PostgreSQL."""

    def run():
        try:
            return work()
        except OperationalError as error:
            return type(error.__cause__)

    return run


class TestAProfileAndAMove:
    """What changes the profile writes to the journal of an account that a move has locked for good and all."""

    def writers(self, owner):
        return (
            lambda: services.change_profile(
                owner, address="Абай 1", language="ru", client_address=None, now=NOW
            ),
            lambda: contacts.change_second_phone(owner, SECOND, is_proven=True, address=None, now=NOW),
        )

    def afresh(self, owner):
        NumberMove.objects.all().delete()
        User.objects.filter(pk=owner.pk).update(phone=FORMER, username=FORMER)
        return asked(owner)

    def test_control_the_profile_first_is_a_deadlock(self, owner, monkeypatch):
        both = Barrier(2)
        real = moves._lock_account

        def profile_first(user):
            found = Profile.objects.select_for_update().get(user=user)
            both.wait(PATIENCE)
            return found

        def account_first(pk):
            found = real(pk)
            both.wait(PATIENCE)
            return found

        move = self.afresh(owner)
        monkeypatch.setattr(Profile, "locked", profile_first)
        monkeypatch.setattr(moves, "_lock_account", account_first)
        answers = together(or_error(self.writers(owner)[0]), or_error(lambda: moves.complete(move, now=DUE)))
        assert DeadlockDetected in answers

    def test_both_are_done(self, owner):
        for _round in range(ROUNDS):
            for write in self.writers(owner):
                move = self.afresh(owner)
                answers = together(or_error(write), or_error(lambda move=move: moves.complete(move, now=DUE)))
                assert answers == [None, True]


class TestTwoGuardians:
    """Both of one child, whose moves are completed at the same moment: each is told of the other's."""

    def complete_both(self, *owners):
        NumberMove.objects.all().delete()
        found = []
        for owner, new in zip(owners, (FIRST, SECOND), strict=True):
            former = f"+7705{int(new[-7:]) + 1000:07d}"
            User.objects.filter(pk=owner.pk).update(phone=former, username=former)
            found.append(asked(owner, new))
        return together(*(or_error(lambda move=move: moves.complete(move, now=DUE)) for move in found))

    @pytest.fixture
    def owners(self, owner):
        child = ChildFactory()
        return [GuardianshipFactory(child=child, user=user).user for user in (owner, UserFactory())]

    def test_control_without_the_others_rows_it_is_a_deadlock(self, owners, monkeypatch):
        both = Barrier(2)
        real = moves._lock_account

        def lock(pk):
            found = real(pk)
            both.wait(PATIENCE)
            return found

        monkeypatch.setattr(moves, "circle_of", lambda account: set())
        asked_for = [asked(owner, new) for owner, new in zip(owners, (FIRST, SECOND), strict=True)]
        monkeypatch.setattr(moves, "_lock_account", lock)
        answers = together(*(or_error(lambda move=move: moves.complete(move, now=DUE)) for move in asked_for))
        assert DeadlockDetected in answers
        # At a sign-in that is no error: the sweep does it later.
        monkeypatch.setattr(moves, "complete", fails_by_deadlock)
        moves.settle(NumberMove.objects.get(done_at=None).new_phone.as_e164, now=DUE)

    def test_both_are_done(self, owners):
        for _round in range(ROUNDS):
            assert self.complete_both(*owners) == [True, True]
            assert Notice.objects.filter(kind="guardian_moved").count() == 2 * (_round + 1)


def fails_by_deadlock(_move, *, now):
    raise OperationalError from DeadlockDetected()


class TestOneNumber:
    def test_of_two_accounts_one_waits_for_it(self, owner):
        other = UserFactory()
        answers = together(lambda: asked(owner), lambda: asked(other))
        assert sum(isinstance(one, NumberMove) for one in answers) == 1
        assert Fault.NUMBER_BUSY in answers

    def test_of_two_claims_on_it_one_is_heard(self, owner):
        def claimed(identity):
            try:
                return claims.claim(
                    FORMER, Claimant("ОМАРОВ", Identity(document_number=identity)), address=None, now=NOW
                )
            except NotMoved as refused:
                return refused.fault

        answers = together(lambda: claimed("A12345678"), lambda: claimed("B12345678"))
        assert sum(isinstance(one, NumberMove) for one in answers) == 1
        assert Fault.UNDER_WAY in answers
