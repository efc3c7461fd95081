"""What a crowd does to the next visitor: many open connections, many at once, many who sign in, many who drip."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.load import TOKEN

SOCKETS: Final = str(Path(__file__).with_name("sockets.py"))
CONNECTIONS: Final = 10_000
SIGNING_IN: Final = 40
DRIPPING: Final = 200
DRIP_SECONDS: Final = 60
PASSWORD: Final = "қазан-айы-42"  # noqa: S105 - of families that do not exist
# How often the visitor asks, and how long it would wait.
EVERY_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 60
CLOCK: Final = "/clock.json"
# A page of the portal whose work is done once a second for all: what it takes is what others leave of the machine.
PAGE: Final = "/"
FORM: Final = "/login/"


@dataclass(frozen=True)
class Waits:
    """How long visitors waited, in milliseconds."""

    p50: float
    p99: float
    count: int

    def allowed(self, times: float) -> float:
        """The bar of the same page on a busy portal: so many times what this one took, or 50 ms where that is less."""
        return max(times * self.p99, 50.0)


def visit(port: int, path: str, *, until: Event | None = None, seconds: float = 8) -> Waits:
    """Ask for a page as one new visitor after the other, for so long or until the event."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    due = time.perf_counter()
    while time.perf_counter() < end if until is None else not until.is_set():
        began = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
            try:
                connection.request("GET", path)
                good = connection.getresponse().status == 200
            except OSError:
                good = False
        taken.append(1000 * (time.perf_counter() - began) if good else 1000.0 * PATIENCE_SECONDS)
        due = max(due + EVERY_SECONDS, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
    ordered = sorted(taken)
    return Waits(ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], len(ordered))


@contextmanager
def sockets(*arguments: object) -> Iterator["Sockets"]:
    """The other process, ended afterwards."""
    command = [sys.executable, SOCKETS, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        yield Sockets(process)
    finally:
        process.kill()
        process.communicate()


class Sockets:
    """What to tell it, and what it says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("The process with the sockets has ended by itself.")
        heard: dict[str, Any] = json.loads(line)
        return heard


def connections(port: int, page: str) -> dict[str, float]:
    """The next visitor beside 10,000 kept connections, and 10,000 pages asked for in one instant."""
    idle = visit(port, CLOCK)
    with sockets("crowd", port, CONNECTIONS) as crowd:
        opened = crowd.hear()
        beside = visit(port, CLOCK)
        crowd.tell("count")
        still = crowd.hear()["open"]
        crowd.tell(f"ask {page}")
        answers = crowd.hear()
        crowd.tell("end")
    good = answers["statuses"].get("200", 0)
    return {
        "next_visitor": beside.p99 / idle.allowed(3),
        "idle_p99_ms": idle.p99,
        "next_visitor_p99_ms": beside.p99,
        "next_visitor_p50_ms": beside.p50,
        "opened": opened["statuses"].get("200", 0),
        "opening_seconds": opened["seconds"],
        "open_afterwards": still,
        "unanswered": CONNECTIONS - good,
        "answering_seconds": answers["seconds"],
    }


def drip(port: int, *, seconds: float = DRIP_SECONDS) -> dict[str, float]:
    """The next visitor beside 200 sockets that send a form by a byte a second."""
    idle = visit(port, CLOCK)
    with sockets("drip", port, DRIPPING, seconds, FORM) as dripping:
        beside = visit(port, CLOCK, seconds=seconds)
        sent = dripping.hear()
    return {
        "dripped_on": beside.p99 / idle.allowed(3),
        "idle_p99_ms": idle.p99,
        "dripped_p99_ms": beside.p99,
        "dripped_p50_ms": beside.p50,
        "dripping": DRIPPING,
        **{f"drip_{name}": value for name, value in sent.items()},
    }


def hashes_per_second(encoded: str, *, seconds: float = 3) -> float:
    """What bare hashing does on all cores, one process on each."""
    cores = len(os.sched_getaffinity(0))
    with get_context("spawn").Pool(cores) as pool:
        return sum(pool.starmap(_hash_for, [(encoded, seconds)] * cores))


def _hash_for(encoded: str, seconds: float) -> float:
    import django

    django.setup()
    from django.contrib.auth.hashers import check_password

    check_password(PASSWORD, encoded)
    count, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds:
        if not check_password(PASSWORD, encoded):
            raise SystemExit("The password of the bench is wrong.")
        count += 1
    return count / (time.perf_counter() - began)


def sign_ins(port: int, phones: Sequence[str], *, until: Event) -> list[int]:
    """Forty families at once, each after the other; the statuses of the answers."""
    left = iter(phones)

    def one_after_the_other(_: int) -> list[int]:
        # A browser has the form's connection still open.
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
            statuses = []
            while not until.is_set() and (phone := next(left, None)):
                statuses.append(sign_in(connection, phone))
            return statuses

    with ThreadPoolExecutor(SIGNING_IN) as pool:
        return [
            status for statuses in pool.map(one_after_the_other, range(SIGNING_IN)) for status in statuses
        ]


def sign_in(connection: http.client.HTTPConnection, phone: str) -> int:
    headers = {
        "Cookie": f"csrftoken={TOKEN}",
        "X-CSRFToken": TOKEN,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", FORM, urlencode({"phone": phone, "password": PASSWORD}), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def signing_in(
    port: int, first: Sequence[str], second: Sequence[str], encoded: str, *, seconds: float = 8
) -> dict[str, float]:
    """Sign-ins a second as a share of bare hashing, and a page beside forty families that sign in."""
    bare = hashes_per_second(encoded)
    idle = visit(port, PAGE)
    alone, alone_seconds, _none = _for_seconds(port, first, seconds=seconds, visited=False)
    crowded, _seconds, beside = _for_seconds(port, second, seconds=seconds, visited=True)
    assert beside is not None
    rate = alone.count(302) / alone_seconds
    return {
        "sign_ins": rate / bare,
        "sign_ins_per_second": rate,
        "hashes_per_second": bare,
        "page_beside_sign_ins": beside.p99 / idle.allowed(5),
        "page_idle_p99_ms": idle.p99,
        "page_beside_p99_ms": beside.p99,
        "page_beside_p50_ms": beside.p50,
        "sign_ins_refused": sum(status != 302 for status in alone + crowded),
    }


def _for_seconds(
    port: int, phones: Sequence[str], *, seconds: float, visited: bool
) -> tuple[list[int], float, Waits | None]:
    until = Event()
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        statuses = pool.submit(sign_ins, port, phones, until=until)
        if visited:
            waits = visit(port, PAGE, seconds=seconds)
        else:
            waits = None
            until.wait(seconds)
        until.set()
        return statuses.result(), time.perf_counter() - began, waits
