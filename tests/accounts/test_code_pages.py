"""The pages that ask for a code by SMS: what they say of the code, at every age that it may have."""

from datetime import timedelta
from typing import ClassVar

import pytest
from django.test import Client

from notifications.models import Message
from tests.accounts.walk import PHONE, newest_code
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
# Where a code is asked for, and with what.
WAYS = [
    ("/register/", {"phone": PHONE, "consent": "on"}),
    ("/password/reset/", {"phone": PHONE}),
    ("/stop/", {"phone": PHONE}),
]
OVER = {"": "Кодтың он минуты өтті", "/ru": "Десять минут, отведённые на код, прошли"}
SENT = {
    "": ("Код жіберілген нөмір", "SMS жіберілді"),
    "/ru": ("Код отправлен на номер", "SMS уже отправлено"),
}


@pytest.fixture(params=["", "/ru"])
def prefix(request):
    return request.param


@pytest.fixture(params=WAYS, ids=[path for path, _fields in WAYS])
def page(request, client, clock, prefix):
    """The page of a code that was asked for just now, as one reads it."""
    path, fields = request.param
    asked = client.post(f"{prefix}{path}", fields)
    assert asked.url == f"{prefix}{path}code/"
    return lambda: client.get(asked.url).content.decode()


class TestTheWait:
    """What a browser without scripts reads."""

    WORDS = {"": "бір минуттан аз", "/ru": "меньше минуты"}
    NOTHING = {"": "0 минут", "/ru": "0 минут"}

    @pytest.mark.parametrize("after", [MICROSECOND, timedelta(seconds=59)])
    def test_it_is_less_than_a_minute_and_not_none(self, page, clock, prefix, after):
        clock.shift(after)
        assert self.WORDS[prefix] in page()
        assert f">{self.NOTHING[prefix]}" not in page()

    def test_at_its_end_none_is_said(self, page, clock, prefix):
        clock.shift(timedelta(minutes=1))
        assert self.WORDS[prefix] not in page()


class TestAnother:
    """A second code, by the button on the page; the first one is void then."""

    WORDS: ClassVar = {
        "": ("Жаңа код жіберілді", "Тым көп әрекет"),
        "/ru": ("Новый код отправлен", "Слишком много попыток"),
    }

    @pytest.fixture(params=[*WAYS, ("/number/lost/", {"phone": PHONE})], ids=lambda way: way[0])
    def address(self, request, client, clock, prefix):
        path, fields = request.param
        if path != "/number/lost/":
            UserFactory(phone=PHONE)
        return client.post(f"{prefix}{path}", fields).url

    def test_a_minute_later_and_not_before(self, address, client, clock, prefix):
        sent, early = self.WORDS[prefix]
        clock.shift(timedelta(minutes=1) - MICROSECOND)
        assert early in client.post(address, {"resend": "1"}, follow=True).content.decode()
        clock.shift(MICROSECOND)
        assert sent in client.post(address, {"resend": "1"}, follow=True).content.decode()
        assert Message.objects.filter(phone=PHONE).count() == 2


def test_another_code_to_the_new_number(parent_client, clock):
    own, another = "/cabinet/profile/number/", "+77017770001"
    address = parent_client.post(own, {"phone": another, "password": "parent-pass-1"}).url
    first = newest_code(another)
    clock.shift(timedelta(minutes=1))
    assert parent_client.post(address, {"resend": "1"}).url == address
    assert parent_client.post(address, {"code": newest_code(another)}).url == f"{own}former/"
    # What is proven is not asked for again, and a former code of the same visit opens nothing.
    assert parent_client.get(address).url == f"{own}former/"
    assert newest_code(another) != first


class TestAnOldCode:
    def test_it_was_sent_until_its_ten_minutes_are_over(self, page, clock, prefix):
        clock.shift(timedelta(minutes=10) - MICROSECOND)
        assert SENT[prefix][0] in page()
        assert OVER[prefix] not in page()

    def test_then_the_page_says_so_and_nothing_is_on_its_way(self, page, clock, prefix):
        clock.shift(timedelta(minutes=10))
        assert OVER[prefix] in page()
        for words in SENT[prefix]:
            assert words not in page()


def test_after_a_proof_that_is_over_the_page_of_a_reset_begins_anew(client, clock):
    user = UserFactory.create(phone=PHONE)
    client.post("/password/reset/", {"phone": PHONE})
    client.post("/password/reset/code/", {"code": newest_code(), "proof": user.profile.iin})
    clock.shift(timedelta(minutes=10))
    answer = client.get("/password/reset/code/", follow=True)
    assert answer.redirect_chain[-1][0] == "/password/reset/"
    assert "он минут" in answer.content.decode()


class TestAnotherNetwork:
    """A telephone leaves the house's network for the carrier's between the two pages."""

    HOME, STREET = "10.1.0.1", "10.2.0.1"

    @pytest.fixture(autouse=True)
    def _one_each(self, settings):
        """One network may leave one code unanswered in a block of numbers."""
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 8

    def ask(self, client, phone, address):
        return client.post("/register/", {"phone": phone, "consent": "on"}, REMOTE_ADDR=address)

    def test_control_a_code_that_is_not_entered_counts(self, client):
        assert self.ask(client, PHONE, self.HOME).status_code == 302
        assert self.ask(Client(), "+77017770001", self.HOME).status_code == 429

    def test_it_is_taken_back_from_the_network_that_asked(self, client, clock):
        self.ask(client, PHONE, self.HOME)
        clock.shift(timedelta(hours=1))
        client.post("/register/code/", {"resend": "1"}, REMOTE_ADDR=self.HOME)
        entered = client.post("/register/code/", {"code": newest_code()}, REMOTE_ADDR=self.STREET)
        assert entered.url == "/register/password/"
        assert self.ask(Client(), "+77017770001", self.HOME).status_code == 302

    def test_also_a_former_one_that_came_too_late(self, client, clock, settings):
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 16
        self.ask(client, PHONE, self.HOME)
        clock.shift(timedelta(minutes=1))
        client.post("/register/code/", {"resend": "1"}, REMOTE_ADDR=self.STREET)
        client.post("/register/code/", {"code": newest_code()}, REMOTE_ADDR=self.STREET)
        for number in range(2):
            assert self.ask(Client(), f"+7701777000{number}", self.HOME).status_code == 302
        assert not client.session.get("codes_asked")


class TestRefusal:
    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("", "байланыс орталығына қоңырау шалыңыз"), ("/ru", "позвоните в контакт-центр")],
    )
    @pytest.mark.parametrize(("path", "fields"), WAYS, ids=[path for path, _fields in WAYS])
    def test_it_names_the_time_and_who_helps(self, clock, settings, path, fields, prefix, words):
        Client().post(f"{prefix}{path}", fields)
        answer = Client().post(f"{prefix}{path}", fields)
        assert answer.status_code == 429
        said = answer.context["form"].errors["phone"][0]
        assert "16:21" in said
        assert words in said
        assert settings.CONTACT_PHONES[0] in said
