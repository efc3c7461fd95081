"""A web server and worker in a process of its own, on a machine whose clock is wrong: `Machine`.

The process reads orders, one JSON object a line, and answers each with another: `{"task": name}` runs a task,
`{"get" or "post": address, "data": …, "session": …}` asks for a page. `clock` is what its own clock shows meanwhile.
`own_clock` lets it go by that one, as a control.
"""

import json
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django
import time_machine
from django.conf import settings
from django.utils.module_loading import import_string

from tests.patience import PATIENCE

# Where the tests put a clock that they can stop, before PostgreSQL's own functions are looked for.
SEARCH_PATH = "stopped,pg_catalog,public"


class Machine:
    """The other end: a process whose clock is always `ahead` of the database's."""

    def __init__(self, database, *, ahead):
        self.ahead = ahead
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.machine", database],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def run(self, task, *, at, **order):
        """Run a task by its full name; the clock of the database shows `at`."""
        self._ask({"task": task, **order}, at=at)

    def get(self, address, *, at, **order):
        """The answer to a visitor or, with `session`, to a signed-in user: status, location, session."""
        return self._ask({"get": address, **order}, at=at)

    def post(self, address, data=None, *, at, **order):
        return self._ask({"post": address, "data": data or {}, **order}, at=at)

    def _ask(self, order, *, at):
        order |= {"clock": (at + self.ahead).isoformat(), "prefix": settings.CACHES["default"]["KEY_PREFIX"]}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer


def serve(database: str) -> None:
    settings.DATABASE_CLOCK = True
    settings.DATABASES["default"]["NAME"] = database
    options = settings.DATABASES["default"].setdefault("OPTIONS", {})
    options["options"] = f"-c search_path={SEARCH_PATH}"
    settings.SMS_BACKEND = "tests.notifications.gateways.ObedientBackend"
    settings.MEDIA_ROOT = settings.TEST_FOLDER / "machine"
    django.setup()
    # A delivery counts on from the clock that it has read. That clock stands still, so its counter does: were it to
    # count but half a microsecond, a delivery would find a deadline passed that the clock doesn't show.
    stopped = SimpleNamespace(monotonic=lambda: 1000.0)
    with patch("notifications.delivery.time", stopped):
        obey_all()


def obey_all() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        settings.CACHES["default"]["KEY_PREFIX"] = order["prefix"]
        settings.DATABASE_CLOCK = not order.get("own_clock", False)
        with time_machine.travel(datetime.fromisoformat(order["clock"]), tick=True):
            try:
                answer = obey(order)
            except Exception as error:  # noqa: BLE001  whatever it was, the test that ordered it shall read it
                answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


def obey(order: dict[str, Any]) -> dict[str, Any]:
    if "task" in order:
        import_string(order["task"])()
        return {}
    from django.test import Client

    client = Client()
    if session := order.get("session"):
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    response = client.get(order["get"]) if "get" in order else client.post(order["post"], order["data"])
    kept = client.cookies.get(settings.SESSION_COOKIE_NAME)
    return {
        "status": response.status_code,
        "location": response.headers.get("Location", ""),
        "session": kept.value if kept else "",
        "page": "" if response.streaming else response.content.decode(),
    }


if __name__ == "__main__":
    serve(sys.argv[1])
