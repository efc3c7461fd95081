"""Every page speaks the language that it was asked in, and only that one."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation

from accounts.audit import record
from accounts.first_sign_in import issue_code
from accounts.journal_actions import Action
from accounts.masks import DOT
from accounts.models import FirstSignIn, NumberMove, PolicyConsent, Profile, RecoveryCode, User
from accounts.registry.simulated_people import MANUAL_CHILD_IIN
from accounts.roles import Role
from applications.disputes.guardianships import stop_guardian
from applications.families.asked import read
from applications.journal_actions import Action as FamilyAction
from balabaqsha.admin_site import staff_site
from bulletin.models import Holiday
from bulletin.official_days import ESTIMATE, LIST_SOURCE
from notifications.models import Mail, Message
from notifications.troubles import Trouble
from tests.accounts.test_second_way import code_at
from tests.accounts.walk import FATHER, PASSWORD, PHONE, newest_code
from tests.city import build_city, with_offer
from tests.factories import GuardianshipFactory, LocalityFactory, StaffFactory, UserFactory
from tests.reading import LONGEST, long_sentences
from tests.shared import built_once
from tests.staff import employee, inside
from tests.thorough import part_for
from tests.words import KAZAKH_ONLY, LATIN_WORDS, RUSSIAN_WORDS

pytestmark = pytest.mark.django_db

LANGUAGES = ("kk", "ru")
ANOTHER, OLD_PASSWORD = "+77017770001", "parent-pass-1"
# They change something and show nothing, or answer a program.
NOT_PAGES = {
    "accounts:end_session",
    "accounts:export_file",
    "accounts:go_on",
    "accounts:identity",
    "accounts:identity_back",
    "demo_identity",
    "accounts:language",
    "accounts:push_on",
    "accounts:push_off",
    "accounts:telegram_off",
    "accounts:test_message",
    "accounts:logout",
    "accounts:number_stop",
    "accounts:photo",
    "applications:bulletin_atom",
    "applications:calendar_file",
    "applications:make_calendar",
    "applications:subscribed_calendar",
    "applications:take_calendar_away",
    "applications:interest",
    "applications:referral_pdf",
    "applications:guardian_claim_paper",
    "applications:restore",
    "applications:switch_alert",
    "bulletin:change_shortlist",
    "bulletin:near",
    "clock",
    "manifest",
    "robots",
    "service_worker",
    "sitemap",
    "map_tile",
    "api",
    "api_rows",
    "api_csv",
    "alive",
    "health",
    "metrics",
    "ready",
    "mobizon_report",
    "kannel_report",
    "notifications:open",
    "notifications:put_away",
    "notifications:put_back",
    "notifications:read_all",
    "place",
}
# The style guide names the tokens of the style sheet, and shows how a text of the other language is marked.
OF_THE_DESK = (
    "demo", "demo_enter", "demo_former_csv", "demo_former_xlsx", "demo_json", "demo_limits", "styleguide",
    "styleguide_error",
)  # fmt: skip
# Reached with the steps before them only.
STEPS = {
    "accounts:app_off",
    "accounts:app_off_by_sms",
    "accounts:email_code",
    "accounts:first_password",
    "accounts:lost_number_account",
    "accounts:lost_number_code",
    "accounts:lost_number_done",
    "accounts:lost_number_proof",
    "accounts:recovery_codes",
    "accounts:second_phone_code",
    "applications:join_iin",
    "accounts:come_back",
    "accounts:login_code",
    "applications:complain_code",
    "applications:complain_write",
    "applications:complaint_of_visitor",
    "accounts:number_new",
    "accounts:number_former",
    "accounts:number_wait",
    "accounts:policy",
    "accounts:register_claimed",
    "accounts:register_code",
    "accounts:register_password",
    "accounts:register_account",
    "accounts:reset_code",
    "children:confirm",
    "accounts:reset_new",
    "accounts:stop_code",
}
# They show a text as it was sent, in the language of the person who got it.
SENT_TEXTS = {"admin:notifications_message change", "admin:notifications_notice change"}
# A name as `mask_name` shows it.
MASKED = re.compile(rf"\b\w{DOT}{{5}}(?: \w\.)?")
UNSPOKEN = re.compile(r"<(script|style|template|code)\b.*?</\1>|<!--.*?-->", re.DOTALL)
SPOKEN_ATTRIBUTES = re.compile(r'\s(?:title|alt|aria-label|placeholder|data-label)="([^"]*)"')
# Addresses, time zones, the pattern of a phone number, and the key of an app.
ADDRESS = re.compile(
    r"\+7 7__ ___ __ __|\b(?:[A-Z2-7]{4}\s){3,}[A-Z2-7]{1,4}\b|"
    r"\bAsia/\w+|https?://\S+|\b[\w.-]+@[\w.-]+|\b[\w-]+(\.[\w-]+)*\.kz\b|/[\w/-]+/"
)


def words_of(page: str, language: str) -> str:
    """What a reader or listener gets from a page, without what it marks as being in the other language."""
    page = UNSPOKEN.sub(" ", page)
    other = "ru" if language == "kk" else "kk"
    page = re.sub(rf'<(\w+)\b[^>]*\slang="{other}"[^>]*>.*?</\1>', " ", page, flags=re.DOTALL)
    attributes = " ".join(SPOKEN_ATTRIBUTES.findall(page))
    return ADDRESS.sub(" ", unescape(re.sub(r"<[^>]+>", " ", page) + " " + attributes))


def foreign_words(page: str, language: str) -> set[str]:
    """Words on a page that are not of its language."""
    text = words_of(page, language)
    found = set(re.findall(r"[A-Za-z][A-Za-z_]+", text)) - LATIN_WORDS
    if language == "kk":
        return found | {match[0] for match in RUSSIAN_WORDS.finditer(text)}
    return found | {word for word in re.findall(r"\w+", text) if KAZAKH_ONLY & set(word)}


# Elements in the middle of a sentence, and what a sighted reader does not get.
INLINE = re.compile(r"</?(?:a|b|em|small|span|strong|time)\b[^>]*>")
HEARD_ONLY = re.compile(r'<span class="visually-hidden">.*?</span>')


def stray_spaces(page: str) -> set[str]:
    """Words that a space parts from the full stop, comma or colon after them."""
    text = HEARD_ONLY.sub("", re.sub(r"\s+", " ", UNSPOKEN.sub("", page)))
    lines = unescape(re.sub(r"<[^>]+>", "\n", INLINE.sub("", text)))
    return set(re.findall(r"\w+ +[.,;:!?](?= |\n|$)", lines))


# Pages on which a sentence may be long, and why.
MAY_BE_LONG = {
    "privacy": "a text of law: another wording is another version, which asks every family for its consent anew",
}


def hard_to_read(pages: dict[str, str]) -> dict[str, set[str]]:
    """Sentences of a family's pages that are too long for a tired reader, by page."""
    found = {name: long_sentences(page) for name, page in pages.items() if name.split()[0] not in MAY_BE_LONG}
    return {name: sentences for name, sentences in found.items() if sentences}


def test_control_a_long_sentence_is_seen():
    most = "Сөз" + " сөз" * (LONGEST - 1)
    assert long_sentences(f"<p>Бір. {most} <b>тағы</b>. Екі.</p>") == {f"{most} тағы."}
    assert long_sentences(f"<p>{most}. Тағы <b>бір</b> сөз: {most}</p><ul><li>{most}</li></ul>") == set()
    assert long_sentences(f"<footer>{most} {most}</footer>") == set()


def test_control_a_stray_space_is_seen():
    assert stray_spaces("<p>Until <time>3 July</time>\n. Then</p>") == {"July ."}
    assert stray_spaces('<p>Until <time>3 July</time>. <span class="visually-hidden">: x</span></p>') == set()


def visit(client: Client, urls: dict[str, str]) -> dict[str, str]:
    """The pages that this visitor gets, by name; "not found" is a page too, being sent elsewhere is not."""
    pages = {}
    for name, url in urls.items():
        answer = client.get(url)
        if answer.status_code in (200, 404) and "html" in answer["Content-Type"]:
            pages[name] = answer.content.decode()
    return pages


def complaints(pages: dict[str, str], language: str) -> dict[str, set[str]]:
    """Foreign words by page; a page that does not name its language is complained about as well."""
    found = {name: foreign_words(page, language) for name, page in pages.items()}
    for name, page in pages.items():
        if f'<html lang="{language}"' not in page:
            found[name].add("<html lang>")
        found[name] |= stray_spaces(page)
    return {name: words for name, words in found.items() if words}


def city_with_an_offer() -> SimpleNamespace:
    city = build_city()
    city.applications["offered"] = with_offer(city)
    return city


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, city_with_an_offer) as scene:
        yield scene


@pytest.fixture
def city(built_city, db):
    return built_city()


def patterns(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, set[str]]]:
    """The name and the parameters of every address that is not Django admin's or the demo desk's."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else namespace
            if inner != "admin:":
                yield from patterns(entry, inner)
        elif isinstance(entry, URLPattern) and entry.name not in (None, *OF_THE_DESK):
            yield namespace + entry.name, set(entry.pattern.converters)


def addresses(city: SimpleNamespace, language: str) -> dict[str, str]:
    """Every page, by name; an application's pages once for each of its states."""
    own = {
        "bulletin:kindergarten": {"slug": city.kindergarten.slug},
        "help_question": {"slug": "benefit"},
        "children:child": {"pk": city.child.pk},
        "applications:vacancy": {"pk": city.vacancy.pk},
        "applications:choose_child": {"pk": city.vacancy.pk},
        "applications:guardian_claim": {"pk": city.claim.pk},
        "applications:guardian_claim_paper": {"pk": city.claim.pk, "paper_pk": city.claim_paper.pk},
        "applications:join_iin": {"pk": city.child.pk},
        "applications:objection": {"pk": city.objection.pk},
        "applications:complaint": {"pk": city.complaint.pk},
        "applications:complaint_of_visitor": {"pk": city.complaint.pk},
    }
    shared = {
        "vacancy_pk": city.vacancy.pk,
        "benefit_pk": city.benefit.pk,
        # No such file: the page that says so is read, too.
        "document_pk": city.benefit.pk,
        "place": city.kindergarten.locality.slug,
        "birth_year": city.child.birth_date.year,
        # A report of the statistics.
        "name": "waits",
        # A code that no referral has.
        "code": "4718-0256-93A1",
    }
    found: dict[str, str] = {}
    with translation.override(language):
        for name, parameters in patterns():
            if name in NOT_PAGES or name.endswith(("_csv", "_xlsx")):
                continue
            if "pk" not in parameters or name in own:
                known = shared | own.get(name, {})
                found[name] = reverse(name, kwargs={key: known[key] for key in parameters})
                continue
            for state, application in city.applications.items():
                known = shared | {"pk": application.pk}
                found[f"{name} {state}"] = reverse(name, kwargs={key: known[key] for key in parameters})
    return found


class Way:
    """A visitor who goes from form to form, makes a mistake in each, and keeps the pages that they saw."""

    def __init__(self, client: Client, language: str) -> None:
        self.client = client
        self.prefix = "/ru" if language == "ru" else ""
        self.pages: dict[str, str] = {}

    def step(self, path: str, **fields: str) -> None:
        """Look at a page, send nonsense, then the right answers."""
        url = f"{self.prefix}{path}"
        name = f"{len(self.pages)} {path}"
        self._keep(name, self.client.get(url))
        if fields:
            self._keep(f"{name} with a mistake", self.client.post(url, dict.fromkeys(fields, "x")))
            assert self.client.post(url, fields).status_code == 302

    def press(self, path: str, **fields: str) -> None:
        """Press a button whose answer is a page, or leads to one."""
        answer = self.client.post(f"{self.prefix}{path}", fields, follow=True)
        self._keep(f"{len(self.pages)} {path} pressed", answer)

    def _keep(self, name: str, answer) -> None:
        if answer.status_code == 200:
            self.pages[name] = answer.content.decode()


# Lists of what the portal, a gateway or a library has written down.
WRITTEN_BY_MACHINES = {
    f"admin:{model} changelist"
    for model in ("accounts_auditentry", "notifications_message", "auth_group", "bulletin_holiday")
}


def with_codes(city: SimpleNamespace) -> None:
    """Rows that hold what no employee wrote: why a message did not go, what was searched, where a day comes from."""
    now = timezone.now()
    for trouble in (*Trouble.values, "smsc: 6; mobizon: HTTP 500", "mail: 550"):
        Message.objects.create(
            phone=city.parent.phone,
            kind="coming_noted",
            language="kk",
            dedupe_key=trouble,
            state=Message.State.WITHHELD,
            next_attempt_at=now,
            give_up_at=now,
            created_at=now,
            error=trouble,
        )
    day = Holiday.objects.order_by("pk").first()
    Holiday.objects.filter(pk=day.pk).update(source=f"{LIST_SOURCE}{ESTIMATE}")
    for text in ("23-000811", "87077771432", "901231300007", "Серік", "912345678", "25-1234-5678"):
        asked = read(text)
        record(Action.SEARCHED, actor=city.official, target=asked.entered_as, now=now)
    record(FamilyAction.FOUND_FAMILY, actor=city.official, target=asked.entered_as, about=city.child, now=now)
    record(Action.SEARCHED, actor=city.official, target="applications.bid 23-000811", now=now)


def newcomer_of_a_family() -> User:
    """Somebody whose name has only letters that both languages share."""
    names = {"profile__last_name": "МАМАЕВ", "profile__first_name": "ЕРЛАН", "profile__middle_name": ""}
    return UserFactory(**names)


@pytest.mark.parametrize("language", LANGUAGES)
class TestLanguageOf:
    def test_every_page_for_visitors_and_parents(self, city, language, client_of):
        urls = addresses(city, language)
        public = visit(Client(), urls)
        # What everybody may read a family reads with another head: in a quick run each page in one language.
        mine = {name for name in urls if name not in public} | {*part_for(language, public, LANGUAGES)}
        private = visit(client_of(city.parent), {name: urls[name] for name in mine})
        assert complaints(public, language) == {}
        assert complaints(private, language) == {}
        assert hard_to_read(public) == {}
        assert hard_to_read(private) == {}
        seen = {name.split()[0] for name in public | private}
        assert {name.split()[0] for name in urls} - seen == STEPS

    def test_page_not_found(self, language):
        url = "/ru/nothing/" if language == "ru" else "/nothing/"
        pages = visit(Client(), {"nothing": url})
        assert pages
        assert complaints(pages, language) == {}

    def test_steps_of_a_visitors_complaint(self, client, language, db):
        LocalityFactory()
        way = Way(client, language)
        way.step("/complaint/", phone=PHONE)
        way.step("/complaint/code/", code=newest_code())
        way.step("/complaint/write/")
        assert complaints(way.pages, language) == {}
        assert len(way.pages) >= 3

    def test_steps_of_registration(self, client, language, db):
        way = Way(client, language)
        way.step("/register/", phone=PHONE, consent="on")
        way.step("/register/code/", code=newest_code())
        way.step("/register/password/", password=PASSWORD, repeated=PASSWORD)
        way.step("/register/account/", identity=FATHER)
        way.step("/register/account/", confirm="1")
        way.step("/cabinet/profile/")
        assert complaints(way.pages, language) == {}
        assert hard_to_read(way.pages) == {}
        assert len(way.pages) == 10
        # The page before offers children whose names have letters of Kazakh.
        way.step("/cabinet/children/add/", iin=MANUAL_CHILD_IIN)
        asks = Way(client, language)
        asks.step("/cabinet/children/add/check/")
        assert complaints(asks.pages, language) == {}
        assert len(asks.pages) == 1

    def test_steps_to_a_new_password(self, client, language, parent):
        way = Way(client, language)
        way.step("/password/reset/", phone=str(parent.phone))
        way.step("/password/reset/code/", code=newest_code(parent.phone), proof=parent.profile.iin)
        way.step("/password/reset/new/", password=PASSWORD, repeated=PASSWORD)
        way.step("/login/")
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 7

    def test_steps_of_a_sign_in_with_a_code(self, client, language, parent):
        for _ in range(5):
            client.post("/login/", {"phone": str(parent.phone), "password": "wrong"})
        way = Way(client, language)
        client.post(f"{way.prefix}/login/", {"phone": str(parent.phone), "password": "parent-pass-1"})
        way.step("/login/code/", code=newest_code(parent.phone))
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 2

    def test_steps_of_a_stop(self, client, language, parent):
        way = Way(client, language)
        way.step("/stop/", phone=str(parent.phone))
        way.step("/stop/code/", code=newest_code(parent.phone))
        way.step("/stop/choose/")
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 5

    def test_steps_of_another_number(self, client_of, language, parent):
        way, own = Way(client_of(parent), language), "/cabinet/profile/number/"
        way.step(own, phone=ANOTHER, password=OLD_PASSWORD)
        way.step(f"{own}new/", code=newest_code(ANOTHER))
        way.step(f"{own}wait/")
        way.press(f"{own}former/", resend="1")
        way.step(f"{own}former/", code=newest_code(str(parent.phone)))
        way.step(own)
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 9

    def test_steps_of_a_lost_number(self, client, language, parent):
        User.objects.update(email="parent@mail.kz")
        way, lost = Way(client, language), "/number/lost/"
        way.step(lost, phone=ANOTHER)
        way.step(f"{lost}code/", code=newest_code(ANOTHER))
        way.step(f"{lost}account/", paper="iin", identity=parent.profile.iin, way="email")
        way.step(f"{lost}proof/", code=re.search(r"\d{6}", Mail.objects.get().text)[0])
        way.step(f"{lost}done/")
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 9

    def test_steps_of_a_claim_on_a_number(self, client, language, parent):
        User.objects.update(last_login=timezone.now())
        way = Way(client, language)
        way.step("/register/", phone=str(parent.phone), consent="on")
        way.step("/register/code/", code=newest_code(parent.phone))
        way.step("/register/password/", password=PASSWORD, repeated=PASSWORD)
        way.step("/register/account/", identity=FATHER)
        way.press("/register/account/", confirm="1")
        way.step("/register/number/")
        assert NumberMove.objects.exists()
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 10

    def test_steps_of_contacts_and_an_app(self, client_of, language, parent):
        way, own = Way(client_of(parent), language), "/cabinet/profile/"
        way.step(f"{own}email/", email="parent@mail.kz", password=OLD_PASSWORD)
        way.step(f"{own}email/code/", code=re.search(r"\d{6}", Mail.objects.get().text)[0])
        way.step(f"{own}second-phone/", phone=ANOTHER, regains="on", password=OLD_PASSWORD)
        way.step(f"{own}second-phone/code/", code=newest_code(ANOTHER))
        way.step(f"{own}app/")
        now = timezone.now()
        way.press(f"{own}app/", password=OLD_PASSWORD, code=code_at(parent, now - timedelta(seconds=30)))
        way.press(f"{own}app/codes/", password=OLD_PASSWORD, code=code_at(parent, now))
        way.step(f"{own}app/")
        way.step(f"{own}app/off/")
        assert RecoveryCode.objects.exists()
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 13

    def test_steps_of_a_paper(self, client, language, parent):
        User.objects.filter(pk=parent.pk).update(phone=None, username="912345678")
        colleague, now = StaffFactory(), timezone.now()
        first = FirstSignIn.objects.create(user=parent, registered_at=now, asked_at=now)
        code = issue_code(first, actor=colleague, address=None, now=now)
        way = Way(client, language)
        way.step("/first/", login="912345678", code=code)
        way.step("/first/password/", password=PASSWORD, repeated=PASSWORD)
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 4

    def test_steps_of_a_new_policy_and_of_leaving(self, client_of, language, parent):
        way = Way(client_of(parent), language)
        PolicyConsent.objects.create(user=parent, version="2019-06-26", given_at=timezone.now())
        way.step("/cabinet/policy/")
        way.step("/cabinet/profile/close/", password=OLD_PASSWORD)
        way.press("/login/", phone=str(parent.phone), password=OLD_PASSWORD)
        way.step("/cabinet/closed/")
        assert complaints(way.pages, language) == {}
        assert len(way.pages) == 5

    @pytest.mark.parametrize("is_late", [False, True])
    def test_a_disputed_guardian(self, city, language, client_of, is_late):
        """Both sides and the official, before and after the time for the decision."""
        child, now = city.child, timezone.now()
        # A masked name may look like a word: «О» is one in Russian.
        Profile.objects.filter(user=city.parent).update(last_name="МАМАЕВ")
        raised_at = now - timedelta(days=20 * is_late)
        newcomer, latest = (
            GuardianshipFactory(child=child, verified_at=at, user=newcomer_of_a_family()).user
            for at in (raised_at, now)
        )
        prefix = "/ru" if language == "ru" else ""
        family = client_of(city.parent)
        asked = {"kind": "guardian", "key": str(latest.pk)}
        pages = {"confirm": family.post(f"{prefix}/stop/choose/", asked).content.decode()}
        (dispute,) = stop_guardian(newcomer, by=city.parent, is_tied=False, now=raised_at)
        with translation.override(language):
            application = city.applications["waiting"].get_absolute_url()
            place = reverse("applications:apply", args=[city.applications["waiting"].pk, city.vacancy.pk])
            urls = {
                "application": application,
                "child": reverse("children:child", args=[child.pk]),
                "stop": f"{prefix}/stop/choose/",
                "cabinet": reverse("applications:cabinet"),
                "journal": reverse("accounts:journal"),
                "inbox": reverse("notifications:inbox"),
            }
            work = "admin:children_dispute_work"
            official = {
                "list": reverse("admin:children_dispute_changelist"),
                "page": reverse("admin:children_dispute_change", args=[dispute.pk]),
                "stand": reverse(work, args=[dispute.pk, "stand"]),
                "end": reverse(work, args=[dispute.pk, "end"]),
                "today": reverse("admin:index"),
            }
        pages |= visit(family, urls)
        pages |= {f"newcomer's {name}": page for name, page in visit(client_of(newcomer), urls).items()}
        pages["refused"] = client_of(newcomer).post(place).content.decode()
        assert len(pages) == 2 + 2 * len(urls)
        assert complaints(pages, language) == {}
        workplace = visit(inside(city.official), official)
        assert set(workplace) == set(official)
        assert complaints(workplace, language) == {}

    @pytest.mark.parametrize(
        "name",
        [
            "accounts:login",
            "accounts:password",
            "accounts:profile",
            "applications:new",
            "bulletin:reviews",
            "children:add",
        ],
    )
    @pytest.mark.parametrize(
        "data", [{}, {"phone": "x", "email": "x", "iin": "x", "child": "x", "photo": "x"}]
    )
    def test_forms_with_mistakes(self, city, language, client_of, name, data):
        with translation.override(language):
            client = Client() if name == "accounts:login" else client_of(city.parent)
            answer = client.post(reverse(name), data)
            assert answer.status_code == 200
            assert complaints({name: answer.content.decode()}, language) == {}

    def test_every_page_of_the_workplace(self, city, language):
        """As a kindergarten's worker and as an official; each of them is refused what the other one's rights open."""
        with translation.override(language):
            urls = {
                "index": reverse("admin:index"),
                "password": reverse("admin:password_change"),
                "ready": reverse("admin:ready"),
                "messages": reverse("admin:messages"),
            }
            for model in staff_site._registry:
                name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
                urls |= {f"{name} {page}": reverse(f"{name}_{page}") for page in ("changelist", "add")}
                if row := model._default_manager.first():
                    urls |= {
                        f"{name} {page}": reverse(f"{name}_{page}", args=[row.pk])
                        for page in ("change", "history")
                    }
        with_codes(city)
        always = {"index", "password", "admin:applications_bid changelist"}
        names = sorted(urls.keys() - SENT_TEXTS - always)
        visitors = (city.worker, city.official)
        for visitor in visitors:
            mine = part_for(language, [(one, name) for one in visitors for name in names], LANGUAGES)
            seen = always | {name for one, name in mine if one is visitor}
            pages = visit(inside(visitor), {name: urls[name] for name in seen})
            assert always <= set(pages)
            assert complaints(pages, language) == {}
        # A masked name may look like a word: «О» is one in Russian.
        Profile.objects.update(last_name="МАМАЕВ")
        # What the others may not open, and where machines have written something down.
        watchers = {
            Role.AUDITOR: ("самал", ("accounts_", "notifications_")),
            Role.ADMINISTRATOR: ("марал", ("auth_", "bulletin_h")),
        }
        for role, (called, about) in watchers.items():
            watched = {
                name: urls[name] for name in names if name.startswith(tuple(f"admin:{app}" for app in about))
            }
            pages = visit(inside(employee(role, username=called)), watched)
            assert WRITTEN_BY_MACHINES & watched.keys() <= pages.keys()
            # The journal is never changed: there the names stay that it was written with.
            pages = {name: MASKED.sub("", page) for name, page in pages.items()}
            assert complaints(pages, language) == {}

    def test_a_family_as_a_call_finds_it(self, city, language):
        """A family with everything: the reason, the card, why a number moved, searches that find many and nobody."""
        client = inside(employee(Role.CONTACT_CENTRE, username="сауле"))
        number = city.applications["waiting"].number
        # An initial may look like a word: «О» is one in Russian.
        Profile.objects.filter(last_name__startswith="О").update(last_name="МАМАЕВ")
        with translation.override(language):
            card = reverse("admin:family_of_guardian", args=[city.parent.pk])
            search = reverse("admin:family_search")
        pages = {
            "why one looks": client.get(card),
            "no reason": client.post(card, {"reason": "looked_otherwise"}),
        }
        client.post(card, {"reason": "looked_on_call"})
        pages |= {"card": client.get(card, {"why": number}), "whole": client.get(card, {"all": "journal"})}
        assert "card" in pages["card"].context
        pages |= {
            text: client.post(search, {"text": text}, follow=True)
            for text in ("ОМАРОВА", "Сара Н", "№", "25-999999")
        }
        shown = {name: page.content.decode() for name, page in pages.items()}
        assert complaints(shown, language) == {}

    def test_scripts_of_the_workplace(self, city, language):
        with translation.override(language):
            answer = inside(city.worker).get(reverse("admin:jsi18n"))
        said = json.loads(
            re.search(r"const newcatalog = (\{.*?\});\n", answer.content.decode(), re.DOTALL)[1]
        )
        assert said["Choose all %s"] == {"kk": "Барлығын таңдау: %s", "ru": "Выбрать все %s"}[language]
        assert said["Today"] == {"kk": "Бүгін", "ru": "Сегодня"}[language]
