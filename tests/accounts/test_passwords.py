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
        "87017779877", "менің балабақшам жақсы", "balabaqsha жеті жұлдыз", "қызыл алма 87017779876",
        "бала бақташы", PASSWORD,
    ],
)  # fmt: skip
def test_others_may_be(password):
    assert fault(password) == ""


def test_a_part_of_ones_phone_is_only_short():
    assert fault("7017779") == "password_length"


@pytest.mark.parametrize(
    "password",
    [
        "aminaamina", "aaaaaaaaaaaa", "аааааааа", "абвгабвг", "AminaaMina", "amina amina", "amina-amina",
        "aminaamina1", "!aminaamina", "1aaaaaaaa23", "сөзсөзсөз", "!!!!!!!!", "12 12 12 12", "qwe12xyqwe12xy",
        "й" * 40, "и\u0306" * 8, "aminaaminaam",
    ],
)  # fmt: skip
def test_a_short_piece_over_and_over(password):
    assert fault(password) == "password_repetition"


@pytest.mark.parametrize(
    "password",
    [
        "сегіз8 қ", "қарақұрттар", "мама1990 ж", "тау-тау алма", "bookkeeper", "лес и лесник",
        "құпия сөз құпия сөз", PASSWORD, "&*^a%#a@!", "ақ бота көк бота",
    ],
)  # fmt: skip
def test_words_in_which_something_comes_twice_may_be(password):
    assert fault(password) == ""


@pytest.mark.parametrize(
    "password", ["aminaamina", "Amina2026", "amina-amina", "aminaamina1990", "1-amina-2"]
)
def test_an_employees_login(password):
    assert fault(password, User(username="amina")) == "password_personal"


@pytest.mark.parametrize(
    ("login", "password"), [("amina", "aminaмен алма тердік"), ("al", "alalalma3"), ("", "жеті жұлдыз")]
)
def test_a_login_that_is_only_a_part(login, password):
    assert fault(password, User(username=login)) != "password_personal"


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

    @pytest.mark.parametrize(
        ("bad", "words"), [("aminaamina", "your login"), ("aaaaaaaaaaaa", "over and over")]
    )
    def test_the_command_knows_the_login(self, monkeypatch, bad, words):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{bad}\n"))
        with pytest.raises(CommandError, match=words):
            call_command("create_staff", "amina", "--superuser", "--password-stdin")

    def test_an_employee_reads_why(self):
        user = employee(Role.KINDERGARTEN)
        bad = user.username * 2
        fields = {"old_password": "staff-pass-1", "new_password1": bad, "new_password2": bad}
        errors = inside(user).post("/admin/password_change/", fields).context["form"].errors.as_data()
        assert "password_personal" in {error.code for error in errors["new_password2"]}

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
