"""What programs that watch the portal read: whole, bounded, in time, and nobody's data."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from prometheus_client.parser import text_string_to_metric_families

from applications.bidding.rush import Outcome
from applications.refusals import Refusal
from balabaqsha.health import heartbeats, probes, sweeps
from balabaqsha.health import line as line_module
from balabaqsha.metrics import tasks as counted_tasks
from balabaqsha.metrics import told as told_module
from balabaqsha.metrics.requests import REQUESTS
from balabaqsha.queues import QUEUES
from balabaqsha.schedule import SCHEDULE
from balabaqsha.tasks import watch_itself
from notifications.clock import read_clock
from notifications.kinds import KINDS
from notifications.models import GatewayMinute, Message
from notifications.ways import Way
from tests.applications.conftest import build_calendar, build_scene
from tests.balabaqsha.silent import at_port, silent_server
from tests.balabaqsha.test_surroundings import backup_state, certificate
from tests.factories import ProfileFactory

TOKEN = "a-token-of-monitoring-and-of-nobody-else"
ADDRESS = "/metrics"
# The report is made on connections of its own, which see only what is committed.
committed = pytest.mark.django_db(transaction=True)

PROCESSES = {"beat", *QUEUES}
OUTCOMES = {"taken", "refused", "failed"}
STATES = {
    "active",
    "idle",
    "idle in transaction",
    "idle in transaction (aborted)",
    "fastpath function call",
    "disabled",
    "other",
}
# Every metric with its labels and all values that each may have; a function tells of one that is too long to list.
KNOWN: dict[str, dict[str, Any]] = {
    "version_info": {"version": lambda value: value.count(".") == 2},
    "up": {"part": {"database", "redis"}},
    "health": {"part": lambda value: value.isidentifier()},
    "requests": {"view": lambda value: value in views(), "status": {f"{digit}xx" for digit in range(1, 6)}},
    "request_seconds": {"view": lambda value: value in views()},
    "presses": {"answer": {*Outcome} | set(Refusal.values)},
    "heartbeat_age_seconds": {"process": PROCESSES},
    "processes": {"process": PROCESSES, "state": {"alive", "late"}},
    "clock_ahead_seconds": {"process": PROCESSES | {"web"}},
    "sweep_age_seconds": {"sweep": set(SCHEDULE)},
    "sweep_overdue_seconds": {"sweep": set(SCHEDULE)},
    "outbox_late_seconds": {},
    "codes_oldest_seconds": {},
    "sms_budget_percent": {},
    "calendar_days": {},
    "check_faults": {},
    "disk_free_bytes": {"place": {"media", "var", "temporary", "database"}},
    "certificate_seconds": {},
    "backup_age_seconds": {"step": {"made", "verified"}},
    "outbox_waiting": {"way": set(Way.values), "kind": lambda value: value in KINDS},
    "outbox_oldest_seconds": {"way": set(Way.values), "kind": lambda value: value in KINDS},
    "sms_tries": {"gateway": {"smsc", "mobizon", "kannel"}, "outcome": OUTCOMES},
    "database_connections": {"state": STATES},
    "database_connections_most": {},
    "lock_waits": {},
    "lock_wait_longest_seconds": {},
    "queue_waiting": {"queue": set(QUEUES)},
    "tasks_taken": {},
    "task_runs": {
        "task": lambda value: value in watch_itself.app.tasks,
        "outcome": set(counted_tasks.OUTCOMES.values()),
    },
    "task_seconds": {"task": lambda value: value in watch_itself.app.tasks},
}


def views():
    """The names of all views, with those of their folders."""

    def below(resolver, prefix=""):
        for one in resolver.url_patterns:
            if hasattr(one, "url_patterns"):
                yield from below(one, f"{prefix}{one.namespace}:" if one.namespace else prefix)
            else:
                yield prefix + (one.name or one.lookup_str)

    return {*below(get_resolver()), "none", "static"}


@pytest.fixture(autouse=True)
def _asked_anew(settings, monkeypatch):
    """Each test asks for itself, with the token set, and counts its own tasks."""
    settings.METRICS_TOKEN = TOKEN
    for module, names in (
        (probes, ("_database", "_redis", "_files", "_disks", "_certificate", "_backup")),
        (told_module, ("_work", "_broker")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, probes.Probe(getattr(module, name)._ask))
    monkeypatch.setattr(counted_tasks, "_KEY", f"tasks of {time.monotonic_ns()}")


def scrape(client=None):
    answer = (client or Client()).get(ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def metrics(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(text, name, **labels):
    """Of one sample; None if there is none."""
    found = [
        sample.value
        for family in metrics(text).values()
        for sample in family.samples
        if sample.name == f"balabaqsha_{name}" and sample.labels == labels
    ]
    return found[0] if found else None


class TestTheDoor:
    def test_without_a_token_in_the_settings_there_is_nothing(self, settings):
        settings.METRICS_TOKEN = ""
        answer = Client().get(ADDRESS, headers={"Authorization": "Bearer "})
        assert answer.status_code == 404
        assert b"balabaqsha_" not in answer.content

    @pytest.mark.parametrize("sent", ["", "Bearer", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer қ"])
    def test_whoever_lacks_it_is_told_to_bring_it(self, sent):
        answer = Client().get(ADDRESS, headers={"Authorization": sent})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert b"balabaqsha_" not in answer.content

    @pytest.mark.django_db
    def test_a_session_opens_nothing(self, admin_client):
        assert admin_client.get(ADDRESS).status_code == 401


@committed
@pytest.mark.usefixtures("clock")
def test_after_a_busy_scene_every_name_and_label_is_one_of_ours(client_of, settings, tmp_path):
    now = read_clock()
    settings.CERTIFICATE = str(certificate(tmp_path, ends=now))
    settings.BACKUP_STATE = str(backup_state(tmp_path, made=now))
    build_calendar()
    scene = build_scene()
    profile = ProfileFactory()
    family, stranger = client_of(scene.parent), Client()
    family.post(reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]))
    for path in ("/", "/ru/", f"/no/{profile.user.phone}/", "/static/no.css", "/login/", "/kk/"):
        stranger.get(path)
    stranger.post("/login/", {"phone": str(profile.user.phone), "password": "x"})
    sweeps.introduce(seconds=10)
    heartbeats.send("beat@one-machine", role="beat")
    heartbeats.send("deliveries@one-machine", role="worker", queues=["deliveries"])
    GatewayMinute.objects.create(
        gateway="smsc", kind="bid_placed", minute=now.replace(second=0), taken=3, failed=1
    )
    watch_itself.apply()
    sweeps.note_finished(sweeps.CHECK, faults=2)
    text = scrape()
    seen = set()
    for name, family_of in metrics(text).items():
        name = name.removeprefix("balabaqsha_")
        labels = KNOWN[name]
        seen.add(name)
        for sample in family_of.samples:
            told = {key: value for key, value in sample.labels.items() if key != "le"}
            assert set(told) == set(labels), sample
            for key, value_of in told.items():
                known = labels[key]
                assert known(value_of) if callable(known) else value_of in known, sample
    assert set(KNOWN) == seen
    for private in (str(profile.user.phone)[1:], profile.last_name, "one-machine", str(scene.application.pk)):
        assert private not in text


@committed
class TestWhatItSays:
    def test_requests_by_view_and_class(self):
        before = REQUESTS.labels("home", "2xx")._value.get()
        client = Client()
        client.get("/")
        client.get("/")
        client.get("/nothing/like/that/")
        text = scrape(client)
        assert value(text, "requests_total", view="home", status="2xx") == before + 2
        assert value(text, "requests_total", view="none", status="4xx") >= 1
        assert value(text, "request_seconds_count", view="home") >= 2

    def test_what_waits_by_way_and_kind(self):
        now = read_clock()
        for number, age in enumerate((10, 90)):
            Message.objects.create(
                phone="+77017779876",
                kind="bid_placed",
                language="kk",
                text="…",
                dedupe_key=str(number),
                next_attempt_at=now + timedelta(hours=1),
                give_up_at=now + timedelta(days=1),
                created_at=now - timedelta(seconds=age),
            )
        text = scrape()
        assert value(text, "outbox_waiting", way="sms", kind="bid_placed") == 2
        assert 90 <= value(text, "outbox_oldest_seconds", way="sms", kind="bid_placed") < 150

    def test_gateways_of_the_last_ten_minutes(self):
        minute = read_clock().replace(second=0, microsecond=0)
        for at, taken in (
            (minute, 3),
            (minute - timedelta(minutes=5), 4),
            (minute - timedelta(minutes=11), 50),
        ):
            GatewayMinute.objects.create(gateway="smsc", kind="bid_placed", minute=at, taken=taken, failed=1)
        text = scrape()
        assert value(text, "sms_tries", gateway="smsc", outcome="taken") == 7
        assert value(text, "sms_tries", gateway="smsc", outcome="failed") == 2

    def test_a_task_is_counted_by_what_became_of_it(self, monkeypatch):
        watch_itself.apply()
        monkeypatch.setattr("balabaqsha.tasks.incidents.watch", lambda **_now: 1 / 0)
        watch_itself.apply()
        text = scrape()
        name = watch_itself.name
        assert value(text, "task_runs_total", task=name, outcome="done") == 1
        assert value(text, "task_runs_total", task=name, outcome="failed") == 1
        assert value(text, "task_seconds_total", task=name) > 0

    @pytest.mark.usefixtures("redis_away")
    def test_a_broker_that_is_away_fails_no_task_and_no_scrape(self):
        watch_itself.apply(throw=True)
        text = scrape()
        assert value(text, "up", part="redis") == 0
        assert value(text, "up", part="database") == 1
        assert value(text, "queue_waiting", queue="celery") is None

    def test_a_database_that_hangs_is_down_and_the_rest_is_told_in_two_seconds(self, monkeypatch):
        REQUESTS.labels("home", "2xx").inc()
        with silent_server() as server:
            monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
            began = time.monotonic()
            text = scrape()
        assert time.monotonic() - began < 2
        assert value(text, "up", part="database") == 0
        assert value(text, "up", part="redis") == 1
        assert value(text, "lock_waits") is None
        assert value(text, "requests_total", view="home", status="2xx") >= 1
