"""What a load balancer and a monitor are told."""

import json
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Event

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.kept_files import Room
from applications.tasks import check_invariants
from balabaqsha import __version__
from balabaqsha.health import heartbeats, probes, sweeps, worker
from balabaqsha.health import line as line_module
from balabaqsha.health.versions import newest_migrations
from balabaqsha.models import Heartbeat, Sweep
from balabaqsha.queues import QUEUES
from notifications.models import Gateway, Message
from tests.balabaqsha.silent import at_port, silent_server
from tests.factories import DisputeFactory
from tests.patience import PATIENCE

ADDRESS = "/health/"
# What is known without any database.
MACHINE = {"version": __version__, "disks": "ok", "disks_low": {}}
MICROSECOND = timedelta(microseconds=1)
NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
# The report is made on a connection of its own, which sees only what is committed.
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    """Each test asks for itself."""
    monkeypatch.setattr(probes, "_database", probes.Probe(probes._database._ask))
    monkeypatch.setattr(probes, "_redis", probes.Probe(probes._redis._ask))
    for name in ("_files", "_disks", "_certificate", "_backup"):
        monkeypatch.setattr(probes, name, probes.Probe(getattr(probes, name)._ask))


@pytest.fixture
def _well(transactional_db):
    """At `NOW` everybody has just been heard of."""
    call_command("load_holidays", first_year=2026, last_year=2028, verbosity=0, stdout=StringIO())
    with time_machine.travel(NOW, tick=False):
        sweeps.introduce(seconds=10)
        Sweep.objects.update(finished_at=NOW)
        heartbeats.send("beat@one", role="beat")
        heartbeats.send("celery@one", role="worker", queues=["celery"])
        heartbeats.send("celery@two", role="worker", queues=["celery"])
        heartbeats.send("deliveries@one", role="worker", queues=["deliveries"])


@pytest.fixture
def dead_database(monkeypatch):
    """A database that accepts and says nothing; holds its connections."""
    with silent_server() as server:
        monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
        yield server


def message(*, due, state=Message.State.QUEUED, kind="bid_placed", made=None):
    return Message.objects.create(
        phone="+77017779876",
        kind=kind,
        language="kk",
        text="…",
        dedupe_key=f"{due.isoformat()}{state}",
        state=state,
        next_attempt_at=due,
        give_up_at=due + timedelta(days=1),
        created_at=made or due,
    )


def told(client, *, at=NOW, address=ADDRESS):
    with time_machine.travel(at, tick=False):
        response = client.get(address)
    assert response.status_code == 200
    return response.json()


@pytest.mark.usefixtures("_well")
def test_all_well(client):
    assert told(client) == {
        "status": "ok",
        "version": __version__,
        "database": "ok",
        "redis": "ok",
        "files": "ok",
        "migrations": "ok",
        "migrations_missing": [],
        "outbox": "ok",
        "outbox_seconds": 0,
        "codes_seconds": 0,
        "sms_budget": "ok",
        "sms_percent": 0,
        "sms_gateways": "ok",
        "sms_gateways_troubled": {},
        "calendar": "ok",
        "disputes": "ok",
        "standby": "ok",
        "beat": "ok",
        "beat_seconds": 0,
        "workers": "ok",
        "workers_late": {},
        "workers_missing": [],
        "sweeps": "ok",
        "sweeps_late": {},
        "clocks": "ok",
        "clocks_differ": {},
        "check": "ok",
        "check_faults": 0,
        "disks": "ok",
        "disks_low": {},
    }
    assert "no-store" in client.get(ADDRESS).headers["Cache-Control"]


@pytest.mark.usefixtures("_well")
def test_one_that_needs_a_person_makes_it_a_warning_and_the_web_server_stays(client):
    Heartbeat.objects.filter(name="celery@two").update(seen_at=NOW - timedelta(hours=1))
    assert told(client)["status"] == "warning"


@pytest.mark.usefixtures("_well")
def test_a_replica_that_no_commit_waits_for_is_told(client, settings):
    settings.REPLICA_URL = "postgres://balabaqsha_web@replica/balabaqsha"
    answer = told(client)
    assert (answer["status"], answer["standby"]) == ("warning", "away")


@committed
@pytest.mark.parametrize(("seconds", "outbox"), [(0, "ok"), (600, "ok"), (601, "late")])
def test_a_late_outbox_is_told(client, seconds, outbox):
    message(due=NOW - timedelta(seconds=seconds))
    message(due=NOW - timedelta(days=1), state=Message.State.SENT)
    answer = told(client)
    assert (answer["outbox"], answer["outbox_seconds"]) == (outbox, seconds)


@committed
@pytest.mark.parametrize("kind", ["registration_code", "reset_code", "sign_in_code", "stop_code"])
@pytest.mark.parametrize(
    ("age", "outbox"), [(timedelta(seconds=60), "ok"), (timedelta(seconds=60) + MICROSECOND, "late")]
)
def test_a_code_is_late_after_a_minute(client, kind, age, outbox):
    """Also one that a gateway in trouble puts off again and again: its family waits before the page."""
    message(made=NOW - age, due=NOW + timedelta(minutes=1), kind=kind)
    message(made=NOW - timedelta(hours=1), due=NOW, kind=kind, state=Message.State.SENT)
    answer = told(client)
    assert (answer["outbox"], answer["codes_seconds"], answer["status"]) == (outbox, 60, "warning")


@committed
def test_a_database_without_tables_is_not_set_up(client):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE balabaqsha_heartbeat RENAME TO elsewhere")
    try:
        response = client.get(ADDRESS)
        assert response.status_code == 503
        assert response.json() == {
            "status": "failing",
            "version": __version__,
            "database": "not set up",
            "redis": "ok",
            "files": "ok",
            "disks": "ok",
            "disks_low": {},
        }
        for arguments in (["worker"], ["--forget", "x"]):
            with pytest.raises(CommandError, match=r"manage\.py set_up"):
                call_command("check_health", *arguments)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO balabaqsha_heartbeat")


@pytest.mark.usefixtures("_well")
@pytest.mark.parametrize(("faults", "word", "status"), [(0, "ok", "ok"), (1, "faults", "warning")])
def test_what_the_nightly_check_found(client, faults, word, status):
    """As a worker notes it: what the task returns."""
    with time_machine.travel(NOW, tick=False):
        worker.note_sweep(sender=check_invariants, result=faults)
    answer = told(client)
    assert (answer["check"], answer["check_faults"], answer["status"]) == (word, faults, status)


@pytest.mark.usefixtures("_well")
def test_what_the_machine_knows_needs_a_person_too(client, settings, tmp_path):
    settings.CERTIFICATE, settings.BACKUP_STATE = f"{tmp_path}/no.pem", f"{tmp_path}/no.json"
    answer = told(client)
    assert (answer["certificate"], answer["backup"], answer["status"]) == ("failing", "missing", "warning")


def test_the_version_is_that_of_the_release():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert __version__ == project["version"]


@pytest.mark.usefixtures("_well")
class TestFiles:
    @pytest.mark.parametrize(("room", "status"), [("ok", "ok"), ("full", "warning"), ("failing", "warning")])
    def test_a_disk_that_takes_none_needs_a_person_and_the_pages_stay(
        self, client, monkeypatch, room, status
    ):
        monkeypatch.setattr(probes, "try_keeping", lambda root: (Room(room), ""))
        answer = told(client)
        assert (answer["files"], answer["status"]) == (room, status)

    def test_a_folder_that_is_none_is_failing(self, client, settings):
        settings.MEDIA_ROOT = Path("/dev/null")
        assert told(client)["files"] == "failing"

    def test_a_disk_that_hangs_is_failing_and_holds_up_nothing(self, client, monkeypatch):
        released = Event()
        monkeypatch.setattr(probes, "_files", probes.Probe(released.wait))
        answer = told(client)
        released.set()
        assert (answer["files"], answer["database"], answer["status"]) == ("failing", "ok", "warning")


@committed
@pytest.mark.parametrize(
    ("late_by", "fields", "word"),
    [
        (-MICROSECOND, {}, "ok"),
        (timedelta(0), {}, "late"),
        (
            timedelta(days=1),
            {"outcome": "stands", "reason": "x", "decided_at": NOW, "freed_at": NOW},
            "ok",
        ),
    ],
)
def test_a_decision_about_a_guardian_that_is_late(client, late_by, fields, word):
    DisputeFactory(raised_at=NOW - timedelta(days=3), due_at=NOW - late_by, **fields)
    assert told(client)["disputes"] == word


@committed
@pytest.mark.parametrize(
    ("today", "calendar"),
    [(date(2027, 11, 1), "ok"), (date(2027, 11, 2), "ending"), (date(2028, 1, 1), "ending")],
)
def test_a_calendar_that_ends_soon_is_told(client, today, calendar):
    call_command("load_holidays", first_year=2026, last_year=2027, verbosity=0, stdout=StringIO())
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assert told(client, at=noon)["calendar"] == calendar


@committed
def test_a_portal_where_nothing_has_ever_run_says_so(client):
    answer = told(client)
    assert (answer["calendar"], answer["beat"], answer["workers"]) == ("missing",) * 3
    assert answer["beat_seconds"] is None


@pytest.mark.usefixtures("_well")
class TestHeartbeats:
    @pytest.mark.parametrize(
        ("age", "word"), [(timedelta(seconds=60), "ok"), (timedelta(seconds=60) + MICROSECOND, "late")]
    )
    def test_whoever_is_silent_for_more_than_a_minute_is_late(self, client, age, word):
        answer = told(client, at=NOW + age)
        assert (answer["beat"], answer["beat_seconds"], answer["workers"]) == (word, 60, word)

    def test_the_dead_are_named_and_the_living_are_not(self, client):
        Heartbeat.objects.filter(name="celery@two").update(seen_at=NOW - timedelta(seconds=75))
        answer = told(client)
        assert (answer["workers"], answer["workers_late"]) == ("late", {"celery@two": 75})

    def test_the_dead_are_forgotten_after_a_day(self, client):
        Heartbeat.objects.filter(name="celery@two").update(seen_at=NOW - timedelta(days=1) + MICROSECOND)
        assert told(client)["workers_late"] == {"celery@two": 86399}
        Heartbeat.objects.filter(name="celery@two").update(seen_at=NOW - timedelta(days=1))
        assert told(client)["workers"] == "ok"

    def test_another_beat_takes_the_place_of_a_dead_one(self, client):
        Heartbeat.objects.create(
            name="beat@two", role="beat", seen_at=NOW - timedelta(hours=1), clock_ahead=0
        )
        assert told(client)["beat"] == "ok"

    def test_who_has_stopped_in_good_order_is_missed_only_when_nobody_is_left(self, client):
        heartbeats.end("celery@one")
        assert told(client)["workers"] == "ok"
        heartbeats.end("celery@two")
        heartbeats.end("beat@one")
        answer = told(client)
        assert (answer["workers"], answer["workers_missing"]) == ("missing", ["celery"])
        assert answer["beat"] == "missing"

    def test_a_queue_from_which_nobody_takes_is_named_beside_a_worker_that_lives(self, client):
        with time_machine.travel(NOW, tick=False):
            # Of a version before: it told of no queue.
            heartbeats.send("deliveries@one", role="worker")
        answer = told(client)
        assert (answer["workers"], answer["workers_missing"]) == ("missing", ["deliveries"])
        assert answer["status"] == "warning"

    def test_one_that_died_is_late_and_not_replaced_by_those_of_the_other_queue(self, client):
        Heartbeat.objects.filter(name="deliveries@one").update(seen_at=NOW - timedelta(hours=1))
        answer = told(client)
        assert (answer["workers"], answer["workers_late"]) == ("late", {"deliveries@one": 3600})

    def test_one_worker_for_everything_lets_codes_wait_and_is_told(self, client):
        both = ["celery", "deliveries"]
        Heartbeat.objects.filter(role="worker").update(queues=both)
        answer = told(client)
        assert (answer["workers"], answer["workers_missing"]) == ("shared", [])
        assert answer["status"] == "warning"
        Heartbeat.objects.filter(name="celery@two").update(queues=["deliveries"])
        assert told(client)["workers"] == "ok"


@pytest.mark.usefixtures("_well")
def test_what_waits_because_of_it_is_named(client):
    """Nothing ran for half an hour: what is due every minute is named, what is due at night is not."""
    answer = told(client, at=NOW + timedelta(minutes=30))
    assert answer["sweeps"] == "late"
    assert answer["sweeps_late"]["settle-what-ran-out"] == 29 * 60
    assert answer["sweeps_late"]["deliver-messages"] == 30 * 60 - 20
    assert "check-invariants" not in answer["sweeps_late"]


@pytest.mark.usefixtures("_well")
class TestClocks:
    @pytest.mark.parametrize(
        ("ahead", "differ"), [(2.0, {}), (2.06, {"celery@one": 2.1}), (-2.06, {"celery@one": -2.1})]
    )
    def test_a_worker_whose_clock_differs_by_more_than_two_seconds_is_named(self, client, ahead, differ):
        Heartbeat.objects.filter(name="celery@one").update(clock_ahead=ahead)
        answer = told(client)
        assert (answer["clocks"], answer["clocks_differ"]) == ("differ" if differ else "ok", differ)

    def test_the_clock_of_the_dead_does_not_count(self, client):
        Heartbeat.objects.filter(name="celery@one").update(
            clock_ahead=3600, seen_at=NOW - timedelta(minutes=2)
        )
        assert told(client)["clocks"] == "ok"

    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
    def test_a_web_server_whose_clock_differs_says_so_itself(self, client, settings, ahead):
        settings.DATABASE_CLOCK = True
        with time_machine.travel(timezone.now() + ahead):
            answer = client.get(ADDRESS).json()
        assert answer["clocks"] == "differ"
        assert answer["clocks_differ"]["here"] == pytest.approx(ahead.total_seconds(), abs=30)

    def test_a_worker_reports_by_how_much_its_clock_differs(self, settings):
        settings.DATABASE_CLOCK = True
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            heartbeats.send("celery@fast", role="worker")
        assert Heartbeat.objects.get(name="celery@fast").clock_ahead == pytest.approx(3600, abs=30)
        seen = Heartbeat.objects.get(name="celery@fast").seen_at
        assert abs(seen - timezone.now()) < timedelta(seconds=30)


@committed
def test_without_redis_it_says_so(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get(ADDRESS)
    assert response.status_code == 503
    answer = response.json()
    assert (answer["status"], answer["database"], answer["redis"]) == ("failing", "ok", "failing")


class TestWhateverHangs:
    """No test of this class touches the database: whatever a page would ask of it would hang."""

    def test_a_database_that_says_nothing_is_failing_and_nothing_more_is_told(self, client, dead_database):
        response = client.get(ADDRESS)
        assert response.status_code == 503
        assert response.json() == MACHINE | {
            "status": "failing",
            "database": "failing",
            "redis": "ok",
            "files": "ok",
        }
        assert "secret" not in response.content.decode()

    def test_a_database_that_is_gone_is_failing(self, client, monkeypatch):
        monkeypatch.setattr(line_module, "connections", {"default": at_port(1)})
        assert client.get(ADDRESS).json() == MACHINE | {
            "status": "failing",
            "database": "failing",
            "redis": "ok",
            "files": "ok",
        }

    def test_however_many_ask_meanwhile_it_is_asked_once(self, dead_database):
        """So the threads of a web server can't be taken away by asking for its health."""
        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(lambda _: Client().get(ADDRESS).status_code, range(20)))
        assert statuses == [503] * 20
        assert len(dead_database.connections) == 1

    def test_who_comes_after_the_time_does_not_wait(self, client, monkeypatch):
        """A question may hang for longer than anybody waits, as a name that can't be looked up does."""
        released = Event()
        monkeypatch.setattr(probes, "_database", probes.Probe(released.wait))
        client.get(ADDRESS)
        waited = []
        asked = probes._database.start()
        monkeypatch.setattr(asked.answer, "result", lambda timeout: waited.append(timeout))
        client.get(ADDRESS)
        released.set()
        assert waited == [0]

    def test_what_did_not_answer_is_not_waited_for_so_long_again(self, dead_database):
        first = probes._database.start()
        assert first.answer.result(timeout=PATIENCE) is None
        before = time.monotonic()
        assert probes._database.start().until <= time.monotonic() + probes.AGAIN_SECONDS
        assert probes._database.start().until >= before

    @pytest.mark.parametrize("drips", [b"", b"+PONG"])
    def test_a_redis_that_says_nothing_is_failing(self, client, monkeypatch, settings, drips):
        monkeypatch.setattr(line_module, "connections", {"default": at_port(1)})
        with silent_server(drips=drips, every=0.7) as server:
            settings.REDIS_URL = f"redis://127.0.0.1:{server.port}/0"
            answer = client.get(ADDRESS).json()
        assert answer == MACHINE | {
            "status": "failing",
            "database": "failing",
            "redis": "failing",
            "files": "ok",
        }

    def test_a_fault_of_our_own_is_in_the_log_and_no_error_page(self, client, monkeypatch, caplog):
        def broken():
            raise ValueError("secret detail")

        monkeypatch.setattr(probes, "_database", probes.Probe(broken))
        response = client.get(ADDRESS)
        assert (response.status_code, response.json()["database"]) == (503, "failing")
        assert "secret" not in response.content.decode()
        assert "secret detail" in caplog.text


class TestForBalancers:
    """`/healthz`, `/readyz` and `/health/?strict`."""

    def test_a_process_that_answers_is_alive_whatever_hangs(self, client, dead_database):
        answer = client.get("/healthz")
        assert (answer.status_code, answer.content) == (200, b"ok\n")
        assert dead_database.connections == []

    @pytest.mark.usefixtures("_well")
    def test_it_is_ready_with_all_tables_and_not_with_one_migration_too_few(self, client):
        assert told(client, address="/readyz") == {"database": "ok", "redis": "ok", "migrations": "ok"}
        app, name = next(one for one in newest_migrations() if one[0] == "notifications")
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM django_migrations WHERE app = %s AND name = %s RETURNING *", [app, name]
            )
            row = cursor.fetchone()
        try:
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")
            with time_machine.travel(NOW, tick=False):
                health = client.get(ADDRESS)
            # What serves the old tables goes on: it is the new version that is not let in.
            assert (health.status_code, health.json()["status"]) == (200, "warning")
            assert health.json()["migrations_missing"] == [f"{app}.{name}"]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", row)

    def test_nothing_is_ready_without_a_database(self, client, dead_database):
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"database": "failing", "redis": "ok", "migrations": "unknown"}

    @pytest.mark.usefixtures("_well")
    def test_a_monitor_that_knows_only_codes_asks_strictly(self, client):
        with time_machine.travel(NOW, tick=False):
            assert client.get(ADDRESS, {"strict": 1}).status_code == 200
            Heartbeat.objects.filter(name="celery@two").update(seen_at=NOW - timedelta(hours=1))
            assert client.get(ADDRESS).status_code == 200
            assert client.get(ADDRESS, {"strict": 1}).status_code == 503


@pytest.mark.usefixtures("_well")
def test_it_recovers_by_itself(client, monkeypatch):
    with monkeypatch.context() as patch, silent_server() as server:
        patch.setattr(line_module, "connections", {"default": at_port(server.port)})
        assert client.get(ADDRESS).status_code == 503
    probes._database.start().answer.exception(timeout=PATIENCE)
    assert told(client)["status"] == "ok"


@pytest.mark.usefixtures("_well")
def test_an_answer_holds_for_a_second(client, settings, monkeypatch):
    settings.REMEMBER_FOR_A_SECOND = True
    asked = []

    def ask():
        asked.append(1)
        return probes.read_facts(seconds=10)

    probe = probes.Probe(ask)
    monkeypatch.setattr(probes, "_database", probe)
    for _ in range(3):
        told(client)
    assert len(asked) == 1
    probe._answered_at -= probes.HOLDS_SECONDS
    told(client)
    assert len(asked) == 2


@pytest.mark.usefixtures("_well")
def test_only_names_and_ages_are_told(client):
    answer = told(client, at=NOW + timedelta(hours=2))

    def harmless(value):
        if isinstance(value, dict):
            return all(isinstance(name, str) and harmless(age) for name, age in value.items())
        if isinstance(value, list):
            return set(value) <= {*QUEUES}
        return value in ("ok", "late", "missing", "ending", "differ", "warning", __version__) or isinstance(
            value, int | float
        )

    assert harmless(answer), json.dumps(answer)


def test_the_clock_is_the_one_that_decides_about_bids(client, db, settings, clock):
    settings.DATABASE_CLOCK = True
    assert datetime.fromisoformat(client.get("/clock.json").json()["now"]).year > 2019


def test_the_clock_is_the_server_s(client, db):
    with time_machine.travel(datetime(2026, 6, 26, 10, 20, 0, 5, tzinfo=UTC), tick=False):
        response = client.get("/clock.json")
    assert response.json() == {"now": "2026-06-26T10:20:00.000005+00:00"}
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.usefixtures("_well")
def test_an_sms_budget_that_is_half_spent_needs_a_person(client, settings):
    settings.SMS_BUDGET_PER_DAY = 2
    message(due=NOW, state=Message.State.SENT)
    Message.objects.update(sent_at=NOW)
    answer = told(client)
    assert (answer["sms_budget"], answer["sms_percent"], answer["status"]) == ("half", 50, "warning")


@pytest.mark.parametrize(("alarm", "word"), [("no money", "alarm"), ("", "left")])
@pytest.mark.usefixtures("_well")
def test_a_gateway_in_trouble_needs_a_person(client, settings, alarm, word):
    settings.SMS_BACKEND = "notifications.sms.smsc.SmscBackend"
    Gateway.objects.create(name="smsc", alarm=alarm, times_left=1, left_until=NOW + timedelta(minutes=5))
    # One that is not used any more is nobody's trouble.
    Gateway.objects.create(name="former", alarm="no money")
    answer = told(client)
    assert (answer["sms_gateways"], answer["status"]) == (word, "warning")
    assert answer["sms_gateways_troubled"] == {"smsc": alarm or "left"}
