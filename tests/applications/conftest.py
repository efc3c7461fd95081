"""The summer of 2019 in Turkistan, in which the manual's family went its way."""

from contextlib import nullcontext
from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine

from applications.bidding.full_places import FullPlaces
from applications.views.cabinet import press
from bulletin.models import Holiday
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
)
from tests.shared import built_once

ZONE = ZoneInfo("Asia/Almaty")
NOW = datetime(2019, 6, 26, 16, 20, tzinfo=ZONE)


def build_calendar() -> None:
    days_off = [
        (1, 1),
        (1, 2),
        (1, 7),
        (3, 8),
        (3, 21),
        (3, 22),
        (3, 25),
        (5, 1),
        (5, 7),
        (5, 9),
        (7, 8),
        (8, 30),
    ]
    Holiday.objects.bulk_create(
        Holiday(date=date(2019, month, day), name_kk="Мереке", name_ru="Праздник") for month, day in days_off
    )
    Holiday.objects.create(date=date(2020, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")


def build_scene() -> SimpleNamespace:
    locality = LocalityFactory()
    group = GroupFactory(
        name="Солнце", language="ru", capacity=25, kindergarten=KindergartenFactory(locality=locality)
    )
    vacancy = VacancyFactory(
        group=group, birth_years=[2017], seats_total=2, opens_at=datetime(2019, 6, 26, 9, 0, tzinfo=ZONE)
    )
    application = ApplicationFactory(
        locality=locality,
        child__birth_date=date(2017, 7, 20),
        languages=["kk", "ru"],
        filed_at=datetime(2019, 6, 1, 12, 0, tzinfo=ZONE),
    )
    return SimpleNamespace(
        now=NOW,
        locality=locality,
        group=group,
        vacancy=vacancy,
        application=application,
        parent=application.filed_by,
        staff=StaffFactory(),
    )


@pytest.fixture(scope="module")
def scene_once(request, django_db_setup, django_db_blocker):
    """One scene for all tests of a module, which names it in `usefixtures` and has no transactions of its own.

    Each finds it as if it had been made for that test alone, by the clock that the module names beside it.
    """
    stopped = any("clock" in mark.args for mark in request.node.iter_markers("usefixtures"))

    def build() -> SimpleNamespace:
        with time_machine.travel(NOW.astimezone(UTC), tick=False) if stopped else nullcontext():
            build_calendar()
            return build_scene()

    with built_once(django_db_blocker, build) as scene:
        yield scene


@pytest.fixture
def calendar_2019(request, db):
    if "scene_once" not in request.fixturenames:
        build_calendar()


@pytest.fixture
def scene(request, calendar_2019, monkeypatch):
    """A family that waits, a place that fits, and the employee who answers for it."""
    if "scene_once" not in request.fixturenames:
        return build_scene()
    # The place is the same in each test, and in none of them has it been full.
    monkeypatch.setattr(press, "_full_places", FullPlaces())
    return request.getfixturevalue("scene_once")()
