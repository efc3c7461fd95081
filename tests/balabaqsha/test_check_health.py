"""The command for containers without a web server."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from balabaqsha.health import heartbeats, probes
from balabaqsha.health import line as line_module
from balabaqsha.models import Heartbeat
from balabaqsha.queues import QUEUES
from tests.balabaqsha.silent import at_port

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped(monkeypatch):
    monkeypatch.setattr(probes, "_database", probes.Probe(probes._database._ask))
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def said(*arguments, **options):
    output = StringIO()
    call_command("check_health", *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.mark.parametrize(("part", "name"), [("worker", "celery"), ("deliveries",) * 2, ("beat",) * 2])
def test_it_tells_of_the_part_on_this_machine(part, name, stopped):
    for other in {"celery", "deliveries", "beat"} - {name}:
        heartbeats.send(heartbeats.name_here(other), role="worker")
    with pytest.raises(CommandError, match="has not been heard of"):
        said(part)
    heartbeats.send(heartbeats.name_here(name), role="worker")
    stopped.shift(60)
    assert "60 seconds ago" in said(part)
    stopped.shift(1)
    with pytest.raises(CommandError, match="61 seconds ago"):
        said(part)


def test_another_name_may_be_asked_for():
    heartbeats.send("celery@far", role="worker")
    assert said("worker", name="celery@far").startswith("celery@far")


def test_all_of_it_is_what_the_page_says():
    call_command("load_holidays", first_year=2026, last_year=2028, verbosity=0, stdout=StringIO())
    output = StringIO()
    with pytest.raises(CommandError, match="warning"):
        call_command("check_health", stdout=output)
    assert "beat: missing" in output.getvalue()
    for queue in QUEUES:
        heartbeats.send(f"{queue}@one", role="worker", queues=[queue])
    heartbeats.send("beat@one", role="beat")
    assert said().startswith("status: ok")


def test_a_silent_database_is_an_answer_in_words(monkeypatch):
    monkeypatch.setattr(line_module, "connections", {"default": at_port(1)})
    with pytest.raises(CommandError, match="The database does not answer"):
        said("worker")
    with pytest.raises(CommandError, match="failing"):
        said()


def test_the_dead_may_be_forgotten_before_the_day_is_over(stopped):
    heartbeats.send("celery@dead", role="worker")
    stopped.shift(timedelta(hours=1))
    said(forget="celery@dead")
    assert not Heartbeat.objects.exists()


def test_forgetting_says_whom_or_that_there_is_nobody():
    heartbeats.send("celery@far", role="worker")
    assert said("--forget", "celery@far") == "celery@far is forgotten.\n"
    with pytest.raises(CommandError, match="celery@far has not been heard of"):
        said("--forget", "celery@far")
