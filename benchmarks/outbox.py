"""What delivering the outbox costs: `python benchmarks/outbox.py [--rows 100000]`, or `make bench-outbox`.

Fills a scratch database with SMS to as many numbers, and lets one worker's code deliver them: to a gateway that answers
at once, with 2,000, 20,000 and all of them due, and to one that takes 100 ms. Beside it the same rows are changed by
single UPDATEs on one connection, in the same run on the same machine: figures are ratios to those, and for the slow
gateway to what its answers and `SMS_AT_ONCE` allow. Meanwhile codes are asked for. Prints figures, and as the last line
JSON; ends with 1 when a bar is missed.
"""

import argparse
import json
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import at_any_hour, django_on, scratch_database

ROWS = 100_000
# Of single-row UPDATEs; of what the slow gateway allows; seconds for a code; MB by which a delivery may grow.
RATE_BAR, SHARE_BAR, CODE_BAR, MEMORY_BAR = 0.2, 0.8, 3.0, 40.0
SLOW_SECONDS, SLOW_ROWS = 0.1, 2_000
UPDATES = 3_000
CODES_EVERY_SECONDS = 1.5
TEXT = "№0417 өтініш кезекке қайтты. Енді бос орындарға өтініш бере аласыз. BALABAQSHA"
# Neither keeps hours: the benchmark runs at any.
A_CODE, A_NOTICE = "sign_in_code", "application_filed"


class Gateway:
    """Takes everything, at its own pace, and notes when it got what."""

    seconds = 0.0
    codes: dict[str, float] = {}

    def send(self, phone: str, text: str, *, idempotency_key: str, **terms: Any) -> Any:
        from notifications.sms.base import Outcome, SendResult

        if self.seconds:
            time.sleep(self.seconds)
        if phone.startswith("+7708"):
            self.codes[phone] = time.monotonic()
        return SendResult(Outcome.ACCEPTED, provider_id=f"bench:{idempotency_key[:8]}")


@dataclass
class Asker:
    """Asks for a code now and then; `waited` has how long each took until the gateway had it."""

    asked: dict[str, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        from django.db import connection, transaction

        from notifications.clock import read_clock
        from notifications.services import enqueue_to_phone

        while not self._over.wait(CODES_EVERY_SECONDS):
            phone = f"+7708{len(self.asked):07}"
            with transaction.atomic():
                enqueue_to_phone(
                    phone, A_CODE, context={"code": "483920", "minutes": 10}, language="kk", dedupe_key=phone,
                    now=read_clock(),
                )  # fmt: skip
            self.asked[phone] = time.monotonic()
        connection.close()

    @contextmanager
    def beside(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @property
    def waited(self) -> list[float]:
        """Of a code that the gateway never got: until now."""
        return [max(0, Gateway.codes.get(phone, time.monotonic()) - at) for phone, at in self.asked.items()]


def fill(rows: int, *, now: datetime) -> None:
    """So many SMS that are due, and nothing else."""
    from django.db import connection

    from notifications.copied_rows import copy_rows
    from notifications.models import Message

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_message")
    copy_rows(
        Message(
            phone=f"+7701{number:07}", kind=A_NOTICE, language="kk", text=TEXT, dedupe_key=str(number),
            next_attempt_at=now, give_up_at=now + timedelta(hours=24, microseconds=number), created_at=now,
        )
        for number in range(rows)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_message")


def updates_a_second(*, now: datetime) -> float:
    """Single-row UPDATEs of the same table, each committed by itself."""
    from django.db import connection

    fill(UPDATES, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM notifications_message")
        keys = [key for (key,) in cursor.fetchall()]
        began = time.perf_counter()
        for key in keys:
            cursor.execute(
                "UPDATE notifications_message SET state = 'sent', sent_at = %s WHERE id = %s", [now, key]
            )
        return len(keys) / (time.perf_counter() - began)


def deliver_all(*, most_seconds: float) -> float:
    """Deliver until nothing is due, or for so long; rows a second."""
    from notifications.clock import read_clock
    from notifications.delivery import deliver_due

    began, sent = time.perf_counter(), 0
    while done := deliver_due(now=read_clock()).sent:
        sent += done
        if time.perf_counter() - began > most_seconds:
            break
    return sent / (time.perf_counter() - began)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int, *, seconds: float, most_seconds: float, codes: bool = False) -> dict[str, float]:
    """Rows a second, the longest wait of a code, and by how many megabytes the process grew."""
    from notifications.clock import read_clock

    Gateway.seconds = seconds
    fill(rows, now=read_clock())
    before, asker = peak(), Asker()
    if codes:
        with asker.beside():
            rate = deliver_all(most_seconds=most_seconds)
    else:
        rate = deliver_all(most_seconds=most_seconds)
    return {
        "rate": rate,
        "code": max(asker.waited, default=0),
        "codes": len(asker.asked),
        "grew": peak() - before,
    }


def run(rows: int, most_seconds: float) -> bool:
    from django.conf import settings

    from notifications import delivery
    from notifications.clock import read_clock

    at_any_hour()
    settings.SMS_BACKEND, settings.SMS_BUDGET_PER_DAY = "benchmarks.outbox.Gateway", 10 * ROWS
    # One call ends in time, too.
    delivery.CLAIMING = min(delivery.CLAIMING, timedelta(seconds=most_seconds))  # type: ignore[misc]
    allowed = getattr(settings, "SMS_AT_ONCE", 1) / SLOW_SECONDS
    result: dict[str, Any] = {}
    good = True
    for name, number in (("few", 2_000), ("many", 20_000), ("all", rows)):
        base = updates_a_second(now=read_clock())
        found = measure(number, seconds=0, most_seconds=most_seconds, codes=name == "all")
        ratio = found["rate"] / base
        print(
            f"{number:>7,} due, a gateway that answers at once: {found['rate']:6.0f} a second,"
            f" {ratio:.3f} of {base:.0f} UPDATEs (bar {RATE_BAR}); grew by {found['grew']:.0f} MB"
        )
        result[name] = found | {"ratio": ratio, "updates": base}
        good = good and ratio >= RATE_BAR
    slow = measure(
        max(SLOW_ROWS, rows // 5), seconds=SLOW_SECONDS, most_seconds=min(most_seconds, 20), codes=True
    )
    share = slow["rate"] / allowed
    print(
        f"a gateway that takes 100 ms: {slow['rate']:.0f} a second, {share:.2f} of {allowed:.0f} (bar {SHARE_BAR})"
    )
    for name, found in (("all", result["all"]), ("slow", slow)):
        print(
            f"{found['codes']} codes meanwhile ({name}): the longest wait {found['code']:.2f} s (bar {CODE_BAR})"
        )
        good = good and found["code"] <= CODE_BAR
    result["slow"] = slow | {"share": share}
    print(json.dumps(result))
    return good and share >= SHARE_BAR and result["all"]["grew"] <= MEMORY_BAR


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seconds", type=float, default=600, help="end each measure after so long")
    asked = parser.parse_args()
    with (
        start_servers() as running,
        scratch_database(running) as addresses,
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        return 0 if run(asked.rows, asked.seconds) else 1


if __name__ == "__main__":
    # The gateway is found by its name, so this module must not be there twice.
    sys.modules["benchmarks.outbox"] = sys.modules["__main__"]
    sys.exit(main())
