"""The help names the periods of the rules in force where the visitor looks."""

import re
from datetime import date, time

import pytest
import time_machine
from django.utils.timezone import localtime

from applications.models import Correction, Extension, Rules
from bulletin.chosen_place import PLACE_COOKIE
from notifications.hours import Hours
from tests.factories import LocalityFactory

pytestmark = pytest.mark.django_db

# The periods: referral, stop-list, extension, archive, the grace of a lapsed application.
PATTERNS = {
    "/help/": [
        r"Жолдама (\d+) жұмыс күніне жарамды",
        r"(\d+) жұмыс күніне тоқтатым-параққа",
        r"Жолдаманы (\d+) күнтізбелік күнге дейін, тек бір рет",
        r"Өтінішті (\d+) сағат ішінде",
        r"оны (\d+) күнтізбелік күн ішінде",
    ],
    "/ru/help/": [
        r"Направление действует (\d+) рабочи",
        r"в стоп-лист на (\d+) рабочи",
        r"продлить только один раз, не более чем на (\d+) календарн",
        r"в течение (\d+) час",
        r"с прежней датой в течение (\d+) календарн",
    ],
}
MANUAL = [5, 10, 30, 24, 90]
OTHER = [7, 12, 21, 48, 45]
LAST_DAYS = {
    "/help/": "Растаудың соңғы күні, әр жылы: {}.",
    "/ru/help/": "Последний день подтверждения каждый год: {}.",
}

pages = pytest.mark.parametrize("path", PATTERNS)


def periods(client, path):
    page = client.get(path).content.decode()
    return [int(number) for pattern in PATTERNS[path] for number in re.findall(pattern, page)]


def rules(**fields):
    # The migrations bring the manual's values, in force for long.
    values = {
        "referral_working_days": 7,
        "stop_working_days": 12,
        "extension_calendar_days": 21,
        "archive_undo_hours": 48,
        "interest_grace_days": 45,
        "interest_month": 9,
        "interest_day": 15,
    }
    return Rules.objects.create(**(values | fields))


@pages
def test_the_manuals_values_where_nothing_else_was_decided(client, path):
    Rules.objects.all().delete()
    assert periods(client, path) == MANUAL
    LocalityFactory()
    assert periods(client, path) == MANUAL


@pages
def test_the_chosen_place_decides(client, path):
    LocalityFactory()
    kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=9)
    rules(locality=kentau, valid_from=date(2020, 1, 1))
    assert periods(client, path) == MANUAL
    client.cookies[PLACE_COOKIE] = "kentau"
    assert periods(client, path) == OTHER
    assert ("Кентау қ." if path == "/help/" else "г. Кентау") in client.get(path).content.decode()


@pages
def test_not_before_their_day_begins_in_the_place(client, path):
    place = LocalityFactory()
    rules(locality=place, valid_from=date(2026, 12, 1))
    with time_machine.travel("2026-11-30T23:59:59.999999+05:00", tick=False):
        assert periods(client, path) == MANUAL
    with time_machine.travel("2026-12-01T00:00:00+05:00", tick=False):
        assert periods(client, path) == OTHER


@pages
def test_no_figure_is_typed_in(client, path, monkeypatch):
    """Whatever the rules say, the page says: the only figures that stay are the steps' own and terms of the law."""
    years = {"youngest_age": 1, "oldest_age": 6}
    rules(valid_from=date(2020, 1, 1), interest_month=11, interest_day=3, general_per_priority=8, **years)
    born = [str(localtime().year - age) for age in (6, 1)]
    monkeypatch.setattr("balabaqsha.views.DECISION_WORKING_DAYS", 6)
    monkeypatch.setattr("balabaqsha.views.SHORTEST", 9)
    monkeypatch.setattr("balabaqsha.views.LONGEST", 44)
    monkeypatch.setattr("balabaqsha.views.DAYTIME", Hours(time(6, 15), time(23, 40)))
    page = client.get(path).content.decode()
    prose = re.sub(r"<[^>]*>", " ", page[page.index('class="prose"') : page.index("<footer")])
    assert sorted(re.findall(r"\d+", prose)) == sorted(
        ["9", "44", *map(str, OTHER), "03", "11", "6", "8", "6", "15", "23", "40", *born]
    )
    assert LAST_DAYS[path].format("03.11") in prose


def test_russian_nouns_follow_the_figures(client):
    rules(
        valid_from=date(2020, 1, 1), referral_working_days=1, stop_working_days=2, extension_calendar_days=31,
        archive_undo_hours=1, interest_grace_days=21,
    )  # fmt: skip
    page = client.get("/ru/help/").content.decode()
    for words in (
        "действует 1 рабочий день,",
        "в стоп-лист на 2 рабочих дня.",
        "не более чем на 31 календарный день.",
        "в течение 1 часа.",
        "в течение 21 календарного дня.",
    ):
        assert words in page


@pages
def test_once_and_not_alone_are_said_because_the_database_refuses_otherwise(client, path):
    page = client.get(path).content.decode()
    assert Extension._meta.get_field("referral").one_to_one
    assert {"/help/": "тек бір рет", "/ru/help/": "только один раз"}[path] in page
    assert "correction_four_eyes" in {constraint.name for constraint in Correction._meta.constraints}
    assert {"/help/": "жалғыз өзі өзгерте алмайды", "/ru/help/": "изменить время подачи в одиночку"}[
        path
    ] in page


@pages
def test_how_the_parts_of_the_queue_take_turns_goes_by_the_chosen_place(client, path):
    kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
    rules(locality=kentau, valid_from=date(2020, 1, 1), general_per_priority=7)
    client.cookies[PLACE_COOKIE] = "kentau"
    words = {
        "/help/": "жалпы кезектен тұратын өтініш саны: 7",
        "/ru/help/": "после каждого первоочередного: 7",
    }
    assert words[path] in client.get(path).content.decode()
