"""A gateway of the person registry that follows docs/registry.md, with the standard library alone.

Tests ask it as the portal does; an integrator may read it beside the contract. It answers from `people`.
"""

import hmac
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token"
LONGEST_QUESTION = 64 * 1024

# A person as the contract writes it, such as {"iin": "940225300009", "last_name": "КАМЕНОВ", …}.
Record = Mapping[str, Any]


@dataclass
class Entry:
    """An adult, the children whose guardian they are, and their phone in the base of mobile citizens."""

    person: Record
    wards: Sequence[Record] = ()
    phone: str = ""


class Nobody(LookupError):
    """There is no answer: 404."""


@dataclass
class Registry:
    """Who is known, and what the gateway offers; `broken` is answered to everything instead."""

    people: Sequence[Entry] = ()
    offers_phones: bool = True
    offers_wards: bool = True
    # Those for whom the registry behind the gateway does not answer.
    unavailable: Sequence[str] = ()
    broken: tuple[int, bytes] | None = None
    # Path and token of each question.
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def answer(self, path: str, question: dict[str, str]) -> dict[str, Any]:
        if set(self.unavailable) & {*question.values()}:
            raise TimeoutError
        ask = {
            "persons/find": self._person,
            "wards/find": self._ward,
            "wards/list": self._wards,
            "phones/check": self._phone,
        }.get(path)
        if ask is None:
            raise Nobody
        return ask(question)

    def _entry(self, iin: str, document: str) -> Entry:
        for one in self.people:
            if one.person["iin"] == iin if iin else document and one.person["document_number"] == document:
                return one
        raise Nobody

    def _person(self, question: dict[str, str]) -> dict[str, Any]:
        return dict(self._entry(question["iin"], question["document_number"]).person)

    def _ward(self, question: dict[str, str]) -> dict[str, Any]:
        guardian = self._entry(question["guardian_iin"], question["guardian_document"])
        for ward in guardian.wards:
            if ward["iin"] == question["child_iin"]:
                return dict(ward)
        raise Nobody

    def _wards(self, question: dict[str, str]) -> dict[str, Any]:
        if not self.offers_wards:
            raise Nobody
        try:
            return {"wards": list(self._entry(question["guardian_iin"], "").wards)}
        except Nobody:
            return {"wards": []}

    def _phone(self, question: dict[str, str]) -> dict[str, Any]:
        if not self.offers_phones:
            raise Nobody
        owners = [one for one in self.people if one.phone and one.phone == question["phone"]]
        if not owners:
            return {"belongs": None}
        return {
            "belongs": bool(question["iin"]) and any(one.person["iin"] == question["iin"] for one in owners)
        }


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            if length > LONGEST_QUESTION:
                self._say(413, b"")
                return
            question = self.rfile.read(length)
            registry.seen.append((self.path, self.headers["Authorization"]))
            self._say(*(registry.broken or self._answer(question)))

        def _answer(self, question: bytes) -> tuple[int, bytes]:
            given = self.headers["Authorization"] or ""
            if not hmac.compare_digest(given.encode(), f"Bearer {TOKEN}".encode()):
                return 401, b"{}"
            try:
                asked = json.loads(question)
                told = registry.answer(self.path.removeprefix("/v1/"), asked)
            except Nobody:
                return 404, b"{}"
            except TimeoutError:
                return 503, b"{}"
            except (ValueError, KeyError, TypeError, AttributeError):
                return 400, b"{}"
            return 200, json.dumps(told, ensure_ascii=False).encode()

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing of anybody stays in a log."""

    return Handler


@contextmanager
def serving(registry: Registry) -> Iterator[str]:
    """The address of a gateway on this machine that answers from `registry`, as `PERSON_REGISTRY_URL`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
