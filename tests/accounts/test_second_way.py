"""A parent's authenticator app instead of codes by SMS: set up, signing in, recovery codes, guesses, turned off."""

import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_otp.oath import hotp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor, second_way, sms_codes
from accounts.limits import APP_CODE
from accounts.models import AuditEntry, RecoveryCode
from accounts.second_factor import app_to_set_up
from accounts.services import TooManyTries
from notifications.models import Message, Notice
from tests.factories import UserFactory

PASSWORD = "parent-pass-1"
START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)
HOME = "/cabinet/"


def code_at(user, moment) -> str:
    """What the app on the parent's phone shows at `moment`."""
    device = TOTPDevice.objects.get(user=user)
    return f"{hotp(device.bin_key, int(moment.timestamp()) // 30, 6):06d}"


def password(client, user, typed=PASSWORD):
    return client.post("/login/", {"phone": str(user.phone), "password": typed})


def code(client, typed):
    return client.post("/login/code/", {"code": typed})


@pytest.fixture
def now(clock):
    clock.move_to(START)
    return START


@pytest.fixture
def codes(parent, now) -> list[str]:
    """The recovery codes of a parent whose app was set up ten minutes ago."""
    session = SessionBase()
    app_to_set_up(parent, session)
    before = now - timedelta(minutes=10)
    made = second_way.set_up(parent, code_at(parent, before), session=session, address=None, now=before)
    assert made is not None
    Message.objects.all().delete()
    Notice.objects.all().delete()
    return made


@pytest.mark.django_db
class TestSettingUp:
    def test_the_picture_the_first_code_and_ten_codes_for_paper(self, parent, parent_client, now):
        address = reverse("accounts:app")
        page = parent_client.get(address)
        assert "<svg" in page.content.decode()
        wrong = {"code": "000000", "password": PASSWORD}
        assert "code" in parent_client.post(address, wrong).context["form"].errors
        right = {"code": code_at(parent, now), "password": "something else"}
        assert "password" in parent_client.post(address, right).context["form"].errors
        assert not second_factor.has_app(parent.pk)
        done = parent_client.post(address, right | {"password": PASSWORD})
        shown = re.findall(r"<code>([a-z0-9-]{14})</code>", done.content.decode())
        assert len(set(shown)) == second_way.CODES
        assert "no-store" in done.headers["Cache-Control"]
        stored = str(list(RecoveryCode.objects.values()))
        assert not any(one in stored or one.replace("-", "") in stored for one in shown)
        assert Notice.objects.get().kind == "app_set_up"
        # The journal is kept for ever: no phone stands in it.
        entry = AuditEntry.objects.get(subject=parent, action="second_factor_set_up")
        assert (entry.target, entry.reason) == ("", "")
        # Neither the key nor the codes are shown again.
        key = TOTPDevice.objects.get().key
        again = parent_client.get(address)
        assert again.context["left"] == second_way.CODES
        assert key not in again.content.decode()
        assert "<code>" not in again.content.decode()

    def test_a_key_seen_before_is_never_the_one_that_counts(self, parent, client_of, now):
        """Somebody looks at the page in an open session, and knows every later code if that key is set up."""
        address = reverse("accounts:app")
        thief = client_of(parent)

        def key_shown(client) -> str:
            return client.get(address).context["key"]

        known = key_shown(thief)
        assert key_shown(thief) == known
        owner = Client()
        password(owner, parent)
        assert key_shown(owner) != known
        # A sign-in ends every key shown so far, and so does a new password.
        former, later = known, key_shown(thief)
        assert later != former
        new = {"old_password": PASSWORD, "password": "zhana-qupiya-7", "repeated": "zhana-qupiya-7"}
        owners = key_shown(owner)
        assert owner.post("/cabinet/profile/password/", new).status_code == 302
        assert key_shown(owner) != owners
        done = owner.post(address, {"code": code_at(parent, now), "password": "zhana-qupiya-7"})
        assert "codes" in done.context
        assert TOTPDevice.objects.get().confirmed


@pytest.mark.django_db
class TestSigningIn:
    def test_a_device_that_knows_the_account_asks_for_nothing_more(self, parent, codes, now):
        client = Client()
        assert password(client, parent).url == "/login/code/"
        assert "SMS" not in client.get("/login/code/").context["form"]["code"].label
        assert code(client, code_at(parent, now)).url == HOME
        client.post("/logout/")
        assert password(client, parent).url == HOME
        assert not Message.objects.exclude(kind="new_device").exists()

    def test_after_too_many_wrong_passwords_no_sms_is_sent(self, parent, codes, now):
        client = Client()
        for _ in range(5):
            password(client, parent, "wrong-pass-1")
        assert password(client, parent).url == "/login/code/"
        assert not Message.objects.exists()
        assert code(client, codes[0].upper().replace("-", " ")).url == HOME

    def test_no_code_by_sms_opens_it_sent_or_not(self, parent, codes, now, monkeypatch):
        monkeypatch.setattr(sms_codes, "random_code", lambda: "271828")
        client = Client()
        for _ in range(5):
            password(client, parent, "wrong-pass-1")
        password(client, parent)
        assert code(client, "271828").status_code == 200
        # Sent before there was an app.
        TOTPDevice.objects.update(confirmed=False)
        password(client, parent)
        assert Message.objects.get().kind == "sign_in_code"
        TOTPDevice.objects.update(confirmed=True)
        assert code(client, "271828").status_code == 200
        assert code(client, code_at(parent, now)).url == HOME

    def test_a_code_opens_once(self, parent, codes, now):
        first, second = Client(), Client()
        shown = code_at(parent, now)
        for client in (first, second):
            password(client, parent)
        assert code(first, shown).url == HOME
        assert code(second, shown).status_code == 200
        assert code(second, codes[1]).url == HOME
        third = Client()
        password(third, parent)
        assert code(third, codes[1]).status_code == 200
        assert second_way.codes_left(parent) == second_way.CODES - 1

    def test_codes_of_another_parent(self, codes, now):
        stranger = UserFactory.create()
        session = SessionBase()
        app_to_set_up(stranger, session)
        second_way.set_up(stranger, code_at(stranger, now), session=session, address=None, now=now)
        client = Client()
        password(client, stranger)
        assert code(client, codes[0]).status_code == 200

    def test_guesses_are_stopped_and_what_cannot_be_guessed_is_not(self, parent, codes, now):
        client = Client()
        password(client, parent)
        for _ in range(APP_CODE[0].times):
            assert "code" in code(client, "000000").context["form"].errors
        assert code(client, code_at(parent, now)).status_code == 200
        both = code_at(parent, now - STEP) + " " + code_at(parent, now)
        assert code(client, both).url == HOME

    def test_the_answers_tell_nothing_of_the_password(self, parent, codes, now):
        """Too many passwords were wrong; then a right and a wrong one, and as many wrong codes as it takes."""
        for _ in range(5):
            password(Client(), parent, "wrong-pass-1")
        pages = []
        for typed in (PASSWORD, "wrong-pass-1"):
            client, seen = Client(), []
            password(client, parent, typed)
            seen.append(client.get("/login/code/"))
            seen += [code(client, "000000") for _ in range(2)]
            pages.append(
                [re.sub(r'value="[^"]{40,}"|\d\d:\d\d:\d\d', "", one.content.decode()) for one in seen]
            )
        assert pages[0] == pages[1]


@pytest.mark.django_db
class TestTurningOff:
    def test_password_and_code_and_the_owner_is_told(self, parent, parent_client, codes, now):
        address = reverse("accounts:app_off")
        for fields in (
            {"password": "wrong-pass-1", "code": codes[0]},
            {"password": PASSWORD, "code": "000000"},
        ):
            assert parent_client.post(address, fields).context["form"].errors
        assert second_factor.has_app(parent.pk)
        assert (
            parent_client.post(address, {"password": PASSWORD, "code": codes[0]}).url == "/cabinet/profile/"
        )
        assert not second_factor.has_app(parent.pk)
        assert not RecoveryCode.objects.exists()
        assert Notice.objects.get().kind == "app_turned_off"
        assert password(Client(), parent).url == HOME
        assert AuditEntry.objects.filter(subject=parent, action="second_way_off").count() == 1

    def test_new_codes_replace_the_former(self, parent, parent_client, codes, now):
        fields = {"password": PASSWORD, "code": code_at(parent, now)}
        done = parent_client.post(reverse("accounts:recovery_codes"), fields)
        new = re.findall(r"<code>([a-z0-9-]{14})</code>", done.content.decode())
        client = Client()
        password(client, parent)
        assert code(client, codes[0]).status_code == 200
        assert code(client, new[0]).url == HOME

    @pytest.mark.parametrize("phone", [None, "+77017770011"])
    def test_wrong_codes_count_for_one_account_and_as_at_the_sign_in(self, client_of, now, phone):
        """Accounts without a phone have nothing in common."""
        guesser = UserFactory(phone=phone, username=phone or "912345678")
        other = UserFactory(phone=None, username="923456789")
        for user in (guesser, other):
            session = SessionBase()
            app_to_set_up(user, session)
            before = now - 2 * STEP
            assert second_way.set_up(user, code_at(user, before), session=session, address=None, now=before)
        for _ in range(APP_CODE[0].times):
            with suppress(TooManyTries):
                second_way.try_code(guesser.username, guesser, "000000", now=now)
        address = reverse("accounts:app_off")
        for user, is_done in ((guesser, False), (other, True)):
            client_of(user).post(address, {"password": PASSWORD, "code": code_at(user, now)})
            assert second_factor.has_app(user.pk) != is_done


def at_once(attempt, times=8) -> list[bool]:
    """`attempt` from many threads that begin together, each with a connection of its own."""
    start, answers = threading.Barrier(times), []

    def run() -> None:
        try:
            start.wait()
            answers.append(attempt())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
class TestRace:
    def read_then_write(self, user, token, *, met: threading.Barrier) -> bool:
        """The same without the one statement: everybody reads before anybody writes."""
        row = second_way._unused(user.pk, token).first()
        met.wait()
        if row is None:
            return False
        row.used_at = START
        row.save(update_fields=["used_at"])
        return True

    def test_the_control_lets_many_in(self, parent, codes):
        met = threading.Barrier(8)
        assert at_once(lambda: self.read_then_write(parent, codes[0], met=met)).count(True) == 8

    def test_a_recovery_code_opens_once_however_many_enter_it(self, parent, codes, now):
        answers = at_once(lambda: second_way.try_code(str(parent.phone), parent, codes[0], now=now))
        assert answers.count(True) == 1
        assert second_way.codes_left(parent) == second_way.CODES - 1

    def test_so_does_a_code_of_the_app(self, parent, codes, now):
        shown = code_at(parent, now)
        answers = at_once(lambda: second_way.try_code(str(parent.phone), parent, shown, now=now))
        assert answers.count(True) == 1


@pytest.mark.django_db
def test_without_app_and_paper_the_password_and_an_sms_turn_it_off(
    parent, parent_client, client_of, codes, now, clock
):
    address = reverse("accounts:app_off_by_sms")
    assert address in parent_client.get(reverse("accounts:app_off")).content.decode()
    # Before a code was asked for, and with that of another session, nothing is turned off.
    parent_client.post(address, {"code": "123456", "password": PASSWORD})
    other = client_of(parent)
    for minutes, browser in enumerate((parent_client, other)):
        clock.move_to(now + timedelta(minutes=2 * minutes))
        assert browser.post(address, {"resend": "1"}).url == address
    theirs, own = (
        re.search(r"\d{6}", row.text).group() for row in Message.objects.order_by("-created_at")[:2]
    )
    for typed in ({"code": theirs, "password": PASSWORD}, {"code": own, "password": "another-pass"}):
        assert parent_client.post(address, typed).context["form"].errors
    assert second_factor.has_app(parent.pk)
    assert parent_client.post(address, {"code": own, "password": PASSWORD}).url == reverse("accounts:profile")
    assert not second_factor.has_app(parent.pk)
    assert not RecoveryCode.objects.filter(user=parent).exists()
    assert Notice.objects.get().kind == "app_turned_off"
    assert parent_client.post(address, {"code": own, "password": PASSWORD}).url == reverse("accounts:app")
