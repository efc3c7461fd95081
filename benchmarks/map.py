"""What the map and the catalogue cost in a large country: `python benchmarks/map.py`, `make bench-map`.

Seeds a scratch database with a tenth of the kindergartens and with all of them: each with a group and a vacancy, three
of four localities as dense as a city, one as wide as a region. The whole map, a city, a quarter of it, one as a larger
screen asks for it, the page of a kindergarten, and the catalogue with its filters, its search by sound, its last page
and its order by distance are each asked for in turn, and beside them a page that asks for nothing. A map is asked for
as the first of its minute and as a later one.

Prints a table and, as the last line, JSON; ends with 1 where a page is heavier than the bar, or takes more statements
than for a tenth. What a page takes of the processors, here and in the database, is shown beside its bar and fails
nothing, and so is the clock's time: both are this machine's, and others may be at work on it.
"""

import json
import random
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import measure_at_two_sizes

KINDERGARTENS = 12_000
ROUNDS = 7
MILLISECONDS, KILOBYTES = 100, 200
EMPTY = "a page that asks for nothing"
# Latitude, longitude, and how far its kindergartens lie from there, in degrees.
PLACES = ((43.30, 68.25, 0.06), (51.13, 71.43, 0.12), (43.24, 76.90, 0.15), (48.0, 67.0, 5.0))
# A map's name begins with "map": it is measured both as it is counted and as it is remembered.
PAGES = {
    EMPTY: "/accessibility/",
    "map, everywhere": "/map/?place=all",
    "map, a city": "/map/?place=bench-2",
    "map, a quarter": "/map/?place=all&bounds=76.88000,43.22000,76.92000,43.26000",
    "map, a larger screen": "/ru/map/?place=all&bounds=76.75000,43.10000,77.05000,43.38000&zoom=12",
    "map, free by a filter": "/map/?place=all&places=free&language=kk",
    "a kindergarten": "/kindergartens/bench-1/",
    "catalogue": "/kindergartens/?place=all",
    "catalogue, last page": "/kindergartens/?place=all&page=last",
    "catalogue, filters": "/kindergartens/?place=all&language=kk&age=3&places=free&ownership=state",
    "catalogue, by sound": "/kindergartens/?place=all&search=baldyrghan+1199",
    "catalogue, nearest": "/kindergartens/?place=all&sort=near",
}
HERE = "43.240:76.900"


class Cost(NamedTuple):
    """What one visit took, in milliseconds: of the clock, and of the processors here and in the database."""

    clock: float
    processor: float


@dataclass
class Measured:
    """A page, and what it took with a tenth and with all."""

    name: str
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    to_empty: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        found = [f"{self.kilobytes[-1]:.0f} KB"] if self.kilobytes[-1] > KILOBYTES else []
        if self.statements[-1] > self.statements[0]:
            found.append(f"{self.statements[-1]} statements instead of {self.statements[0]}")
        return found


def seed(count: int) -> None:
    """The kindergartens, and none of an earlier seed."""
    from django.db import connection
    from django.utils import timezone

    from bulletin.models import Group, Kindergarten, Locality, Vacancy

    Vacancy.objects.all().delete()
    Kindergarten.objects.all().delete()
    Locality.objects.all().delete()
    chance, now = random.Random(1), timezone.now()
    localities = [
        Locality.objects.create(slug=f"bench-{n}", name_kk=f"Қала {n}", name_ru=f"Город {n}", order=n)
        for n in range(len(PLACES))
    ]
    kindergartens = []
    for n in range(count):
        north, east, reach = PLACES[n % len(PLACES)]
        kindergartens.append(
            Kindergarten(
                slug=f"bench-{n}",
                locality=localities[n % len(PLACES)],
                name_kk=f"«Балдырған» бөбекжай-бақшасы №{n}",
                name_ru=f"Ясли-сад «Балдырган» №{n}",
                ownership="state",
                address_kk=f"Абай даңғылы, {n}",
                address_ru=f"пр. Абая, {n}",
                latitude=Decimal(f"{north + chance.uniform(-reach, reach):.6f}"),
                longitude=Decimal(f"{east + chance.uniform(-reach, reach):.6f}"),
            )
        )
    kindergartens = Kindergarten.objects.bulk_create(kindergartens, batch_size=1000)
    groups = Group.objects.bulk_create(
        [
            Group(kindergarten=one, name="Күн", age_group="3-4", language="kk", capacity=25)
            for one in kindergartens
        ],
        batch_size=1000,
    )
    Vacancy.objects.bulk_create(
        [
            Vacancy(
                group=group,
                birth_years=[now.year - 3],
                seats_total=5,
                seats_taken=5 * (n % 3 == 0),
                state="published",
                opens_at=now + timedelta(days=1 if n % 7 == 0 else -1),
                published_at=now - timedelta(days=2),
                vacant_from=now,
                responsible="Т",
            )
            for n, group in enumerate(groups)
        ],
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def measure(measured: dict[str, Measured], *, kindergartens: int) -> None:
    """Every page in turn, after a first view of each."""
    from django.conf import settings
    from django.test import Client

    print(f"seeding {kindergartens:,} kindergartens …", file=sys.stderr, flush=True)
    seed(kindergartens)
    browser = Client(HTTP_HOST="localhost")
    browser.cookies["near"] = HERE
    for remembering in (True, False):
        # Told once: for the maps of a later visit, and for everything as it is worked out.
        settings.REMEMBER_FOR_A_SECOND = remembering
        pages = {
            name: path for name, path in PAGES.items() if not remembering or name.startswith(("map", EMPTY))
        }
        for path in pages.values():
            visit(browser, path)
        turns = [{name: visit(browser, path) for name, path in pages.items()} for _round in range(ROUNDS)]
        for name, path in pages.items():
            label = f"{name}, again" if remembering else name
            if remembering and name == EMPTY:
                continue
            page = measured.setdefault(label, Measured(label))
            page.clock.append(statistics.median(turn[name].clock for turn in turns))
            page.processor.append(statistics.median(turn[name].processor for turn in turns))
            page.to_empty.append(
                statistics.median(turn[name].processor / turn[EMPTY].processor for turn in turns)
            )
            weigh(page, browser, path)


def weigh(page: Measured, browser: Any, path: str) -> None:
    """Its bytes and its statements. That which reads the clock, once a second, is none of the page's."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        page.kilobytes.append(len(browser.get(path).content) / 1000)
    page.statements.append(sum("clock_timestamp" not in query["sql"] for query in captured.captured_queries))


def visit(browser: Any, path: str) -> Cost:
    """What the page takes, compression and middlewares included."""
    began, used, of_database = time.perf_counter(), time.process_time(), database_seconds()
    answer = browser.get(path)
    used, taken = time.process_time() - used, time.perf_counter() - began
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return Cost(1000 * taken, 1000 * (used + database_seconds() - of_database))


def database_seconds() -> float:
    """The processor time of the database's process for this connection so far; 0 where the system does not tell."""
    from django.db import connection

    connection.ensure_connection()
    told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0


def report(measured: list[Measured]) -> bool:
    """The table and the JSON; True where no page missed a bar."""
    print(
        "of the processors in ms, ÷ an empty page, of the clock in ms, KB, statements; with all, and with a tenth"
    )
    for page in measured:
        slow = "  SLOW" if page.processor[-1] > MILLISECONDS else ""
        faults = "".join(f"  MISSED: {fault}" for fault in page.faults)
        print(
            f"{page.name:30}{page.processor[-1]:6.0f} {page.processor[0]:4.0f}"
            f"{page.to_empty[-1]:7.1f} {page.to_empty[0]:4.1f}{page.clock[-1]:7.0f} {page.clock[0]:4.0f}"
            f"{page.kilobytes[-1]:6.0f} {page.kilobytes[0]:3.0f}"
            f"{page.statements[-1]:5} {page.statements[0]:2}{slow}{faults}"
        )
    print(f"bars: {MILLISECONDS} ms, {KILOBYTES} KB before compression, as many statements as for a tenth")
    print(json.dumps([asdict(page) for page in measured]))
    return not any(page.faults for page in measured)


def main() -> int:
    measured: dict[str, Measured] = {}
    measure_at_two_sizes(
        lambda size: measure(measured, kindergartens=size),
        described=__doc__,
        kindergartens=KINDERGARTENS,
        among="of all places together",
    )
    return 0 if report(list(measured.values())) else 1


if __name__ == "__main__":
    sys.exit(main())
