"""The help names the periods of the rules in force where the visitor looks."""

import re
from datetime import date

import pytest
import time_machine

from applications.models import Rules
from bulletin.chosen_place import PLACE_COOKIE
from tests.factories import LocalityFactory

pytestmark = pytest.mark.django_db

# The periods in the order of the page: referral, again with the stop-list, extension, archive.
PATTERNS = {
    "/help/": [
        r"жарамдылық мерзімі, жұмыс күнімен: (\d+)\.",
        r"мерзімі ішінде \(жұмыс күнімен: (\d+)\)",
        r"Тоқтатым-парақтың мерзімі, жұмыс күнімен: (\d+)\.",
        r"Ең ұзақ мерзімі, күнтізбелік күнмен: (\d+)\.",
        r"қайтаруға болатын уақыт, сағатпен: (\d+)\.",
    ],
    "/ru/help/": [
        r"Срок действия направления в рабочих днях: (\d+)\.",
        r"за время действия направления \(рабочих дней: (\d+)\)",
        r"Срок стоп-листа в рабочих днях: (\d+)\.",
        r"Самый долгий срок в календарных днях: (\d+)\.",
        r"Сколько часов его можно вернуть: (\d+)\.",
    ],
}
MANUAL = [5, 5, 10, 30, 24]

pages = pytest.mark.parametrize("path", PATTERNS)


def periods(client, path):
    page = client.get(path).content.decode()
    return [int(number) for pattern in PATTERNS[path] for number in re.findall(pattern, page)]


def rules(**fields):
    # The migrations bring the manual's values, in force for long.
    values = {"referral_working_days": 7, "stop_working_days": 12, "extension_calendar_days": 20}
    return Rules.objects.create(**({"archive_undo_hours": 48} | values | fields))


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
    assert periods(client, path) == [7, 7, 12, 20, 48]
    assert ("Кентау қ." if path == "/help/" else "г. Кентау") in client.get(path).content.decode()


@pages
def test_not_before_their_day_begins_in_the_place(client, path):
    place = LocalityFactory()
    rules(locality=place, valid_from=date(2026, 12, 1))
    with time_machine.travel("2026-11-30T23:59:59.999999+05:00", tick=False):
        assert periods(client, path) == MANUAL
    with time_machine.travel("2026-12-01T00:00:00+05:00", tick=False):
        assert periods(client, path) == [7, 7, 12, 20, 48]
