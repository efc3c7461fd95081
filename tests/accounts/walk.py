"""A visitor's way through the registration, as the tests walk it."""

import re

from django.test import Client

from accounts.registry import simulated_people
from notifications.kinds import secret_kinds
from notifications.models import Message

PHONE = "+77017779876"
PASSWORD = "құпия сөз 1"
FATHER = simulated_people.MANUAL_PARENT_IIN


def newest_code(phone: str = PHONE) -> str:
    """The code in the newest SMS to `phone` that holds one."""
    newest = Message.objects.filter(phone=phone, kind__in=secret_kinds()).latest("created_at", "pk")
    found = re.search(r"\d{6}", newest.text)
    assert found
    return found[0]


def ask_for_code(client: Client, phone: str = PHONE):
    return client.post("/register/", {"phone": phone, "consent": "on"})


def to_password(client: Client, phone: str = PHONE) -> None:
    assert ask_for_code(client, phone).url == "/register/code/"
    answer = client.post("/register/code/", {"code": newest_code(phone)})
    assert answer.url == "/register/password/"


def to_account(client: Client, phone: str = PHONE) -> None:
    to_password(client, phone)
    answer = client.post("/register/password/", {"password": PASSWORD, "repeated": PASSWORD})
    assert answer.url == "/register/account/"


def to_confirm(client: Client, identity: str = FATHER, phone: str = PHONE) -> None:
    to_account(client, phone)
    answer = client.post("/register/account/", {"identity": identity})
    assert answer.status_code == 302, answer.content.decode()


def to_end(client: Client, identity: str = FATHER, phone: str = PHONE):
    to_confirm(client, identity, phone)
    return client.post("/register/account/", {"confirm": "1"})
