"""The cities of the benchmarks are written by SQL: each must fit the tables as they are now."""

from pathlib import Path

import pytest
from django.db import connection

from accounts.models import AuditEntry
from applications.alerts.waves import tell_of_places
from applications.models import Alert, Application, Referral
from benchmarks import alerts, queue_position, rush, soak, workplace
from bulletin.models import Vacancy
from children.models import Child
from notifications.clock import read_clock
from tests.factories import LocalityFactory, UserFactory

pytestmark = pytest.mark.django_db

FAMILIES, VACANCIES = 30, 20


@pytest.fixture
def city():
    seed = Path(rush.__file__).with_name("rush_seed.sql").read_text()
    with connection.cursor() as cursor:
        cursor.execute(seed.format(parents=FAMILIES, vacancies=VACANCIES, password=rush.STAMP_OF))


def test_the_city_of_the_opening(city):
    assert Application.objects.count() == FAMILIES
    assert Vacancy.objects.count() > VACANCIES
    with connection.cursor() as cursor:
        cursor.execute(rush.RESET.format(parents=FAMILIES))
        for question in rush.BROKEN.values():
            cursor.execute(question)
            assert cursor.fetchone()[0] == 0


def test_the_second_children_of_the_soak(city):
    with connection.cursor() as cursor:
        cursor.execute(soak.MORE_CHILDREN.format(families=FAMILIES))
        for question in (*soak.ACCEPTED.values(), *soak.ROW_OF.values()):
            cursor.execute(question.format(n=1, phone="+77010000001"))
    assert Child.objects.filter(guardianships__isnull=False).count() == 2 * FAMILIES


def test_the_city_of_the_queue():
    locality, parent = LocalityFactory(), UserFactory()
    known = {
        "rows": FAMILIES,
        "real": FAMILIES,
        "real_year": queue_position.REAL_YEAR,
        "big": 0,
        "big_year": queue_position.BIG_YEAR,
        "first": locality.pk,
        "localities": 1,
        "year": queue_position.YEARS[0],
        "years": len(queue_position.YEARS),
        "parent": parent.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(queue_position.SEED, known)
    assert Application.objects.filter(locality=locality).count() == FAMILIES


def test_the_city_of_the_employees():
    with connection.cursor() as cursor:
        cursor.execute(workplace.SEED.read_text().format(kindergartens=1))
    assert (Vacancy.objects.count(), Application.objects.count()) == (10, 100)
    assert Referral.objects.count() == 20
    assert AuditEntry.objects.count() == 1000


def test_the_families_that_asked_for_places():
    with connection.cursor() as cursor:
        cursor.execute(alerts.SEED.format(rows=FAMILIES, places=VACANCIES, kindergartens=10, chosen=5))
    assert (Alert.objects.count(), Vacancy.objects.count()) == (FAMILIES, VACANCIES)
    assert tell_of_places(now=read_clock()) == FAMILIES
