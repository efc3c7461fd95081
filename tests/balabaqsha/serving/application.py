"""A small WSGI application to be served: what it answers tells what reached it, and it can hold its threads."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from balabaqsha.serving.contract import ACCOUNT_HEADER, LARGEST_HEADER, QUESTION, REFUSAL
from tests.patience import PATIENCE

LARGEST = 3_000_000
# Each call of a view is a line here, and /hold/ waits for the other file.
FOLDER = Path(os.environ.get("TEST_FOLDER", "."))
CALLS, RELEASE = FOLDER / "calls", FOLDER / "release"
STREAMED = 200

Start = Callable[..., Any]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if QUESTION in environ:
        return allow(path, environ, start_response)
    if REFUSAL in environ:
        body = environ["wsgi.input"].read().decode()
        return say(start_response, f"turned away: {environ[REFUSAL]} {body}", "503 Turned Away")
    with CALLS.open("a") as calls:
        calls.write(f"{path}\n")
    return VIEWS.get(path, show)(environ, start_response)


def allow(path: str, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    if path == "/for-others/":
        return say(start_response, "sign in", "302 Found", [("Location", "/login/")])
    if not path.startswith("/files/"):
        return say(start_response, "turned away: large", "413 Too Large")
    account = environ.get("HTTP_COOKIE", "somebody")
    return say(
        start_response, "", "204 No Content", [(LARGEST_HEADER, str(LARGEST)), (ACCOUNT_HEADER, account)]
    )


def say(
    start_response: Start, text: str, status: str = "200 OK", headers: list[tuple[str, str]] | None = None
) -> Iterable[bytes]:
    answer = text.encode()
    start_response(status, [("Content-Length", str(len(answer))), *(headers or [])])
    return [answer]


def show(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    shown = {key: value for key, value in environ.items() if isinstance(value, str)}
    facts = {"environ": shown, "length": len(body), "hash": hashlib.sha256(body).hexdigest()}
    return say(start_response, json.dumps(facts))


def hold(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    deadline = time.monotonic() + PATIENCE
    while not RELEASE.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return say(start_response, "released")


def fail(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    raise {"stop": StopIteration, "exit": SystemExit}.get(environ["QUERY_STRING"], ValueError)("on purpose")


def stream(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/csv")])
    return (bytes([number]) * 50_000 for number in range(STREAMED))


def file(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    opened = Path(environ["QUERY_STRING"]).open("rb")  # noqa: SIM115 - whoever serves closes it
    start_response("200 OK", [("Content-Length", str(os.fstat(opened.fileno()).st_size))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
    return wrapped


VIEWS: dict[str, Callable[..., Iterable[bytes]]] = {
    "/hold/": hold,
    "/files/hold/": hold,
    "/fail/": fail,
    "/stream/": stream,
    "/file/": file,
}
