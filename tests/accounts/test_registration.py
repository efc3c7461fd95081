"""Registration page by page: the manual's way, and every wrong turn."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from accounts import audit, services
from accounts.forms import CodeForm
from accounts.identity import Paper
from accounts.journal_actions import Action
from accounts.models import AuditEntry, PolicyConsent, Profile, Session, SmsCode, User
from accounts.progress import Registration
from accounts.registry import Person, PhoneTie, RegistryUnavailable, simulated_people
from accounts.registry.simulator import SimulatedRegistry
from notifications.models import Message
from tests.accounts.walk import (
    FATHER,
    PASSWORD,
    PHONE,
    ask_for_code,
    newest_code,
    to_account,
    to_confirm,
    to_end,
    to_password,
)
from tests.factories import UserFactory
from tests.patience import PATIENCE

# As many letters as a password may have, some of them typed as two.
FORTY = "қойға сөйле, түйеге айт, жайлауда кездесй"[:40]
STEPS = ["/register/", "/register/code/", "/register/password/", "/register/account/"]

pytestmark = pytest.mark.django_db


def errors(answer) -> dict[str, list[str]]:
    return answer.context["form"].errors


class TestWholeWay:
    def test_the_manuals_father(self, client, clock):
        answer = to_end(client)
        assert answer.url == "/cabinet/children/add/"
        user = User.objects.get()
        assert user.phone.as_e164 == user.username == PHONE
        assert user.check_password(PASSWORD)
        assert user.language == "kk"
        assert user.profile.full_name == "КАМЕНОВ ЕРМЕК АХМЕТОВИЧ"
        assert user.profile.birth_date == date(1994, 2, 25)
        assert user.profile.iin == FATHER
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_the_consent_is_kept_with_its_version_and_moment(self, client, clock):
        ask_for_code(client)
        clock.move_to(datetime(2019, 6, 26, 10, 25, tzinfo=UTC))
        client.post("/register/code/", {"code": newest_code()})
        client.post("/register/password/", {"password": PASSWORD, "repeated": PASSWORD})
        client.post("/register/account/", {"identity": FATHER})
        client.post("/register/account/", {"confirm": "1"})
        consent = PolicyConsent.objects.get()
        assert consent.version == django_settings.DATA_POLICY_VERSION
        assert consent.given_at == datetime(2019, 6, 26, 10, 20, tzinfo=UTC)

    def test_the_names_are_shown_before_the_account_is_made(self, client):
        to_confirm(client)
        page = client.get("/register/account/").content.decode()
        assert "ЕРМЕК" in page
        assert "КАМЕНОВ" in page
        assert "25.02.1994" in page
        assert not User.objects.exists()

    def test_a_mother_with_a_document_number(self, client):
        to_end(client, identity="ac 214-7093")
        profile = Profile.objects.get()
        assert profile.document_number == simulated_people.FOREIGN_MOTHER_DOCUMENT
        assert profile.iin == ""
        assert profile.iin_hash is None

    def test_in_russian(self, client):
        client.post("/ru/register/", {"phone": PHONE, "consent": "on"})
        client.post("/ru/register/code/", {"code": newest_code()})
        client.post("/ru/register/password/", {"password": PASSWORD, "repeated": PASSWORD})
        client.post("/ru/register/account/", {"identity": FATHER})
        assert client.post("/ru/register/account/", {"confirm": "1"}).url == "/ru/cabinet/children/add/"
        assert User.objects.get().language == "ru"
        assert Message.objects.get().language == "ru"

    def test_it_is_in_the_journal(self, client):
        to_end(client)
        entry = AuditEntry.objects.get(action=Action.REGISTERED)
        assert entry.subject == entry.actor == User.objects.get()
        assert entry.address == "127.0.0.1"

    def test_the_session_changes_at_login_and_forgets_the_steps(self, client):
        to_confirm(client)
        before = client.session.session_key
        client.post("/register/account/", {"confirm": "1"})
        assert client.session.session_key != before
        assert not Session.objects.filter(session_key=before).exists()
        assert "registration" not in client.session

    def test_neither_iin_nor_password_lies_open_in_the_session(self, client):
        to_confirm(client)
        stored = json.dumps(dict(client.session.items()), ensure_ascii=False)
        assert FATHER not in stored
        assert "КАМЕНОВ" not in stored
        assert PASSWORD not in stored

    def test_the_iin_lies_encrypted_in_the_database(self, client):
        to_end(client)
        with connection.cursor() as cursor:
            cursor.execute("SELECT iin FROM accounts_profile")
            assert FATHER not in cursor.fetchone()[0]


class TestPhone:
    @pytest.mark.parametrize(
        "text", ["87017779876", "+7 (701) 777-98-76", "7017779876", "８７０１７７７９８７６"]
    )
    def test_any_spelling(self, client, text):
        assert ask_for_code(client, text).url == "/register/code/"
        assert Message.objects.get().phone.as_e164 == PHONE

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("+7 916 123-45-67", "foreign"), ("+998901234567", "foreign"), ("8 7172 12-34-56", "landline"),
            ("abc", "unreadable"), ("", "required"), ("\0", "null_characters_not_allowed"), ("7" * 400, "max_length"),
        ],
    )  # fmt: skip
    def test_refused(self, client, text, code):
        answer = ask_for_code(client, text)
        assert answer.status_code == 200
        assert errors(answer).as_data()["phone"][0].code == code
        assert not Message.objects.exists()

    def test_without_consent(self, client):
        answer = client.post("/register/", {"phone": PHONE})
        assert list(errors(answer)) == ["consent"]
        assert not SmsCode.objects.exists()

    def test_the_policy_is_linked(self, client):
        assert 'href="/privacy/"' in client.get("/register/").content.decode()

    def test_the_same_again_at_once_sends_one_sms(self, client):
        assert ask_for_code(client).url == ask_for_code(client).url == "/register/code/"
        assert Message.objects.count() == 1

    def test_another_session_within_a_minute_waits(self, client):
        ask_for_code(client)
        answer = ask_for_code(Client())
        assert answer.status_code == 429
        assert Message.objects.count() == 1

    def test_a_registered_number_sees_what_an_unknown_one_sees(self, client):
        UserFactory.create(phone=PHONE)
        known, unknown = Client(), Client()
        answers = []
        for browser, phone in ((known, PHONE), (unknown, "+77017779877")):
            asked = ask_for_code(browser, phone)
            page = browser.get("/register/code/").content.decode()
            wrong = browser.post("/register/code/", {"code": "000000"})
            text = (page + wrong.content.decode()).replace("98 77", "98 76")
            for cookie in browser.cookies.values():
                text = text.replace(cookie.value, "")
            answers.append((asked.status_code, asked.url, wrong.status_code, len(errors(wrong)["code"][0])))
        assert answers[0] == answers[1]
        assert Message.objects.get(phone=PHONE).kind == "account_exists"


class TestCode:
    def test_the_number_is_masked(self, client):
        ask_for_code(client)
        page = client.get("/register/code/").content.decode()
        assert "+7 701 ••• 98 76" in page
        assert "777 98 76" not in page

    def test_wrong_then_right(self, client):
        ask_for_code(client)
        right = newest_code()
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        answers = [client.post("/register/code/", {"code": wrong}) for _ in range(3)]
        assert all(answer.status_code == 200 for answer in answers)
        assert "2" not in errors(answers[0])["code"][0]
        assert "2" in errors(answers[2])["code"][0]
        assert client.post("/register/code/", {"code": right}).url == "/register/password/"

    def test_exhausted(self, client):
        ask_for_code(client)
        right = newest_code()
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        for _ in range(5):
            answer = client.post("/register/code/", {"code": wrong})
        exhausted = errors(answer)["code"]
        assert errors(client.post("/register/code/", {"code": right}))["code"] == exhausted
        assert client.get("/register/password/").url == "/register/code/"

    def test_expired(self, client, clock):
        ask_for_code(client)
        clock.shift(timedelta(minutes=10))
        answer = client.post("/register/code/", {"code": newest_code()})
        assert "code" in errors(answer)
        assert client.get("/register/password/").url == "/register/code/"

    def test_reused(self, client):
        to_password(client)
        code = newest_code()
        assert client.post("/register/code/", {"code": code}).url == "/register/password/"
        other = Client()
        session = other.session
        session["registration"] = {"phone": PHONE, "sent_at": timezone.now().isoformat()}
        session.save()
        assert "code" in errors(other.post("/register/code/", {"code": code}))

    @pytest.mark.parametrize("text", ["123 456", "１２３４５６", "123-456"])
    def test_any_spelling_is_read(self, client, text):
        ask_for_code(client)
        assert "code_length" not in {
            error.code for error in errors(client.post("/register/code/", {"code": text})).as_data()["code"]
        }

    @pytest.mark.parametrize("language", ["kk", "ru"])
    def test_the_whole_sms_may_be_pasted(self, client, language):
        client.post("/ru/register/" if language == "ru" else "/register/", {"phone": PHONE, "consent": "on"})
        whole = Message.objects.get().text
        assert len(whole) > 50
        answer = client.post("/register/code/", {"code": f" {whole}\n"})
        assert answer.url == "/register/password/"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("Код: 123456. 10 минут жарамды", "123456"),
            ("Код: １２３４５６. 10 минут", "123456"),
            ("<#> 123456 @bala.example.kz #123456", "123456"),
            ("8 (727) 339-72-22 · 123456 · 10", "123456"),
            ("+77017779876: 123456", "123456"),
            # Two codes, or none that stands alone: nobody guesses.
            ("Код: 123456. Код: 654321", None),
            ("Код: 1234567. 10 минут", None),
            ("Код: 123 456. 10 минут", None),
            ("10 минут жарамды", None),
        ],
    )
    def test_the_six_digits_that_stand_alone(self, text, code):
        form = CodeForm({"code": text})
        assert form.is_valid() == (code is not None)
        assert form.cleaned_data.get("code") == code

    @pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "\0"])
    def test_what_is_no_code_costs_no_try(self, client, text):
        ask_for_code(client)
        assert client.post("/register/code/", {"code": text}).status_code == 200
        assert SmsCode.objects.get().attempts == 0

    def test_resend_after_sixty_seconds(self, client, clock):
        ask_for_code(client)
        first = newest_code()
        clock.shift(timedelta(seconds=59))
        client.post("/register/code/", {"resend": "1"})
        assert Message.objects.count() == 1
        clock.shift(timedelta(seconds=1))
        client.post("/register/code/", {"resend": "1"})
        assert Message.objects.count() == 2
        if first != newest_code():
            assert "code" in errors(client.post("/register/code/", {"code": first}))
        assert client.post("/register/code/", {"code": newest_code()}).url == "/register/password/"

    def test_another_number_starts_over(self, client):
        ask_for_code(client)
        code = newest_code()
        ask_for_code(client, "+77017779877")
        assert "code" in errors(client.post("/register/code/", {"code": code}))


class TestProof:
    """The number may go to somebody else while a registration lies there."""

    START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

    @pytest.mark.parametrize("page", ["/register/password/", "/register/account/"])
    def test_lasts_an_hour(self, client, clock, page):
        clock.move_to(self.START)
        to_confirm(client)
        clock.move_to(self.START + timedelta(hours=1))
        answer = client.post(page, {"confirm": "1", "password": PASSWORD, "repeated": PASSWORD})
        assert answer.url == "/register/code/"
        assert not User.objects.exists()
        assert client.post("/register/account/", {"confirm": "1"}).url == "/register/code/"
        # With a new code it goes on where it stood.
        assert client.get("/register/code/").context["can_resend"]
        client.post("/register/code/", {"resend": "1"})
        answer = client.post("/register/code/", {"code": newest_code()})
        assert answer.url == "/register/account/"
        clock.move_to(self.START + timedelta(hours=2, microseconds=-1))
        assert client.post("/register/account/", {"confirm": "1"}).url == "/cabinet/children/add/"


class TestPassword:
    @pytest.mark.parametrize("text", ["жеті7са", "a" * 7, "a" * 41, "ұ" * 41, ""])
    def test_too_short_or_too_long(self, client, text):
        to_password(client)
        answer = client.post("/register/password/", {"password": text, "repeated": text})
        assert "password" in errors(answer)
        assert client.get("/register/account/").url == "/register/password/"

    @pytest.mark.parametrize(
        "text", ["сегіз8 қ", FORTY, "  eight  ", FORTY[:39] + " ", FORTY.replace("й", "и\u0306")]
    )
    def test_eight_to_forty(self, client, text):
        to_password(client)
        answer = client.post("/register/password/", {"password": text, "repeated": text})
        assert answer.url == "/register/account/"

    def test_letters_are_counted_as_typed_not_as_stored(self, client):
        to_password(client)
        seven = "и\u0306" * 7
        answer = client.post("/register/password/", {"password": seven, "repeated": seven})
        assert "password" in errors(answer)

    def test_the_same_password_from_another_keyboard_opens(self, client):
        to_password(client)
        composed, decomposed = "йод пен йогурт", "и\u0306од пен и\u0306огурт"
        assert composed != decomposed
        client.post("/register/password/", {"password": decomposed, "repeated": decomposed})
        client.post("/register/account/", {"identity": FATHER})
        client.post("/register/account/", {"confirm": "1"})
        assert Client().post("/login/", {"phone": PHONE, "password": composed}).status_code == 302

    def test_common(self, client):
        to_password(client)
        answer = client.post("/register/password/", {"password": "password1", "repeated": "password1"})
        assert errors(answer).as_data()["password"][0].code == "password_too_common"

    def test_different(self, client):
        to_password(client)
        answer = client.post("/register/password/", {"password": PASSWORD, "repeated": PASSWORD + "x"})
        assert list(errors(answer)) == ["repeated"]

    def test_it_is_never_sent_back(self, client):
        to_password(client)
        answer = client.post("/register/password/", {"password": PASSWORD, "repeated": "x"})
        assert PASSWORD not in answer.content.decode()


class TestAccount:
    @pytest.mark.parametrize(
        "text",
        [
            "94022530000", "9402253000090", "940225300008", "170720600820", "940225302603", "890402315842",
            "", "!!", "AB", "x" * 400, "\0",
        ],
    )  # fmt: skip
    def test_not_a_number(self, client, text):
        to_account(client)
        answer = client.post("/register/account/", {"identity": text})
        assert answer.status_code == 200
        assert "identity" in errors(answer)
        assert not User.objects.exists()

    def test_length_zeros_and_check_digit_are_told_apart(self, client):
        to_account(client)
        said = [
            errors(client.post("/register/account/", {"identity": text}))["identity"][0]
            for text in ("94022530000", "000000000000", "940225300008")
        ]
        assert len(set(said)) == 3

    def test_what_can_be_no_number_costs_no_look_up(self, client):
        to_account(client)
        for text in ("000000000000", "94022530000", "N1", "№", "ЖОҚ", "940225300008"):
            for paper in ("", Paper.IIN, Paper.CARD):
                answer = client.post("/register/account/", {"identity": text, "paper": paper})
                assert "identity" in errors(answer), (text, paper)
        assert client.post("/register/account/", {"identity": FATHER}).status_code == 302

    @pytest.mark.parametrize("typed", ["{}", "№ {}", "{} ", "«{}»"])
    def test_a_document_however_it_is_typed(self, client, typed):
        number = simulated_people.FOREIGN_MOTHER_DOCUMENT
        to_account(client)
        alike = str.maketrans("ABCEHKMOPTX", "АВСЕНКМОРТХ")
        for spelled in (number, number.lower(), number.translate(alike)):
            answer = client.post(
                "/register/account/", {"identity": typed.format(spelled), "paper": Paper.OTHER}
            )
            assert answer.status_code == 302, errors(answer)
            client.post("/register/account/", {"other": "1"})

    def test_another_choice_than_those_offered(self, client):
        to_account(client)
        answer = client.post("/register/account/", {"identity": FATHER, "paper": "visa"})
        assert list(errors(answer)) == ["paper"]

    @pytest.mark.parametrize(
        "text", ["170720600806", "940225301801", "880101300010", "ZZ9999999", "012345678"]
    )
    def test_valid_but_unknown(self, client, text):
        to_account(client)
        answer = client.post("/register/account/", {"identity": text})
        assert list(errors(answer)) == ["identity"]

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_whoever_has_registered_and_nobody_are_answered_alike(self, client, prefix):
        """The same page after the same statements and questions: neither words nor time tell who is registered."""
        to_end(Client())
        to_account(client, phone="+77017779877")

        def answer(identity):
            with CaptureQueriesContext(connection) as asked:
                response = client.post(f"{prefix}/register/account/", {"identity": identity})
            page = response.content.decode().replace(identity, "")
            page = re.sub(
                r'name="csrfmiddlewaretoken" value="[^"]+"|datetime="[^"]+"|\d\d:\d\d:\d\d', "", page
            )
            statements = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in asked.captured_queries]
            return response.status_code, errors(response).as_json(), page, statements

        registered, nobody = answer(FATHER), answer(simulated_people.UNKNOWN_IINS[0])
        assert registered == nobody
        assert "ЕРМЕК" not in registered[2]

    def test_registry_down_loses_nothing(self, client):
        to_account(client)
        down = simulated_people.UNAVAILABLE_IINS[0]
        answer = client.post("/register/account/", {"identity": down})
        assert answer.status_code == 200
        assert list(errors(answer)) == ["__all__"]
        assert client.get("/register/account/").status_code == 200
        client.post("/register/account/", {"identity": FATHER})
        assert client.post("/register/account/", {"confirm": "1"}).url == "/cabinet/children/add/"

    def test_registry_down_costs_no_attempt(self, client):
        to_account(client)
        for _ in range(7):
            client.post("/register/account/", {"identity": simulated_people.UNAVAILABLE_IINS[0]})
        assert client.post("/register/account/", {"identity": FATHER}).status_code == 302

    def test_five_look_ups_an_hour(self, client, clock):
        to_account(client)
        for _ in range(5):
            client.post("/register/account/", {"identity": simulated_people.UNKNOWN_IINS[0]})
        answer = client.post("/register/account/", {"identity": FATHER})
        assert answer.status_code == 200
        assert "17:20" in errors(answer)["identity"][0]
        clock.shift(timedelta(hours=1))
        # The code was entered an hour ago, too.
        assert client.get("/register/account/").url == "/register/code/"
        client.post("/register/code/", {"resend": "1"})
        client.post("/register/code/", {"code": newest_code()})
        assert client.post("/register/account/", {"identity": FATHER}).url == "/register/account/"
        assert client.get("/register/account/").context["rows"]

    def test_not_me(self, client):
        to_confirm(client)
        client.post("/register/account/", {"other": "1"})
        page = client.get("/register/account/")
        assert "form" in page.context
        assert "КАМЕНОВ" not in page.content.decode()

    def test_confirming_nobody(self, client):
        to_account(client)
        answer = client.post("/register/account/", {"confirm": "1"})
        assert answer.status_code == 200
        assert not User.objects.exists()

    def test_who_registers_in_the_meantime_is_not_told_of_either(self, client):
        other = Client()
        to_confirm(client)
        to_confirm(other, phone="+77017779877")
        client.post("/register/account/", {"confirm": "1"})
        late = other.post("/register/account/", {"confirm": "1"}, follow=True)
        nobody = other.post("/register/account/", {"identity": simulated_people.UNKNOWN_IINS[0]})
        assert escape(errors(nobody)["identity"][0]) in late.content.decode()

    def test_two_people_confirm_one_iin(self, client):
        other = Client()
        to_confirm(client)
        to_confirm(other, phone="+77017779877")
        assert client.post("/register/account/", {"confirm": "1"}).url == "/cabinet/children/add/"
        assert other.post("/register/account/", {"confirm": "1"}).url == "/register/account/"
        assert other.get("/register/account/").status_code == 200
        assert User.objects.count() == 1

    def test_the_phone_was_registered_meanwhile(self, client):
        to_confirm(client)
        UserFactory.create(phone=PHONE)
        # By another IIN: an official decides, and nobody is led to that account.
        assert client.post("/register/account/", {"confirm": "1"}).url == "/register/number/"
        assert User.objects.count() == 1

    def test_the_same_person_registered_meanwhile(self, client):
        to_confirm(client)
        assert to_end(Client(), phone="+77017770001").url == "/cabinet/children/add/"
        User.objects.update(phone=PHONE, username=PHONE)
        assert client.post("/register/account/", {"confirm": "1"}).url == "/login/"
        assert User.objects.count() == 1


class TestWhosePhone:
    """The state base of mobile citizens: with another person's number one sees initials only."""

    MOTHER = simulated_people.everyone(today=date(2026, 1, 1))[1]

    @pytest.mark.parametrize(
        ("prefix", "sentence"),
        [("", "басқа адамның атына тіркелген"), ("/ru", "оформлен на другого человека")],
    )
    def test_somebody_elses_number_shows_the_name_masked(self, client, prefix, sentence):
        to_account(client, phone=self.MOTHER.phone)
        client.post("/register/account/", {"identity": FATHER})
        page = client.get(f"{prefix}/register/account/").content.decode()
        assert "К••••• Е." in page
        assert "1994" in page
        assert sentence in page
        for hidden in ("КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", "25.02"):
            assert hidden not in page
        assert client.post("/register/account/", {"confirm": "1"}).url == "/cabinet/children/add/"
        assert Profile.objects.get().phone_tie == PhoneTie.NO

    @pytest.mark.parametrize("gateway", ["asked", "without the question"])
    def test_ones_own_number_or_a_gateway_without_the_question_show_it_as_the_manual_does(
        self, client, settings, gateway
    ):
        if gateway != "asked":
            settings.PERSON_REGISTRY = f"{__name__}.WithoutTheQuestion"
        to_account(client)
        client.post("/register/account/", {"identity": FATHER})
        page = client.get("/register/account/").content.decode()
        for shown in ("КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", "25.02.1994"):
            assert shown in page
        client.post("/register/account/", {"confirm": "1"})
        assert Profile.objects.get().phone_tie == (PhoneTie.YES if gateway == "asked" else PhoneTie.UNASKED)

    @pytest.mark.parametrize(("prefix", "sentence"), [("", "ештеңе білмейді"), ("/ru", "ничего не известно")])
    def test_a_number_of_which_the_base_knows_nothing_shows_no_more_than_somebody_elses(
        self, client, prefix, sentence
    ):
        to_account(client, phone="+77079999999")
        client.post("/register/account/", {"identity": FATHER})
        page = client.get(f"{prefix}/register/account/").content.decode()
        assert "К••••• Е." in page
        assert sentence in page
        for hidden in ("КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", "25.02"):
            assert hidden not in page
        client.post("/register/account/", {"confirm": "1"})
        assert Profile.objects.get().phone_tie == PhoneTie.UNKNOWN

    def test_an_owner_whose_account_has_no_phone_is_led_to_it_and_hears_of_no_stranger(self, client):
        """Registered by an employee, or without the number that an operator gave to somebody else."""
        own = UserFactory(phone=None, username="912345678", profile__iin=FATHER)
        to_account(client)
        answer = client.post("/register/account/", {"identity": FATHER})
        (said,) = errors(answer)["identity"]
        assert "тіркелгенсіз" in said
        assert "туу туралы куәліктерін" not in said
        assert not own.journal.exists()
        # By a phone that the state does not know as the owner's, nothing is told.
        to_account(stranger := Client(), phone="+77079999999")
        answer = stranger.post("/register/account/", {"identity": FATHER})
        assert "тіркелгенсіз" not in errors(answer)["identity"][0]
        # With a new SIM one's own account is moved: the way stands on the page, whoever asks.
        assert "/number/lost/" in answer.content.decode()

    @pytest.mark.parametrize(
        ("phone", "held_by", "is_told"),
        [
            (PHONE, PhoneTie.UNKNOWN, True),
            (PHONE, PhoneTie.NO, True),
            (PHONE, PhoneTie.UNASKED, True),
            (PHONE, PhoneTie.YES, False),
            ("+77079999999", PhoneTie.NO, False),
            (MOTHER.phone, PhoneTie.NO, False),
        ],
    )
    def test_only_the_owner_by_the_states_word_is_told_who_shut_them_out(
        self, client, phone, held_by, is_told
    ):
        """The first person to type the IIN has the account; a stranger still learns nothing about it."""
        first = UserFactory(profile__iin=FATHER, profile__phone_tie=held_by)
        to_account(client, phone=phone)
        answer = client.post("/register/account/", {"identity": FATHER})
        assert ("туу туралы куәліктерін" in errors(answer)["identity"][0]) == is_told
        assert first.journal.filter(action="owner_shut_out").exists() == is_told
        # Whoever holds the account is not warned, unless the state comes to know them as its owner.
        assert not audit.journal_of(first).filter(action="owner_shut_out").exists()
        Profile.objects.filter(user=first).update(phone_tie=PhoneTie.YES)
        assert audit.journal_of(first).filter(action="owner_shut_out").exists() == is_told
        nobody = client.post("/register/account/", {"identity": simulated_people.UNKNOWN_IINS[0]})
        assert (errors(nobody) == errors(answer)) != is_told
        assert User.objects.count() == 1

    def test_another_person_is_asked_about_anew(self, client):
        to_confirm(client, phone=self.MOTHER.phone)
        client.post("/register/account/", {"other": "1"})
        client.post("/register/account/", {"identity": self.MOTHER.person.iin})
        assert "ГҮЛЖАН" in client.get("/register/account/").content.decode()
        client.post("/register/account/", {"confirm": "1"})
        assert Profile.objects.get().phone_tie == PhoneTie.YES

    def test_who_has_no_iin_is_not_asked_about(self, client):
        to_end(client, identity=simulated_people.FOREIGN_MOTHER_DOCUMENT, phone=self.MOTHER.phone)
        assert Profile.objects.get().phone_tie == PhoneTie.UNASKED

    def test_a_base_that_does_not_answer_shows_nothing_and_loses_nothing(self, client, settings):
        to_account(client)
        settings.PERSON_REGISTRY = f"{__name__}.NoBase"
        answer = client.post("/register/account/", {"identity": FATHER})
        assert list(errors(answer)) == ["__all__"]
        assert "ЕРМЕК" not in client.get("/register/account/").content.decode()
        settings.PERSON_REGISTRY = "accounts.registry.simulator.SimulatedRegistry"
        client.post("/register/account/", {"identity": FATHER})
        assert client.post("/register/account/", {"confirm": "1"}).url == "/cabinet/children/add/"


class WithoutTheQuestion(SimulatedRegistry):
    def phone_tie(self, **asked):
        return PhoneTie.UNASKED


class NoBase(SimulatedRegistry):
    def phone_tie(self, **asked):
        raise RegistryUnavailable


class TestOrder:
    @pytest.mark.parametrize("page", STEPS[1:])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_stranger_begins_at_the_beginning(self, client, page, method):
        assert getattr(client, method)(page, {"code": "123456", "identity": FATHER}).url == "/register/"

    def test_after_the_phone(self, client):
        ask_for_code(client)
        assert client.get("/register/").status_code == 200
        assert client.get("/register/code/").status_code == 200
        for page in STEPS[2:]:
            assert client.get(page).url == "/register/code/"
            assert client.post(page, {"password": PASSWORD, "repeated": PASSWORD}).url == "/register/code/"

    def test_after_the_code(self, client):
        to_password(client)
        assert client.get("/register/").status_code == 200
        assert client.get("/register/code/").url == "/register/password/"
        assert client.get("/register/account/").url == "/register/password/"
        assert client.post("/register/account/", {"identity": FATHER}).url == "/register/password/"

    def test_back_to_the_phone_after_the_code_goes_on_without_another_sms(self, client):
        to_password(client)
        assert ask_for_code(client).url == "/register/password/"
        assert Message.objects.count() == 1

    def test_after_the_password_it_may_be_set_again(self, client):
        to_account(client)
        assert client.get("/register/code/").url == "/register/account/"
        assert client.get("/register/password/").status_code == 200
        other = "басқа құпия сөз"
        client.post("/register/password/", {"password": other, "repeated": other})
        client.post("/register/account/", {"identity": FATHER})
        client.post("/register/account/", {"confirm": "1"})
        assert User.objects.get().check_password(other)

    @pytest.mark.parametrize("page", STEPS)
    def test_after_the_end_every_page_leads_to_the_cabinet(self, client, page):
        to_end(client)
        assert client.get(page).url == "/cabinet/"
        assert client.post(page, {"confirm": "1", "identity": FATHER}).url == "/cabinet/"
        assert User.objects.count() == 1

    @pytest.mark.parametrize("page", STEPS)
    def test_no_page_is_cached(self, client, page):
        assert "no-store" in client.get(page)["Cache-Control"]

    @pytest.mark.parametrize("method", ["put", "delete"])
    def test_other_methods(self, client, method):
        assert getattr(client, method)("/register/").status_code == 405

    def test_a_post_without_csrf_token(self):
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/register/", {"phone": PHONE, "consent": "on"}).status_code == 403


class TestDoubleSubmit:
    def test_confirmed_twice_one_after_the_other(self, client):
        to_confirm(client)
        cookies = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        client.post("/register/account/", {"confirm": "1"})
        stale = Client()
        stale.cookies[django_settings.SESSION_COOKIE_NAME] = cookies
        assert stale.post("/register/account/", {"confirm": "1"}).url == "/login/"
        assert User.objects.count() == PolicyConsent.objects.count() == Profile.objects.count() == 1

    @pytest.mark.concurrency
    @pytest.mark.django_db(transaction=True)
    def test_confirmed_many_times_at_once(self):
        hashed = make_password(PASSWORD)
        person = Person(FATHER, "", "КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", date(1994, 2, 25), "m")
        now = timezone.now()
        barrier = threading.Barrier(6)

        def confirm(_number):
            try:
                barrier.wait(timeout=PATIENCE)
                user = services.register(
                    phone=PHONE,
                    password_hash=hashed,
                    person=person,
                    consent=services.Consent("1", now),
                    language="kk",
                    address=None,
                    now=now,
                )
                return user.pk
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            assert len(set(pool.map(confirm, range(6)))) == 1
        assert User.objects.count() == Profile.objects.count() == 1


def test_progress_survives_json():
    person = Person(FATHER, "N1", "КАМЕНОВ", "ЕРМЕК", "", date(1994, 2, 25), "m")
    registration = Registration(phone=PHONE).with_person(person, PhoneTie.NO)
    kept = Registration(**json.loads(json.dumps(asdict(registration))))
    assert (kept.person, kept.phone_tie) == (person, PhoneTie.NO)
    without = kept.without_person()
    assert (without.person, without.phone_tie) == (None, PhoneTie.UNASKED)


class TestTheWayBack:
    """Whoever wanted to go somewhere before registering arrives there."""

    TARGET = "/cabinet/applications/new/"

    def start(self, client, target):
        return client.get("/register/", {"next": target})

    def register(self, client, target):
        client.post("/register/", {"phone": PHONE, "consent": "on", "next": target})
        client.post("/register/code/", {"code": newest_code()})
        client.post("/register/password/", {"password": PASSWORD, "repeated": PASSWORD})
        client.post("/register/account/", {"identity": FATHER})
        return client.post("/register/account/", {"confirm": "1"})

    def test_it_leads_to_where_the_visitor_wanted_to_go(self, client):
        page = self.start(client, self.TARGET)
        assert page.context["next"] == self.TARGET
        assert self.register(client, self.TARGET).url == self.TARGET

    def test_sign_in_and_registration_hand_it_to_each_other(self, client):
        asked = {"next": self.TARGET}
        assert f"/login/?{urlencode(asked)}" in unescape(self.start(client, self.TARGET).content.decode())
        assert f"/register/?{urlencode(asked)}" in unescape(client.get("/login/", asked).content.decode())

    @pytest.mark.parametrize(
        "target", ["https://example.com/", "//example.com/", "javascript:alert(1)", "cabinet", "\x00"]
    )
    def test_never_to_a_foreign_page(self, client, target):
        assert self.start(client, target).context["next"] == ""
        assert self.register(client, target).url == "/cabinet/children/add/"

    def test_whoever_is_signed_in_goes_there_at_once(self, parent_client):
        assert self.start(parent_client, self.TARGET).url == self.TARGET
