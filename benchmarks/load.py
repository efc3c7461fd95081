"""Requests over kept connections, by wrk where it is installed, otherwise by threads of Python (slower; says so)."""

import http.client
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Lock

WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "threads of Python (wrk is not installed: figures are lower than with it)"
TOKEN = "a" * 32


@dataclass(frozen=True)
class Request:
    """One request: the session is the key of a signed-in parent's, or empty."""

    method: str
    path: str
    session: str = ""

    def line(self) -> str:
        return f"{self.method} {self.path} {self.session}".strip()


@dataclass(frozen=True)
class Load:
    """What a run of requests brought; times in milliseconds, `refused` are answers from 400 on."""

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    failed: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def fire(
    requests: Sequence[Request], *, port: int, connections: int = 32, seconds: float = 3, again: bool = False
) -> Load:
    """Send the requests in turn for some seconds, or until they are used up; `again`: from the first one anew."""
    if WRK:
        return _wrk(requests, port=port, connections=connections, seconds=seconds, again=again)
    return _threads(requests, port=port, connections=connections, seconds=seconds, again=again)


def _wrk(requests: Sequence[Request], *, port: int, connections: int, seconds: float, again: bool) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lines:
        lines.writelines(f"{request.line()}\n" for request in requests)
        lines.flush()
        script = str(Path(__file__).with_name("rush.lua"))
        command = [
            str(WRK),
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "20s",
            "-s",
            script,
        ]
        environment = os.environ | {"LINES_FILE": lines.name, "AGAIN": str(int(again))}
        output = subprocess.run(  # noqa: S603 - our own program
            [*command, f"http://127.0.0.1:{port}"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = dict(re.findall(r"(\w+)=([\d.]+)", output.rpartition("RESULT")[2]))
    return Load(
        requests=int(found["requests"]),
        seconds=float(found["seconds"]),
        p50=float(found["p50"]),
        p99=float(found["p99"]),
        refused=int(found["refused"]),
        failed=int(found["failed"]),
    )


def _threads(
    requests: Sequence[Request], *, port: int, connections: int, seconds: float, again: bool
) -> Load:
    left = cycle(requests) if again else iter(requests)
    lock, until = Lock(), time.perf_counter() + seconds
    taken: list[float] = []
    bad = [0, 0]

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while time.perf_counter() < until:
            with lock:
                request = next(left, None)
            if request is None:
                return
            cookies = f"csrftoken={TOKEN}" + (f"; sessionid={request.session}" if request.session else "")
            began = time.perf_counter()
            try:
                connection.request(
                    request.method, request.path, headers={"Cookie": cookies, "X-CSRFToken": TOKEN}
                )
                answer = connection.getresponse()
                answer.read()
            except OSError:
                bad[1] += 1
                connection.close()
                continue
            taken.append(1000 * (time.perf_counter() - began))
            bad[0] += answer.status >= 400

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        for job in [pool.submit(work) for _ in range(connections)]:
            job.result()
    ordered = sorted(taken) or [0.0]
    p50, p99 = (ordered[len(ordered) * percent // 100] for percent in (50, 99))
    return Load(len(taken), time.perf_counter() - began, p50, p99, *bad)
