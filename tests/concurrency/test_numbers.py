"""Numbers that move at the same moment: real threads, real locks, and controls without them."""

from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db.models import QuerySet

from accounts.models import NumberMove, SmsCode, User
from accounts.numbers import claims, moves
from accounts.numbers.moves import Claimant, Fault, Kind, NotMoved, Proof, Renewed
from accounts.sms_codes import check_code, send_code
from notifications.models import Message
from tests.accounts.walk import newest_code
from tests.concurrency.test_bids import together
from tests.factories import UserFactory

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
            both_have_read.wait(20)
            return account

        monkeypatch.setattr(moves, "_lock_account", read_only)
        assert both_change(owner) == [FIRST, SECOND]
        assert NumberMove.objects.exclude(done_at=None).count() == 2

    def test_one_changes_it_and_the_other_reads_so(self, owner):
        for _round in range(ROUNDS):
            NumberMove.objects.all().delete()
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
        assert self.enter(owner, code, proves_more=lambda: both_have_read.wait(20) is not None) == [
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
        monkeypatch.setattr(moves, "_lock", lambda move: read.pop())
        moves.stop(move, by=owner, address=None, now=DUE - MICROSECOND)
        assert moves.complete(move, now=DUE)
        assert User.objects.get().phone == FIRST

    def test_one_of_them(self, owner):
        for _round in range(ROUNDS):
            NumberMove.objects.all().delete()
            User.objects.update(phone=FORMER, username=FORMER)
            move = asked(owner)
            stopped, done = self.race(move)
            assert stopped != done
            after = NumberMove.objects.get()
            assert (after.stopped_at is not None, after.done_at is not None) == (stopped, done)
            assert User.objects.get().phone == (FIRST if done else FORMER)
            assert Message.objects.filter(kind="number_stays").count() <= _round + 1


class TestOneNumber:
    def test_of_two_accounts_one_waits_for_it(self, owner):
        other = UserFactory()
        answers = together(lambda: asked(owner), lambda: asked(other))
        assert sum(isinstance(one, NumberMove) for one in answers) == 1
        assert Fault.NUMBER_BUSY in answers

    def test_of_two_claims_on_it_one_is_heard(self, owner):
        def claimed(identity):
            try:
                return claims.claim(FORMER, Claimant("ОМАРОВ", identity), address=None, now=NOW)
            except NotMoved as refused:
                return refused.fault

        answers = together(lambda: claimed("a" * 64), lambda: claimed("b" * 64))
        assert sum(isinstance(one, NumberMove) for one in answers) == 1
        assert Fault.UNDER_WAY in answers
