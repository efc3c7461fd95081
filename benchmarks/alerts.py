"""What telling 100,000 families of new places costs: `python benchmarks/alerts.py`, or `make bench-alerts`.

A scratch database has as many families that asked to be told, and places that suit them are published together. One
process writes the messages of the wave, a worker in a process of its own delivers, and codes are asked for all the
while. Beside it one bare `COPY` writes the same rows into a table with the same indexes. Prints seconds, their ratio,
memory and the waits of codes, and as the last line JSON; ends with 1 when a bar is missed or somebody was left out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import NAME, at_any_hour, django_on, scratch_database

ROWS = 100_000
# Seconds for 100,000 families on two cores, seconds until a code is handed over, MB by which the writer may grow.
TIME_BAR, CODE_BAR, MEMORY_BAR = 60.0, 3.0, 150.0
PLACES, KINDERGARTENS = 60, 200
CODES_EVERY_SECONDS, DUE_SECONDS = 1.0, 15.0
A_CODE = "sign_in_code"
PREFIX = f"{NAME}:"

SEED = """
INSERT INTO bulletin_locality (slug, name_kk, name_ru, timezone, "order")
VALUES ('bench', 'Қала', 'Город', 'Asia/Almaty', 0);

INSERT INTO bulletin_kindergarten
    (slug, locality_id, name_kk, name_ru, ownership, type, address_kk, address_ru, phone, head, sort_key, search_text)
SELECT 'k' || g, l.id, 'Балабақша ' || g, 'Детский сад ' || g, 'state', 'nursery', 'Көше, ' || g, 'Улица, ' || g, '',
       '', lpad(g::text, 5, '0'), 'балабақша детский сад ' || g
FROM generate_series(1, {kindergartens}) AS g, bulletin_locality AS l;

INSERT INTO bulletin_group (kindergarten_id, name, age_group, language, regime, capacity)
SELECT id, 'Күн', '3-4', CASE WHEN id % 2 = 0 THEN 'kk' ELSE 'ru' END, 'day', 25 FROM bulletin_kindergarten;

INSERT INTO accounts_user
    (id, username, password, phone, language, is_staff, is_active, is_superuser, date_joined, last_login)
SELECT md5('u' || g)::uuid, '+7701' || lpad(g::text, 7, '0'), '', '+7701' || lpad(g::text, 7, '0'),
       CASE WHEN g % 3 = 0 THEN 'ru' ELSE 'kk' END, false, true, false, now(), NULL
FROM generate_series(1, {rows}) AS g;

INSERT INTO children_child
    (id, iin, iin_hash, last_name, first_name, middle_name, birth_date, sex, nationality, created_at)
SELECT md5('c' || g)::uuid, '', md5('c' || g), 'Қаменова', 'Дания ' || g, '', make_date(2019 + g % 6, 5, 5), 'f', '',
       now()
FROM generate_series(1, {rows}) AS g;

INSERT INTO children_guardianship (child_id, user_id, source, verified_at)
SELECT md5('c' || g)::uuid, md5('u' || g)::uuid, 'registry', now() FROM generate_series(1, {rows}) AS g;

INSERT INTO applications_application
    (id, number, child_id, locality_id, birth_year, languages, tier, filed_at, sequence, filed_by_id, state,
     interest_confirmed_at, runs_out_at)
SELECT md5('a' || g)::uuid, 'B-' || lpad(g::text, 7, '0'), md5('c' || g)::uuid, l.id, 2019 + g % 6, '{{kk,ru}}', 2,
       now() - interval '3 days' - g * interval '1 minute', g, md5('u' || g)::uuid, 'waiting', now(),
       now() + interval '1 day'
FROM generate_series(1, {rows}) AS g, bulletin_locality AS l;

INSERT INTO applications_alert (id, user_id, application_id, languages, is_on, changed_at)
SELECT gen_random_uuid(), md5('u' || g)::uuid, md5('a' || g)::uuid, '{{}}', true, now()
FROM generate_series(1, {rows}) AS g;

-- One in twenty has chosen the kindergartens with a place.
INSERT INTO applications_alert_kindergartens (alert_id, kindergarten_id)
SELECT a.id, k.id FROM applications_alert AS a
JOIN applications_application AS p ON p.id = a.application_id AND p.sequence % 20 = 0
CROSS JOIN (SELECT id FROM bulletin_kindergarten ORDER BY id LIMIT {chosen}) AS k;

-- Half of them with a window for the head of the queue, which a third of the families are in.
INSERT INTO bulletin_vacancy
    (id, group_id, birth_years, place_type, mode, seats_total, seats_taken, state, opens_at, priority_until,
     vacant_from, published_at, end_reason, short_notice_reason, responsible)
SELECT md5('v' || g)::uuid, (SELECT min(id) FROM bulletin_group) + g % {kindergartens},
       ARRAY[2019 + g % 6, 2019 + (g + 3) % 6]::smallint[], 'vacant', 'first_come', 2, 0, 'published',
       now() + interval '1 day' + g * interval '1 minute', CASE WHEN g % 2 = 0 THEN now() + interval '4 days' END,
       now(), now() - interval '10 minutes', '', '', 'Т'
FROM generate_series(1, {places}) AS g;

INSERT INTO applications_prioritycutoff (vacancy_id, birth_year, tier, filed_at, sequence)
SELECT v.id, y, 2, now() - interval '3 days' - {rows} * interval '40 seconds', {rows}
FROM bulletin_vacancy AS v, unnest(v.birth_years) AS y WHERE v.priority_until IS NOT NULL;

ANALYZE;
"""


def serve() -> None:
    """A worker that only delivers, as the portal starts it, with queues of its own."""
    import django

    django.setup()
    from balabaqsha.queues import DELIVERIES, WORKERS

    at_any_hour()
    [worker] = [one for one in WORKERS if one.queue == DELIVERIES]
    on_our_queues().start(argv=worker.command())


def on_our_queues() -> Any:
    """Celery, with names in Redis that no portal uses."""
    from balabaqsha.celery import app

    prefix = os.environ["BENCH_PREFIX"]
    app.conf.broker_transport_options = app.conf.broker_transport_options | {"global_keyprefix": prefix}
    return app


@dataclass
class Asker(threading.Thread):
    """Asks for a code each second; `waited` has how long each took until it was handed over."""

    waited: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        from django.db import connection

        while not self.over.is_set():
            self.waited.append(self._ask(len(self.waited)))
            self.over.wait(CODES_EVERY_SECONDS)
        connection.close()

    @staticmethod
    def _ask(number: int) -> float:
        from django.db import transaction

        from notifications.clock import read_clock
        from notifications.models import Message
        from notifications.services import enqueue_to_phone

        phone = f"+7708{time.time_ns() // 1000 % 10_000_000:07}"
        began = time.perf_counter()
        with transaction.atomic():
            enqueue_to_phone(
                phone, A_CODE, context={"code": "483920", "minutes": 10}, language="kk", dedupe_key=str(number),
                now=read_clock(),
            )  # fmt: skip
        code = Message.objects.filter(phone=phone, sent_at__isnull=False)
        while not code.exists() and time.perf_counter() - began < 60:
            time.sleep(0.02)
        return time.perf_counter() - began


@contextmanager
def a_worker(folder: Path) -> Iterator[None]:
    """Beside it a worker delivers to a gateway that answers at once: a file."""
    gateway = {"SMS_BACKEND": "notifications.sms.file.FileBackend", "SMS_FILE": str(folder / "sms.jsonl")}
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, __file__, "--serve"], stdout=log, stderr=log, env=os.environ | gateway
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def copied() -> float:
    """Seconds for one bare COPY of each table's same rows, into another with the same indexes."""
    from django.db import connection

    taken = 0.0
    with connection.cursor() as cursor, tempfile.TemporaryFile() as file:
        for table in ("notifications_notice", "notifications_message"):
            cursor.execute(f"CREATE TABLE copied (LIKE {table} INCLUDING ALL)")
            file.seek(0)
            file.truncate()
            of_the_wave = f"SELECT * FROM {table} WHERE kind = 'place_appeared'"  # noqa: S608 - names of ours
            cursor.copy_expert(f"COPY ({of_the_wave}) TO STDOUT", file)
            file.seek(0)
            began = time.perf_counter()
            cursor.copy_expert("COPY copied FROM STDIN", file)
            taken += time.perf_counter() - began
            cursor.execute("DROP TABLE copied")
    return taken


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(rows: int, folder: Path) -> bool:
    from django.db import connection

    from applications.alerts.waves import tell_of_places
    from notifications.clock import read_clock
    from notifications.models import Message, Notice

    on_our_queues()
    with connection.cursor() as cursor:
        chosen = KINDERGARTENS // 2
        cursor.execute(SEED.format(rows=rows, places=PLACES, kindergartens=KINDERGARTENS, chosen=chosen))
    with a_worker(folder):
        Asker._ask(-1)
        asker, before = Asker(), peak()
        asker.start()
        began, used = time.perf_counter(), time.process_time()
        told = tell_of_places(now=read_clock())
        taken, used = time.perf_counter() - began, time.process_time() - used
        grew, meanwhile = peak() - before, list(asker.waited)
        # From here on the worker has all of them before it.
        Message.objects.filter(kind="place_appeared").update(next_attempt_at=read_clock())
        time.sleep(DUE_SECONDS)
        asker.over.set()
        asker.join()
        afterwards = asker.waited[len(meanwhile) :]
        delivered = Message.objects.filter(kind="place_appeared", sent_at__isnull=False).count()
    bare = copied()
    whole = told == rows == Notice.objects.count() == Message.objects.filter(kind="place_appeared").count()
    bar = TIME_BAR * max(rows / ROWS, 0.1)
    say = (
        f"{told:,} families told of {PLACES} places in {taken:.1f} s (bar {bar:.0f}): {told / taken:,.0f} a second\n"
        f"of these the writer itself was at work for {used:.1f} s; the rest is the database's, and others' turns\n"
        f"one bare COPY of the same rows: {bare:.1f} s, ratio {taken / bare:.1f}\n"
        f"the writer grew by {grew:.0f} MB (bar {MEMORY_BAR:.0f}), to {peak():.0f}\n"
        f"codes handed over: meanwhile {_waits(meanwhile)}, with all of them due {_waits(afterwards)}"
        f" (bar {CODE_BAR})\n"
        f"{delivered:,} of them were delivered in those {DUE_SECONDS:.0f} s"
    )
    print(say if whole else f"{say}\nSOMEBODY WAS LEFT OUT, OR TOLD TWICE")
    slowest = max([*meanwhile, *afterwards])
    print(
        json.dumps(
            {
                "told": told,
                "seconds": taken,
                "worked": used,
                "copy": bare,
                "grew": grew,
                "slowest_code": slowest,
            }
        )
    )
    return whole and taken <= bar and grew <= MEMORY_BAR and slowest <= CODE_BAR


def _waits(seconds: list[float]) -> str:
    return f"{len(seconds)} codes, the slowest in {max(seconds, default=0):.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return 0
    os.environ |= {"BENCH_PREFIX": PREFIX, "SMS_BUDGET_PER_DAY": str(10 * ROWS)}
    with (
        tempfile.TemporaryDirectory() as folder,
        start_servers() as running,
        scratch_database(running) as addresses,
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        return 0 if run(asked.rows, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
