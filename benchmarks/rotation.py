"""Rotation of both keys over 200,000 children while a small load finds and rewrites some: `benchmarks/rotation.py`.

In a database of its own, which it makes and drops; needs the test servers (`balabaqsha.servers start --test`).
"""

import io
import os
import sys
import threading
import time
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from random import choice
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings_test")

import django

django.setup()

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.identity import iin_hash, iin_hashes
from children.models import Child

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
AT_ONCE, PAUSE = 5_000, 0.02


def fill() -> None:
    for start in range(0, ROWS, AT_ONCE):
        Child.objects.bulk_create(
            Child(
                iin=f"{number:012}",
                iin_hash=iin_hash(f"{number:012}") or "",
                last_name="А",
                first_name="Б",
                birth_date=date(2020, 1, 1),
                sex="f",
                created_at=datetime.now(UTC),
            )
            for number in range(start, min(start + AT_ONCE, ROWS))
        )


def load(until: threading.Event, took: list[float]) -> None:
    """Find a child by its IIN, as a registration does, and rewrite it, as the recheck does; some 40 times a second."""
    while not until.is_set():
        iin = f"{choice(range(ROWS)):012}"
        begun = time.perf_counter()
        child = Child.objects.get(iin_hash__in=iin_hashes(iin))
        child.last_name = uuid.uuid4().hex
        child.save(update_fields=["last_name"])
        took.append(time.perf_counter() - begun)
        time.sleep(PAUSE)
    connection.close()


def measured(work: Any) -> tuple[float, list[float]]:
    until, took = threading.Event(), list[float]()
    thread = threading.Thread(target=load, args=[until, took])
    thread.start()
    begun = time.perf_counter()
    work()
    spent = time.perf_counter() - begun
    until.set()
    thread.join()
    return spent, sorted(took)


def told(name: str, spent: float, took: list[float]) -> None:
    at = {share: took[int(len(took) * share)] * 1000 for share in (0.5, 0.95, 0.99)}
    shares = " ".join(f"p{int(share * 100)} {value:.1f}" for share, value in at.items())
    print(
        f"{name}: {spent:.1f} s; load: {len(took)} times, ms {shares} max {took[-1] * 1000:.1f}", flush=True
    )


def main() -> None:
    connection.settings_dict["TEST"]["NAME"] = f"bench_rotation_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        fill()
        told("without rotation", *measured(lambda: time.sleep(20)))
        settings.IIN_KEYS = [Fernet.generate_key().decode(), *settings.IIN_KEYS]
        settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD = "new-key-" * 6, settings.IIN_HASH_KEY
        for name in ("rotation", "again, with nothing to do"):
            said = io.StringIO()
            told(name, *measured(lambda said=said: call_command("rotate_iin_keys", stdout=said)))
            print(said.getvalue())
    finally:
        connection.creation.destroy_test_db("balabaqsha", verbosity=0)


if __name__ == "__main__":
    main()
