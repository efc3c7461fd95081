"""A web server in a process of its own, whose clock may be wrong: `python -m tests.concurrency.web_server`.

Arguments: by how many minutes its clock is ahead, the database, the session of whoever presses. After a first line once
it is ready, it answers each line that it reads, an address to which it posts, with the status of the answer.
"""

import sys
from datetime import UTC, datetime, timedelta

import django
import time_machine
from django.conf import settings


def serve(minutes: float, database: str, session: str) -> None:
    settings.DATABASE_CLOCK = True
    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from django.test import Client

    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=True):
        print("ready", flush=True)
        for line in sys.stdin:
            print(client.post(line.strip()).status_code, flush=True)


if __name__ == "__main__":
    serve(float(sys.argv[1]), sys.argv[2], sys.argv[3])
