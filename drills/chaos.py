"""One fault after another, while families go on pressing: `make chaos` (ten minutes; FAULTS=redis-killed,… for a part).

The portal as `make run` serves it, with a PostgreSQL and a Redis of its own in a folder of limited size, an SMS gateway
that fails as it is told to, and a keeper that starts again what has died, as systemd does. The families of `make soak`
sign in, ask for codes, bid, withdraw and file meanwhile; who is answered 503 or nothing presses once more.

Prints a row for each fault: requests, answers of 5xx other than 503, those that never came, what was accepted and is
not in the database, what is there twice, and how many seconds after the fault the pages and the SMS were well again.
Ends with 1 on a wrong answer, anything lost or doubled, or where pages are not well within a minute, or SMS within
four (a gateway that took a code and said nothing is asked again after one, then after two).
"""

import argparse
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from redis import Redis as Client

from balabaqsha import local
from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.redis import Redis
from benchmarks import soak
from drills.gateway import Gateway, answering
from drills.standing import Portal, children_of, standing, started

ROOT: Final = Path(__file__).resolve().parent.parent
BEFORE, AFTER, PER_SECOND = 2.0, 6.0, 6.0
# How long what is stopped stays so.
STOPPED_SECONDS: Final = 20.0
WELL_WITHIN: Final = 60.0
SMS_WITHIN: Final = 240.0
# Of the folder of the database, and of that of the files, where they can be limited.
DISK_MEGABYTES, MEDIA_MEGABYTES = 1500, 300
WRONG_CLOCK: Final = ROOT / "drills" / "wrong_clock"
HOUR = 3600

# What there must never be: rows that say the same thing twice, by question.
DOUBLED: Final = """
SELECT (SELECT count(*) FROM (SELECT child_id FROM applications_application GROUP BY child_id HAVING count(*) > 1) AS a)
     + (SELECT count(*) FROM (SELECT application_id FROM applications_bid WHERE state = 'pending'
                              GROUP BY application_id HAVING count(*) > 1) AS b)
     + (SELECT count(*) FROM bulletin_vacancy v WHERE seats_taken <>
            (SELECT count(*) FROM applications_bid b WHERE b.vacancy_id = v.id AND b.holds_seat))
"""


@dataclass
class Drill:
    """What the faults act upon."""

    portal: Portal
    gateway: Gateway
    media: Path
    database: str


class Fault(NamedTuple):
    """Something that goes wrong; the context is left after `seconds`, and ends it."""

    name: str
    strike: Callable[[Drill], AbstractContextManager[Any]]
    seconds: float = 0.0


class Answered(NamedTuple):
    at: float
    status: str


class Families(soak.Soak):
    """The families of the soak, who press once more where the page says so, and when each of them was answered."""

    def __init__(self, town: soak.Town, **given: Any) -> None:
        super().__init__(**given)
        self.town = town
        self.answered: list[Answered] = []
        # Of the thread that presses.
        self._last = threading.local()

    @contextmanager
    def _holding(self, kind: str, person: soak.Person, seconds: float) -> Iterator[None]:
        """Nobody holds a row here: there is trouble enough."""
        yield

    def _exchange(self, person: soak.Person, ask: soak.Ask) -> tuple[str, str]:
        self._last.status = soak.NO_ANSWER
        try:
            found = super()._exchange(person, ask)
            self._last.status = found[0]
        finally:
            self.answered.append(Answered(time.monotonic(), self._last.status))
        return found

    def _send(self, kind: str, person: soak.Person, ask: soak.Ask, due: float) -> bool:
        if super()._send(kind, person, ask, due):
            return True
        if kind in {"bid", "filing"} and self._last.status in {"503", soak.NO_ANSWER}:
            time.sleep(1)
            return super()._send(kind, person, ask, time.perf_counter())
        return False

    def count(self, fits: Callable[[str], bool]) -> int:
        return sum(fits(one.status) for one in self.answered)


def is_wrong(status: str) -> bool:
    """Whether a visitor was told of an error of ours."""
    return status.startswith("5") and status != "503"


# --- faults --------------------------------------------------------------------------------------------------


def killed(find: Callable[[Drill], int]) -> Callable[[Drill], AbstractContextManager[None]]:
    """End a process so that it can say and save nothing."""

    @contextmanager
    def strike(drill: Drill) -> Iterator[None]:
        os.kill(find(drill), signal.SIGKILL)
        yield

    return strike


def stopped(find: Callable[[Drill], list[int]]) -> Callable[[Drill], AbstractContextManager[None]]:
    """Let processes stand still, without a word to anybody, and go on afterwards."""

    @contextmanager
    def strike(drill: Drill) -> Iterator[None]:
        found = find(drill)
        for process in found:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    return strike


def of(service: str, nth: int = 0) -> Callable[[Drill], int]:
    """A process of a service: its own, or the nth that it started."""
    return lambda drill: drill.portal.processes(service)[nth]


def all_of(service: str) -> Callable[[Drill], list[int]]:
    return lambda drill: drill.portal.processes(service)


def postmaster(drill: Drill) -> int:
    number = drill.portal.postgres.pid()
    assert number, "PostgreSQL does not run"
    return number


def redis_server(drill: Drill) -> int:
    number = drill.portal.redis.pid()
    assert number, "Redis does not run"
    return number


def whole_database(drill: Drill) -> list[int]:
    return [postmaster(drill), *children_of(postmaster(drill))]


def backend(drill: Drill) -> int:
    """One that serves the portal at this moment."""
    with closing(psycopg2.connect(drill.database)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename <> current_user AND backend_type = 'client backend'"
            " ORDER BY state_change DESC LIMIT 1"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def emptied(drill: Drill) -> Iterator[None]:
    with closing(Client.from_url(drill.portal.redis.url)) as client:
        client.flushall()
    yield


@contextmanager
def no_connection_left(drill: Drill) -> Iterator[None]:
    """Somebody holds every connection that the database gives."""
    with ExitStack() as held:
        with suppress(psycopg2.OperationalError):
            while True:
                held.enter_context(closing(psycopg2.connect(drill.portal.postgres.url)))
        yield


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """A disk without a byte left."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"\0" * size)
        yield
    finally:
        filler.unlink()


def manner(word: str) -> Callable[[Drill], AbstractContextManager[None]]:
    """Let the gateway answer so."""

    @contextmanager
    def strike(drill: Drill) -> Iterator[None]:
        drill.gateway.manner = word
        try:
            yield
        finally:
            drill.gateway.manner = "well"

    return strike


def clock_of(service: str, *ahead: int) -> Callable[[Drill], AbstractContextManager[None]]:
    """The machine of a service is so many seconds ahead; with two numbers its clock is set while it runs."""

    @contextmanager
    def strike(drill: Drill) -> Iterator[None]:
        setting = drill.portal.folder / "clock"
        setting.write_text(str(ahead[0]))
        drill.portal.restart(service, PYTHONPATH=str(WRONG_CLOCK), WRONG_CLOCK=str(setting))
        try:
            for seconds in ahead[1:]:
                time.sleep(STOPPED_SECONDS / 4)
                setting.write_text(str(seconds))
            yield
        finally:
            drill.portal.restart(service)

    return strike


@contextmanager
def two_beats(drill: Drill) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "balabaqsha",
        "beat",
        "--pidfile",
        "",
        "--loglevel",
        "error",
    ]
    process = subprocess.Popen(
        command,
        env=dict(drill.portal.family.environment),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def everything_twice(drill: Drill) -> Iterator[None]:
    """Each task of the schedule twice, as from a broker that delivers again."""
    code = (
        "import django; django.setup()\nfrom balabaqsha.celery import app\n"
        "from balabaqsha.schedule import SCHEDULE\n"
        "for entry in [*SCHEDULE.values()] * 2: app.send_task(entry['task'])\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], env=dict(drill.portal.family.environment), cwd=ROOT, check=True
    )
    yield


@contextmanager
def half_migration(drill: Drill) -> Iterator[None]:
    """A migration that holds its table and does not come to an end; it is rolled back."""
    with closing(psycopg2.connect(drill.database)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE applications_application ADD COLUMN half integer")
        yield
        connection.rollback()


FAULTS: Final = (
    Fault("none", nullcontext, 5),
    Fault("web-worker-killed", killed(of("web server", 1))),
    Fault("web-parent-killed", killed(of("web server"))),
    Fault("web-worker-stopped", stopped(lambda drill: [of("web server", 1)(drill)]), STOPPED_SECONDS),
    Fault("web-stopped", stopped(all_of("web server")), STOPPED_SECONDS / 2),
    Fault("worker-child-killed", killed(of("Celery worker", 1))),
    Fault("worker-killed", killed(of("Celery worker"))),
    Fault("worker-stopped", stopped(all_of("Celery worker")), STOPPED_SECONDS),
    Fault("deliveries-child-killed", killed(of("Celery deliveries", 1))),
    Fault("deliveries-killed", killed(of("Celery deliveries"))),
    Fault("deliveries-stopped", stopped(all_of("Celery deliveries")), STOPPED_SECONDS),
    Fault("beat-killed", killed(of("Celery beat"))),
    Fault("beat-stopped", stopped(all_of("Celery beat")), STOPPED_SECONDS),
    Fault("redis-killed", killed(redis_server)),
    Fault("redis-emptied", emptied),
    Fault("redis-stopped", stopped(lambda drill: [redis_server(drill)]), STOPPED_SECONDS),
    Fault("backend-killed", killed(backend)),
    Fault("backend-stopped", stopped(lambda drill: [backend(drill)]), STOPPED_SECONDS),
    Fault("postmaster-killed", killed(postmaster)),
    Fault("postgres-stopped", stopped(whole_database), STOPPED_SECONDS),
    Fault("connections-exhausted", no_connection_left, 10),
    Fault("database-disk-full", lambda drill: filled(drill.portal.postgres.var), 10),
    Fault("media-disk-full", lambda drill: filled(drill.media), 5),
    Fault("gateway-slow", manner("slow"), STOPPED_SECONDS),
    Fault("gateway-dripping", manner("dripping"), STOPPED_SECONDS),
    Fault("gateway-wrong", manner("wrong"), 10),
    Fault("gateway-away", manner("away"), 10),
    Fault("web-clock-ahead", clock_of("web server", HOUR), 10),
    Fault("web-clock-behind", clock_of("web server", -HOUR), 10),
    Fault("worker-clock-ahead", clock_of("Celery deliveries", HOUR), 10),
    Fault("worker-clock-behind", clock_of("Celery deliveries", -HOUR), 10),
    Fault("beat-clock-set-back", clock_of("Celery beat", HOUR, -HOUR), 10),
    Fault("two-beats", two_beats, STOPPED_SECONDS),
    Fault("tasks-twice", everything_twice),
    Fault("half-migration", half_migration, 10),
)


# --- what came of it -----------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """A row of the table."""

    name: str
    requests: int = 0
    busy: int = 0
    none: int = 0
    wrong: int = 0
    lost: int = 0
    doubled: int = 0
    sms_twice: int = 0
    web_seconds: float | None = None
    sms_seconds: float | None = None

    @property
    def complaints(self) -> list[str]:
        """Why it is not good; empty where it is."""
        found = [
            f"{number} {word}" for word in ("wrong", "lost", "doubled") if (number := getattr(self, word))
        ]
        heals = {"web": self.web_seconds, "sms": self.sms_seconds}
        return found + [
            f"{what} not well within a minute" for what, seconds in heals.items() if seconds is None
        ]

    def row(self) -> str:
        def shown(seconds: float | None) -> str:
            return "never" if seconds is None else f"{seconds:.1f}"

        counts = f"{self.requests:>5} {self.busy:>5} {self.none:>5} {self.wrong:>6} {self.lost:>5} {self.doubled:>4}"
        heals = f"{self.sms_twice:>5} {shown(self.web_seconds):>7} {shown(self.sms_seconds):>7}"
        return f"{self.name:24} {counts} {heals}  {'; '.join(self.complaints) or 'well'}"


HEAD = (
    f"{'fault':24} {'sent':>5} {'503':>5} {'none':>5} {'wrong':>6} {'lost':>5} {'twice':>4} {'SMS×2':>5} {'web s':>7}"
    f" {'SMS s':>7}"
)


def ask(drill: Drill, question: str, *values: object) -> Any:
    """One value of the database, which may still be coming up."""
    until = time.monotonic() + WELL_WITHIN
    while True:
        try:
            with closing(psycopg2.connect(drill.database)) as connection, connection.cursor() as cursor:
                cursor.execute(question, values or None)
                return cursor.fetchone()[0]
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def accepted(drill: Drill) -> dict[str, int]:
    """What the database holds of each kind of press."""
    return {kind: ask(drill, question) for kind, question in soak.ACCEPTED.items()}


def pages_are_well(drill: Drill) -> bool:
    address = f"http://127.0.0.1:{drill.portal.port}/bulletin/?place=bench"
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return False


def web_healed(drill: Drill, families: Families, since: float) -> float | None:
    """How many seconds after `since` the last visitor was answered wrongly or not at all, once all is well again."""
    until, well = time.monotonic() + WELL_WITHIN, 0
    while well < 4:
        if time.monotonic() > until:
            return None
        well = well + 1 if pages_are_well(drill) else 0
        time.sleep(0.1)
    bad = [
        one.at for one in families.answered if one.status in {"503", soak.NO_ANSWER} or is_wrong(one.status)
    ]
    return max([0.0, *(at - since for at in bad)])


SMS_AFTER: Final = """
SELECT extract(epoch FROM sent_at - created_at) FROM notifications_message
WHERE kind = 'registration_code' AND sent_at IS NOT NULL AND created_at >= %s ORDER BY created_at LIMIT 1
"""
UNSENT: Final = """
SELECT count(*) FROM notifications_message
WHERE kind = 'registration_code' AND state IN ('queued', 'sending') AND created_at > %s
"""


def sms_healed(drill: Drill, began: Any, ended: float) -> float | None:
    """How many seconds after the fault every code was sent that had been asked for since `began`."""
    until = time.monotonic() + SMS_WITHIN
    while ask(drill, UNSENT, began):
        if time.monotonic() > until:
            return None
        time.sleep(0.3)
    last = ask(
        drill,
        "SELECT coalesce(extract(epoch FROM clock_timestamp() - max(sent_at) FILTER (WHERE sent_at > created_at +"
        " interval '2 s')), -1) FROM notifications_message WHERE kind = 'registration_code' AND created_at > %s",
        began,
    )
    return 0.0 if last < 0 else max(0.0, time.monotonic() - ended - float(last))


def try_one(drill: Drill, fault: Fault, town: soak.Town) -> Outcome:
    """Let families press, strike, end the fault, wait until all is well, and count."""
    before = accepted(drill)
    twice_before = drill.gateway.repeated()
    began = ask(drill, "SELECT clock_timestamp()")
    families = Families(
        town,
        database=drill.database,
        port=drill.portal.port,
        seconds=BEFORE + fault.seconds + AFTER,
        posts_per_second=PER_SECOND,
    )
    pressing = threading.Thread(target=families.run)
    pressing.start()
    time.sleep(BEFORE)
    with fault.strike(drill):
        time.sleep(fault.seconds)
    ended = time.monotonic()
    pressing.join()
    outcome = Outcome(fault.name, requests=len(families.answered))
    outcome.web_seconds = web_healed(drill, families, ended)
    outcome.sms_seconds = sms_healed(drill, began, ended)
    outcome.busy = families.count(lambda status: status == "503")
    outcome.none = families.count(lambda status: status == soak.NO_ANSWER)
    outcome.wrong = families.count(is_wrong)
    after = accepted(drill)
    outcome.lost = sum(
        max(0, families.answers[kind].meant - (after[kind] - before[kind])) for kind in soak.ACCEPTED
    )
    outcome.doubled = ask(drill, DOUBLED)
    outcome.sms_twice = drill.gateway.repeated() - twice_before
    return outcome


@contextmanager
def limited(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own where we may mount one; else the folder as it is, and `filled` would fill the machine's."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755"]
    subprocess.run(["/usr/bin/mount", *options, "chaos", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


def chosen(names: str, *, mounts: bool) -> list[Fault]:
    """The faults of these names, all without one, as far as we may. Raises SystemExit."""
    wanted = names.split(",") if names else [fault.name for fault in FAULTS]
    if unknown := set(wanted) - {fault.name for fault in FAULTS}:
        raise SystemExit(f"There are no such faults: {', '.join(sorted(unknown))}")
    found = [fault for fault in FAULTS if fault.name in wanted]
    if not mounts:
        print("Only root mounts a disk of limited size: none is filled.")
        found = [fault for fault in found if not fault.name.endswith("-disk-full")]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--faults", default="", help="a part of them, by name, with commas between")
    parser.add_argument("--port", type=int, default=8998, help="where to serve meanwhile (8998)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end_orderly)
    mounts = os.geteuid() == 0
    faults = chosen(arguments.faults, mounts=mounts)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        folder.chmod(0o755)
        media = folder / "media"
        if mounts:
            stack.enter_context(limited(folder / "var", DISK_MEGABYTES))
            stack.enter_context(limited(media, MEDIA_MEGABYTES))
        postgres, redis = Postgres(folder), Redis(folder)
        running = stack.enter_context(started(postgres, redis))
        gateway = stack.enter_context(answering())
        environment = local.environment(
            checkout=ROOT, environ=os.environ | running.urls | settings(gateway, media)
        )
        os.environ.update(environment)
        soak.seed(running.owner_url)
        portal = stack.enter_context(
            standing(
                environment, postgres=postgres, redis=redis, folder=folder / "services", port=arguments.port
            )
        )
        drill = Drill(portal, gateway, media, running.owner_url)
        town, outcomes, disagreed = soak.Town(), [], differences()
        print(f"\n{HEAD}", flush=True)
        for fault in faults:
            outcomes.append(try_one(drill, fault, town))
            print(outcomes[-1].row(), flush=True)
        disagrees = differences() - disagreed
    bad = [outcome for outcome in outcomes if outcome.complaints]
    print(
        f"{len(outcomes)} faults, {len(bad)} of them with complaints"
        if bad
        else f"{len(outcomes)} faults, all well"
    )
    print(*sorted(disagrees), sep="\n")
    return 1 if bad or disagrees else 0


def differences() -> set[str]:
    """What the nightly check names: the city of the soak promises more places than it has from its beginning."""
    check = [sys.executable, "manage.py", "check_invariants"]
    said = subprocess.run(check, cwd=ROOT, check=False, capture_output=True, text=True).stdout
    return {line for line in said.splitlines() if line != "Everything agrees."}


def settings(gateway: Gateway, media: Path) -> dict[str, str]:
    """The portal as behind a proxy, with our gateway for SMS."""
    # Its newcomers have consecutive numbers, as only a bot's are.
    wide = {f"SMS_CODES_PER_{numbers}_PER_HOUR": "1000000" for numbers in ("OPERATOR", "BLOCK")}
    ours = {
        "SMS_BACKEND": "notifications.sms.smsc.SmscBackend",
        "SMSC_URL": gateway.url,
        "SMSC_LOGIN": "drill",
        "SMSC_PASSWORD": "drill",
        "SMS_BUDGET_PER_DAY": "1000000",
    }
    return wide | ours | {"BALABAQSHA_DEMO": "1", "DEBUG": "0", "BEHIND_PROXY": "1", "MEDIA_ROOT": str(media)}


if __name__ == "__main__":
    sys.exit(main())
