"""Every address as every visitor: who gets in, who is sent to sign in, who is told that there is nothing."""

import re
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from accounts.models import Profile, User
from applications.states import ApplicationState
from children.models import Child
from notifications.models import Notice
from tests.city import build_city
from tests.factories import (
    KindergartenFactory,
    UserFactory,
)
from tests.shared import built_once
from tests.staff import inside, worker_of
from tests.thorough import THOROUGH, part_for
from tests.told_to_browsers import told_wrongly

pytestmark = pytest.mark.django_db

LANGUAGES = ("kk", "ru")
VISITORS = ("anonymous", "parent", "stranger", "worker", "outsider")
LOGIN = "to sign in"
AWAY = "elsewhere"

EVERYONE = (200, 200, 200, 200, 200)
GUESTS = (200, AWAY, AWAY, AWAY, AWAY)
STEPS = (AWAY, AWAY, AWAY, AWAY, AWAY)
SIGNED_IN = (LOGIN, 200, 200, 200, 200)
PARENTS = (LOGIN, 200, 200, 403, 403)
FAMILY = (LOGIN, 200, 404, 403, 403)
FAMILY_AWAY = (LOGIN, AWAY, 404, 403, 403)
# Who opens the address of a button is led to its page.
BUTTON = (AWAY, AWAY, AWAY, AWAY, AWAY)
STATES = tuple(ApplicationState)

# What a GET answers to each of the visitors; after the name stand the objects in the address.
TABLE = {
    "home": EVERYONE,
    "place": BUTTON,
    "statistics": EVERYONE,
    "help": EVERYONE,
    "help_question": EVERYONE,
    "glossary": EVERYONE,
    "contacts": EVERYONE,
    "privacy": EVERYONE,
    "accessibility": EVERYONE,
    "clock": EVERYONE,
    "robots": EVERYONE,
    "service_worker": EVERYONE,
    "manifest": EVERYONE,
    "offline": EVERYONE,
    "sitemap": EVERYONE,
    # There are no tiles by default; tests/bulletin/test_tiles.py has some.
    "map_tile kindergarten kindergarten kindergarten": (404, 404, 404, 404, 404),
    "api": EVERYONE,
    "api_rows": EVERYONE,
    "api_csv": EVERYONE,
    "open_data": EVERYONE,
    "status": EVERYONE,
    "health": EVERYONE,
    "alive": EVERYONE,
    "ready": EVERYONE,
    # Without a token there is none.
    "metrics": (404, 404, 404, 404, 404),
    # Gateways call them: by POST, and with a signature.
    "mobizon_report": (405, 405, 405, 405, 405),
    "kannel_report": (404, 404, 404, 404, 404),
    "demo": EVERYONE,
    "styleguide": EVERYONE,
    "styleguide_error": EVERYONE,
    "demo_json": EVERYONE,
    "demo_former_csv": EVERYONE,
    "demo_former_xlsx": EVERYONE,
    "demo_enter": BUTTON,
    "demo_limits": BUTTON,
    # Without what its caller says there is nobody to lead back.
    "demo_identity": STEPS,
    "accounts:register": GUESTS,
    "accounts:register_code": STEPS,
    "accounts:register_password": STEPS,
    "accounts:register_account": STEPS,
    "accounts:register_claimed": STEPS,
    "accounts:login": GUESTS,
    "accounts:login_code": STEPS,
    "accounts:identity": STEPS,
    "accounts:identity_back": STEPS,
    "accounts:logout": STEPS,
    "accounts:reset": GUESTS,
    "accounts:reset_code": STEPS,
    "accounts:reset_new": STEPS,
    "accounts:first_sign_in": GUESTS,
    "accounts:first_password": STEPS,
    "accounts:lost_number": GUESTS,
    "accounts:lost_number_code": STEPS,
    "accounts:lost_number_account": STEPS,
    "accounts:lost_number_proof": STEPS,
    "accounts:lost_number_done": STEPS,
    "accounts:stop": GUESTS,
    "accounts:stop_code": STEPS,
    "accounts:stop_choose": (AWAY, 200, 200, 200, 200),
    "accounts:policy": (LOGIN, AWAY, AWAY, AWAY, AWAY),
    "accounts:profile": PARENTS,
    "accounts:photo": (LOGIN, 404, 404, 403, 403),
    "accounts:language": BUTTON,
    "accounts:password": PARENTS,
    "accounts:document": PARENTS,
    "accounts:export": PARENTS,
    "accounts:export_file": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:number": PARENTS,
    "accounts:number_new": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:number_former": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:number_wait": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:number_stop": BUTTON,
    "accounts:number_confirm": PARENTS,
    "accounts:leave": PARENTS,
    "accounts:come_back": (LOGIN, AWAY, AWAY, AWAY, AWAY),
    "accounts:email": PARENTS,
    "accounts:email_code": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:second_phone": PARENTS,
    "accounts:second_phone_code": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:ways": PARENTS,
    "accounts:test_message": BUTTON,
    "accounts:topics": PARENTS,
    "accounts:telegram": (LOGIN, 404, 404, 403, 403),
    "accounts:telegram_off": BUTTON,
    # Without the portal's key there is no such way; tests/notifications/test_push.py has the page.
    "accounts:push": (LOGIN, 404, 404, 403, 403),
    "accounts:push_on": BUTTON,
    "accounts:push_off": BUTTON,
    "accounts:journal": PARENTS,
    "accounts:app": PARENTS,
    "accounts:recovery_codes": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:app_off": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:app_off_by_sms": (LOGIN, AWAY, AWAY, 403, 403),
    "accounts:sessions": PARENTS,
    "accounts:end_session": BUTTON,
    "accounts:go_on": EVERYONE,
    "notifications:inbox": SIGNED_IN,
    "notifications:read_all": BUTTON,
    "notifications:archive": SIGNED_IN,
    "notifications:put_away": BUTTON,
    "notifications:put_back": BUTTON,
    "notifications:open notice": (LOGIN, AWAY, 404, 404, 404),
    "children:list": PARENTS,
    "children:add": PARENTS,
    "children:confirm": (LOGIN, AWAY, AWAY, 403, 403),
    "children:child child": FAMILY,
    "bulletin:kindergartens": EVERYONE,
    "bulletin:kindergarten": EVERYONE,
    "bulletin:map": EVERYONE,
    # No photo has such a key; tests/bulletin/test_profiles.py has the ones that are shown.
    "bulletin:photo vacancy": (404, 404, 404, 404, 404),
    "bulletin:photo_small vacancy": (404, 404, 404, 404, 404),
    "bulletin:favourites": EVERYONE,
    "bulletin:compare": EVERYONE,
    "bulletin:change_shortlist": BUTTON,
    "bulletin:near": BUTTON,
    "bulletin:reviews": EVERYONE,
    "applications:cabinet": PARENTS,
    "applications:list": PARENTS,
    "applications:calendar": PARENTS,
    "applications:calendar_file referred": FAMILY,
    "applications:make_calendar": BUTTON,
    "applications:take_calendar_away": BUTTON,
    # Without the secret of an address there is no calendar.
    "applications:subscribed_calendar": (404, 404, 404, 404, 404),
    "applications:archive": PARENTS,
    # Who has no child yet is led to adding one.
    "applications:new": (LOGIN, 200, AWAY, 403, 403),
    **{f"applications:application {state}": FAMILY for state in STATES},
    **{f"applications:why {state}": FAMILY for state in STATES},
    "applications:delete waiting": FAMILY,
    "applications:delete bid_placed": FAMILY,
    "applications:delete archived": FAMILY_AWAY,
    "applications:restore archived": BUTTON,
    "applications:interest waiting": BUTTON,
    "applications:apply waiting vacancy": FAMILY,
    "applications:apply bid_placed vacancy": FAMILY_AWAY,
    "applications:withdraw bid_placed": FAMILY,
    "applications:withdraw waiting": FAMILY_AWAY,
    # Nothing is offered; tests/applications/views/test_offers.py has the pages.
    "applications:accept_offer waiting": FAMILY_AWAY,
    "applications:decline_offer waiting": FAMILY_AWAY,
    "applications:referral_pdf referred": (LOGIN, 202, 404, 403, 403),
    "applications:referral_pdf waiting": (LOGIN, 404, 404, 403, 403),
    "applications:extend referred": FAMILY,
    "applications:extend waiting": (LOGIN, 404, 404, 403, 403),
    # Nobody sent a document of that key; the proof of the benefit its guardian sent.
    "applications:sent_document waiting benefit": (LOGIN, 404, 404, 403, 403),
    "applications:sent_proof waiting benefit": FAMILY,
    "applications:claim_benefit waiting": FAMILY,
    "applications:withdraw_benefit waiting benefit": FAMILY,
    "applications:new_guardian_claim": PARENTS,
    "applications:guardian_claim claim": FAMILY,
    "applications:guardian_claim_paper claim claim_paper": FAMILY,
    "applications:complaints": PARENTS,
    "applications:new_complaint": PARENTS,
    "applications:complaint complaint": FAMILY,
    # Families write in the cabinet.
    "applications:complain": (200, AWAY, AWAY, 200, 200),
    "applications:complain_code": STEPS,
    "applications:complain_write": STEPS,
    "applications:complaint_of_visitor complaint": STEPS,
    "applications:objections": PARENTS,
    "applications:objection objection": FAMILY,
    # Nothing of the former queue waits; tests/applications/waiting/test_claiming.py has the page.
    "applications:claim_former child": FAMILY_AWAY,
    # It has an IIN.
    "applications:join_iin child": FAMILY_AWAY,
    "applications:languages waiting": FAMILY,
    "applications:alerts": PARENTS,
    "applications:alert waiting": FAMILY,
    "applications:alert archived": FAMILY_AWAY,
    "applications:switch_alert waiting": BUTTON,
    "applications:move waiting": FAMILY,
    "applications:bulletin": EVERYONE,
    "applications:bulletin_csv": EVERYONE,
    "applications:bulletin_atom": EVERYONE,
    "applications:vacancy vacancy": EVERYONE,
    "applications:choose_child vacancy": (LOGIN, 200, AWAY, 403, 403),
    "applications:queue": EVERYONE,
    "applications:queue_csv": EVERYONE,
    "applications:statistics_table": EVERYONE,
    "applications:statistics_csv": EVERYONE,
    "applications:statistics_xlsx": EVERYONE,
    "applications:queue_check": EVERYONE,
    "applications:queue_check_former": EVERYONE,
    "applications:forecast": EVERYONE,
    "applications:what_if": EVERYONE,
    "applications:order": EVERYONE,
    "applications:order_csv": EVERYONE,
    "applications:former_queue": EVERYONE,
    "applications:corrections": EVERYONE,
    "applications:corrections_csv": EVERYONE,
    "applications:referrals": EVERYONE,
    "applications:check_referral": EVERYONE,
    "applications:checked_referral": EVERYONE,
}


def addresses(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named address of the portal with its pattern; those of the workplace begin with `admin:`."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry, f"{entry.namespace}:" if entry.namespace else namespace)
        elif entry.name:
            yield namespace + entry.name, entry


def city_with_a_notice() -> SimpleNamespace:
    city = build_city()
    city.notice = Notice.objects.filter(recipient=city.parent).first()
    return city


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, city_with_a_notice) as scene:
        yield scene


@pytest.fixture
def city(built_city, db):
    return built_city()


@pytest.fixture
def visitors(city, client_of):
    elsewhere = KindergartenFactory(locality=city.kindergarten.locality)
    return dict(
        zip(
            VISITORS,
            (
                Client(),
                client_of(city.parent),
                client_of(UserFactory()),
                inside(city.worker),
                inside(worker_of(elsewhere)),
            ),
            strict=True,
        )
    )


def walked() -> Iterator[tuple[str, str]]:
    """Who asks for what; in a quick run, what both kindergartens' employees are answered alike, one of the two asks."""
    for place, visitor in enumerate(VISITORS):
        for number, (row, expected) in enumerate(TABLE.items()):
            if THOROUGH or place < 3 or expected[3] != expected[4] or place == 3 + number % 2:
                yield visitor, row


Answers = dict[tuple[str, str], Any]


def asked(language: str, city, visitors, *, of_whom: Collection[str] = VISITORS) -> Answers:
    """What each address answers to each visitor in a language; every one of both is asked in one language at least."""
    with translation.override(language):
        urls = {row: url_of(row, city) for row in TABLE}
    return {
        (visitor, row): visitors[visitor].get(urls[row], headers={"accept-language": language})
        for visitor, row in part_for(language, walked(), LANGUAGES)
        if visitor in of_whom
    }


@pytest.fixture(scope="module")
def kept() -> dict[str, Answers]:
    return {}


@pytest.fixture
def answers(kept, city, visitors) -> Callable[[str], Answers]:
    """The same, asked once and judged by several tests."""

    def of(language: str) -> Answers:
        if language not in kept:
            kept[language] = asked(language, city, visitors)
        return kept[language]

    return of


def url_of(row: str, city) -> str:
    """The address of a row of the table, in the active language."""
    name, *parts = row.split()
    if name == "bulletin:kindergarten":
        return reverse(name, args=[city.kindergarten.slug])
    if name == "styleguide_error":
        return reverse(name, args=["404"])
    if name == "help_question":
        return reverse(name, args=["benefit"])
    if name in ("api_rows", "api_csv"):
        return reverse(name, args=["bulletin"])
    if name == "applications:checked_referral":
        return reverse(name, args=["7K2M-9QXA-41TD"])
    if name.startswith("applications:statistics_"):
        return reverse(name, args=["queue"])
    if name in ("applications:order", "applications:order_csv"):
        return reverse(name, args=[city.kindergarten.locality.slug, city.child.birth_date.year])
    if name == "applications:calendar_file":
        referral = city.applications["referred"].referrals.get()
        return reverse(name, args=[referral.application_id, "referral", referral.pk])
    return reverse(name, args=[(city.applications.get(part) or getattr(city, part)).pk for part in parts])


def outcome(answer) -> int | str:
    if answer.status_code != 302:
        return int(answer.status_code)
    return LOGIN if "/login/?next=/" in answer.url else AWAY


def spoken(row: str, language: str) -> str:
    """In which language an address answers: that of a picture names none."""
    return "kk" if row.startswith("map_tile") else language


# It knows no visitor, and is asked for again and again (`balabaqsha.installable`).
KEPT_FOR_EVERYBODY = {"service_worker"}


def faults(page, *, language: str, signed_in: bool) -> list[str]:
    """What is wrong with a page that was shown."""
    found = []
    if signed_in and "no-store" not in page.headers.get("Cache-Control", ""):
        found.append("may be stored by a cache")
    if not page.headers["Content-Type"].startswith("text/html"):
        return found
    content = page.content.decode()
    if len(re.findall(r"<h1[\s>]", content)) != 1:
        found.append("not one <h1>")
    if any(
        "csrfmiddlewaretoken" not in form
        for form in re.findall(r'<form method="post".*?</form>', content, re.DOTALL)
    ):
        found.append("a form without its token")
    if f'<html lang="{language}"' not in content:
        found.append("<html lang>")
    return found


def test_the_table_names_every_address():
    named = {name for name, _pattern in addresses() if not name.startswith("admin:")}
    assert named == {row.split()[0] for row in TABLE}


# Of who holds a one-time link, and is signed in nowhere yet; of everybody else there is nothing.
OF_LINKS = {"admin:set_up"}

# A former queue of invented families, whose names may be those of others.
MADE_UP = {"demo_former_csv", "demo_former_xlsx"}


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryAddress:
    def test_as_every_visitor(self, language, answers):
        got, expected, wrong = {}, {}, {}
        for (visitor, row), answer in answers(language).items():
            got[visitor, row], expected[visitor, row] = outcome(answer), TABLE[row][VISITORS.index(visitor)]
            shown = answer.status_code in (200, 202, 403, 404)
            if shown and (
                found := faults(
                    answer,
                    language=spoken(row, language),
                    signed_in=visitor != "anonymous" and row not in KEPT_FOR_EVERYBODY,
                )
            ):
                wrong[visitor, row] = found
        different = {key: (got[key], expected[key]) for key in got if got[key] != expected[key]}
        assert different == {}
        assert wrong == {}

    def test_each_tells_the_browser_what_it_is_and_what_it_may_do(self, language, answers):
        faults = {
            (visitor, row): found
            for (visitor, row), answer in answers(language).items()
            if (found := told_wrongly(answer, visitor, row))
        }
        assert faults == {}

    def test_nobody_reads_of_another_family(self, language, city, answers):
        """No IIN, no phone of a parent and no name of a child on any page of a visitor who is not of the family."""
        phones = [
            str(phone)[2:] for phone in User.objects.exclude(phone=None).values_list("phone", flat=True)
        ]
        iins = [*Profile.objects.values_list("iin", flat=True), *Child.objects.values_list("iin", flat=True)]
        secrets = [secret for secret in (*phones, *iins, city.parent.profile.last_name, "САРА") if secret]
        assert len(secrets) > 10
        for (visitor, row), answer in answers(language).items():
            if visitor in ("anonymous", "outsider") and row not in MADE_UP:
                content = answer.getvalue() if answer.streaming else answer.content
                said = re.sub(r"(?<=\d)[\s()-]+(?=\d)", "", content.decode(errors="replace"))
                assert [secret for secret in secrets if secret in said] == [], (visitor, row)

    def test_the_workplace_lets_nobody_in_without_being_employed(self, language, city, visitors):
        for name, pattern in part_for(language, addresses(), LANGUAGES):
            if not name.startswith("admin:") or name in ("admin:login", "admin:logout"):
                continue
            given = dict.fromkeys(pattern.pattern.regex.groupindex, "1") | {
                key: city.vacancy.pk if "uuid" in str(converter).lower() else 1
                for key, converter in pattern.pattern.converters.items()
            }
            if name == "admin:app_list":
                given = {"app_label": "bulletin"}
            with translation.override(language):
                url = reverse(name, kwargs=given)
            for visitor in ("anonymous", "parent"):
                answer = visitors[visitor].get(url)
                if name in OF_LINKS:
                    assert answer.status_code == 404, (visitor, name)
                    continue
                assert answer.status_code == 302, (visitor, name)
                assert "/admin/login/" in answer.url, (visitor, name)
