"""The minute it opens, measured: `make bench` (about three minutes).

A scratch database on this checkout's own PostgreSQL (with fsync), the portal's real settings with every middleware,
real sessions and CSRF, served as ever (`balabaqsha.serving`), and the load beside them on the same machine. What is
compared is measured in turn in three rounds; every figure is the median of the rounds' ratios, for milliseconds alone
say nothing. After every run the database is asked whether a place was sold twice, lost or refused while free. Prints a
table and, as the last line, JSON; ends with 1 when a bar is missed or an invariant broken.
"""

import argparse
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import signal
import site
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.programs import postgres_programs
from balabaqsha.servers.running import start as start_servers
from benchmarks import crowd
from benchmarks.load import GENERATOR, TOKEN, Load, Request, fire
from benchmarks.scratch import build_pages, scratch_database

PARENTS, VACANCIES, ROUNDS = 24_000, 10_000, 3
CLIENTS, FLOOR_CLIENTS, FLOOR_EACH = 32, 16, 150
SEATS, PRESSES = 23, 5_000
STAMP_OF = "argon2$bench"
PORTALS = "the portal's own"
PRESS_SQL = """\\set i :i + 1
\\set n :client_id * :each + :i
SELECT press_for_a_place(person, '{stamp}', application, vacancy, NULL) FROM bench_attempt WHERE n = :n;
"""
RESET = """
    UPDATE bulletin_vacancy SET seats_taken = 0 WHERE seats_taken > 0;
    TRUNCATE applications_bid, applications_referral CASCADE;
    UPDATE applications_application SET state = 'waiting' WHERE state <> 'waiting';
    UPDATE bulletin_vacancy SET seats_taken = 1 WHERE id = md5('full')::uuid;
    INSERT INTO applications_bid
        (id, application_id, vacancy_id, state, placed_at, placed_by_id, holds_seat, reason, told_at)
    SELECT gen_random_uuid(), id, md5('full')::uuid, 'pending', now(), filed_by_id, true, '', now()
    FROM applications_application WHERE id = md5('a{parents}')::uuid;
    UPDATE applications_application SET state = 'bid_placed' WHERE id = md5('a{parents}')::uuid
"""
FREE = "SELECT seats_total - seats_taken FROM bulletin_vacancy WHERE id = '{}'"
SENT = "SELECT count(*) FROM applications_bid WHERE vacancy_id = '{}'"
BROKEN = {
    "oversold": "SELECT count(*) FROM bulletin_vacancy WHERE seats_taken > seats_total OR seats_total < "
    "(SELECT count(*) FROM applications_bid b WHERE b.vacancy_id = bulletin_vacancy.id AND holds_seat)",
    "doubled": "SELECT count(*) FROM (SELECT FROM applications_bid WHERE state = 'pending' "
    "GROUP BY application_id HAVING count(*) > 1) AS two",
    "lost": "SELECT count(*) FROM bulletin_vacancy WHERE seats_taken <> "
    "(SELECT count(*) FROM applications_bid b WHERE b.vacancy_id = bulletin_vacancy.id AND holds_seat)",
    "states": "SELECT count(*) FROM applications_application a WHERE (state = 'bid_placed') <> EXISTS "
    "(SELECT FROM applications_bid b WHERE b.application_id = a.id AND b.state = 'pending')",
    "events": "SELECT count(*) FROM applications_bid b WHERE told_at IS NULL AND NOT EXISTS "
    "(SELECT FROM applications_event e WHERE e.application_id = b.application_id AND e.data->>'bid' = b.id::text)",
}
LIST = "/bulletin/?place=bench&birth_year=2022&language=kk&place_type=vacant&status=all"


@dataclass(frozen=True)
class Bar:
    """One line of the table: how far the figure may go and how far it should."""

    number: int
    what: str
    must: float
    aim: float
    at_least: bool = True

    def held(self, value: float) -> bool:
        return value >= self.must if self.at_least else value <= self.must


BARS = {
    "bids": Bar(1, "bids won/s through HTTP ÷ pgbench tps of the same statement", 0.20, 0.35),
    "refusals": Bar(2, "refusals/s at a full vacancy ÷ requests/s of an empty view", 0.6, 0.8),
    "broken": Bar(3, "oversold, doubled, lost, unsold-while-refused places", 0, 0, at_least=False),
    "rush": Bar(4, "last of 23 places under 5,000 presses ÷ 23 uncontended bids", 3, 2, at_least=False),
    "tail": Bar(6, "p99 ÷ p50 of bids at 32 clients", 3, 2, at_least=False),
    "list": Bar(7, "bulletin list ÷ empty view, visitor", 0.5, 0.8),
    "list_signed_in": Bar(7, "bulletin list ÷ empty view, signed in", 0.2, 0.4),
    "memory": Bar(8, "memory (PSS) of the web processes ÷ of an empty project", 2, 1.5, at_least=False),
    "next_visitor": Bar(9, "10,001st visitor: p99 ÷ max(3 × idle, 50 ms)", 1, 0.5, at_least=False),
    "unanswered": Bar(10, "of 10,000 lists asked for at once: not answered", 0, 0, at_least=False),
    "sign_ins": Bar(11, "sign-ins/s ÷ bare hashes/s on the same cores", 0.7, 0.85),
    "page_beside_sign_ins": Bar(
        12, "a page beside 40 sign-ins: p99 ÷ max(5 × idle, 50 ms)", 1, 0.5, at_least=False
    ),
    "dripped_on": Bar(13, "beside 200 sockets that drip: p99 ÷ max(3 × idle, 50 ms)", 1, 0.5, at_least=False),
}
# So many families sign in in each round, at most.
SIGNERS = 4_000


@dataclass
class Bench:
    """One scratch database with its families, and what was measured on it."""

    database: str
    environment: Mapping[str, str]
    server: str
    sessions: list[str] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    absolute: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    password: str = ""

    def sql(self, statement: str) -> Any:
        with closing(psycopg2.connect(self.database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None

    def reset(self) -> None:
        """Nobody has pressed yet. The checkpoint comes first: after it full pages would be written in the run."""
        self.sql("CHECKPOINT")
        self.sql(RESET.format(parents=PARENTS))
        self.sql("VACUUM (ANALYZE) applications_application")
        self.sql("VACUUM (ANALYZE) bulletin_vacancy")

    def note(self, ratio: str, value: float, **absolute: float) -> None:
        self.ratios.setdefault(ratio, []).append(value)
        for name, figure in absolute.items():
            self.absolute.setdefault(name, []).append(figure)

    def check(self, run: str, *, sold_out: Sequence[str] = ()) -> None:
        """Name whatever must never be; `sold_out` were refused as full and so must have no free place."""
        for name, question in BROKEN.items():
            if count := self.sql(question):
                self.broken.append(f"{run}: {count} {name}")
        for vacancy in sold_out:
            if free := self.sql(FREE.format(key(vacancy))):
                self.broken.append(f"{run}: {free} places of {vacancy} unsold while families were refused")

    def presses(self, vacancies: Callable[[int], str], *, first: int = 0, count: int) -> list[Request]:
        """One press of each family from `first` on, for the vacancy that its number leads to."""
        return [
            Request(
                "POST",
                f"/cabinet/applications/{key(f'a{n}')}/apply/{key(vacancies(n))}/",
                self.sessions[n - 1],
            )
            for n in range(first + 1, first + count + 1)
        ]


def key(name: str) -> UUID:
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


def many(n: int) -> str:
    return f"v{1 + n % VACANCIES}"


def seed(bench: Bench) -> None:
    """Families with sessions, vacancies, the calendar."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Session
    from accounts.sessions import SessionStore

    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_holidays", stdout=sys.stderr)
    build_pages()
    seeds = Path(__file__).with_name("rush_seed.sql").read_text()
    bench.sql(seeds.format(parents=PARENTS, vacancies=VACANCIES, password=STAMP_OF))
    encode, expires = SessionStore().encode, timezone.now() + timedelta(days=1)
    sessions = []
    for n in range(1, PARENTS + 1):
        known = {
            "_auth_user_id": str(key(f"u{n}")),
            "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": hashlib.sha256(STAMP_OF.encode()).hexdigest(),
        }
        sessions.append(
            Session(session_key=f"bench{n:027d}", session_data=encode(known), expire_date=expires)
        )
    Session.objects.bulk_create(sessions, batch_size=4000)
    bench.sessions = [session.session_key for session in sessions]
    connection.close()
    bench.sql("VACUUM (ANALYZE)")


def serving(server: str, target: str, port: int) -> list[str]:
    """The command that serves a project: as the portal is served, or by a gunicorn of the same size."""
    if server == PORTALS:
        command = [sys.executable, "-m", "balabaqsha.serving"]
        return [*command, "--port", str(port), "--app", f"{target}:application"]
    manner = ["--workers", "2", "--threads", "2", "--graceful-timeout", "5", "--log-level", "error"]
    return [server, target, "--bind", f"127.0.0.1:{port}", *manner, "--no-control-socket"]


@contextmanager
def web_server(bench: Bench, *, project: str = "portal") -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The web server on a free port with two workers of two threads, warm; ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = "benchmarks.portal" if project == "portal" else "benchmarks.empty_project"
    target = "balabaqsha.wsgi" if project == "portal" else "benchmarks.empty_project"
    # A program from elsewhere finds the portal and its packages there.
    known = os.pathsep.join([str(ROOT), *site.getsitepackages()])
    environment = dict(bench.environment) | {"DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": known}
    command = serving(bench.server, target, port)
    # The access log is written as in production, and read by nobody.
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/empty/", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait(30)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def memory(pid: int) -> float:
    """PSS in MiB of a process and its descendants."""
    rolls = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in family(pid)]
    return (
        sum(int(found) for roll in rolls for found in re.findall(r"^Pss:\s+(\d+)", roll, re.MULTILINE)) / 1024
    )


def floor(bench: Bench) -> float:
    """Bids per second of the statement alone, by pgbench."""
    pgbench = postgres_programs() / "pgbench"
    bench.reset()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PRESS_SQL.format(stamp=hashlib.sha256(STAMP_OF.encode()).hexdigest()))
        script.flush()
        options = ["-n", "-M", "prepared", "-c", str(FLOOR_CLIENTS), "-j", "2", "-t", str(FLOOR_EACH)]
        known = ["-D", "i=0", "-D", f"each={FLOOR_EACH}", "-f", script.name]
        output = subprocess.run(  # noqa: S603 - our own program
            [str(pgbench), *options, *known, bench.database], capture_output=True, text=True, check=True
        ).stdout
    won = bench.sql("SELECT count(*) FROM applications_bid") - 1
    if won != FLOOR_CLIENTS * FLOOR_EACH:
        raise SystemExit(f"pgbench: only {won} presses won")
    bench.check("pgbench")
    return float(re.findall(r"tps = ([\d.]+)", output)[-1])


def won_between(bench: Bench, load: Load) -> float:
    """Bids won per second of a load."""
    return float(bench.sql("SELECT count(*) FROM applications_bid WHERE told_at IS NULL")) / load.seconds


def measure_bids(bench: Bench, process: subprocess.Popen[bytes], port: int, empty_memory: float) -> None:
    drain(port)
    tps = floor(bench)
    bench.reset()
    load = fire(bench.presses(many, count=PARENTS - 1), port=port, connections=CLIENTS, seconds=3)
    won = won_between(bench, load)
    bench.note("bids", won / tps, bids_per_second=won, pgbench_tps=tps)
    bench.note("tail", load.p99 / load.p50, bid_p50_ms=load.p50, bid_p99_ms=load.p99)
    used = memory(process.pid)
    bench.note("memory", used / empty_memory, memory_mib=used, empty_memory_mib=empty_memory)
    bench.check("bids")
    if load.failed or load.refused:
        bench.broken.append(f"bids: {load.failed} presses failed, {load.refused} refused")


def status_of(request: Request, port: int) -> int:
    """The status of one answer: wrk can't tell a refusal from a failure."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        cookies = f"csrftoken={TOKEN}; sessionid={request.session}"
        connection.request(request.method, request.path, headers={"Cookie": cookies, "X-CSRFToken": TOKEN})
        return connection.getresponse().status


def drain(port: int) -> None:
    """Wait until the server has answered whatever the last load left in its queues."""
    quick = 0
    while quick < 10:
        began = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/empty/", timeout=120)
        quick = quick + 1 if time.perf_counter() - began < 0.2 else 0


def measure_pages(bench: Bench, port: int) -> None:
    def per_second(*requests: Request) -> float:
        drain(port)
        load = fire(requests, port=port, connections=CLIENTS, seconds=2, again=True)
        if load.failed or load.refused:
            bench.broken.append(f"{requests[0].path}: {load.failed} failed, {load.refused} refused")
        return load.per_second

    empty = per_second(Request("GET", "/empty/"))
    # By waiting families: one that has a bid already is refused for that reason, which is another answer.
    presses = bench.presses(lambda _: "full", first=PARENTS - 2001, count=2000)
    if (answer := status_of(presses[0], port)) != 409:
        bench.broken.append(f"full: a press is answered {answer}")
    refusals = fire(presses, port=port, connections=CLIENTS, seconds=2, again=True)
    if refusals.refused != refusals.requests:
        bench.broken.append(f"full: {refusals.requests - refusals.refused} presses were not refused")
    bench.note(
        "refusals",
        refusals.per_second / empty,
        refusals_per_second=refusals.per_second,
        empty_per_second=empty,
    )
    visitor = per_second(Request("GET", LIST))
    signed_in = per_second(*(Request("GET", LIST, session) for session in bench.sessions[:2000]))
    bench.note("list", visitor / empty, list_per_second=visitor)
    bench.note("list_signed_in", signed_in / empty, list_signed_in_per_second=signed_in)


def span(bench: Bench, vacancy: str) -> float:
    """Seconds from the first to the last bid of a vacancy, by the database's clock."""
    question = "extract(epoch FROM max(placed_at) - min(placed_at)) FROM applications_bid WHERE vacancy_id"
    return float(bench.sql(f"SELECT {question} = '{key(vacancy)}'"))


def measure_rush(bench: Bench, port: int, turn: int) -> None:
    drain(port)
    bench.reset()
    alone = bench.presses(lambda _: f"alone-{turn}", first=PRESSES, count=SEATS)
    fire(alone, port=port, connections=1, seconds=2)
    fire(bench.presses(lambda _: f"hot-{turn}", count=PRESSES), port=port, connections=CLIENTS, seconds=6)
    quiet, rush = span(bench, f"alone-{turn}"), span(bench, f"hot-{turn}")
    bench.note("rush", rush / quiet, sold_out_ms=1000 * rush, uncontended_ms=1000 * quiet)
    bench.check("rush", sold_out=[f"hot-{turn}"])


def measure_modes(bench: Bench, port: int) -> None:
    """10,000 presses for 100 places in both modes, all of them sent."""
    bench.reset()
    for vacancy, first in (("first", 0), ("order", 10_000)):
        presses = bench.presses(lambda _, name=vacancy: name, first=first, count=10_000)  # type: ignore[misc]
        # The load ends with its last request without waiting for it, so that one must not be a family's press.
        load = fire(
            [*presses, *[Request("GET", "/empty/")] * 2 * CLIENTS], port=port, connections=CLIENTS, seconds=90
        )
        # The answers to the last ones, one for each connection, are not waited for.
        if load.requests < len(presses) - CLIENTS or load.failed:
            bench.broken.append(
                f"{vacancy}: {load.requests} of 10,000 presses answered, {load.failed} failed"
            )
    drain(port)
    bench.check("both modes", sold_out=["first"])
    sold, collected = (bench.sql(SENT.format(key(vacancy))) for vacancy in ("first", "order"))
    bench.absolute |= {"first_come_sold": [sold], "queue_order_collected": [collected]}
    if (sold, collected) != (100, 10_000):
        bench.broken.append(f"both modes: {sold} of 100 places sold, {collected} of 10,000 bids collected")


def measure_death(bench: Bench, process: subprocess.Popen[bytes], port: int) -> None:
    """A web process is killed in the middle of the bids."""
    bench.reset()
    victim = family(process.pid)[-1]
    killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; kill -9 {victim}"])  # noqa: S603 - our own process
    fire(bench.presses(many, count=PARENTS - 1), port=port, connections=CLIENTS, seconds=3)
    killer.wait()
    bench.check("a worker killed")


def measure_crowd(bench: Bench, port: int, turn: int) -> None:
    """Whoever comes while thousands are there, ask at once, sign in, or drip. The last one is a minute, and once."""
    drain(port)
    figures = crowd.connections(port, LIST)
    if figures["opened"] != crowd.CONNECTIONS or figures["open_afterwards"] != crowd.CONNECTIONS:
        bench.broken.append(
            f"crowd: {figures['opened']:.0f} of {crowd.CONNECTIONS} connections were let in, "
            f"{figures['open_afterwards']:.0f} still open when the last visitor had come"
        )
    take(bench, figures, "next_visitor", "unanswered")
    drain(port)
    half = SIGNERS // 2
    phones = [f"+7701{n:07d}" for n in range(1 + SIGNERS * (turn - 1), 1 + SIGNERS * turn)]
    figures = crowd.signing_in(port, phones[:half], phones[half:], bench.password)
    if figures["sign_ins_refused"]:
        bench.broken.append(f"sign-ins: {figures['sign_ins_refused']:.0f} were refused")
    take(bench, figures, "sign_ins", "page_beside_sign_ins")
    if turn == 1:
        drain(port)
        take(bench, crowd.drip(port), "dripped_on")


def take(bench: Bench, figures: dict[str, float], *ratios: str) -> None:
    """Note some figures as ratios with bars, the others as they are."""
    for name in ratios:
        bench.note(name, figures.pop(name))
    for name, figure in figures.items():
        bench.absolute.setdefault(name, []).append(figure)


def give_passwords(bench: Bench) -> None:
    """From now on families can sign in, by the hash of production; the sessions made before are void."""
    from django.contrib.auth.hashers import make_password

    bench.password = make_password(crowd.PASSWORD)
    bench.sql(f"UPDATE accounts_user SET password = '{bench.password}'")  # noqa: S608 - our own hash
    bench.sql("VACUUM (ANALYZE) accounts_user")


def run(bench: Bench, *, rounds: int) -> bool:
    seed(bench)
    measure_the_rush(bench, rounds=rounds)
    return run_crowd(bench, rounds=rounds)


def run_crowd(bench: Bench, *, rounds: int) -> bool:
    give_passwords(bench)
    with web_server(bench) as (_process, port):
        for turn in range(1, rounds + 1):
            measure_crowd(bench, port, turn)
    return report(bench)


def measure_the_rush(bench: Bench, *, rounds: int) -> None:
    with web_server(bench, project="empty") as (process, port):
        fire([Request("GET", "/empty/")], port=port, seconds=2, again=True)
        empty_memory = memory(process.pid)
    with web_server(bench) as (process, port):
        warm = bench.presses(many, first=PARENTS - 1001, count=1000)
        fire(warm, port=port, connections=CLIENTS, seconds=2)
        for turn in range(1, rounds + 1):
            measure_bids(bench, process, port, empty_memory)
            measure_pages(bench, port)
            measure_rush(bench, port, turn)
        measure_modes(bench, port)
        measure_death(bench, process, port)


def commit_ms(bench: Bench) -> float:
    """What a commit of one row costs here: the figure that all writing figures hang on."""
    with closing(psycopg2.connect(bench.database)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_commit (n int)")
        connection.commit()
        taken = []
        for n in range(300):
            cursor.execute("INSERT INTO bench_commit VALUES (%s)", [n])
            began = time.perf_counter()
            connection.commit()
            taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)


def machine() -> str:
    names = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory_kib = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[0])
    return (
        f"{len(names)} x {names[0]}, {memory_kib / 2**20:.0f} GiB, {platform.system()} {platform.release()}"
    )


def report(bench: Bench) -> bool:
    """Print the table and the JSON; True when every bar was held and nothing was broken."""
    lines: list[dict[str, Any]] = []
    measured = {name: bar for name, bar in BARS.items() if name == "broken" or name in bench.ratios}
    for name, bar in measured.items():
        value = float(len(bench.broken)) if name == "broken" else statistics.median(bench.ratios[name])
        rounds = [round(one, 3) for one in bench.ratios.get(name, [])]
        lines.append(
            {"#": bar.number, "what": bar.what, "value": round(value, 3), "must": bar.must, "aim": bar.aim}
            | {"held": bar.held(value), "rounds": rounds}
        )
    absolute = {name: round(statistics.median(values), 2) for name, values in bench.absolute.items()}
    server = Path(bench.server).name
    beside = {
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "server": f"{server}, 2 workers x 2 threads",
        "generator": GENERATOR,
        "postgres": bench.sql("SHOW server_version"),
        "fsync": bench.sql("SHOW fsync"),
        "commit_ms": round(commit_ms(bench), 3),
    }
    print(f"\n{'':2} {'':64} {'measured':>9} {'must':>6} {'aim':>6}")
    for line in lines:
        sign = "≥" if measured[list(measured)[lines.index(line)]].at_least else "≤"
        end = "" if line["held"] else "  MISSED"
        print(
            f"{line['#']:>2} {line['what']:64} {line['value']:>9} {sign}{line['must']:>5} {sign}{line['aim']:>5}{end}"
        )
    print(*(f"   {name}: {value}" for name, value in (absolute | beside).items()), sep="\n")
    print(*bench.broken, sep="\n")
    print(json.dumps({"lines": lines, "absolute": absolute, "beside": beside, "broken": bench.broken}))
    return not bench.broken and all(line["held"] for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--server", default=PORTALS, help="instead of the portal's: the path of a gunicorn program"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--crowd", action="store_true", help="only measures 9 to 13")
    arguments = parser.parse_args()
    server = arguments.server
    if server != PORTALS and not shutil.which(server):
        parser.error(f"{server} is not a program")
    signal.signal(signal.SIGTERM, end_orderly)
    with start_servers(environ={}) as running, scratch_database(running) as addresses:
        own = {"BALABAQSHA_DEMO": "1", "DEBUG": "0", "LOG_LEVEL": "ERROR"} | addresses
        environment = dict(os.environ) | running.urls | own
        os.environ.update(environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.portal"})
        bench = Bench(addresses["MIGRATE_DATABASE_URL"], environment, server)
        if arguments.crowd:
            seed(bench)
            return 0 if run_crowd(bench, rounds=arguments.rounds) else 1
        return 0 if run(bench, rounds=arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
