"""A corrected data policy asks anew, and loses nothing that was on its way."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor, second_way
from accounts.models import PolicyConsent
from accounts.numbers import moves
from accounts.numbers.moves import Kind, Proof
from notifications.clock import read_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreed(parent):
    """To the version that was in force when they registered."""
    return PolicyConsent.objects.create(user=parent, version="2019-06-26", given_at=read_clock())


@pytest.mark.parametrize(("language", "title"), [("kk", "саясаты өзгерді"), ("ru", "Политика обработки")])
def test_whoever_agreed_to_an_earlier_one_is_asked_before_the_cabinet(parent_client, agreed, language, title):
    with override(language):
        children = reverse("children:list")
        answer = parent_client.get(children, follow=True)
        assert answer.request["PATH_INFO"] == reverse("accounts:policy")
        assert title in answer.content.decode()
        answer = parent_client.post(reverse("accounts:policy"), {"next": children}, follow=True)
        assert answer.request["PATH_INFO"] == children


def test_the_answer_is_kept_as_proof_and_asked_for_once(parent, parent_client, agreed, settings):
    for _ in range(2):
        parent_client.post(reverse("accounts:policy"))
    versions = list(
        PolicyConsent.objects.filter(user=parent).order_by("pk").values_list("version", flat=True)
    )
    assert versions == ["2019-06-26", settings.DATA_POLICY_VERSION]
    assert parent_client.get(reverse("children:list")).status_code == 200
    assert parent_client.get(reverse("accounts:policy")).status_code == 302


def test_a_portal_that_goes_back_to_an_earlier_version_asks_nobody_who_agreed_to_it(
    parent, parent_client, agreed, settings
):
    parent_client.post(reverse("accounts:policy"))
    settings.DATA_POLICY_VERSION = agreed.version
    assert parent_client.get(reverse("children:list")).status_code == 200


def test_public_pages_do_not_wait(parent_client, agreed):
    assert parent_client.get("/bulletin/").status_code == 200


def test_who_does_not_agree_reads_on_and_does_nothing(parent, agreed, client_of):
    client, profile = client_of(parent), reverse("accounts:profile")
    page = client.get(profile, follow=True).content.decode()
    # What changed since the version that they agreed to.
    assert "деректерді кім көретіні" in page
    assert client.post(reverse("accounts:policy"), {"next": profile, "later": "1"})["Location"] == profile
    assert client.get(profile).status_code == client.get(reverse("children:list")).status_code == 200
    answer = client.post(profile, {"address": "Бейбітшілік 1", "language": "kk"})
    assert answer["Location"].startswith(reverse("accounts:policy"))
    parent.profile.refresh_from_db()
    assert parent.profile.address == ""
    # What protects a person, and what they may always ask for, waits for no agreement.
    for page in ("accounts:password", "accounts:export", "accounts:leave", "accounts:journal"):
        assert client.get(reverse(page)).status_code == 200
    client.post(reverse("accounts:policy"), {"next": profile})
    assert client.post(profile, {"address": "Бейбітшілік 1", "language": "kk"})["Location"] == profile


def test_who_has_not_agreed_can_end_a_session_stop_a_move_and_turn_the_app_off(parent, agreed, client_of):
    """Whoever has somebody else's hand in the account can't be made to agree to something first."""
    client, other, now = client_of(parent), client_of(parent), read_clock()
    move = moves.ask(
        parent,
        kind=Kind.CHANGE,
        proof=Proof.NEW_NUMBER,
        new_phone="+77017770001",
        asked_by=None,
        address=None,
        now=now,
    )
    assert second_factor.app_to_set_up(parent, client.session)
    TOTPDevice.objects.update(confirmed=True)
    (code, *_rest) = second_way.renew_codes(parent, address=None, now=now)
    for page in ("accounts:sessions", "accounts:number", "accounts:app"):
        assert client.get(reverse(page)).status_code == 200, page
    client.post(reverse("accounts:number_stop"), {"move": move.pk})
    client.post(reverse("accounts:app_off"), {"password": "parent-pass-1", "code": code})
    client.post(reverse("accounts:end_session"))
    move.refresh_from_db()
    assert move.stopped_by == parent
    assert not second_factor.has_app(parent.pk)
    assert other.get(reverse("accounts:sessions")).status_code == 302
    assert client.get(reverse("accounts:sessions")).status_code == 200


def test_at_the_next_sign_in_it_asks_again(parent, agreed, client_of):
    client = client_of(parent)
    client.post(reverse("accounts:policy"), {"later": "1"})
    assert client.get(reverse("children:list")).status_code == 200
    assert reverse("accounts:policy") in client_of(parent).get(reverse("children:list"))["Location"]


def test_what_was_typed_comes_back_after_agreeing(parent, agreed):
    client, profile = Client(), reverse("accounts:profile")
    client.post(reverse("accounts:login"), {"phone": str(parent.phone), "password": "parent-pass-1"})
    client.post(profile, {"address": "Бейбітшілік 1", "language": "kk"})
    assert client.post(reverse("accounts:policy"))["Location"] == profile
    assert "Бейбітшілік 1" in client.get(profile).content.decode()
    parent.profile.refresh_from_db()
    assert parent.profile.address == ""


def test_the_way_back_leads_to_this_site_only(parent_client, agreed):
    answer = parent_client.post(reverse("accounts:policy"), {"next": "https://evil.example/"})
    assert answer["Location"] == reverse("applications:cabinet")


def test_control_whoever_agreed_to_the_present_one_is_not_asked(parent, parent_client, settings):
    PolicyConsent.objects.create(user=parent, version=settings.DATA_POLICY_VERSION, given_at=read_clock())
    assert parent_client.get(reverse("children:list")).status_code == 200
