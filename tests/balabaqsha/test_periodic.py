"""What the beat sends: one run at a time, none that is old, whatever the machines' clocks show."""

from datetime import timedelta

import pytest
from celery import states
from django.db import connection

from balabaqsha.celery import app
from balabaqsha.periodic import SENT_AT, Task
from balabaqsha.schedule import SCHEDULE, expires_after
from notifications.clock import read_clock

pytestmark = pytest.mark.django_db(transaction=True)

FREQUENT, NIGHTLY = "applications.tasks.tell_placed_bids", "applications.tasks.check_invariants"
SECOND = timedelta(seconds=1)
ENTRIES = sorted(SCHEDULE)


@pytest.fixture(autouse=True)
def _by_the_database(settings):
    settings.DATABASE_CLOCK = True


@pytest.fixture
def runs(monkeypatch):
    """The names of the tasks that ran."""
    ran = []
    app.loader.import_default_modules()
    for name in (FREQUENT, NIGHTLY):
        monkeypatch.setattr(app.tasks[name], "run", lambda name=name: ran.append(name))
    return ran


def send(name, *, age):
    headers = {SENT_AT: (read_clock() - age).isoformat()}
    return app.tasks[name].apply(headers=headers).state


@pytest.fixture
def elsewhere():
    """Another worker is at a task."""
    other = connection.copy()

    def begin(name):
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"sweep {name}"])

    yield begin
    other.close()


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_is_such_a_task_and_expires(entry):
    app.loader.import_default_modules()
    task = SCHEDULE[entry]["task"]
    assert isinstance(app.tasks[task], Task)
    lives = expires_after(task)
    assert lives
    assert timedelta(minutes=1) <= lives <= timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "life"),
    [(FREQUENT, timedelta(minutes=1)), (NIGHTLY, timedelta(days=1))],
    ids=["often", "nightly"],
)
def test_what_is_old_is_left_to_the_next_one(runs, name, life):
    assert send(name, age=life + SECOND) == states.IGNORED
    assert runs == []
    assert send(name, age=life - 5 * SECOND) == states.SUCCESS
    assert runs == [name]


def test_beside_another_one_it_does_nothing(runs, elsewhere):
    elsewhere(FREQUENT)
    assert send(FREQUENT, age=SECOND) == states.IGNORED
    assert send(NIGHTLY, age=SECOND) == states.SUCCESS
    assert runs == [NIGHTLY]


def test_what_a_page_asks_for_runs_all_the_same(runs, elsewhere):
    """It may be about a row that the one at work has passed by."""
    elsewhere(FREQUENT)
    assert app.tasks[FREQUENT].apply().state == states.SUCCESS
    app.tasks[FREQUENT]()
    assert runs == [FREQUENT] * 2
