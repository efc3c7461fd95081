"""One-time codes: ten minutes, five tries, one use, one session, and limits on sending."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts import limits, sms_codes
from accounts.models import SmsCode
from accounts.sms_codes import (
    LIFETIME,
    RESEND_AFTER,
    TRIES,
    CodeFault,
    TooManyCodes,
    check_code,
    prune,
    send_code,
    send_sign_in_code,
)
from notifications import broker
from notifications.broker import DELIVERY_TASK
from notifications.budget import BudgetSpent
from notifications.delivery import deliver_due
from notifications.models import Message
from notifications.sms.base import Outcome, SendResult
from tests.factories import UserFactory
from tests.patience import PATIENCE


class Gateway:
    """Answers as it is told, and remembers what it was handed."""

    is_away = False
    sent: list[str] = []

    def send(self, phone, text, *, idempotency_key, **terms):
        if self.is_away:
            return SendResult(Outcome.UNAVAILABLE)
        self.sent.append(re.search(r"\d{6}", text)[0])
        return SendResult(Outcome.ACCEPTED)


NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PHONE = "+77017779876"
REGISTER, RESET, STOP = SmsCode.Purpose.REGISTER, SmsCode.Purpose.RESET, SmsCode.Purpose.STOP
MICROSECOND = timedelta(microseconds=1)


def send(
    *, phone=PHONE, purpose=REGISTER, session="mine", language="kk", address="10.0.0.1", device="", now=NOW
) -> str:
    """Ask for a code; what the newest SMS to the phone says, or nothing."""
    send_code(
        phone=phone,
        purpose=purpose,
        session=session,
        language=language,
        address=address,
        device=device,
        now=now,
    )
    newest = Message.objects.filter(phone=phone).order_by("-created_at").first()
    found = re.search(r"\d{6}", newest.text) if newest else None
    return found[0] if found else ""


def check(code: str, *, phone=PHONE, purpose=REGISTER, session="mine", now=NOW):
    return check_code(phone=phone, purpose=purpose, session=session, code=code, now=now)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.django_db
class TestCode:
    def test_right(self):
        assert check(send()).ok

    def test_only_its_hash_is_stored(self):
        code = send()
        row = SmsCode.objects.get()
        assert code not in f"{row.code_hash}{row.session_hash}"
        assert len(row.code_hash) == 64

    def test_the_code_stands_at_the_start_of_the_sms(self):
        code = send()
        assert code in Message.objects.get().text[:12]

    def test_used_twice(self):
        code = send()
        assert check(code).ok
        assert check(code).fault is CodeFault.EXPIRED

    def test_a_microsecond_before_the_end(self):
        code = send()
        assert check(code, now=NOW + LIFETIME - MICROSECOND).ok

    def test_at_the_end_and_a_microsecond_after(self):
        code = send()
        assert check(code, now=NOW + LIFETIME).fault is CodeFault.EXPIRED
        assert check(code, now=NOW + LIFETIME + MICROSECOND).fault is CodeFault.EXPIRED

    def test_wrong_five_times_burns_it(self):
        code = send()
        verdicts = [check(other_than(code)) for _ in range(TRIES)]
        assert [verdict.tries_left for verdict in verdicts] == [4, 3, 2, 1, 0]
        assert [verdict.fault for verdict in verdicts] == [CodeFault.WRONG] * 4 + [CodeFault.EXHAUSTED]
        assert check(code).fault is CodeFault.EXHAUSTED

    def test_right_at_the_fifth_try(self):
        code = send()
        for _ in range(TRIES - 1):
            check(other_than(code))
        assert check(code).ok

    def test_of_another_session(self):
        code = send(session="hers")
        assert check(code, session="mine").fault is CodeFault.EXPIRED
        assert check(code, session="hers").ok

    def test_for_another_purpose(self):
        code = send(purpose=REGISTER)
        assert check(code, purpose=RESET).fault is CodeFault.EXPIRED

    def test_for_another_phone(self):
        code = send()
        assert check(code, phone="+77017779877").fault is CodeFault.EXPIRED

    def test_only_the_newest_counts(self):
        first = send()
        second = send(now=NOW + RESEND_AFTER)
        later = NOW + RESEND_AFTER
        if first != second:
            assert check(first, now=later).fault is CodeFault.WRONG
        assert check(second, now=later).ok

    def test_the_newest_is_the_one_that_was_asked_for_last(self):
        """Whichever row was written last: a slow server may write an older one after a newer one."""
        later = send(now=NOW + RESEND_AFTER)
        send(now=NOW, address="10.9.9.9")
        assert check(later, now=NOW + RESEND_AFTER).ok

    def test_of_two_of_one_instant_the_one_that_was_written_last(self, monkeypatch):
        codes = iter([1, 2])
        monkeypatch.setattr(sms_codes.secrets, "randbelow", lambda _bound: next(codes))
        send()
        send(address="10.9.9.9")
        assert check("000001").fault is CodeFault.WRONG
        assert check("000002").ok

    def test_never_asked_for(self):
        assert check("000000").fault is CodeFault.EXPIRED


@pytest.mark.django_db
class TestTheSms:
    def test_every_code_of_six_digits_is_as_likely(self, monkeypatch):
        bounds = []

        def randbelow(bound):
            bounds.append(bound)
            return 7

        monkeypatch.setattr(sms_codes.secrets, "randbelow", randbelow)
        assert send() == "000007"
        assert check("000007").ok
        assert bounds == [1_000_000]

    @pytest.mark.parametrize(
        ("language", "words"), [("kk", "10 минут жарамды"), ("ru", "Действует 10 минут")]
    )
    def test_for_a_newcomer_speaks_the_language_of_the_page(self, language, words):
        send(language=language)
        assert words in Message.objects.get().text
        assert Message.objects.get().language == language

    @pytest.mark.parametrize("purpose", [RESET, STOP])
    def test_for_an_owner_says_how_long_it_is_valid(self, purpose):
        UserFactory.create(phone=PHONE)
        send(purpose=purpose)
        assert " 10 минут" in Message.objects.get().text

    def test_that_the_number_is_registered_speaks_the_language_of_the_page(self):
        """Whoever asks may be somebody else than the owner."""
        UserFactory.create(phone=PHONE, language="ru")
        send(language="kk")
        assert Message.objects.get().language == "kk"

    @pytest.mark.parametrize("purpose", [REGISTER, RESET, STOP])
    def test_comes_as_often_as_it_was_asked_for(self, purpose):
        UserFactory.create(phone=PHONE)
        send(purpose=purpose)
        send(purpose=purpose, now=NOW + RESEND_AFTER)
        assert Message.objects.count() == 2

    def test_wakes_the_sender_whether_there_is_one_or_not(
        self, monkeypatch, django_capture_on_commit_callbacks
    ):
        """A worker that begins to work only for a known number would tell it from an unknown one."""
        woken: list[str] = []
        UserFactory.create(phone=PHONE)
        monkeypatch.setattr(broker, "wake_soon", woken.append)
        for phone in (PHONE, "+77017779877"):
            with django_capture_on_commit_callbacks(execute=True):
                send(phone=phone, purpose=RESET)
            assert woken == [DELIVERY_TASK]
            woken.clear()
        assert Message.objects.count() == 1


@pytest.mark.django_db
class TestAFormerCode:
    """A gateway that was away must not send it after the one that made it void."""

    @pytest.fixture(autouse=True)
    def gateway(self, settings):
        settings.SMS_BACKEND = f"{__name__}.Gateway"
        Gateway.is_away, Gateway.sent = True, []

    def test_is_sent_no_more(self):
        send()
        deliver_due(now=NOW)
        later = NOW + RESEND_AFTER
        code = send(now=later)
        Gateway.is_away = False
        deliver_due(now=later)
        deliver_due(now=NOW + LIFETIME - MICROSECOND)
        assert Gateway.sent == [code]

    def test_that_another_session_asked_for_is_as_good_as_before(self):
        codes = {send(), send(session="hers", now=NOW + RESEND_AFTER)}
        Gateway.is_away = False
        deliver_due(now=NOW + RESEND_AFTER)
        assert set(Gateway.sent) == codes


@pytest.mark.django_db
class TestSignIn:
    """A code after too many wrong passwords, for whoever had the right one."""

    def send(self, user, *, phone=PHONE, session="mine", now=NOW):
        return send_sign_in_code(user, phone=phone, session=session, language="kk", now=now)

    def check(self, code, **changes):
        return check(code, purpose=SmsCode.Purpose.SIGN_IN, **changes)

    def test_an_owner_gets_one_in_their_language(self):
        assert self.send(UserFactory.create(phone=PHONE, language="ru"))
        message = Message.objects.get()
        assert (message.phone, message.kind, message.language) == (PHONE, "sign_in_code", "ru")
        code = re.search(r"\d{6}", message.text)[0]
        assert "10 минут" in message.text
        assert self.check(code, session="hers").fault is CodeFault.EXPIRED
        assert self.check(code).ok

    def test_nobody_gets_none_but_a_row_that_no_code_opens(self):
        assert not self.send(None)
        assert not Message.objects.exists()
        assert self.check("123456").fault is CodeFault.WRONG

    def test_one_in_sixty_seconds_and_what_is_beyond_looks_alike(self):
        owner = UserFactory.create(phone=PHONE)
        assert self.send(owner)
        assert not self.send(owner, session="other", now=NOW + RESEND_AFTER - MICROSECOND)
        assert self.send(owner, now=NOW + RESEND_AFTER)
        assert Message.objects.count() == 2
        assert SmsCode.objects.count() == 3

    def test_a_name_that_nobody_has_takes_none_from_an_owner(self):
        for _ in range(3):
            self.send(None, session="mine")
        assert self.send(UserFactory.create(phone=PHONE), session="mine")


@pytest.mark.django_db
class TestEnumeration:
    @pytest.mark.parametrize("purpose", [REGISTER, SmsCode.Purpose.NEW_NUMBER])
    def test_a_registered_phone_gets_a_code_and_reads_that_it_is_registered(self, purpose):
        """It may belong to somebody else by now, who proves it by this code."""
        UserFactory.create(phone=PHONE)
        code = send(purpose=purpose)
        assert Message.objects.get().kind == "account_exists"
        assert check(code, purpose=purpose).ok

    def test_reset_for_an_unknown_phone_writes_a_row_and_no_sms(self):
        send(purpose=RESET)
        assert not Message.objects.exists()
        assert SmsCode.objects.count() == 1
        assert check("123456", purpose=RESET).fault is CodeFault.WRONG

    def test_reset_for_a_blocked_account_sends_nothing(self):
        UserFactory.create(phone=PHONE, is_active=False)
        send(purpose=RESET)
        assert not Message.objects.exists()

    def test_reset_for_a_known_phone_speaks_the_owners_language(self):
        UserFactory.create(phone=PHONE, language="ru")
        assert check(send(purpose=RESET), purpose=RESET).ok
        assert Message.objects.get().language == "ru"


@pytest.mark.django_db
class TestSending:
    def test_what_is_left_for_newcomers_limits_registering_alone(self, monkeypatch):
        def spent(phone, *, now):
            raise BudgetSpent(NOW)

        monkeypatch.setattr(sms_codes, "check_newcomer", spent)
        with pytest.raises(BudgetSpent):
            send()
        assert not SmsCode.objects.exists()
        for purpose in (RESET, STOP):
            send(purpose=purpose)
        assert SmsCode.objects.count() == 2

    def test_once_in_sixty_seconds(self):
        send()
        with pytest.raises(TooManyCodes) as caught:
            send(now=NOW + RESEND_AFTER - MICROSECOND)
        assert caught.value.retry_at == NOW + RESEND_AFTER
        send(now=NOW + RESEND_AFTER)

    def test_five_an_hour(self):
        for number in range(5):
            send(now=NOW + number * RESEND_AFTER)
        with pytest.raises(TooManyCodes) as caught:
            send(now=NOW + 6 * RESEND_AFTER)
        assert caught.value.retry_at == NOW + timedelta(hours=1)
        send(now=NOW + timedelta(hours=1))

    def test_eight_a_day(self):
        for number in range(8):
            send(purpose=RESET, now=NOW + number * timedelta(hours=1))
        with pytest.raises(TooManyCodes) as caught:
            send(purpose=RESET, now=NOW + timedelta(hours=9))
        assert caught.value.retry_at == NOW + timedelta(days=1)

    def unanswered(self, count, *, address="10.0.0.7", now=NOW):
        for number in range(count):
            send(phone=f"+77017{number:03d}798", purpose=RESET, address=address, now=now)

    def test_codes_that_nobody_entered_stop_no_neighbour_who_left_none(self):
        """A gateway that is late, or one telephone with a program."""
        self.unanswered(200)
        send(phone=PHONE, purpose=RESET, address="10.0.0.99")

    def test_they_stop_who_left_one_as_well_for_minutes(self):
        self.unanswered(60)
        again = {"phone": "+77017000798", "purpose": RESET, "now": NOW + RESEND_AFTER}
        with pytest.raises(TooManyCodes) as caught:
            send(**again, address="10.0.0.99")
        assert caught.value.retry_at == NOW + timedelta(minutes=10)
        send(**again, address="10.0.1.1")
        send(**again, address="10.0.0.99", device="known")
        send(**again | {"purpose": STOP}, address="10.0.0.99")

    def test_and_everybody_who_shows_nothing_only_once_they_are_a_flood(self):
        self.unanswered(300)
        with pytest.raises(TooManyCodes) as caught:
            send(purpose=RESET, address="10.0.0.99")
        assert caught.value.retry_at == NOW + timedelta(minutes=10)
        send(purpose=STOP, address="10.0.0.99")
        send(purpose=RESET, address="10.0.0.99", now=NOW + timedelta(minutes=10))

    def test_codes_that_were_entered_count_against_no_neighbour(self):
        network = limits.address_key("10.0.0.7")
        for number in range(250):
            phone = f"+77017{number:03d}798"
            send(phone=phone, address="10.0.0.7")
            limits.code_was_entered(phone, purpose=REGISTER, network=network, sent_at=NOW)
        send(address="10.0.0.99")

    def test_one_network_closes_no_block_of_numbers(self):
        """Eight of them leave as many codes unanswered as a block gets in an hour."""
        for number in range(5):
            send(phone=f"+7776555{number:04d}", address="10.0.0.7")
        for number in range(5, 40):
            with pytest.raises(TooManyCodes) as caught:
                send(phone=f"+7776555{number:04d}", address="10.0.0.7")
            assert caught.value.retry_at == NOW + timedelta(hours=1)
        for number in range(5):
            send(phone=f"+777655510{number:02d}", address="10.0.1.1")
        # Another block goes on in the first network, too.
        send(phone="+77765560000", address="10.0.0.7")

    def test_nor_the_numbers_of_an_operator(self, settings):
        settings.SMS_CODES_PER_OPERATOR_PER_HOUR = 80
        for number in range(10):
            send(phone=f"+7776{number:03d}5555", address="10.0.0.7")
        with pytest.raises(TooManyCodes):
            send(phone="+77769995555", address="10.0.0.99")
        send(phone="+77769995555", address="10.0.1.1")

    def test_what_was_answered_takes_nothing_of_it(self):
        for number in range(20):
            phone = f"+7776555{number:04d}"
            send(phone=phone, address="10.0.0.7")
            limits.code_was_entered(
                phone, purpose=REGISTER, network=limits.address_key("10.0.0.7"), sent_at=NOW
            )

    @pytest.mark.parametrize("asked", [REGISTER, RESET])
    def test_requests_for_other_purposes_leave_stop_open(self, asked):
        for number in range(20):
            with suppress(TooManyCodes):
                send(purpose=asked, address=f"10.6.{number}.6")
        for minute in range(5):
            send(purpose=asked, address="10.0.0.1", now=NOW + timedelta(days=1) + minute * RESEND_AFTER)
        for address in ("10.0.0.1", "10.6.1.6"):
            send(purpose=STOP, address=address)

    @pytest.mark.parametrize("purpose", [RESET, STOP])
    def test_an_owner_gets_one_an_hour_whatever_strangers_do(self, purpose):
        for number in range(20):
            send(purpose=purpose, address=f"10.6.{number}.6")
        for hour in range(3):
            free = NOW + hour * timedelta(hours=1)
            with pytest.raises(TooManyCodes) as caught:
                send(purpose=purpose, address=f"10.0.{hour}.1", now=free + timedelta(hours=1) - MICROSECOND)
            assert caught.value.retry_at == free + timedelta(hours=1)
            send(purpose=purpose, address=f"10.0.{hour}.1", now=free + timedelta(hours=1))

    def test_strangers_of_one_network_do_not_use_up_the_codes_of_another(self):
        for number in range(5):
            send(address="10.6.6.6", now=NOW + number * RESEND_AFTER)
        with pytest.raises(TooManyCodes):
            send(address="10.6.6.7", now=NOW + 5 * RESEND_AFTER)
        send(address="10.0.0.1", now=NOW + 5 * RESEND_AFTER)

    def test_a_newcomer_gets_one_after_growing_pauses_whatever_strangers_do(self):
        """Twenty requests from twenty networks once closed the registration of a number until the next day."""
        sent = 0
        for number in range(20):
            with suppress(TooManyCodes):
                send(address=f"10.6.{number}.6")
                sent += 1
        assert sent == 6
        free = NOW
        for number, pause in enumerate((1, 1, 2, 2, 3, 3)):
            free += timedelta(hours=pause)
            with pytest.raises(TooManyCodes) as caught:
                send(address=f"10.0.{number}.1", now=free - MICROSECOND)
            assert caught.value.retry_at == free
            send(address=f"10.0.{number}.1", now=free)

    def test_strangers_who_ask_all_day_send_a_number_fifteen(self):
        sent = 0
        for minute in range(0, 24 * 60, 5):
            with suppress(TooManyCodes):
                send(address=f"10.{minute // 250}.{minute % 250}.6", now=NOW + timedelta(minutes=minute))
                sent += 1
        assert sent == 15

    def test_from_everywhere_and_a_known_device_besides(self):
        for number in range(6):
            send(address=f"10.6.{number}.6")
        with pytest.raises(TooManyCodes) as caught:
            send(address="10.0.0.1")
        assert caught.value.retry_at == NOW + timedelta(hours=1)
        for number in range(5):
            send(device="mine", now=NOW + number * RESEND_AFTER)
        with pytest.raises(TooManyCodes):
            send(device="mine", now=NOW + 5 * RESEND_AFTER)

    def test_unknown_and_known_phones_are_limited_alike(self):
        UserFactory.create(phone=PHONE)
        send()
        send(phone="+77017779877")
        for phone in (PHONE, "+77017779877"):
            with pytest.raises(TooManyCodes):
                send(phone=phone)

    def test_without_redis_no_code_is_sent(self, redis_away):
        with pytest.raises(TooManyCodes) as caught:
            send()
        assert caught.value.retry_at is None
        assert not SmsCode.objects.exists()
        assert limits.allow(limits.IIN_PER_ACCOUNT, "x", now=NOW).ok


@pytest.mark.django_db
def test_a_code_for_signing_in_goes_as_soon_as_it_is_over():
    """There is one for each wrong password."""
    send_sign_in_code(None, phone=PHONE, session="mine", language="kk", now=NOW)
    assert prune(now=NOW + LIFETIME) == 0
    assert prune(now=NOW + LIFETIME + MICROSECOND) == 1


@pytest.mark.django_db
class TestMoreThanTheCode:
    """What else has to be proven, where the code alone is not enough."""

    def both(self, code, *, proves):
        return check_code(
            phone=PHONE, purpose=REGISTER, session="mine", code=code, proves_more=proves, now=NOW
        )

    def test_is_asked_only_for_the_right_code(self):
        code, asked = send(), []
        assert self.both(other_than(code), proves=lambda: asked.append(1)).tries_left == TRIES - 1
        assert asked == []

    def test_that_fails_is_a_wrong_try_and_the_code_stays_valid(self):
        code = send()
        verdict = self.both(code, proves=lambda: False)
        assert (verdict.fault, verdict.tries_left) == (CodeFault.WRONG, TRIES - 1)
        assert self.both(code, proves=lambda: True).ok
        assert self.both(code, proves=lambda: True).fault is CodeFault.EXPIRED


@pytest.mark.django_db
def test_prune_keeps_a_code_for_a_day():
    send()
    gone_from = NOW + LIFETIME + timedelta(hours=24)
    assert prune(now=gone_from) == 0
    assert prune(now=gone_from + MICROSECOND) == 1
    assert not SmsCode.objects.exists()


def race(work, count=8) -> list[bool]:
    barrier = threading.Barrier(count)

    def run(_number):
        try:
            barrier.wait(timeout=PATIENCE)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_control_without_the_lock_a_code_is_used_many_times(self):
        """The race is real: reading, then writing what was read, lets more than one through."""
        send()
        everyone_has_read = threading.Barrier(8)

        def use_without_lock():
            with transaction.atomic():
                row = SmsCode.objects.get()
                everyone_has_read.wait(timeout=PATIENCE)
                if row.used_at is not None:
                    return False
                row.used_at = NOW
                row.save(update_fields=["used_at"])
                return True

        assert sum(race(use_without_lock)) > 1

    def test_one_code_is_used_once(self):
        code = send()
        assert sum(race(lambda: check(code).ok)) == 1

    def test_every_wrong_try_is_counted(self):
        code = send()
        race(lambda: check(other_than(code)).ok, count=TRIES)
        assert SmsCode.objects.get().attempts == TRIES
        assert check(code).fault is CodeFault.EXHAUSTED
