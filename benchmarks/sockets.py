"""Thousands of sockets in a process of their own, so that whoever measures beside them has a thread to itself.

    sockets.py crowd PORT COUNT      open so many kept connections, then obey lines: `ask PATH`, `count`, `end`
    sockets.py drip PORT COUNT SECONDS PATH   so many forms that come by a byte a second

Every step answers with one line of JSON. Both end by themselves: with their input, or with their time.
"""

import json
import resource
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

# One address has some 28,000 ports; several leave room for those that are still closing.
SOURCES: Final = [f"127.0.0.{n}" for n in range(1, 5)]
OPENING_AT_ONCE: Final = 500
PATIENCE_SECONDS: Final = 120
DRIPPED_BYTES: Final = 1000


@dataclass
class Kept:
    """A connection that is kept, and the answer that it waits for."""

    socket: socket.socket
    waits: bool = False
    head: bytes = b""
    left: int | None = None

    def send(self, path: str) -> None:
        """Ask for a page."""
        self.waits, self.head, self.left = True, b"", None
        self.socket.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def read(self) -> str | None:
        """Read what is there; the status once the answer is whole, "closed" where the other side has gone."""
        try:
            got = self.socket.recv(1 << 18)
        except BlockingIOError:
            return None
        except OSError:
            return "closed"
        if not got:
            return "closed"
        if self.left is None:
            self.head += got
            if b"\r\n\r\n" not in self.head:
                return None
            head, _, got = self.head.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            self.left = next(
                int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")
            )
        self.left -= len(got)
        if self.left > 0:
            return None
        self.waits = False
        return self.head.split(b" ", 2)[1].decode()


class Crowd:
    """Many kept connections."""

    def __init__(self, port: int, count: int) -> None:
        self.port, self.count = port, count
        self.poll = select.epoll()
        self.kept: dict[int, Kept] = {}

    def open(self) -> Counter[str]:
        """Open all of them, some at once, and let each ask for the clock."""
        statuses: Counter[str] = Counter()
        for first in range(0, self.count, OPENING_AT_ONCE):
            fresh = []
            for n in range(first, min(first + OPENING_AT_ONCE, self.count)):
                connection = connect(self.port, n)
                kept = Kept(connection)
                self.kept[connection.fileno()] = kept
                self.poll.register(connection, select.EPOLLIN)
                fresh.append(kept)
            for kept in fresh:
                kept.send("/clock.json")
            statuses += self.collect(fresh)
        return statuses

    def ask(self, path: str) -> Counter[str]:
        """Ask for one page on all of them at once; how many answers came with each status."""
        asked = list(self.kept.values())
        lost = 0
        for kept in asked:
            try:
                kept.send(path)
            except OSError:
                kept.waits = False
                lost += 1
        return self.collect(asked) + Counter({"closed": lost})

    def count_open(self) -> int:
        """How many the other side has not closed."""
        for number, _event in self.poll.poll(0, len(self.kept) or 1):
            if self.kept[number].read() == "closed":
                self.drop(number)
        return len(self.kept)

    def collect(self, asked: list[Kept]) -> Counter[str]:
        waiting = sum(kept.waits for kept in asked)
        statuses: Counter[str] = Counter()
        until = time.monotonic() + PATIENCE_SECONDS
        while waiting and time.monotonic() < until:
            for number, _event in self.poll.poll(1):
                kept = self.kept[number]
                waited, status = kept.waits, kept.read()
                if status is None:
                    continue
                statuses[status] += waited
                waiting -= waited
                if status == "closed":
                    self.drop(number)
        if waiting:
            statuses["none"] = waiting
        return statuses

    def drop(self, number: int) -> None:
        kept = self.kept.pop(number)
        self.poll.unregister(number)
        kept.socket.close()


def connect(port: int, n: int) -> socket.socket:
    """A connection from one of our addresses, with nothing to wait for."""
    connection = socket.socket()
    connection.settimeout(PATIENCE_SECONDS)
    connection.bind((SOURCES[n % len(SOURCES)], 0))
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


def crowd(port: int, count: int) -> None:
    everybody = Crowd(port, count)
    began = time.perf_counter()
    statuses = everybody.open()
    say(open=len(everybody.kept), statuses=statuses, seconds=time.perf_counter() - began)
    for line in sys.stdin:
        command, _, path = line.strip().partition(" ")
        began = time.perf_counter()
        if command == "end":
            return
        if command == "ask":
            statuses = everybody.ask(path)
            say(statuses=statuses, seconds=time.perf_counter() - began)
        else:
            say(open=everybody.count_open())


def drip(port: int, count: int, seconds: float, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {DRIPPED_BYTES}\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nCookie: csrftoken={'a' * 32}\r\n\r\n"
    dripping: dict[int, socket.socket] = {}
    until = time.monotonic() + seconds
    tick = time.monotonic()
    begun = dropped = sent = 0
    while time.monotonic() < until:
        for n in range(count):
            try:
                if n not in dripping:
                    dripping[n] = connect(port, n)
                    dripping[n].send(head.encode())
                    begun += 1
                sent += dripping[n].send(b"a")
                if dripping[n].recv(1 << 16) is not None:
                    # It was answered or closed: open a new one, so that their number stays the same.
                    dripping.pop(n).close()
                    dropped += 1
            except BlockingIOError:
                continue
            except OSError:
                dripping.pop(n).close()
                dropped += 1
        tick += 1
        time.sleep(max(0.0, tick - time.monotonic()))
    say(begun=begun, dropped=dropped, bytes=sent)


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sys.argv[1] == "crowd":
        crowd(int(sys.argv[2]), int(sys.argv[3]))
    else:
        drip(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
