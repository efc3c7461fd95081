"""Which sweep of the schedule is late, and who notes that it ran."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import signals
from celery.schedules import crontab
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from balabaqsha.health import sweeps
from balabaqsha.health.sweeps import late_sweeps, next_due
from balabaqsha.models import Sweep
from balabaqsha.schedule import SCHEDULE

MICROSECOND = timedelta(microseconds=1)
NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
A_RUN = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
instants = st.timedeltas(timedelta(0), timedelta(days=800)).map(lambda age: NOW + age)


def all_seen(at):
    return {entry["task"]: at for entry in SCHEDULE.values()}


@given(since=instants, age=st.timedeltas(timedelta(0), timedelta(days=3)))
@pytest.mark.parametrize("schedule", [20.0, 60.0, timedelta(hours=1)])
def test_an_interval_is_due_when_it_is_over(schedule, since, age):
    interval = schedule if isinstance(schedule, timedelta) else timedelta(seconds=schedule)
    assert next_due(schedule, since=since, now=since + age) == since + interval


@given(since=instants, age=st.timedeltas(timedelta(0), timedelta(days=3)))
@pytest.mark.parametrize(
    ("schedule", "fits"),
    [
        (crontab(minute=5), lambda at: at.minute == 5),
        (crontab(minute="*/5"), lambda at: at.minute % 5 == 0),
        (crontab(minute=10, hour=3), lambda at: (at.hour, at.minute) == (3, 10)),
        (crontab(minute=40, hour=20), lambda at: (at.hour, at.minute) == (20, 40)),
    ],
)
def test_a_time_of_the_day_is_due_when_it_next_comes(schedule, fits, since, age):
    """The first full minute after the last run that fits, however long ago that was."""
    expected = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not fits(expected):
        expected += timedelta(minutes=1)
    assert next_due(schedule, since=since, now=since + age) == expected


def test_nothing_is_late_that_has_just_run():
    assert late_sweeps(all_seen(NOW), now=NOW) == {}


def test_it_is_late_when_it_is_overdue_for_longer_than_a_run_may_last():
    seen = all_seen(NOW) | {"notifications.tasks.deliver_due_messages": NOW - timedelta(seconds=20) - A_RUN}
    assert late_sweeps(seen, now=NOW) == {}
    assert late_sweeps(seen, now=NOW + MICROSECOND) == {"deliver-messages": A_RUN + MICROSECOND}


def test_a_night_that_was_missed_is_late():
    night = datetime(2026, 9, 1, 3, 10, tzinfo=UTC)
    seen = all_seen(night + A_RUN) | {"applications.tasks.check_invariants": night - timedelta(hours=23)}
    late = late_sweeps(seen, now=night + A_RUN + MICROSECOND)
    assert late == {"check-invariants": A_RUN + MICROSECOND}
    assert late_sweeps(seen, now=night + A_RUN) == {}


def test_what_no_beat_has_made_known_is_not_late():
    assert late_sweeps({}, now=NOW) == {}


def test_every_entry_has_a_task_of_its_own():
    """A task says when it ran, and not for which of two entries."""
    tasks = [entry["task"] for entry in SCHEDULE.values()]
    assert len(tasks) == len(set(tasks))


@pytest.mark.django_db(transaction=True)
class TestTheTable:
    def test_beat_makes_a_row_for_each_and_for_no_other(self):
        Sweep.objects.create(task="applications.tasks.gone", known_at=NOW)
        with time_machine.travel(NOW, tick=False):
            assert sweeps.introduce(seconds=10) == all_seen(NOW)
        assert set(Sweep.objects.values_list("task", "known_at")) == {
            (entry["task"], NOW) for entry in SCHEDULE.values()
        }

    def test_what_is_known_stays_and_is_told(self):
        task = "notifications.tasks.deliver_due_messages"
        Sweep.objects.create(task=task, known_at=NOW, finished_at=NOW + A_RUN)
        assert sweeps.introduce(seconds=10)[task] == NOW + A_RUN
        assert Sweep.objects.get(task=task).known_at == NOW

    def test_a_worker_notes_what_ran_to_its_end(self):
        sweeps.introduce(seconds=10)
        with time_machine.travel(NOW, tick=False):
            from notifications.tasks import deliver_due_messages

            signals.task_success.send(sender=deliver_due_messages, result=None)
        finished = Sweep.objects.exclude(finished_at=None)
        assert list(finished.values_list("task", "finished_at")) == [
            ("notifications.tasks.deliver_due_messages", NOW)
        ]

    def test_what_failed_is_not_noted(self, monkeypatch):
        from notifications import tasks

        sweeps.introduce(seconds=10)
        monkeypatch.setattr(tasks, "deliver_due", lambda now: 1 / 0)
        tasks.deliver_due_messages.apply()
        assert not Sweep.objects.exclude(finished_at=None).exists()

    def test_other_tasks_are_passed_over(self, django_assert_num_queries):
        sweeps.introduce(seconds=10)
        with django_assert_num_queries(0):
            sweeps.note_finished("applications.tasks.render_referral_pdf")
