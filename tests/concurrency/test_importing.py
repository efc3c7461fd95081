"""Two imports at once, an import that is killed, and what would happen without the lock."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import DataError, connection, transaction
from django.utils import timezone

from applications.city.vacancies import Vacancies
from bulletin.importing import running
from bulletin.importing.kindergartens import Kindergartens
from bulletin.importing.problems import Problem
from bulletin.importing.running import AnotherAtWork, demand_alone, run_import
from bulletin.models import ImportBatch, Kindergarten, Vacancy
from tests.factories import KindergartenFactory, LocalityFactory, VacancyFactory
from tests.patience import PATIENCE, until

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

HEADING = "slug;name_kk;name_ru;locality;ownership;type;address_kk;address_ru"


def rows(count):
    return [f"k-{number};А;А;turkistan;state;nursery;Абай;Абая" for number in range(count)]


def data(*lines):
    return "\r\n".join((HEADING, *lines)).encode()


def load(lines):
    return run_import(Kindergartens(), BytesIO(data(*lines)), file_name="x.csv", now=timezone.now())


@pytest.fixture
def command(tmp_path):
    """An import of so many rows in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(count):
        file = tmp_path / f"{len(started)}.csv"
        file.write_bytes(data(*rows(count)))
        database = connection.settings_dict
        code = f"""if True:
            import django
            django.setup()
            from django.db import connection, transaction
            connection.settings_dict["NAME"] = {database["NAME"]!r}
            from django.core.management import CommandError, call_command
            try:
                call_command("import_kindergartens", {str(file)!r})
            except CommandError as error:
                print(error)
                raise SystemExit(error.returncode)
        """
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(settings.BASE_DIR),
            env={**os.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def other():
    with psycopg2.connect(**connection.get_connection_params()) as link:
        yield link
    link.close()


def hold(link, statement, *values):
    with link.cursor() as cursor:
        cursor.execute(statement, values)


def test_of_two_at_once_one_says_since_when_the_other_is_at_work(command, other):
    LocalityFactory.create()
    hold(other, "SELECT pg_advisory_xact_lock(%s)", running.LOCK)
    said, _ = (process := command(1)).communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "another import is at work since" in said
    assert not Kindergarten.objects.exists()
    other.rollback()
    said, _ = (process := command(1)).communicate(timeout=PATIENCE)
    assert (process.returncode, "Added 1" in said) == (0, True)


def test_without_the_lock_two_run_into_each_other(monkeypatch, other):
    """The control: whoever comes second waits for the first one's rows, and is refused only by the database."""
    monkeypatch.setattr(running, "demand_alone", lambda: None)
    locality = LocalityFactory.create()
    hold(
        other,
        "INSERT INTO bulletin_kindergarten (slug, name_kk, name_ru, locality_id, ownership, type, address_kk,"
        " address_ru, phone, head, sort_key, search_text)"
        " VALUES ('k-0', 'a', 'a', %s, 'state', 'nursery', 'a', 'a', '', '', '', '')",
        locality.pk,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", ["300ms"])
    try:
        with pytest.raises(running.Disturbed):
            load(rows(1))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', '0', false)")
        other.rollback()


def test_a_row_that_somebody_holds_is_said_and_loads_nothing(monkeypatch, other):
    monkeypatch.setattr(running, "_PATIENCE", "200ms")
    KindergartenFactory.create(slug="k-0")
    hold(other, "SELECT 1 FROM bulletin_kindergarten WHERE slug = 'k-0' FOR UPDATE")
    with pytest.raises(running.Disturbed):
        load(rows(2))
    other.rollback()
    assert Kindergarten.objects.count() == 1
    assert load(rows(2)).state == running.State.LOADED


def test_a_fault_of_ours_is_no_collision(monkeypatch):
    """Who reads "try again" tries for ever, and nobody learns of it."""
    LocalityFactory.create()
    column = next(one for one in Kindergartens.columns if one.name == "name_kk")
    monkeypatch.setattr(type(column.takes), "read", lambda _takes, text: text * 201 if text == "А" else text)
    with pytest.raises(DataError):
        load(rows(1))


def test_nobody_who_presses_waits_for_a_file(monkeypatch, other):
    """The vacancy is in the bulletin: somebody holds it, and the file goes on."""
    monkeypatch.setattr(running, "_PATIENCE", "200ms")
    opens_at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    vacancy = VacancyFactory.create(
        group__kindergarten__slug="amina", group__name="A", opens_at=opens_at, state=Vacancy.State.PUBLISHED
    )
    hold(other, "SELECT 1 FROM bulletin_vacancy WHERE id = %s FOR UPDATE", vacancy.pk)
    zone = vacancy.locality.zone
    row = (
        f"amina;A;{', '.join(map(str, vacancy.birth_years))};{vacancy.seats_total};"
        f"{opens_at.astimezone(zone):%d.%m.%Y %H:%M};x"
    )
    heading = "kindergarten;group;birth_years;seats_total;opens_at;responsible"
    report = run_import(
        Vacancies(),
        BytesIO(f"{heading}\n{row}".encode()),
        file_name="x.csv",
        now=timezone.now(),
        dry_run=True,
    )
    other.rollback()
    assert (report.counts["left_out"], report.faults[0].problem) == (1, Problem.IN_USE)


def test_whoever_is_killed_has_loaded_nothing(command, other):
    """It is stopped at a row that somebody holds, with others written before it."""
    KindergartenFactory.create(slug="k-1500")
    hold(other, "SELECT 1 FROM bulletin_kindergarten WHERE slug = 'k-1500' FOR UPDATE")
    process = command(1_600)

    def waits_for_the_row():
        assert process.poll() is None, process.communicate()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return cursor.fetchone()[0]

    until(waits_for_the_row)
    process.send_signal(signal.SIGKILL)
    process.wait()
    other.rollback()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [running.LOCK])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [running.LOCK])
    assert (Kindergarten.objects.count(), ImportBatch.objects.count()) == (1, 0)
    assert load(rows(1_600)).counts["added"] == 1_599


def test_an_undo_waits_for_no_import(other):
    hold(other, "SELECT pg_advisory_xact_lock(%s)", running.LOCK)
    with pytest.raises(AnotherAtWork) as refused, transaction.atomic():
        demand_alone()
    assert refused.value.since is not None
    other.rollback()
