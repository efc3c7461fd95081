"""What the map of kindergartens costs in a large country: `python benchmarks/map.py`, `make bench-map`.

Seeds a scratch database with a tenth of the kindergartens and with all of them: each with a group and a vacancy, three
of four localities as dense as a city, one as wide as a region. The whole map, a city, a quarter of it, one as a larger
screen asks for it, and the page of a kindergarten are each asked for in turn. Prints a table and, as the last line,
JSON; ends with 1 where a page is heavier than the bar, or takes more statements than for a tenth. Milliseconds are
shown beside their bar and fail nothing: they are this machine's.
"""

import argparse
import json
import random
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import django_on, scratch_database

KINDERGARTENS, TENTH = 12_000, 10
ROUNDS = 7
MILLISECONDS, KILOBYTES = 100, 200
# Latitude, longitude, and how far its kindergartens lie from there, in degrees.
PLACES = ((43.30, 68.25, 0.06), (51.13, 71.43, 0.12), (43.24, 76.90, 0.15), (48.0, 67.0, 5.0))
PAGES = {
    "everywhere": "/map/?place=all",
    "a city": "/map/?place=bench-2",
    "a quarter": "/map/?place=all&bounds=76.88000,43.22000,76.92000,43.26000",
    "a larger screen": "/ru/map/?place=all&bounds=76.75000,43.10000,77.05000,43.38000&zoom=12",
    "free, by a filter": "/map/?place=all&places=free&language=kk",
    "a kindergarten": "/kindergartens/bench-1/",
}


@dataclass
class Measured:
    """A page, and what it took with a tenth and with all."""

    name: str
    milliseconds: list[float] = field(default_factory=list)
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
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    print(f"seeding {kindergartens:,} kindergartens …", file=sys.stderr, flush=True)
    seed(kindergartens)
    browser = Client(HTTP_HOST="localhost")
    for name, path in PAGES.items():
        visit(browser, path)
        page = measured.setdefault(name, Measured(name))
        with CaptureQueriesContext(connection) as captured:
            page.kilobytes.append(len(browser.get(path).content) / 1000)
        page.statements.append(len(captured))
    turns = [{name: visit(browser, path) for name, path in PAGES.items()} for _round in range(ROUNDS)]
    for name, page in measured.items():
        page.milliseconds.append(1000 * statistics.median(turn[name] for turn in turns))


def visit(browser: Any, path: str) -> float:
    """Seconds that the page takes, compression and middlewares included."""
    began = time.perf_counter()
    answer = browser.get(path)
    taken = time.perf_counter() - began
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return taken


def report(measured: list[Measured]) -> bool:
    """The table and the JSON; True where no page missed a bar."""
    print(f"{'':20} {'ms':>6} {'of a tenth':>11} {'KB':>6} {'of a tenth':>11} {'statements':>11}")
    for page in measured:
        slow = "  SLOW" if page.milliseconds[-1] > MILLISECONDS else ""
        faults = "".join(f"  MISSED: {fault}" for fault in page.faults)
        print(
            f"{page.name:20} {page.milliseconds[-1]:6.0f} {page.milliseconds[0]:11.0f} {page.kilobytes[-1]:6.0f} "
            f"{page.kilobytes[0]:11.0f} {page.statements[-1]:11}{slow}{faults}"
        )
    print(f"bars: {MILLISECONDS} ms, {KILOBYTES} KB before compression, as many statements as for a tenth")
    print(json.dumps([asdict(page) for page in measured]))
    return not any(page.faults for page in measured)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--kindergartens", type=int, default=KINDERGARTENS, help="of all places together")
    kindergartens = parser.parse_args().kindergartens
    measured: dict[str, Measured] = {}
    with (
        start_servers() as running,
        scratch_database(running) as addresses,
        # It empties and fills tables: all of it is the owner's work.
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        for size in (kindergartens // TENTH, kindergartens):
            measure(measured, kindergartens=size)
        return 0 if report(list(measured.values())) else 1


if __name__ == "__main__":
    sys.exit(main())
