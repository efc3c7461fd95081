"""The summer of 2019 in Turkistan, in which the manual's family went its way."""

from datetime import date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from bulletin.models import Holiday
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
)

ZONE = ZoneInfo("Asia/Almaty")
NOW = datetime(2019, 6, 26, 16, 20, tzinfo=ZONE)


@pytest.fixture
def calendar_2019(db):
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


@pytest.fixture
def scene(calendar_2019):
    """A family that waits, a place that fits, and the employee who answers for it."""
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
