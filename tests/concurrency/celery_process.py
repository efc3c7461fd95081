"""Celery in a process of its own, on a machine whose clock is wrong: `python -m tests.concurrency.celery_process`.

Arguments: by how many seconds the clock of its machine is ahead, the database, what the keys of its queues begin with
in Redis, and what Celery is told.
"""

import sys
from datetime import UTC, datetime, timedelta

import django
import time_machine
from django.conf import settings


def main(ahead: float, database: str, prefix: str, arguments: list[str]) -> None:
    settings.DATABASE_CLOCK = True
    settings.DATABASES["default"]["NAME"] = database
    settings.SMS_BACKEND = "tests.notifications.gateways.ObedientBackend"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {
        "global_keyprefix": prefix
    }
    django.setup()
    from balabaqsha.celery import app

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=ahead)):
        app.start(argv=arguments)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
