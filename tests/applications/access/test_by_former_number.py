"""A number of the former queue: whether it came over and where it stands now, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts import limits
from applications.models import Application
from applications.models.former import number_key
from applications.states import ApplicationState
from applications.waiting.bringing_in import take_back
from notifications import cipher
from tests.applications.conftest import NOW
from tests.factories import LocalityFactory, UserFactory, unclaimed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

CHECK = reverse("applications:queue_check")
FORMER = reverse("applications:queue_check_former")
LONG_AGO = NOW - timedelta(days=900)


@pytest.fixture
def ours(scene):
    unclaimed(locality=scene.locality, filed_at=LONG_AGO - timedelta(days=1), old_number="2017-000001")
    return unclaimed(
        locality=scene.locality, filed_at=LONG_AGO, old_number="2017-004512К", phone="+77015550011"
    )


def ask(client, number, prefix="", address="10.0.0.1", **more):
    return client.post(prefix + FORMER, {"number": number} | more, REMOTE_ADDR=address)


def text(response):
    return unescape(response.content.decode())


def is_found(response):
    return bool(response.context.get("is_found"))


def is_missing(response):
    return bool(response.context.get("is_missing"))


@pytest.mark.parametrize("prefix", ["", "/ru"])
@pytest.mark.parametrize("is_claimed", [False, True])
def test_the_number_now_and_nothing_else(client, ours, scene, prefix, is_claimed):
    pages = []
    for claimed in (False, is_claimed):
        if claimed:
            Application.objects.filter(pk=ours.pk).update(filed_by=scene.application.filed_by)
        response = ask(client, "2017-004512К", prefix)
        pages.append(text(response).split("<main")[1])
        assert is_found(response)
        assert response.context["place"].number == 2
        # Three in all: as everywhere in public, a small count is not told.
        assert response.context["total"] == "<5"
        for secret in (ours.number, ours.child.first_name, ours.child.iin, f"{LONG_AGO:%d.%m.%Y}"):
            assert secret not in pages[-1]
        assert "no-store" in response["Cache-Control"]
    # Whether its family has come is not told either.
    assert pages[0] == pages[1]


@pytest.mark.parametrize("typed", [" 2017-004512к ", "2017 004512 К", "2017–004512K", "№2017004512k"])
def test_as_people_type_it(client, ours, typed):
    assert is_found(ask(client, typed))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [("17/45-а", "17 45 А", True), ("№ 12", "12", True), ("1/23", "12-3", True), ("Л-1", "Л-2", False)],
)
def test_keys(one, other, is_same):
    assert (number_key(one) == number_key(other)) is is_same
    assert len(number_key("ß" * 40)) <= 40


def test_signs_decide_where_they_alone_differ(client, scene):
    for number in ("1/23", "12-3"):
        unclaimed(locality=scene.locality, filed_at=LONG_AGO, old_number=number)
    assert is_found(ask(client, "1/23"))
    assert ask(client, "123").context["form"].errors["number"]


def test_the_paper_tells_where_children_share_one_number(client, scene):
    for _ in range(2):
        unclaimed(locality=scene.locality, filed_at=LONG_AGO, old_number="1/23")
    [told] = ask(client, "1/23", "/ru").context["form"].errors["number"]
    assert "бумагу" in told
    assert ask(client, "12-3", "/ru").context["form"].errors["number"] != [told]


def test_the_locality_is_asked_for_where_numbers_repeat(client, ours, scene):
    elsewhere = LocalityFactory.create(slug="aktau")
    unclaimed(locality=elsewhere, filed_at=LONG_AGO, old_number="2017-004512К")
    asked = ask(client, "2017-004512К")
    assert (list(asked.context["form"].errors), is_found(asked)) == (["place"], False)
    assert ask(client, "2017-004512К", place=scene.locality.slug).context["place"].number == 2
    assert ask(client, "2017-004512К", place=elsewhere.slug).context["place"].number == 1
    assert ask(client, "2017-004512К", place="nowhere").context["form"].errors["place"]


def test_nothing_of_the_guardians_is_decrypted(client, ours, monkeypatch):
    def decrypt(token):
        raise AssertionError("nobody here needs it")

    monkeypatch.setattr(cipher, "decrypt", decrypt)
    assert is_found(ask(client, "2017-004512К"))


class TestNotFound:
    @pytest.mark.parametrize(("prefix", "word"), [("", "табылмады"), ("/ru", "не найден")])
    def test_it_says_what_to_do(self, client, ours, prefix, word):
        response = ask(client, "2017-999999", prefix)
        assert is_missing(response)
        assert word in text(response)
        assert f'href="{prefix}/contacts/"' in text(response)

    def test_what_was_taken_out_before_anybody_came(self, client, ours):
        take_back(ours.former.batch, actor=None, reason="", now=NOW)
        assert is_missing(ask(client, "2017-004512К"))

    def test_who_has_left_whether_or_not_the_family_had_come(self, client, ours, scene):
        Application.objects.filter(pk=ours.pk).update(
            filed_by=scene.application.filed_by, state=ApplicationState.ARCHIVED, archived_at=NOW
        )
        assert is_missing(ask(client, "2017-004512К"))

    def test_a_later_file_brought_it_in_anew(self, client, ours, scene):
        take_back(ours.former.batch, actor=None, reason="", now=NOW)
        unclaimed(
            child=ours.child,
            locality=scene.locality,
            filed_at=LONG_AGO,
            old_number="2017-004512К",
        )
        assert is_found(ask(client, "2017-004512К"))

    def test_a_school_child_is_no_more_there(self, client, ours, clock):
        clock.move_to(ours.runs_out_at)
        assert is_missing(ask(client, "2017-004512К"))


def test_without_a_number_the_reason_is_the_family_s(client, ours, scene):
    Application.objects.filter(pk=ours.pk).update(
        filed_by=scene.application.filed_by, state=ApplicationState.ENROLLED
    )
    response = ask(client, "2017-004512К", "/ru")
    assert is_found(response)
    assert response.context["place"] is None
    assert str(ApplicationState.ENROLLED.label) not in text(response)


class TestTheChoice:
    def test_it_is_offered_only_where_there_was_a_former_queue(self, client, scene):
        assert FORMER not in client.get(CHECK).content.decode()
        unclaimed(locality=scene.locality, filed_at=LONG_AGO)
        assert FORMER in client.get(CHECK).content.decode()
        assert CHECK in client.get(FORMER).content.decode()

    def test_nothing_is_looked_up_by_an_address(self, client, ours):
        assert not is_found(client.get(FORMER, {"number": "2017-004512К"}))
        assert Client(enforce_csrf_checks=True).post(FORMER, {"number": "1"}).status_code == 403


class TestLimits:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        for name, times in (("FORMER_CHECK_PER_NETWORK", 4), ("FORMER_CHECK_PER_ACCOUNT", 2)):
            monkeypatch.setattr(limits, name, replace(getattr(limits, name), times=times))

    def test_right_and_wrong_count_alike(self, client, ours, clock):
        for number in ("2017-004512К", "2017-000001", "2017-777777", "2017-888888"):
            assert ask(client, number).status_code == 200
        for number in ("2017-004512К", "2017-777777"):
            assert ask(client, number, address="10.0.0.77").status_code == 429
        assert is_found(ask(client, "2017-004512К", address="10.0.1.1"))
        window = limits.FORMER_CHECK_PER_NETWORK.window
        clock.move_to(NOW + window - timedelta(microseconds=1))
        assert ask(client, "2017-004512К").status_code == 429
        clock.move_to(NOW + window)
        assert is_found(ask(client, "2017-004512К"))

    def test_who_is_signed_in_is_counted_alone(self, client, ours, client_of):
        for _ in range(4):
            ask(client, "2017-777777")
        parent = client_of(UserFactory.create())
        for _ in range(2):
            assert is_found(ask(parent, "2017-004512К"))
        assert ask(parent, "2017-004512К").status_code == 429
        assert is_found(ask(client_of(UserFactory.create()), "2017-004512К"))

    def test_what_was_not_looked_up_is_not_counted(self, client, ours):
        for _ in range(6):
            assert ask(client, "--").context["form"].errors
        assert is_found(ask(client, "2017-004512К"))

    def test_without_redis_it_goes_on_for_a_minute(self, client, ours, clock, redis_away):
        assert is_found(ask(client, "2017-004512К"))
        clock.shift(timedelta(minutes=1))
        assert ask(client, "2017-004512К").status_code == 503


@pytest.mark.parametrize("number", ["", "\x00", "' OR 1=1", "<script>", "9" * 300, "🙂", "²²²²", "!!!"])
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_nonsense_is_answered_in_words(client, ours, number, prefix):
    response = ask(client, number, prefix)
    assert response.status_code == 200
    assert is_missing(response) or response.context["form"].errors
