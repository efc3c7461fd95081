"""What may not be a password: the length of the manual, and what others would try first."""

import io

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.roles import Role
from tests.accounts.walk import PASSWORD, PHONE, newest_code, to_password
from tests.factories import UserFactory
from tests.staff import employee, inside

OWNER = User(phone=PHONE)


def fault(password, user=OWNER) -> str:
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        return refusal.error_list[0].code
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "+77017779876", "87017779876", "8 701 777 98 76", "7017779876", "+7 (701) 777-98-76", "0077017779876",
        "８７０１７７７９８７６", "٨٧٠١٧٧٧٩٨٧٦", "87017779876a", "!87017779876!", "мен87017779876",
        "8701777987687017779876",
        "8.701.777.98.76", "Phone87017779876",
    ],
)  # fmt: skip
def test_ones_own_phone_in_any_spelling(password):
    assert fault(password) == "password_personal"


@pytest.mark.parametrize(
    "password",
    [
        "balabaqsha", "Balabaqsha", "балабакsha", "BALABAQSHA", "balabaksha", "Balabaqşa", "балабақша",
        "БАЛАБАҚША", "балабакша",
        "bala-baqsha", "b a l a b a q s h a", "балаbaqsha", "ｂａｌａｂａｑｓｈａ", "balabaqsha1",
        "balabaqsha2026", "Балабақша!!!",
        "1234567balabaqsha", "balabaqsha87017779876",
    ],
)  # fmt: skip
def test_the_portals_name_in_any_spelling(password):
    assert fault(password) == "password_personal"


@pytest.mark.parametrize(
    "password",
    [
        "87017779877", "менің балабақшам жақсы", "balabaqsha жеті жұлдыз", "қызыл алма 87017779876", "7017779",
        "бала бақташы", PASSWORD,
    ],
)  # fmt: skip
def test_others_may_be(password):
    assert fault(password) in ("", "password_length")
    assert fault(password) != "password_personal"


@pytest.mark.parametrize("phone", [None, ""])
def test_who_has_no_phone(phone):
    assert fault("87017779876", User(phone=phone)) == ""
    assert fault("balabaqsha", User(phone=phone)) == "password_personal"
    assert fault("balabaqsha", None) == "password_personal"


@pytest.mark.django_db
class TestEveryForm:
    BAD = ("8 701 777 98 76", "балабақша 1")

    @pytest.mark.parametrize("bad", BAD)
    def test_registration(self, client, bad):
        to_password(client)
        answer = client.post("/register/password/", {"password": bad, "repeated": bad})
        assert answer.context["form"].errors.as_data()["password"][0].code == "password_personal"

    @pytest.mark.parametrize("bad", BAD)
    def test_change(self, client_of, bad):
        browser = client_of(UserFactory.create(phone=PHONE))
        answer = browser.post(
            "/cabinet/profile/password/", {"old_password": "parent-pass-1", "password": bad, "repeated": bad}
        )
        assert answer.context["form"].errors.as_data()["password"][0].code == "password_personal"

    @pytest.mark.parametrize("bad", BAD)
    def test_reset(self, client, bad):
        user = UserFactory.create(phone=PHONE)
        client.post("/password/reset/", {"phone": PHONE})
        client.post("/password/reset/code/", {"code": newest_code(), "proof": user.profile.iin})
        answer = client.post("/password/reset/new/", {"password": bad, "repeated": bad})
        assert answer.context["form"].errors.as_data()["password"][0].code == "password_personal"

    def test_employees(self):
        desk = inside(employee(Role.KINDERGARTEN))
        bad = {"old_password": "staff-pass-1", "new_password1": "balabaqsha1", "new_password2": "balabaqsha1"}
        answer = desk.post("/admin/password_change/", bad)
        assert answer.context["form"].errors.as_data()["new_password2"][0].code == "password_personal"

    def test_the_command(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("balabaqsha1\n"))
        with pytest.raises(CommandError, match="the portal's name"):
            call_command("create_staff", "amina", "--superuser", "--password-stdin")


@pytest.mark.django_db
class TestUnchanged:
    """A new password that is the old one is none: nothing is changed, told or sent."""

    def test_a_parents(self, client_of):
        browser = client_of(UserFactory.create(phone=PHONE))
        same = {"old_password": "parent-pass-1", "password": "parent-pass-1", "repeated": "parent-pass-1"}
        answer = browser.post("/cabinet/profile/password/", same)
        assert "қазіргі құпия сөзіңіз" in answer.context["form"].errors["password"][0]

    def test_an_employees(self):
        desk = inside(employee(Role.KINDERGARTEN))
        same = dict.fromkeys(("old_password", "new_password1", "new_password2"), "staff-pass-1")
        answer = desk.post("/admin/password_change/", same)
        assert "қазіргі құпия сөзіңіз" in answer.context["form"].errors["new_password1"][0]
