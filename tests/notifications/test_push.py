"""Notices on screens against a small real push service, read as a browser reads them."""

import json
import re
from datetime import UTC, datetime, time, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection
from django.test import Client

from accounts.journal_actions import Action
from accounts.models import AuditEntry, Session, User
from accounts.services import change_password
from balabaqsha.retention import PERIODS
from notifications.delivery import Counts, deliver_pushes
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice, PushMessage, PushSubscription
from notifications.peers.wire import Broken, Papers, exchange
from notifications.push_encryption import (
    CURVE,
    encrypt,
    from_text,
    new_private_key,
    point_of,
    public_key,
    to_text,
)
from notifications.services import enqueue
from notifications.troubles import Trouble
from notifications.web_push import MOST_DEVICES, is_sound
from tests.factories import UserFactory
from tests.notifications.push_service import push_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
PAGE, ON, OFF = (f"/cabinet/profile/ways/screen/{last}" for last in ("", "on/", "off/"))
KEY = new_private_key()


class Browser:
    """What a browser keeps to itself, and how it reads what comes (RFC 8291, 3.4)."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(CURVE)
        self.secret = b"sixteen bytes it"
        self.public = point_of(self._key.public_key())

    def form(self, endpoint: str) -> dict[str, str]:
        return {"endpoint": endpoint, "p256dh": to_text(self.public), "auth": to_text(self.secret)}

    def read(self, body: bytes) -> dict[str, str]:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        material = HKDF(SHA256(), 32, self.secret, b"WebPush: info\0" + self.public + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
        text = AESGCM(key).decrypt(nonce, record, None)
        assert text.endswith(b"\x02")
        return json.loads(text[:-1])


@pytest.fixture
def service(settings):
    settings.PUSH_PRIVATE_KEY, settings.PUSH_CONTACT = KEY, "mailto:portal@bala.example.kz"
    settings.PUSH_TO_OWN_NETWORK = True
    settings.PUSH_SECONDS = 1.0
    with push_service() as running:
        yield running


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def here(service, browser, parent_client, parent):
    """The parent's device, turned on, and what was told of that put aside."""
    assert parent_client.post(ON, browser.form(service.address("one"))).url == "/cabinet/profile/ways/"
    PushMessage.objects.all().delete()
    return PushSubscription.objects.get(recipient=parent)


def tell(recipient, kind="bid_placed", key="1"):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key=key, now=NOW)


def test_the_example_of_the_standard():
    """RFC 8291, appendix A."""
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        browser_key=from_text(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        secret=from_text("BTBZMqHH6r4Tts7J_aSIgg"),
        own_key=ec.derive_private_key(
            int.from_bytes(from_text("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), CURVE
        ),
        salt=from_text("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert to_text(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
        "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("endpoint", [
    "http://fcm.googleapis.com/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://fcm.googleapis.com.evil.example/x",
    "https://evilfcm.googleapis.com@10.0.0.1/x",
    "https://a:b@fcm.googleapis.com/x",
    "https://fcm.googleapis.com:8443/x",
    "https://fcm.googleapis.com/x\nHost: y",
    "https://fcm.googleapis.com/x#y",
    "https://[::1",
    "https://xfcm.googleapis.com/x",
    "https://fcm.googleapis.com/" + "x" * 1000,
    "file:///etc/passwd",
    "",
], ids=[
    "http", "loopback", "localhost", "suffix", "user", "password", "port", "header", "fragment", "broken", "prefix",
    "long", "file", "empty",
])  # fmt: skip
def test_what_is_no_address_of_a_known_service(endpoint):
    assert not is_sound(endpoint)


def test_control_an_address_of_each_browser():
    for service in ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com"):
        assert is_sound(f"https://{service}/fcm/send/abc:DEF-_1")


def test_a_name_that_leads_to_our_own_network_is_not_asked(service):
    address = service.address("one")
    assert exchange(address, body=b"x", headers={}, seconds=5).status == 201
    with pytest.raises(Broken, match="ConnectionRefused"):
        exchange(address, body=b"x", headers={}, seconds=5, papers=Papers(is_open_internet=True))
    assert len(service.log) == 1


class TestDelivery:
    def test_the_browser_reads_the_text_of_the_sms_and_who_sent_it(self, service, browser, here, parent):
        tell(parent)
        assert deliver_pushes(now=NOW) == Counts(sent=1)
        [asked] = service.log
        told = browser.read(asked.body)
        assert told["text"] == Message.objects.get(kind="bid_placed").text
        assert told["language"] == parent.language
        assert told["tag"] == str(PushMessage.objects.get().pk)
        assert 0 < int(asked.headers["TTL"]) <= 86_400
        assert asked.headers["Content-Encoding"] == "aes128gcm"
        token, key = asked.headers["Authorization"].removeprefix("vapid t=").split(", k=")
        assert key == public_key(KEY)
        head, claims, signature = token.split(".")
        assert json.loads(from_text(claims))["aud"] == service.url
        number = from_text(signature)
        signed = encode_dss_signature(int.from_bytes(number[:32], "big"), int.from_bytes(number[32:], "big"))
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_text(key))
        theirs.verify(signed, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        with pytest.raises(InvalidSignature):
            theirs.verify(signed, f"{head}.x{claims}".encode(), ec.ECDSA(SHA256()))
        here.refresh_from_db()
        assert here.last_success_at is not None

    @pytest.mark.parametrize(("status", "state", "error"), [
        (201, "sent", ""),
        (404, "failed", Trouble.NO_DEVICE.value),
        (410, "failed", Trouble.NO_DEVICE.value),
        (413, "failed", "push: HTTP 413"),
        (302, "queued", "push: HTTP 302"),
        (403, "queued", "push: HTTP 403"),
        (429, "queued", "push: HTTP 429"),
        (502, "queued", "push: HTTP 502"),
        (None, "queued", "push: TimeoutError"),
    ])  # fmt: skip
    def test_what_the_answers_mean(self, service, here, parent, status, state, error):
        service.answers["one"] = status
        tell(parent)
        deliver_pushes(now=NOW)
        row = PushMessage.objects.get()
        assert (row.state, row.error) == (state, error)
        # Each address is asked once, and no redirect is followed.
        assert len(service.log) == 1
        assert row.unclear == (status in (502, None))
        here.refresh_from_db()
        assert (here.gone_at is not None) == (status in (404, 410))

    def test_a_device_that_is_gone_is_forgotten_and_its_owner_reads_so(
        self, service, here, parent, parent_client
    ):
        service.answers["one"] = 410
        tell(parent)
        assert deliver_pushes(now=NOW) == Counts(failed=1)
        here.refresh_from_db()
        assert (here.endpoint, here.keys) == ("", "")
        assert "браузері енді хабарлама қабылдамайды" in parent_client.get(PAGE).content.decode()
        assert "енді хабарлама қабылдамайды" in parent_client.get("/cabinet/profile/ways/").content.decode()
        tell(parent, "bid_rejected")
        assert PushMessage.objects.count() == 1

    def test_one_device_of_two_is_enough(self, service, here, parent, client_of, browser):
        client_of(parent).post(ON, browser.form(service.address("two")))
        PushMessage.objects.all().delete()
        service.answers["one"] = 410
        tell(parent)
        assert deliver_pushes(now=NOW) == Counts(sent=1)
        assert {asked.path for asked in service.log} == {"/one", "/two"}
        assert [one.gone_at is None for one in PushSubscription.objects.order_by("created_at")] == [
            False,
            True,
        ]

    def test_the_topic_and_the_quiet_hours_are_those_of_every_way(self, service, here, parent):
        User.objects.filter(pk=parent.pk).update(chosen_ways={"bids": {"push": False}})
        tell(User.objects.get(pk=parent.pk))
        assert not PushMessage.objects.exists()
        quiet = {"quiet_from": time(7, 0), "quiet_to": time(18, 0)}
        User.objects.filter(pk=parent.pk).update(chosen_ways={}, **quiet)
        tell(User.objects.get(pk=parent.pk), key="2")
        row = PushMessage.objects.get()
        assert row.next_attempt_at > NOW
        assert row.next_attempt_at == Message.objects.get(dedupe_key=row.dedupe_key).next_attempt_at
        assert deliver_pushes(now=NOW) == Counts()

    def test_without_a_key_there_is_no_such_way(self, service, here, parent, parent_client, settings):
        settings.PUSH_PRIVATE_KEY = ""
        tell(parent)
        assert not PushMessage.objects.exists()
        assert parent_client.get(PAGE).status_code == 404
        assert parent_client.post(ON, {}).status_code == 404


class TestDevices:
    def test_what_a_browser_says_is_looked_at(self, service, browser, parent_client, settings):
        good = browser.form(service.address("one"))
        settings.PUSH_TO_OWN_NETWORK = False
        parent_client.post(ON, good)
        settings.PUSH_TO_OWN_NETWORK = True
        for wrong in (
            {"auth": "x"},
            {"p256dh": to_text(b"\x04" + b"\x01" * 64)},
            {"p256dh": "ә" * 87},
            {"endpoint": "https://evil.example/x"},
            {"endpoint": ""},
        ):
            assert parent_client.post(ON, good | wrong).url == PAGE
        assert not PushSubscription.objects.exists()
        parent_client.post(ON, good)
        assert PushSubscription.objects.count() == 1

    def test_address_and_keys_are_encrypted_and_the_owner_is_told(self, here, service, parent):
        with connection.cursor() as cursor:
            cursor.execute("SELECT endpoint, keys FROM notifications_pushsubscription")
            assert not any(word in str(cursor.fetchall()) for word in (service.url, "one", "auth"))
        assert Notice.objects.get(recipient=parent).kind == "push_turned_on"
        assert Message.objects.get(recipient=parent).kind == "push_turned_on"
        assert AuditEntry.objects.filter(action=Action.PUSH_TURNED_ON, subject=parent).exists()

    def test_one_a_device_and_who_turns_it_on_last_has_it(self, here, service, browser, client_of):
        stranger = UserFactory()
        client_of(stranger).post(ON, browser.form(service.address("one")))
        [row] = PushSubscription.objects.all()
        assert row.recipient == stranger

    def test_of_too_many_the_oldest_gives_way(self, service, browser, client_of, parent):
        for nth in range(MOST_DEVICES + 2):
            client_of(parent).post(ON, browser.form(service.address(str(nth))))
        assert PushSubscription.objects.count() == MOST_DEVICES
        tell(parent)
        deliver_pushes(now=NOW)
        assert "/0" not in {asked.path for asked in service.log}

    def test_it_ends_with_a_press_and_what_waits_is_withheld(self, here, parent, parent_client, client_of):
        tell(parent)
        client_of(UserFactory()).post(OFF, {"device": str(here.pk)})
        assert PushSubscription.objects.exists()
        parent_client.post(OFF, {"device": "nonsense"})
        parent_client.post(OFF, {"device": str(here.pk)})
        assert not PushSubscription.objects.exists()
        row = PushMessage.objects.get()
        assert (row.state, row.error) == ("withheld", Trouble.NO_DEVICE.value)

    def test_it_ends_with_another_password(self, here, parent):
        change_password(
            parent, password="another-pass-2", action=Action.PASSWORD_CHANGED, address=None, now=NOW
        )
        assert not User.objects.get(pk=parent.pk).has_push_device

    def test_after_thirty_days_nothing_is_left(self, here, parent):
        tell(parent)
        PushSubscription.objects.update(gone_at=NOW)
        PushMessage.objects.update(state="failed", created_at=NOW)
        periods = [one for one in PERIODS if "screens" in one.name or "devices" in one.name]
        assert len(periods) == 2
        for later, left in ((timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)):
            for period in periods:
                period.purge(now=NOW + later)
            assert (PushSubscription.objects.count(), PushMessage.objects.count()) == (left, left)


class TestSignOut:
    """By the cookie of the device, which a sign-in by the form gives."""

    @pytest.fixture
    def devices(self, service, parent):
        """Two devices of one parent: their clients, by the names of their addresses."""
        clients = {}
        for name in ("phone", "desk"):
            client = clients[name] = Client()
            client.post("/login/", {"phone": str(parent.phone), "password": "parent-pass-1"})
            assert client.post(ON, Browser().form(service.address(name))).url == "/cabinet/profile/ways/"
        return clients

    def showing(self, service, parent):
        """Where a notice appears now."""
        PushMessage.objects.all().delete()
        service.log.clear()
        tell(parent)
        deliver_pushes(now=NOW)
        return {asked.path.removeprefix("/") for asked in service.log}

    def test_control_both_show_it_also_once_their_sessions_are_over(self, service, devices, parent):
        Session.objects.all().delete()
        assert self.showing(service, parent) == {"phone", "desk"}

    def test_there_ends_that_device(self, service, devices, parent):
        devices["phone"].post("/logout/")
        assert self.showing(service, parent) == {"desk"}

    def test_of_its_session_from_elsewhere_ends_it(self, service, devices, parent):
        page = devices["desk"].get("/cabinet/sessions/").content.decode()
        [other] = re.findall(r'name="session" value="(\w+)"', page)[-1:]
        devices["desk"].post("/cabinet/sessions/end/", {"session": other})
        assert self.showing(service, parent) == {"desk"}

    def test_of_all_others_leaves_this_one(self, service, devices, parent):
        devices["desk"].post("/cabinet/sessions/end/")
        assert self.showing(service, parent) == {"desk"}

    def test_everywhere_leaves_none(self, service, devices, parent):
        devices["desk"].post("/cabinet/sessions/end/", {"all": "1"})
        assert self.showing(service, parent) == set()
