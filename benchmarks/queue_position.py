"""What a number in the queue costs: `python benchmarks/queue_position.py [--rows 1000000]`, or `make bench-queue`.

Seeds a scratch database with waiting applications, one queue of 15,000 (the largest real one) and one of 50,000 among
them, and drops it again. It runs on the server of DATABASE_URL, or on the embedded one. Every figure is a ratio of two
things measured in turn, in the same run on the same machine: milliseconds alone say nothing. Prints a table and, as
the last line, JSON; ends with 1 when a bar is missed or a number was wrong.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import django_on, scratch_database

REAL, BIG = 15_000, 50_000
YEARS = range(2019, 2026)
REAL_YEAR, BIG_YEAR = 2022, 2021
ROUNDS, LOOKUPS, COUNTED = 3, 600, 60
DEPARTURES = 8_000
# Short, so that what drifts on a shared machine drifts for both ways.
BLOCKS, BIDS = 80, 5
# The largest allowed ratios: a number in the real and in the big queue, both after the departures, a bid.
REAL_BAR, BIG_BAR, CHURN_BAR, BID_BAR = 3.0, 10.0, 20.0, 1.1

SEED = """
INSERT INTO children_child
    (id, iin, iin_hash, last_name, first_name, middle_name, birth_date, sex, nationality, created_at)
SELECT md5('child' || g)::uuid, '', md5('iin' || g), 'Т', 'Т', '', make_date(%(real_year)s, 1, 1), 'F', '', now()
FROM generate_series(1, %(rows)s) AS g;

INSERT INTO applications_application
    (id, number, child_id, locality_id, birth_year, languages, tier, filed_at, sequence, filed_by_id, state,
     interest_confirmed_at, runs_out_at)
SELECT md5('application' || g)::uuid, 'B-' || g, md5('child' || g)::uuid,
       CASE WHEN g <= %(real)s THEN %(first)s
            WHEN g <= %(real)s + %(big)s THEN %(first)s + 1
            ELSE %(first)s + 2 + floor(random() * %(localities)s)::int END,
       CASE WHEN g <= %(real)s THEN %(real_year)s
            WHEN g <= %(real)s + %(big)s THEN %(big_year)s
            ELSE %(year)s + floor(random() * %(years)s)::int END,
       '{kk,ru}',
       CASE WHEN r < 0.04 THEN 0 WHEN r < 0.2 THEN 1 ELSE 2 END,
       now() - interval '3 days' - random() * interval '1300 days', g, %(parent)s, 'waiting', now(),
       now() + interval '1 day'
FROM (SELECT g, random() AS r FROM generate_series(1, %(rows)s) AS g ORDER BY random()) AS filed;
"""


@dataclass
class Timed:
    """Seconds that each way took, call by call."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def call(self, name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = work()
        self.taken.setdefault(name, []).append(time.perf_counter() - began)
        return result

    def ratio(self, name: str, base: str, *, percent: int = 50) -> float:
        return percentile(self.taken[name], percent) / percentile(self.taken[base], percent)


@dataclass
class Report:
    """The lines of the table."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    wrong: int = 0

    def add(
        self, what: str, ratios: Sequence[tuple[float, float]], *, ms: float, bar: float | None = None
    ) -> None:
        """The median over the rounds of (p50 ratio, p99 ratio)."""
        p50, p99 = (statistics.median(column) for column in zip(*ratios, strict=True))
        missed = bar is not None and p50 > bar
        self.lines.append(
            {
                "what": what,
                "p50": round(p50, 2),
                "p99": round(p99, 2),
                "ms": round(ms, 3),
                "bar": bar,
                "missed": missed,
            }
        )

    def print(self, *, rows: int) -> bool:
        """The table and the JSON; True when every bar was held."""
        print(f"\n{'':58} {'p50':>7} {'p99':>7} {'bar':>6}   p50 here, ms")
        for line in self.lines:
            bar = f"{line['bar']:>5}x" if line["bar"] else ""
            end = "  MISSED" if line["missed"] else ""
            print(f"{line['what']:58} {line['p50']:>6}x {line['p99']:>6}x {bar:>6}   {line['ms']:>7}{end}")
        print(f"numbers that differ from counting: {self.wrong}")
        print(json.dumps({"rows": rows, "wrong": self.wrong, "lines": self.lines}))
        return not self.wrong and not any(line["missed"] for line in self.lines)


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def execute(sql: str, parameters: Any = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def seed(rows: int) -> None:
    """The waiting applications of many localities; the first two localities hold one queue each."""
    from accounts.models import User
    from applications.queue.buckets import fold_buckets
    from bulletin.models import Locality

    # As many as leave other queues near 1,400 each.
    localities = max(1, (rows - REAL - BIG) // (1_400 * len(YEARS)))
    places = [
        Locality(slug=f"place-{n}", name_kk=f"Қала {n}", name_ru=f"Город {n}") for n in range(2 + localities)
    ]
    first = min(place.pk for place in Locality.objects.bulk_create(places))
    parent = User.objects.create_parent(phone="+77010000001", password=None)
    known = {
        "rows": rows,
        "real": REAL,
        "big": BIG,
        "first": first,
        "localities": localities,
        "parent": parent.pk,
    }
    years = {"real_year": REAL_YEAR, "big_year": BIG_YEAR, "year": YEARS[0], "years": len(YEARS)}
    execute(SEED, known | years)
    fold_buckets()
    execute("VACUUM (ANALYZE)")
    # From here on nobody may tidy up in between.
    execute("ALTER TABLE applications_application SET (autovacuum_enabled = false)")
    execute("ALTER TABLE applications_queuecount SET (autovacuum_enabled = false)")


def queue_of(year: int, slug: str) -> Any:
    from applications.models import Application
    from applications.states import QUEUED_STATES

    return Application.objects.filter(birth_year=year, locality__slug=slug, state__in=QUEUED_STATES)


def measure_lookups(report: Report, what: str, *, bars: tuple[float, float]) -> None:
    """`position` and counting against a read by primary key, in turn, for random applications of both queues."""
    from django.utils import timezone

    from applications.models import Application
    from applications.queue.position import count_position, position

    now = timezone.now()
    for size, year, slug, bar in ((REAL, REAL_YEAR, "place-0", bars[0]), (BIG, BIG_YEAR, "place-1", bars[1])):
        rounds = []
        for _ in range(ROUNDS):
            timed = Timed()
            some = list(queue_of(year, slug).select_related("locality").order_by("?")[:LOOKUPS])
            for turn, application in enumerate(some):
                ways = {
                    "pk": lambda: Application.objects.get(pk=application.pk),  # noqa: B023 - called at once
                    "position": lambda: position(application, now=now),  # noqa: B023
                }
                if turn < COUNTED:
                    ways["count"] = lambda: count_position(application, now=now)  # noqa: B023
                got = {name: timed.call(name, ways[name]) for name in random.sample(list(ways), len(ways))}
                report.wrong += "count" in got and got["count"] != got["position"]
            rounds.append(timed)
        for name, label in (("position", f"number in the queue of {size:,}"), ("count", "  by counting")):
            report.add(
                f"{label}, {what}",
                [(timed.ratio(name, "pk"), timed.ratio(name, "pk", percent=99)) for timed in rounds],
                ms=1000 * statistics.median(percentile(timed.taken[name], 50) for timed in rounds),
                bar=bar if name == "position" else None,
            )


def depart(number: int) -> None:
    """So many leave each of the two queues, one by one, as an archiving leaves the row."""
    execute("SET synchronous_commit = off")
    for year, slug in ((REAL_YEAR, "place-0"), (BIG_YEAR, "place-1")):
        for pk in list(queue_of(year, slug).order_by("?").values_list("pk", flat=True)[:number]):
            execute(
                "UPDATE applications_application SET state = 'archived', archived_at = now() WHERE id = %s",
                [pk],
            )
    execute("SET synchronous_commit = on")


def measure_bids(report: Report) -> None:
    """A whole press, and an `archive`, with the trigger that keeps the buckets and without it, in turn."""
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import User
    from applications.bidding.rush import Outcome, press
    from applications.models import Application
    from applications.waiting.filing import archive
    from bulletin.models import AgeGroup, Group, Kindergarten, Locality, Vacancy

    call_command("load_holidays", stdout=sys.stderr)
    now, parent = timezone.now(), User.objects.get(username="+77010000001")
    execute(
        "INSERT INTO children_guardianship (child_id, user_id, source, verified_at) "
        "SELECT child_id, filed_by_id, 'registry', now() FROM applications_application WHERE sequence <= %s",
        [REAL],
    )
    kindergarten = Kindergarten.objects.create(
        slug="k", name_kk="К", name_ru="К", locality=Locality.objects.get(slug="place-0"), ownership="state"
    )
    group = Group.objects.create(
        kindergarten=kindergarten, name="1", age_group=AgeGroup.MIDDLE, language="kk", capacity=25
    )
    opened = now - timedelta(hours=1)
    vacancy = Vacancy.objects.create(
        group=group, birth_years=[REAL_YEAR], seats_total=10_000, state=Vacancy.State.PUBLISHED,
        opens_at=opened, vacant_from=opened, published_at=opened, responsible="Т",
    )  # fmt: skip
    waiting = list(queue_of(REAL_YEAR, "place-0").select_related("locality", "child").order_by("?"))

    def send(one: Application) -> None:
        outcome = press(
            user_id=str(parent.pk),
            password_stamp=parent.get_session_auth_hash(),
            application_id=one.pk,
            vacancy_id=vacancy.pk,
        )
        if outcome != Outcome.PLACED:
            raise AssertionError(outcome)

    for label, bar, work in (
        (
            "a bid, with the buckets / without",
            BID_BAR,
            send,
        ),
        (
            "leaving the queue (archive), with / without",
            None,
            lambda one: archive(one, actor=parent, now=now),
        ),
    ):
        rounds = []
        for _ in range(ROUNDS):
            timed = Timed()
            for block in range(BLOCKS):
                on = block % 4 in (0, 3)
                execute(
                    f"ALTER TABLE applications_application {'ENABLE' if on else 'DISABLE'} TRIGGER count_queue_moves"
                )
                work(waiting.pop())  # the first one after the change reads the catalogue anew
                for _ in range(BIDS):
                    one = waiting.pop()
                    timed.call("with" if on else "without", lambda: work(one))  # noqa: B023 - called at once
            rounds.append(timed)
        execute("ALTER TABLE applications_application ENABLE TRIGGER count_queue_moves")
        report.add(
            label,
            [
                (timed.ratio("with", "without"), timed.ratio("with", "without", percent=99))
                for timed in rounds
            ],
            ms=1000 * statistics.median(percentile(timed.taken["with"], 50) for timed in rounds),
            bar=bar,
        )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(rows: int) -> bool:
    """Everything in order; True when every bar was held."""
    from applications.queue.buckets import fold_buckets

    report = Report()
    say(f"seeding {rows:,} waiting applications …")
    began = time.perf_counter()
    seed(rows)
    say(f"done in {time.perf_counter() - began:.0f} s")
    say("numbers …")
    measure_lookups(report, "at rest", bars=(REAL_BAR, BIG_BAR))
    say(f"{DEPARTURES:,} departures from each of the two queues …")
    depart(DEPARTURES)
    measure_lookups(report, f"after {DEPARTURES:,} departures", bars=(CHURN_BAR, CHURN_BAR))
    fold_buckets()
    measure_lookups(report, "then folded", bars=(CHURN_BAR, CHURN_BAR))
    say("bids …")
    measure_bids(report)
    return report.print(rows=rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="waiting applications in all queues together"
    )
    rows = parser.parse_args().rows
    if rows <= REAL + BIG:
        parser.error(f"the two measured queues alone are {REAL + BIG:,} rows")
    with (
        start_servers() as running,
        scratch_database(running) as addresses,
        # It takes the triggers off to show what they cost: all of it is the owner's work.
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        return 0 if run(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
