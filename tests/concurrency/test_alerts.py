"""A wave whose worker is killed in the middle, and two workers at one wave: every family is told once."""

import subprocess
import sys
from contextlib import nullcontext
from datetime import date, timedelta
from signal import SIGKILL

import pytest
from django.conf import settings
from django.db import connection

from applications.alerts import waves
from applications.alerts.choosing import switch
from applications.models import Wave
from bulletin.models import Vacancy
from notifications.models import Message, Notice
from tests.concurrency.test_bids import together
from tests.factories import ApplicationFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

FAMILIES, PORTION = 12, 2

# Two portions are written and committed; the third is written, and the process is killed before its commit.
KILLED = f"""
import os, sys
from datetime import datetime
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from applications.alerts import waves
enqueue_many, written = waves.enqueue_many, []
def dies(*args, **kwargs):
    enqueue_many(*args, **kwargs)
    written.append(args)
    if len(written) == 3:
        os.kill(os.getpid(), {SIGKILL:d})
waves.PORTION, waves.enqueue_many = {PORTION}, dies
waves.tell_of_places(now=datetime.fromisoformat(sys.argv[2]))
"""


@pytest.fixture
def families(scene):
    found = ApplicationFactory.create_batch(
        FAMILIES, locality=scene.locality, child__birth_date=date(2017, 5, 5)
    )
    for one in found:
        switch(one, user=one.filed_by, is_on=True, now=scene.now)
    Vacancy.objects.update(
        published_at=scene.now - waves.LONGEST, opens_at=scene.now + timedelta(days=1), priority_until=None
    )
    return found


def assert_each_is_told_once(families):
    assert sorted(Notice.objects.values_list("recipient", flat=True)) == sorted(
        one.filed_by_id for one in families
    )
    assert sorted(Message.objects.values_list("recipient", flat=True)) == sorted(
        one.filed_by_id for one in families
    )
    assert Wave.objects.get().told == len(families)


def test_a_worker_that_is_killed_in_the_middle_of_a_portion(scene, families):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, connection.settings_dict["NAME"], scene.now.isoformat()],
        cwd=settings.BASE_DIR,
        check=False,
    )
    assert killed.returncode == -SIGKILL
    assert Wave.objects.get().told == Notice.objects.count() == Message.objects.count() == 2 * PORTION
    # The server lets go of the lock of the dead when it misses them: until then the beat finds it taken.
    while Wave.objects.filter(done_at=None).exists():
        waves.tell_of_places(now=scene.now)
    assert_each_is_told_once(families)


def test_two_workers_at_one_wave(scene, families, monkeypatch):
    """Were the lock of the sweep lost with a connection, that of the wave would still keep them apart."""
    monkeypatch.setattr(waves, "PORTION", PORTION)
    monkeypatch.setattr(waves, "alone", lambda _at: nullcontext(True))
    waves.begin_wave(now=scene.now)
    together(*[lambda: waves.tell_of_places(now=scene.now)] * 2)
    assert_each_is_told_once(families)
