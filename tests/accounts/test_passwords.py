"""What may not be a password: the length of the manual, and what others would try first."""

import io
import re
from datetime import date
from hashlib import sha1

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from tests.accounts.walk import PASSWORD, PHONE, newest_code, to_password
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory
from tests.notifications.peers.servers import answers, is_silent, peer
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
        # Who only sits down at the open desk does not.
        guessed = inside(user).post("/admin/password_change/", fields | {"old_password": "staff-pass-2"})
        assert list(guessed.context["form"].errors) == ["old_password"]

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


class TestWhatOthersWouldTry:
    @pytest.mark.parametrize(
        "password",
        [
            "password1", "Password2024!", "P@ssw0rd2024", "1qaz2wsx", "қазақстан", "Kazakhstan1991", "almaty2026",
            # The right keys in the wrong layout, both ways.
            "зфыыцщкв", "ghbdtn123", "gfhjkm2024", "йцукенгш", "!!dragon77!!",
        ],
    )  # fmt: skip
    def test_leaked_ones_and_what_is_made_of_them(self, password):
        assert fault(password) == "password_too_common"

    @pytest.mark.parametrize(
        "password",
        ["төрт жеті қызыл тас", "dragon lake 4 windows", "almaty sings at four", "correct horse battery"],
    )
    def test_words_that_do_not_belong_together(self, password):
        assert fault(password) == ""

    @pytest.mark.django_db
    def test_what_is_known_of_the_parent_and_the_children(self):
        parent = UserFactory.create(
            profile__last_name="ЖҮНІСОВА", profile__first_name="ГҮЛНАР", profile__birth_date=date(1994, 2, 25)
        )
        GuardianshipFactory(
            user=parent,
            child=ChildFactory(first_name="ДАНИЯ", last_name="ҚАМЕНОВА", birth_date=date(2017, 7, 20)),
        )
        for password in (
            "Gulnar1994", "гүлнар25021994", "zhunisova94!", "25.02.1994", "Daniya2017", "ДАНИЯ200717", "Kamenova!1",
            parent.profile.iin, f"{parent.profile.iin}ab",
        ):  # fmt: skip
            assert fault(password, parent) == "password_personal", password
        assert fault("Дания алма жеді кеше", parent) == ""
        assert fault("Gulnar1994", UserFactory.create(profile__birth_date=date(1988, 1, 1))) == ""


@pytest.mark.django_db
class TestManagers:
    def test_pages_with_a_password_name_the_login(self, parent, parent_client, client):
        pages = [
            parent_client.get(reverse(name))
            for name in ("accounts:password", "accounts:app", "accounts:leave")
        ]
        for page in pages:
            assert re.search(
                rf'<input type="text" name="username" value="{re.escape(str(parent.phone))}" autocomplete="username"',
                page.content.decode(),
            )
        to_password(client)
        assert 'autocomplete="username" readonly hidden' in client.get("/register/password/").content.decode()


class TestTheServiceOfLeakedOnes:
    def ask(self, settings, password, *handlers):
        with peer(*handlers) as service:
            settings.LEAKED_PASSWORDS_URL, settings.LEAKED_PASSWORDS_SECONDS = service.url, 0.5
            return fault(password), service

    def test_it_is_not_asked_unless_named(self, settings):
        assert settings.LEAKED_PASSWORDS_URL == ""

    def test_it_learns_five_digits_and_what_it_knows_is_refused(self, settings):
        digest = sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
        known = f"{'0' * 35}:7\r\n{digest[5:]}:12\r\n".encode()
        found, service = self.ask(settings, PASSWORD, answers(known))
        assert found == "password_leaked"
        assert service.calls == 1
        padding = f"{digest[5:]}:0\r\n".encode()
        assert self.ask(settings, PASSWORD, answers(padding))[0] == ""

    @pytest.mark.parametrize(
        "handler", [is_silent, answers(b"\xff\x00:::\n\n", status=200), answers(b"", status=503)]
    )
    def test_without_a_usable_answer_nobody_is_kept_out(self, settings, handler):
        assert self.ask(settings, PASSWORD, handler)[0] == ""
