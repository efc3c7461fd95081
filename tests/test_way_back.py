"""When a session ends under a form: nothing typed is lost, nobody lands nowhere, and nobody else reads it."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Session, User
from accounts.typed import KEPT_FOR, MOST
from applications.models import Bid
from applications.waiting.filing import file_application
from balabaqsha.serving.contract import QUESTION
from notifications.cipher import decrypt
from tests.accounts.walk import FATHER, PHONE, newest_code, to_end
from tests.factories import BenefitCategoryFactory, ChildFactory, GuardianshipFactory, UserFactory
from tests.staff import inside
from tests.test_every_url import LOGIN, TABLE, addresses, built_city, city, outcome, url_of, visitors
from tests.thorough import THOROUGH, part_for
from tests.unseen import pages_unseen

__all__ = ["built_city", "city", "visitors"]

pytestmark = pytest.mark.django_db

PASSWORD = "parent-pass-1"
MICROSECOND = timedelta(microseconds=1)
# What a family had typed when the session ended, and what the page shows of it afterwards (nothing of what is absent).
TYPED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "accounts:profile": (
        {"address": "Абай даңғылы, 7 <b>", "language": "ru"},
        ['value="Абай даңғылы, 7 &lt;b&gt;"', 'value="ru" id="id_language_1" checked'],
    ),
    "accounts:photo": ({"photo": SimpleUploadedFile("a.jpg", b"x")}, []),
    "accounts:password": (
        {"old_password": "secret-old-1", "password": "secret-new-1", "repeated": "secret-new-1"},
        [],
    ),
    "accounts:export": ({"password": "secret-old-1"}, []),
    "accounts:leave": ({"password": "secret-old-1"}, []),
    "accounts:number": (
        {"phone": "8 702 111-22-33", "password": "secret-old-1"},
        ['value="8 702 111-22-33"'],
    ),
    "accounts:email": ({"email": "ana@example.kz", "password": "secret-old-1"}, ['value="ana@example.kz"']),
    "accounts:second_phone": (
        {"phone": "8 7172 12-34-56", "password": "secret-old-1"},
        ['value="8 7172 12-34-56"'],
    ),
    "accounts:topics": (
        {"queue": ["sms"], "quiet_from": "13:00", "quiet_to": "15:30"},
        ['value="13:00"', 'value="15:30"'],
    ),
    "accounts:document": ({"number": "N 1234567", "password": "secret-old-1"}, ['value="N 1234567"']),
    "applications:new_guardian_claim": (
        {"number": "170720 600007", "last_name": "Қаменова <b>", "birth_date": "20.07.2017"},
        ['value="170720 600007"', 'value="Қаменова &lt;b&gt;"', 'value="20.07.2017"'],
    ),
    "applications:new_complaint": (
        {"about": "other", "text": "Ешкім жауап бермейді <b>"},
        ['value="other" id="id_about_8" checked', "Ешкім жауап бермейді &lt;b&gt;</textarea>"],
    ),
    "applications:objections": (
        {"about": "other", "wrong": "Атым қате <b>", "right": "Дұрысы"},
        ['value="other" id="id_about_4" checked', "Атым қате &lt;b&gt;</textarea>", "Дұрысы</textarea>"],
    ),
    "accounts:app": ({"password": "secret-old-1", "code": "000000"}, []),
    "children:add": ({"iin": "170720 600007"}, ['value="170720 600007"']),
    "bulletin:reviews": ({"text": "Рахмет & алғыс"}, ["Рахмет &amp; алғыс</textarea>"]),
    "applications:new": (
        {"locality": "1", "languages": ["ru", "uz"]},
        ['value="ru" id="id_languages_1" checked', 'value="uz" id="id_languages_2" checked'],
    ),
    "applications:extend referred": (
        {"until": "31.12.2026", "reason": "other", "explanation": "Науқас\nбала", "confirmed": "on"},
        ['value="31.12.2026"', 'id="id_reason_4" checked', "Науқас\nбала</textarea>"],
    ),
    "applications:alert waiting": (
        {"languages": ["kk"], "search": "Айша <b>"},
        ['value="kk" id="id_languages_0" checked', 'value="Айша &lt;b&gt;"'],
    ),
    "applications:languages waiting": (
        {"languages": ["uz"]},
        ['value="uz" id="id_languages_2" checked'],
    ),
}  # fmt: skip
# Forms with a choice between children of the family, each in a test of its own.
CHOICES = {"applications:apply waiting vacancy", "applications:choose_child vacancy"}
# These take a POST from anybody; what is typed there belongs to no session.
PUBLIC = {
    "bulletin:change_shortlist",
    "bulletin:map", "bulletin:near",
    "place", "clock", "health", "mobizon_report", "kannel_report", "demo_limits", "demo_enter", "styleguide",
    "applications:queue_check",
    "applications:complain", "applications:complain_code", "applications:complain_write",
    "applications:complaint_of_visitor",
    "applications:check_referral",
    "applications:queue_check_former", "accounts:login", "accounts:logout",
    "accounts:register", "accounts:register_code", "accounts:register_password", "accounts:register_account",
    "accounts:login_code", "accounts:reset", "accounts:reset_code", "accounts:reset_new", "accounts:stop",
    "accounts:stop_code", "accounts:stop_choose", "accounts:lost_number", "accounts:lost_number_account",
    "accounts:lost_number_code", "accounts:lost_number_proof", "accounts:first_sign_in", "accounts:first_password",
}  # fmt: skip
NOTHING_SENT = {"kk": "Ештеңе жіберілген жоқ", "ru": "Ничего не отправлено"}
SIGNED_IN_AGAIN = {"kk": "Сіз қайта кірдіңіз", "ru": "Вы снова вошли"}


def sign_in(client: Client, user: User, address: str = "/login/"):
    return client.post(address, {"phone": str(user.phone), "password": PASSWORD})


@pytest.fixture
def browser(city):
    """The browser of the city's family, which has signed in with its password."""
    client = Client()
    assert sign_in(client, city.parent).status_code == 302
    return client


def end_sessions():
    Session.objects.all().delete()


def press(client: Client, row: str, city) -> Any:
    return client.post(url_of(row, city), TYPED.get(row, ({}, []))[0])


def faults_of_the_way_back(row: str, browser: Client, city, *, language: str, comes_back: bool) -> str:
    """What goes wrong for a family that presses the button after its session has ended; empty if nothing does.

    Where it does not come back, all that is seen is that it is asked to sign in.
    """
    end_sessions()
    answer = press(browser, row, city)
    if answer.status_code == 405:
        # A program is told as a program.
        told = "<h1" if answer.headers["Content-Type"].startswith("text/html") else '"detail"'
        return "" if told in answer.content.decode() else "an empty 405"
    if row.split()[0] in PUBLIC:
        return "" if "/login/?next=" not in answer.headers.get("Location", "") else "asks for a session"
    if outcome(answer) != LOGIN:
        return f"answers {answer.status_code}"
    if not comes_back:
        return ""
    login = browser.get(answer.url).content.decode()
    shown = TYPED.get(row, ({}, []))[1]
    if NOTHING_SENT[language] not in login:
        return "gives no reason"
    if [typed for typed in shown if typed in login]:
        return "shows what was typed before anybody has signed in"
    page = browser.get(sign_in(browser, city.parent, answer.url).url, follow=True)
    content = page.content.decode().replace(" required", "")
    if page.status_code != (404 if TABLE[row][1] == 404 and row != "accounts:photo" else 200):
        return f"comes back to {page.status_code}"
    if len(re.findall(r"<h1[\s>]", content)) != 1 or SIGNED_IN_AGAIN[language] not in content:
        return "does not say what to do"
    lost = [typed for typed in shown if typed not in content]
    return f"loses {lost}" if lost or "secret-" in content else ""


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_the_way_back_from_every_address(city, browser, language):
    """In a quick run it goes back to every form in which something was typed, and to every fourth other page."""
    faults = {}
    for number, row in enumerate(part_for(language, TABLE, ["kk", "ru"])):
        comes_back = THOROUGH or row in TYPED or number % 4 == 0
        with translation.override(language):
            if fault := faults_of_the_way_back(row, browser, city, language=language, comes_back=comes_back):
                faults[row] = fault
    assert faults == {}


def test_every_form_of_a_family_is_in_the_table_of_what_is_typed(city, browser):
    found = set()
    for row in TABLE:
        if row.split()[0] in PUBLIC or outcome(press(Client(), row, city)) != LOGIN:
            continue
        page = browser.get(url_of(row, city))
        main = page.content.decode().partition("<main")[2].partition("</main>")[0]
        forms = re.findall(r'<form method="post".*?</form>', main, re.DOTALL)
        if any(re.search(r'<(?:input(?! type="hidden")|textarea|select)\b', form) for form in forms):
            found.add(row)
    assert found - CHOICES == set(TYPED) - {"accounts:photo"}


PROFILE = "/cabinet/profile/"
ADDRESS = "Абай даңғылы, 7"


def type_address(client: Client, address: str = ADDRESS, **more):
    return client.post(PROFILE, {"address": address, "language": "kk"} | more)


@pytest.fixture
def family():
    return UserFactory.create()


@pytest.fixture
def device(family):
    """A browser in which the family has signed in, and whose session has ended."""
    client = Client()
    sign_in(client, family)
    end_sessions()
    return client


class TestWhoReadsIt:
    def test_nobody_else_who_signs_in_on_the_device(self, device, family):
        other = UserFactory.create()
        type_address(device)
        assert sign_in(device, other).url == "/cabinet/"
        assert ADDRESS not in device.get(PROFILE).content.decode()
        device.post("/logout/")
        assert sign_in(device, family).url == "/cabinet/"
        assert ADDRESS not in device.get(PROFILE).content.decode()

    def test_nobody_who_registers_on_the_device(self, device):
        type_address(device)
        to_end(device)
        assert ADDRESS not in device.get(PROFILE).content.decode()

    def test_nobody_who_reads_the_database_or_the_cookies(self, device):
        type_address(device, address="Абай 7, 940225300009")
        (row,) = Session.objects.all()
        kept = json.dumps(row.get_decoded())
        cookies = str(device.cookies)
        for secret in ("Абай", "940225300009", json.dumps("Абай")[1:-1]):
            assert secret not in kept
            assert secret not in cookies

    def test_a_password_is_not_kept_at_all(self, device):
        device.post("/cabinet/profile/password/", TYPED["accounts:password"][0] | {"code": "123456"})
        (row,) = Session.objects.all()
        kept = decrypt(row.get_decoded()["typed"])
        assert "secret-" not in kept
        assert "123456" not in kept

    def test_where_nobody_is_known_nothing_is_kept_and_nothing_promised(self):
        client = Client()
        login = client.get(type_address(client).url).content.decode()
        assert not Session.objects.exists()
        assert "қайтады" not in login
        assert "Ештеңе жіберілген жоқ" in login

    def test_a_device_that_was_made_up(self, family):
        client = Client()
        client.cookies[settings.DEVICE_COOKIE_NAME] = "a:b:c"
        type_address(client)
        assert not Session.objects.exists()

    @pytest.mark.parametrize(("length", "kept"), [(MOST - 100, True), (MOST, False)])
    def test_what_is_longer_than_any_form(self, device, length, kept):
        type_address(device, address="а" * length)
        assert Session.objects.exists() == kept


class TestComingBack:
    @pytest.mark.parametrize(("late", "kept"), [(-MICROSECOND, True), (timedelta(0), False)])
    def test_within_the_hour(self, family, late, kept):
        with time_machine.travel(timezone.now(), tick=False) as traveller:
            client = Client()
            sign_in(client, family)
            end_sessions()
            type_address(client)
            traveller.shift(KEPT_FOR + late)
            assert sign_in(client, family).url == (PROFILE if kept else "/cabinet/")
            assert (ADDRESS in client.get(PROFILE).content.decode()) == kept
            assert ("typed" in client.session) == kept

    def test_also_after_the_code_of_a_sign_in(self, device, family):
        type_address(device)
        for _ in range(6):
            device.post("/login/", {"phone": str(family.phone), "password": "wrong-pass"})
        assert sign_in(device, family).url == "/login/code/"
        back = device.post("/login/code/", {"code": newest_code(str(family.phone))})
        assert back.url == PROFILE
        assert ADDRESS in device.get(PROFILE).content.decode()

    def test_in_the_other_language(self, device, family):
        type_address(device)
        sign_in(device, family)
        assert ADDRESS in device.get(f"/ru{PROFILE}").content.decode()

    def test_until_it_is_sent(self, device, family):
        type_address(device)
        sign_in(device, family)
        assert type_address(device, address="Төле би, 5").status_code == 302
        page = device.get(PROFILE).content.decode()
        assert ADDRESS not in page
        assert "Төле би, 5" in page

    def test_it_is_not_sent_by_itself(self, device, family):
        type_address(device)
        device.get(sign_in(device, family).url)
        family.profile.refresh_from_db()
        assert family.profile.address == ""

    def test_what_was_ticked_as_read_is_ticked_anew(self, city, browser):
        end_sessions()
        press(browser, "applications:extend referred", city)
        sign_in(browser, city.parent)
        page = browser.get(url_of("applications:extend referred", city)).context["form"]
        assert page["confirmed"].value() is not True
        assert page["explanation"].value() == "Науқас\nбала"

    def test_which_child_was_chosen(self, city, browser):
        """Two children whom one place suits."""
        child = ChildFactory(birth_date=city.child.birth_date)
        GuardianshipFactory(child=child, user=city.parent)
        second = file_application(
            child=child,
            locality=city.kindergarten.locality,
            languages=["ru"],
            actor=city.parent,
            now=timezone.now(),
        )
        end_sessions()
        answer = browser.post(f"/bulletin/{city.vacancy.pk}/apply/", {"application": str(second.pk)})
        page = browser.get(sign_in(browser, city.parent, answer.url).url)
        assert page.context["form"]["application"].value() == str(second.pk)
        assert Bid.objects.filter(application=second).count() == 0

    def test_which_benefit_was_claimed(self, city, browser):
        category = BenefitCategoryFactory()
        address = reverse("applications:claim_benefit", args=[city.applications["waiting"].pk])
        end_sessions()
        answer = browser.post(address, {"category": str(category.pk), "document": upload()})
        page = browser.get(sign_in(browser, city.parent, answer.url).url)
        assert page.context["form"]["category"].value() == str(category.pk)
        assert "Файлдарды қайта таңдаңыз" in page.content.decode()

    def test_a_body_that_is_sent_slowly_may_come_for_its_words(self, device):
        """The web server asks before it takes megabytes: those of a browser that nobody knows it does not take."""
        question: Any = {QUESTION: "body"}
        assert device.post(f"{PROFILE}photo/", **question).status_code == 204
        stranger = Client().post(f"{PROFILE}photo/", **question)
        assert stranger.url == f"/login/?next={PROFILE}"


class TestTheAddressAfterSigningIn:
    def test_a_registration_that_leads_to_the_sign_in_has_its_own_words(self, device):
        """Registered meanwhile in another tab: where one wanted to go stays, and nothing was lost."""
        device.get(f"/register/?next={PROFILE}")
        device.post(f"/register/?next={PROFILE}", {"phone": PHONE, "consent": "on", "next": PROFILE})
        device.post("/register/code/", {"code": newest_code()})
        device.post("/register/password/", {"password": "құпия сөз 1", "repeated": "құпия сөз 1"})
        device.post("/register/account/", {"identity": FATHER})
        UserFactory.create(phone=PHONE, profile__iin=FATHER)
        taken = device.post("/register/account/", {"confirm": "1"})
        assert parse_qs(urlsplit(taken.url).query) == {"next": [PROFILE]}
        login = device.get(taken.url).content.decode()
        assert "Ештеңе жіберілген жоқ" not in login
        assert "тіркелген" in login

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_is_a_page(self, city, prefix):
        pk = city.applications["waiting"].pk
        pages = {
            f"/cabinet/applications/{pk}/interest/": f"/cabinet/applications/{pk}/",
            f"/cabinet/applications/{pk}/restore/": "/cabinet/applications/archive/",
            "/cabinet/notifications/read/": "/cabinet/notifications/",
            "/cabinet/profile/photo/": "/cabinet/profile/",
            "/place/": "/",
            "/cabinet/?a=1": "/cabinet/?a=1",
        }
        for button, page in pages.items():
            client = Client()
            answer = sign_in(client, city.parent, f"/login/?next={prefix}{button}")
            assert answer.url == prefix + page

    def test_who_opens_the_address_of_a_button_comes_to_its_page(self, parent_client):
        answer = parent_client.get("/cabinet/notifications/read/")
        assert (answer.status_code, answer.url) == (302, "/cabinet/notifications/")
        assert parent_client.put("/cabinet/notifications/read/").status_code == 405

    def test_a_visitor_who_opens_a_page_is_told_only_if_a_session_has_ended(self, device):
        assert "жүйеден шығып қалдыңыз" in device.get(f"/login/?next={PROFILE}").content.decode()
        assert "жүйеден шығып қалдыңыз" not in Client().get(f"/login/?next={PROFILE}").content.decode()
        assert "жүйеден шығып қалдыңыз" not in device.get("/login/").content.decode()


# Pages that Django's admin gives to every list alike.
OF_EVERY_LIST = re.compile(r"_(changelist|add|change|delete|history)$")


def test_no_employee_lands_where_there_is_no_page(city):
    """Of every address of the workplace: a POST without a session, then what a GET answers after signing in.

    In a quick run, of those that every list has, every fourth.
    """
    worker, wrong = inside(city.worker), {}
    for number, (name, pattern) in enumerate(addresses()):
        if not name.startswith("admin:") or name in ("admin:login", "admin:logout", "admin:jsi18n"):
            continue
        if not THOROUGH and OF_EVERY_LIST.search(name) and number % 4:
            continue
        given = dict.fromkeys(pattern.pattern.regex.groupindex, "1") | {
            key: city.vacancy.pk if "uuid" in str(converter).lower() else 1
            for key, converter in pattern.pattern.converters.items()
        }
        if name == "admin:app_list":
            given = {"app_label": "bulletin"}
        url = reverse(name, kwargs=given)
        with pages_unseen():
            answer = Client().post(url)
            target = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("next", [url])[0]
            status = worker.get(target).status_code
        if status == 405:
            wrong[name] = status
    assert wrong == {}


@pytest.fixture
def strict(family):
    """A browser whose forms are checked, signed in."""
    client = Client(enforce_csrf_checks=True)
    send(client, "/login/", phone=str(family.phone), password=PASSWORD)
    return client


OWN = "http://testserver"


def token_of(client: Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(page).content.decode())
    assert found
    return found[1]


def send(client: Client, page: str, *, token: str = "", origin: str | None = OWN, to: str = "", **fields):
    given = {"csrfmiddlewaretoken": token or token_of(client, page)} | fields
    headers = {"origin": origin} if origin is not None else {}
    return client.post(to or page, given, headers=headers)


class TestFormThatIsOutOfDate:
    def test_a_second_tab_of_the_sign_in(self, family):
        client = Client(enforce_csrf_checks=True)
        token = token_of(client, "/login/")
        fields = {"phone": str(family.phone), "password": PASSWORD}
        assert send(client, "/login/", token=token, **fields).status_code == 302
        assert send(client, "/login/", token=token, **fields).url == "/cabinet/"
        second = send(client, "/login/", token=token, **fields | {"next": PROFILE})
        assert second.url == PROFILE
        assert "кіріп қойғансыз" in client.get(second.url).content.decode()

    def stale(self, client: Client, family) -> str:
        """The token of a page that was open while somebody signed out and in again in another tab."""
        token = token_of(client, PROFILE)
        send(client, PROFILE, to="/logout/")
        assert send(client, "/login/", phone=str(family.phone), password=PASSWORD).status_code == 302
        return token

    def test_it_comes_back_and_is_sent_by_one_more_press(self, strict, family):
        token = self.stale(strict, family)
        answer = send(strict, PROFILE, token=token, address=ADDRESS, language="kk")
        assert answer.status_code == 403
        page = answer.content.decode()
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        assert fields["address"] == ADDRESS
        family.profile.refresh_from_db()
        assert family.profile.address == ""
        assert strict.post(PROFILE, fields, headers={"origin": OWN}).status_code == 302
        family.profile.refresh_from_db()
        assert family.profile.address == ADDRESS

    def test_passwords_are_typed_anew(self, strict, family):
        token = self.stale(strict, family)
        fields = TYPED["accounts:password"][0]
        page = send(strict, f"{PROFILE}password/", token=token, **fields).content.decode()
        assert "secret-" not in page
        assert page.count('type="password"') == 3

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", None, "http://testserver.evil.example"]
    )
    def test_what_another_site_sent_never_comes_back(self, strict, origin):
        answer = send(strict, PROFILE, token="x" * 64, origin=origin, address="evil-address")
        assert answer.status_code == 403
        assert "evil-address" not in answer.content.decode()

    def test_without_cookies_it_comes_back_once(self, strict):
        strict.cookies.clear()
        answer = strict.post(PROFILE, {"address": ADDRESS}, headers={"origin": OWN})
        assert ADDRESS in answer.content.decode()
        again = strict.post(PROFILE, {"address": ADDRESS, "pressed_again": "1"}, headers={"origin": OWN})
        assert again.status_code == 403
        assert "cookie" in again.content.decode()
        assert ADDRESS not in again.content.decode()


class TestLanguageOfAPageThatAnswersAForm:
    @pytest.mark.parametrize(
        ("prefix", "other"), [("", "/ru/cabinet/profile/"), ("/ru", "/cabinet/profile/")]
    )
    def test_after_a_refused_photo_it_leads_to_the_form(self, parent_client, prefix, other):
        refused = parent_client.post(f"{prefix}/cabinet/profile/photo/", {"photo": upload(b"no picture")})
        assert refused.status_code == 200
        page = refused.content.decode()
        assert f'<a href="{other}"' in page
        assert re.findall(r'href="[^"]*/photo/"', page) == []
        assert parent_client.get(other).status_code == 200

    def test_every_answer_to_a_post_can_be_read_in_the_other_language(self, city, browser):
        """Whatever a family's POST shows at once, the switch of that page leads to a page."""
        wrong = {}
        for row in TABLE:
            answer = press(browser, row, city)
            if answer.status_code in (200, 403, 409) and "hreflang" in answer.content.decode():
                switch = re.findall(r'<a href="([^"]+)" lang="ru"', answer.content.decode())
                shown = browser.get(unescape(switch[0]), follow=True)
                is_page = shown.headers["Content-Type"].startswith("text/html")
                if shown.status_code not in (200, 202) or not is_page:
                    wrong[row] = (switch[0], shown.status_code)
        assert wrong == {}


class TestLanguageOfMessages:
    def switch(self, client: Client, page: str = "/ru/cabinet/", came_from: str = "/cabinet/"):
        return client.get(page, headers={"referer": f"http://testserver{came_from}"}, follow=True)

    def test_it_is_told_and_undone_by_one_press(self, parent, parent_client):
        page = self.switch(parent_client).content.decode()
        parent.refresh_from_db()
        assert parent.language == "ru"
        assert "SMS и уведомления теперь приходят на русском языке" in page
        form = re.search(
            r'<form method="post" action="(/ru/cabinet/profile/language/)".*?</form>', page, re.DOTALL
        )
        assert form
        assert 'lang="kk">Бұрынғыша қазақша ала беру<' in form[0]
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
        undone = parent_client.post(form[1], fields)
        assert undone.url == "/ru/cabinet/"
        parent.refresh_from_db()
        assert parent.language == "kk"
        assert "Язык SMS и уведомлений: казахский" in parent_client.get(undone.url).content.decode()

    def test_it_is_told_once(self, parent_client):
        self.switch(parent_client)
        assert "profile/language/" not in parent_client.get("/ru/cabinet/").content.decode()
        assert "profile/language/" not in self.switch(parent_client).content.decode()

    def test_a_link_in_another_language_switches_nothing(self, parent, parent_client):
        self.switch(parent_client, came_from="/bulletin/")
        parent.refresh_from_db()
        assert parent.language == "kk"

    @pytest.mark.parametrize("chosen", ["", "en", "RU", "kk\0"])
    def test_another_language_than_ours_changes_nothing(self, parent, parent_client, chosen):
        parent_client.post("/cabinet/profile/language/", {"language": chosen, "next": "//evil.example"})
        parent.refresh_from_db()
        assert parent.language == "kk"

    def test_an_employee_gets_no_sms_and_is_told_nothing(self, city):
        worker = inside(city.worker)
        page = self.switch(worker, "/ru/help/", "/help/").content.decode()
        assert "profile/language/" not in page


def upload(content: bytes = b"x") -> SimpleUploadedFile:
    return SimpleUploadedFile("a.jpg", content)
