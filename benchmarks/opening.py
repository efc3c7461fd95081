"""The minute of an opening as a whole: `make bench-opening` (about four minutes; bounded, stops by itself).

The portal as `make run` serves it (web, workers, beat) on a scratch database with fsync, and ten thousand families,
each with a kept connection from a process beside it, all on one machine. They come in the two minutes before: a third
signs in, everybody opens the waiting page of a place and asks for the clock, some fetch the files. At the instant 60 %
press within one second and 30 % within ten; the rest reloads; whoever lost looks at other places. Meanwhile a stranger
reads the page of a kindergarten, newcomers ask for SMS codes, and a web process, a worker's child and Redis's memory
go.

Then the database is asked what was sold, and to whom. Prints a table and, as the last line, JSON; ends with 1 when a
bar is missed or an invariant broken. What one press costs, memory and lists are measured by `make bench`.
"""

import argparse
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlencode

import psycopg2
from redis import Redis

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from balabaqsha import runner
from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.running import start as start_servers
from benchmarks import crowd, rush, soak
from benchmarks.load import TOKEN
from benchmarks.rush import BROKEN, key
from benchmarks.scratch import scratch_database, scratch_redis, served

PHONES: Final = str(Path(__file__).with_name("phones.py"))
FAMILIES, BEFORE_SECONDS = 10_000, 120
# Of all families: who signs in anew, who is here for the first time, and when they press.
SIGNING_IN, NEW, AT_ONCE, SOON = 1 / 3, 1 / 5, 0.6, 0.3
PLACES, SEATS = 60, 23
# Every fifth place is given by number in the queue.
COLLECTED_ONE_IN = 5
SEED: Final = """
INSERT INTO bulletin_vacancy
    (id, group_id, birth_years, place_type, mode, seats_total, seats_taken, state, opens_at, closes_at, vacant_from,
     published_at, end_reason, short_notice_reason, responsible)
SELECT md5('o' || g)::uuid, (SELECT min(id) FROM bulletin_group) + g, '{{2022}}', 'vacant',
       CASE WHEN g % {one_in} = 0 THEN 'queue_order' ELSE 'first_come' END, {seats}, 0, 'published',
       to_timestamp({opens}), CASE WHEN g % {one_in} = 0 THEN to_timestamp({opens}) + interval '1 day' END,
       to_timestamp({opens}), now() - interval '1 day', '', '', 'Т'
FROM generate_series(1, {places}) AS g
"""
EARLY: Final = (
    "SELECT count(*) FROM applications_bid b JOIN bulletin_vacancy v ON v.id = b.vacancy_id "
    "WHERE b.placed_at < v.opens_at"
)
FREE_AND_REFUSED: Final = "SELECT seats_total - seats_taken FROM bulletin_vacancy WHERE id = '{}'"
WON: Final = "SELECT count(*) FROM applications_bid"
HANDED_OVER: Final = (
    "SELECT extract(epoch FROM sent_at - created_at) FROM notifications_message WHERE kind = 'registration_code' "
    "AND created_at >= to_timestamp({}) ORDER BY 1"
)


@dataclass(frozen=True)
class Bar:
    """One line of the table: the figure may go as far as `must`, and should as far as `aim`."""

    number: int
    what: str
    must: float
    aim: float
    at_least: bool = False

    def held(self, value: float) -> bool:
        return value >= self.must if self.at_least else value <= self.must


BARS: Final = {
    "unanswered": Bar(5, "sockets refused or reset, answers 5xx, presses without an answer", 0, 0),
    "last": Bar(6, "last press of the first second ÷ their number / throughput", 1.5, 1.15),
    "order": Bar(7, "Kendall's tau of answers against sending, by place", 0.95, 0.99, at_least=True),
    "stranger": Bar(8, "p99 of a kindergarten's page in the minute ÷ before", 20, 5),
    "code": Bar(9, "seconds until an SMS code is handed over, the slowest", 5, 2),
    "broken": Bar(10, "oversold, doubled, lost, sold before its instant", 0, 0),
    "requests": Bar(12, "requests from the instant of the opening to the answer", 4, 2),
}


def plan(
    *, families: int, opens: float, now: float, port: int, password: str, chance: random.Random
) -> dict[str, Any]:
    """What each phone does. A place has as many families as another; the crowd comes until five seconds before."""
    phones = []
    for n in range(1, families + 1):
        place = f"o{1 + n % PLACES}"
        presses = f"/cabinet/applications/{key(f'a{n}')}/apply/{key(place)}/"
        way = chance.random()
        signs_in = chance.random() < SIGNING_IN
        phones.append(
            {
                "session": "" if signs_in else soak.session_of(n),
                "phone": soak.Person(n).phone if signs_in else "",
                "password": password,
                "address": soak.Person(n).address,
                "vacancy": place,
                "comes": chance.uniform(now, opens - 5),
                "is_new": chance.random() < NEW,
                "after": chance.uniform(0, 1 if way < AT_ONCE else 10),
                "at_once": way < AT_ONCE,
                "reloads": way >= AT_ONCE + SOON,
                "waits_at": presses,
                "presses": presses,
                "looks_at": "/bulletin/?place=bench&birth_year=2022&language=kk",
            }
        )
    return {"port": port, "opens": opens, "phones": phones}


def deaths(family: runner.Family, *, redis: Any) -> list[tuple[str, Callable[[], Any]]]:
    """What dies, and how."""
    web, *others = family.children
    worker = next(child for child in others if "Celery" in child.name)

    def kill_a_child_of(child: runner.Child) -> None:
        os.kill(rush.family(child.process.pid)[-1], signal.SIGKILL)

    return [
        ("a web process", lambda: kill_a_child_of(web)),
        ("a worker's child", lambda: kill_a_child_of(worker)),
        ("all that Redis knows", redis.flushdb),
    ]


@contextmanager
def killing(victims: Sequence[tuple[str, Callable[[], Any]]], *, opens: float) -> Iterator[list[str]]:
    """From two seconds after the opening on one death a second; which there were."""
    killed: list[str] = []

    def kill() -> None:
        for second, (what, end) in enumerate(victims, start=2):
            time.sleep(max(0.0, opens + second - time.time()))
            end()
            killed.append(what)

    thread = Thread(target=kill, daemon=True)
    thread.start()
    yield killed
    thread.join(30)


@contextmanager
def newcomers(port: int, *, opens: float) -> Iterator[None]:
    """Two people a second ask for a code to register, from the opening on."""
    done = Event()

    def ask() -> None:
        n = 0
        while not done.wait(max(0.0, opens + n / 2 - time.time())):
            n += 1
            person = soak.Person(2_000_000 + n)
            fields = {"phone": person.phone, "consent": "on"}
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                headers = {
                    "Cookie": f"csrftoken={TOKEN}",
                    "X-CSRFToken": TOKEN,
                    "X-Forwarded-For": person.address,
                    "Content-Type": "application/x-www-form-urlencoded",
                }
                try:
                    connection.request("POST", "/register/", urlencode(fields), headers)
                    status = str(connection.getresponse().status)
                except (OSError, http.client.HTTPException) as error:
                    status = type(error).__name__
                if status != "302":
                    print(f"a newcomer's code: {status}", file=sys.stderr)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    yield
    done.set()
    thread.join(crowd.PATIENCE_SECONDS)


def tau(answers: Sequence[Mapping[str, Any]], *, ties_within: float = 0.005) -> float:
    """Kendall's tau of when presses were answered against when they were sent, over the pairs of each place."""
    agree = differ = 0
    by_place: dict[str, list[tuple[float, float]]] = {}
    for one in answers:
        by_place.setdefault(one["vacancy"], []).append((one["sent"], one["sent"] + one["taken"]))
    for presses in by_place.values():
        presses.sort()
        for n, (sent, decided) in enumerate(presses):
            for later_sent, later_decided in presses[n + 1 :]:
                if later_sent - sent <= ties_within or abs(later_decided - decided) <= ties_within:
                    continue
                agree, differ = (agree + 1, differ) if later_decided > decided else (agree, differ + 1)
    return (agree - differ) / max(1, agree + differ)


def measure(
    port: int, plan_of: Mapping[str, Any], *, folder: Path, stranger: str
) -> tuple[dict[str, Any], dict[str, float]]:
    """Let the phones live; what they tell, and how much longer the stranger waits in the minute than before it."""
    (folder / "plan.json").write_text(json.dumps(plan_of))
    quiet = crowd.visit(port, stranger, seconds=5)
    command = [sys.executable, PHONES, str(folder / "plan.json"), str(folder / "answers.json")]
    with subprocess.Popen(command) as phones:  # noqa: S603 - our own program
        time.sleep(max(0.0, plan_of["opens"] - time.time()))
        beside = crowd.visit(port, stranger, seconds=15)
        phones.wait()
    told: dict[str, Any] = json.loads((folder / "answers.json").read_text())
    return told, {"stranger": beside.p99 / quiet.p99, "quiet_p99_ms": quiet.p99, "beside_p99_ms": beside.p99}


def figures(told: Mapping[str, Any], plan_of: Mapping[str, Any]) -> dict[str, float]:
    """What the answers say of the minute."""
    opens = plan_of["opens"]
    presses = [one for one in told["answers"] if one["what"] == "press"]
    first = [one for one in presses if one["sent"] < opens + 1]
    ends = sorted(one["sent"] + one["taken"] - opens for one in presses)
    # Between the tenth and the ninetieth hundredth nobody waits for a beginning or an end.
    low, high = (ends[len(ends) * percent // 100] for percent in (10, 90))
    per_second = 0.8 * len(ends) / max(high - low, 0.001)
    last = max(one["sent"] + one["taken"] - opens for one in first)
    after = [one for one in told["answers"] if one["sent"] >= opens and one["what"] != "other places"]
    pressers = max(1, len(presses))
    wrong = [one for one in told["answers"] if one["status"] == 0 or one["status"] >= 500]
    return {
        "unanswered": told["refused"] + len(wrong),
        "last": last / (len(first) / per_second),
        "order": tau(presses),
        "requests": sum(one["what"] != "reload" for one in after) / pressers,
        "presses": len(presses),
        "presses_of_the_first_second": len(first),
        "presses_answered_per_second": per_second,
        "last_of_the_first_second_seconds": last,
        "press_p50_ms": 1000 * statistics.median(one["taken"] for one in presses),
        "press_p99_ms": 1000 * sorted(one["taken"] for one in presses)[len(presses) * 99 // 100],
        "sign_in_p50_ms": 1000
        * statistics.median([one["taken"] for one in told["answers"] if one["what"] == "sign-in"] or [0.0]),
    }


def broken(database: str, told: Mapping[str, Any]) -> list[str]:
    """Whatever must never be, in words."""
    found = []
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:

        def count(question: str) -> int:
            cursor.execute(question)
            return int(cursor.fetchone()[0])

        found += [f"{number} {name}" for name, question in BROKEN.items() if (number := count(question))]
        if early := count(EARLY):
            found.append(f"{early} sold before the opening")
        lost = sum(one["what"] == "press" and one["status"] == 302 for one in told["answers"]) - count(WON)
        if lost > 0:
            found.append(f"{lost} accepted and not in the database")
        refused = {
            one["vacancy"] for one in told["answers"] if one["what"] == "press" and one["status"] == 409
        }
        unsold = [place for place in sorted(refused) if count(FREE_AND_REFUSED.format(key(place))) > 0]
        found += [f"{place}: places free while families were refused" for place in unsold]
    return found


def handed_over(database: str, *, since: float) -> list[float]:
    """For each code asked for since then: the seconds until a gateway took it over; 60 for one that none took."""
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(HANDED_OVER.format(since))
        return [60.0 if seconds is None else float(seconds) for (seconds,) in cursor.fetchall()]


def report(values: Mapping[str, float], wrong: Sequence[str], statuses: Mapping[str, int]) -> bool:
    """The table and the JSON; True where every bar is held and nothing is broken."""
    print(f"\n{'':2} {'':66} {'measured':>9} {'must':>7} {'aim':>7}")
    held = True
    for name, bar in BARS.items():
        value = float(len(wrong)) if name == "broken" else values[name]
        sign = "≥" if bar.at_least else "≤"
        held = held and bar.held(value)
        end = "" if bar.held(value) else "  MISSED"
        print(f"{bar.number:>2} {bar.what:66} {value:>9.2f} {sign}{bar.must:>6} {sign}{bar.aim:>6}{end}")
    print(*(f"   {name}: {value:.2f}" for name, value in values.items() if name not in BARS), sep="\n")
    print("   answers:", ", ".join(f"{what} {number}" for what, number in sorted(statuses.items())))
    print(*wrong, sep="\n")
    print(json.dumps({"values": values, "broken": wrong, "statuses": statuses, "machine": rush.machine()}))
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--families", type=int, default=FAMILIES, help=f"how many come ({FAMILIES})")
    parser.add_argument("--before", type=float, default=BEFORE_SECONDS, help="seconds in which they come")
    parser.add_argument("--port", type=int, default=8998, help="where to serve meanwhile (8998)")
    parser.add_argument("--quietly", action="store_true", help="nothing is killed")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end_orderly)
    with (
        tempfile.TemporaryDirectory(prefix="opening") as name,
        start_servers(environ={}) as running,
        scratch_database(running) as addresses,
        scratch_redis(running.urls["REDIS_URL"]) as redis_url,
    ):
        folder = Path(name)
        database = addresses["MIGRATE_DATABASE_URL"]
        os.environ.update(soak.settings_for(addresses, redis_url=redis_url, folder=folder))
        soak.seed(database, families=arguments.families, inside=arguments.families)
        with served(dict(os.environ), folder=folder, port=arguments.port) as family:
            return 0 if run(family, arguments, database=database, redis_url=redis_url, folder=folder) else 1


def run(
    family: runner.Family, arguments: argparse.Namespace, *, database: str, redis_url: str, folder: Path
) -> bool:
    now = time.time()
    opens = now + 10 + arguments.before
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SEED.format(one_in=COLLECTED_ONE_IN, seats=SEATS, opens=opens, places=PLACES))
        cursor.execute("SELECT slug FROM bulletin_kindergarten ORDER BY id LIMIT 1")
        stranger = f"/kindergartens/{cursor.fetchone()[0]}/"
    told_to_do = plan(
        families=arguments.families,
        opens=opens,
        now=now + 10,
        port=arguments.port,
        password=soak.PASSWORD,
        chance=random.Random(5),
    )
    with closing(Redis.from_url(redis_url)) as redis, newcomers(arguments.port, opens=opens):
        victims = [] if arguments.quietly else deaths(family, redis=redis)
        with killing(victims, opens=opens) as killed:
            told, waits = measure(arguments.port, told_to_do, folder=folder, stranger=stranger)
    codes = handed_over(database, since=opens)
    values = figures(told, told_to_do) | waits | {"code": max(codes, default=60.0), "codes": len(codes)}
    print("killed:", ", ".join(killed) or "nothing")
    print("trouble:", told["trouble"] or "none")
    return report(values, broken(database, told), statuses(told))


def statuses(told: Mapping[str, Any]) -> dict[str, int]:
    """How many answers of each kind had which status; 0 is none."""
    return dict(Counter(f"{one['what']} {one['status']}" for one in told["answers"]))


if __name__ == "__main__":
    sys.exit(main())
