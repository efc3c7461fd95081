"""What bringing in a former queue costs: `python benchmarks/bring_in.py [--rows 200000]`, or `make bench-import`.

Writes a file of made-up people, imports it into a scratch database as `import_queue` does, and copies the same file by
one COPY into a table without an index, in the same run on the same machine. While the import runs somebody else asks
for a number again and again, which must stay what it was. Prints time, memory and their ratio, and as the last line
JSON; ends with 1 when a bar is missed or a number was wrong.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import django_on, scratch_database

# Seconds and megabytes for 200,000 rows on two cores; other sizes in proportion of time.
ROWS, TIME_BAR, MEMORY_BAR = 200_000, 300.0, 500.0
PLACES = ("almaty", "turkistan", "kentau")
BENEFITS = ("large-families",)


def write_file(path: Path, rows: int) -> None:
    """In a process of its own, so that its memory is not counted."""
    import django

    django.setup()
    from balabaqsha.demo.former_queue import rows_of, write

    with path.open("w", encoding="utf-8") as file:
        write(rows_of(rows, places=PLACES, benefits=BENEFITS, today=datetime.now(UTC).date()), file)


class Watcher(threading.Thread):
    """Asks for the number of one family while another connection imports."""

    def __init__(self, application: Any) -> None:
        super().__init__(daemon=True)
        self.application, self.seen, self.asked = application, set[int](), 0
        self.over = threading.Event()

    def run(self) -> None:
        from django.db import connection

        from applications.queue.position import position
        from notifications.clock import read_clock

        while not self.over.wait(0.05):
            place = position(self.application, now=read_clock())
            assert place is not None
            self.seen.add(place.number)
            self.asked += 1
        connection.close()


def seed() -> Any:
    """The places and benefits that the file names, and one family that waits already behind all of it."""
    from applications.models import BenefitCategory
    from applications.states import Tier
    from bulletin.models import Locality
    from notifications.clock import read_clock
    from tests.factories import ApplicationFactory

    for slug in PLACES:
        Locality.objects.get_or_create(slug=slug, defaults={"name_kk": slug, "name_ru": slug})
    for slug in BENEFITS:
        BenefitCategory.objects.get_or_create(
            slug=slug, defaults={"name_kk": slug, "name_ru": slug, "tier": Tier.PRIORITY}
        )
    today = read_clock()
    return ApplicationFactory(
        locality=Locality.objects.get(slug=PLACES[0]),
        child__birth_date=today.date().replace(year=today.year - 4),
        filed_at=today - timedelta(minutes=5),
    )


def bring_in(path: Path, mine: Any) -> tuple[float, int, bool]:
    """Seconds, rows, and whether every number was exact."""
    from applications.city.queue_file import Queue
    from applications.queue.buckets import bucket_differences
    from applications.queue.position import count_position, position
    from bulletin.importing.running import run_import
    from notifications.clock import read_clock
    from tests.factories import StaffFactory

    watcher, by = Watcher(mine), StaffFactory()
    watcher.start()
    began = time.perf_counter()
    with path.open("rb") as file:
        report = run_import(Queue(), file, file_name=path.name, now=read_clock(), by=by)
    taken = time.perf_counter() - began
    watcher.over.set()
    watcher.join()
    now = read_clock()
    after = position(mine, now=now)
    # Before it, and perhaps once more after its end: nothing between the two.
    between = watcher.seen - {1, after.number if after else 0}
    exact = not between and after == count_position(mine, now=now) and not bucket_differences()
    say(f"{watcher.asked} numbers were asked for meanwhile")
    return taken, report.counts["added"], exact and not report.bad


def copy(path: Path) -> float:
    """Seconds for one COPY of the same rows."""
    from django.db import connection

    from balabaqsha.demo.former_queue import COLUMNS

    with connection.cursor() as cursor, path.open("rb") as file:
        cursor.execute(f"CREATE TABLE copied ({', '.join(f'{name} text' for name in COLUMNS)})")
        began = time.perf_counter()
        cursor.copy_expert("COPY copied FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';')", file)
        return time.perf_counter() - began


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(rows: int, folder: Path) -> bool:
    path = folder / "queue.csv"
    subprocess.run([sys.executable, __file__, "--rows", str(rows), "--write", str(path)], check=True)  # noqa: S603
    mine = seed()
    taken, added, exact = bring_in(path, mine)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    copied = copy(path)
    bar = TIME_BAR * max(rows / ROWS, 0.1)
    print(f"{added:,} rows in {taken:.0f} s (bar {bar:.0f}), {memory:.0f} MB (bar {MEMORY_BAR:.0f})")
    print(f"one COPY of the same file: {copied:.2f} s, ratio {taken / copied:.0f}")
    print(f"numbers {'exact all the while' if exact else 'WRONG'}")
    result = {"rows": added, "seconds": taken, "megabytes": memory, "copy": copied, "exact": exact}
    print(json.dumps(result))
    return exact and added == rows and taken <= bar and memory <= MEMORY_BAR


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write_file(asked.write, asked.rows)
        return 0
    with (
        tempfile.TemporaryDirectory() as folder,
        start_servers() as running,
        scratch_database(running) as addresses,
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        return 0 if run(asked.rows, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
