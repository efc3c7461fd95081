"""One contract for every provider of identity, and the way to it and back."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from accounts import checks
from accounts.identity_provider import NotProven, Proven, signed
from accounts.identity_provider.http import HttpProvider
from accounts.identity_provider.signed import AHEAD, VALID_FOR
from accounts.identity_provider.simulator import SimulatedProvider, code_for
from accounts.models import AuditEntry, Session
from accounts.registry import simulated_people
from accounts.views.identity import LASTS
from notifications.models import Notice
from tests.factories import UserFactory
from tests.notifications.peers.servers import answers, is_silent, peer

IIN = simulated_people.MANUAL_PARENT_IIN
START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BACK = "https://bala.example.kz/login/identity/back/"
RIGHT: dict[str, Any] = {"iin": IIN, "name": "КАМЕНОВ ЕРМЕК", "nonce": "n" * 43, "back": BACK, "now": START}


def public(key: Ed25519PrivateKey) -> str:
    return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()


@pytest.fixture(params=["simulated", "http"])
def coming(request, settings) -> Iterator:
    """Makes a provider, and the code with which somebody comes back from it."""
    if request.param == "simulated":
        yield lambda **said: (SimulatedProvider(), code_for(**RIGHT | said))
        return
    key = Ed25519PrivateKey.generate()
    settings.IDENTITY_PROVIDER_KEY, settings.IDENTITY_PROVIDER_TOKEN = public(key), "token"

    with ExitStack() as running:

        def make(**said):
            told = RIGHT | said
            answer = signed.sign(key=key, audience=told.pop("back"), **told)
            service = running.enter_context(peer(answers(json.dumps({"answer": answer}).encode())))
            settings.IDENTITY_PROVIDER_URL = service.url
            return HttpProvider(), "c0de"

        yield make


def outcome(coming, *, at=START, **said):
    provider, code = coming(**said)
    try:
        return provider.finish(code, nonce=RIGHT["nonce"], back=BACK, now=at)
    except NotProven as reason:
        return str(reason)


class TestContract:
    def test_out(self, coming, settings):
        provider, _code = coming()
        address = urlsplit(provider.start(state="s", nonce="n", back=BACK))
        assert parse_qs(address.query) == {"state": ["s"], "nonce": ["n"], "back": [BACK]}

    def test_back(self, coming):
        assert outcome(coming) == Proven(iin=IIN, name="КАМЕНОВ ЕРМЕК")

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"nonce": "m" * 43}, "meant for another sign-in"),
            ({"back": "https://evil.example/"}, "meant for another sign-in"),
            ({"iin": "940225300008"}, "no IIN"),
            ({"iin": ""}, "no IIN"),
            ({"now": START - VALID_FOR}, "too old or too new"),
            ({"now": START + AHEAD + MICROSECOND}, "too old or too new"),
        ],
    )
    def test_what_is_meant_for_something_else(self, coming, said, why):
        assert outcome(coming, **said) == why

    def test_until_the_last_microsecond(self, coming):
        assert outcome(coming, at=START + VALID_FOR - MICROSECOND) == outcome(coming, at=START - AHEAD)

    def test_another_key(self, coming, settings):
        provider, code = coming()
        settings.SECRET_KEY = "another"
        settings.IDENTITY_PROVIDER_KEY = public(Ed25519PrivateKey.generate())
        with pytest.raises(NotProven, match="not signed"):
            provider.finish(code, nonce=RIGHT["nonce"], back=BACK, now=START)


@pytest.mark.parametrize(
    "handler",
    [
        is_silent, answers(b"{}"), answers(b"[]"), answers(b'{"answer": 7}'), answers(b"\xff"),
        answers(b'{"answer": "a.b"}'), answers(b"{}", status=500), answers(b'{"answer": "' + b"a" * 9_000 + b'"}'),
    ],
)  # fmt: skip
def test_a_gateway_that_makes_no_sense_proves_nobody(settings, handler):
    with peer(handler) as service:
        settings.IDENTITY_PROVIDER_URL, settings.IDENTITY_PROVIDER_SECONDS = service.url, 0.5
        settings.IDENTITY_PROVIDER_KEY = public(Ed25519PrivateKey.generate())
        with pytest.raises(NotProven):
            HttpProvider().finish("c0de", nonce="n", back=BACK, now=START)


def leave(client: Client, query: str = "") -> dict[str, str]:
    """Go to the provider's page; what it is told."""
    answer = client.get(f"/login/identity/{query}")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.url).query).items()}


def come_back(client: Client, told: dict[str, str], *, iin: str, now=START, **changed: str):
    code = code_for(iin=iin, name="А", nonce=told["nonce"], back=told["back"], now=now)
    return client.get("/login/identity/back/", {"state": told["state"], "code": code} | changed)


def is_in(client: Client) -> bool:
    return bool(client.get("/cabinet/profile/").status_code == 200)


@pytest.mark.django_db
class TestTheWay:
    @pytest.fixture(autouse=True)
    def _now(self, clock):
        clock.move_to(START)

    def test_whoever_is_proven_signs_in_and_goes_on(self, parent):
        client = Client()
        told = leave(client, "?next=/cabinet/children/")
        assert set(told) == {"state", "nonce", "back"}
        answer = come_back(client, told, iin=parent.profile.iin)
        assert answer.url == "/cabinet/children/"
        assert is_in(client)
        assert Session.objects.get().ends_at is not None
        assert AuditEntry.objects.get(subject=parent).action == "signed_in_by_identity"
        assert Notice.objects.get().kind == "new_device"

    def test_an_answer_counts_in_the_browser_that_left_and_once(self, parent):
        client, other = Client(), Client()
        told = leave(client)
        assert come_back(other, told, iin=parent.profile.iin).url == "/login/"
        leave(other)
        assert come_back(other, told, iin=parent.profile.iin).url == "/login/"
        assert not is_in(other)
        come_back(client, told, iin=parent.profile.iin)
        client.post("/logout/")
        assert come_back(client, told, iin=parent.profile.iin).url == "/login/"

    def test_a_copied_cookie_and_address_lead_nobody_back_again(self, parent, clock, settings):
        client, thief = Client(), Client()
        told = leave(client)
        thief.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
        code = code_for(iin=parent.profile.iin, name="А", nonce=told["nonce"], back=told["back"], now=START)
        way_back = {"state": told["state"], "code": code}
        client.get("/login/identity/back/", way_back)
        assert is_in(client)
        clock.move_to(START + VALID_FOR - MICROSECOND)
        assert thief.get("/login/identity/back/", way_back).url == "/login/"
        assert not is_in(thief)

    def test_control_the_copy_leads_back_if_nobody_has_come_back(self, parent):
        client, copy = Client(), Client()
        told = leave(client)
        copy.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
        come_back(copy, told, iin=parent.profile.iin)
        assert is_in(copy)

    def test_nobody_comes_back_while_it_cannot_be_remembered(self, parent, redis_away):
        client = Client()
        assert come_back(client, leave(client), iin=parent.profile.iin).url == "/login/"
        assert not is_in(client)

    @pytest.mark.parametrize(
        "changed",
        [{"state": "x"}, {"state": "ә"}, {"code": ""}, {"code": "x"}, {"code": "x" * 9_000}],
    )
    def test_what_was_changed_on_the_way(self, parent, changed):
        client = Client()
        assert come_back(client, leave(client), iin=parent.profile.iin, **changed).url == "/login/"
        assert not is_in(client)

    @pytest.mark.parametrize(("after", "goes_in"), [(LASTS - MICROSECOND, True), (LASTS, False)])
    def test_ten_minutes(self, parent, clock, after, goes_in):
        client = Client()
        told = leave(client)
        clock.move_to(START + after)
        come_back(client, told, iin=parent.profile.iin, now=START + after)
        assert is_in(client) is goes_in

    def test_nobodys_iin_and_a_blocked_account_are_led_to_register(self, parent):
        parent.is_active = False
        parent.save()
        for iin in (parent.profile.iin, IIN):
            client = Client()
            page = come_back(client, leave(client), iin=iin)
            assert '/register/"' in page.content.decode()
            assert not is_in(client)

    def test_without_a_provider_there_is_no_such_way(self, settings):
        assert "/login/identity/" in Client().get("/login/").content.decode()
        settings.IDENTITY_PROVIDER = ""
        assert "/login/identity/" not in Client().get("/login/").content.decode()
        for path in ("/login/identity/", "/login/identity/back/"):
            assert Client().get(path).status_code == 404

    def test_the_demos_page_leads_back_to_us_alone(self, parent):
        UserFactory.create()
        client = Client()
        told = leave(client)
        page = client.get("/demo/identity/", told).content.decode()
        assert "/login/identity/back/?" in page
        assert client.get("/demo/identity/", told | {"back": "https://evil.example/"}).url == "/demo/"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"IDENTITY_PROVIDER": ""}, []),
        ({"IDENTITY_PROVIDER": "accounts.no.Provider"}, ["accounts.E009"]),
        ({"IDENTITY_PROVIDER": "accounts.identity_provider.simulator.SimulatedProvider"}, ["accounts.E010"]),
        ({}, []),
        ({"IDENTITY_PROVIDER_URL": "http://gate.example.kz"}, ["accounts.E011"]),
        ({"IDENTITY_PROVIDER_TOKEN": ""}, ["accounts.E011"]),
        ({"IDENTITY_PROVIDER_KEY": "AAAA"}, ["accounts.E011"]),
    ],
)
def test_what_a_real_portal_is_refused_with(settings, changed, found):
    settings.DEMO = False
    settings.IDENTITY_PROVIDER = "accounts.identity_provider.http.HttpProvider"
    settings.IDENTITY_PROVIDER_URL, settings.IDENTITY_PROVIDER_TOKEN = "https://gate.example.kz", "t"
    settings.IDENTITY_PROVIDER_KEY = public(Ed25519PrivateKey.generate())
    for name, value in changed.items():
        setattr(settings, name, value)
    said = checks.identity_provider_exists(None) + checks.identity_provider_is_real(None)
    assert [one.id for one in said] == found
