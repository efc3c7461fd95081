"""A gateway for SMS that answers as smsc.kz does, and as badly as it is told to."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs

CODE: Final = re.compile(r"\b\d{6}\b")


class Gateway(ThreadingHTTPServer):
    """Counts the codes that it takes, by number and text; `manner` is how it answers meanwhile."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.manner = "well"
        self.number = 0
        self.taken: Counter[tuple[str, str]] = Counter()
        self.counting = threading.Lock()

    def verify_request(self, request: object, client_address: object) -> bool:
        """A gateway that is away closes what is opened."""
        return self.manner != "away"

    def repeated(self) -> int:
        """How many codes came once more than once."""
        with self.counting:
            return sum(number - 1 for number in self.taken.values() if number)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sys/send.php"


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())
        if not self.path.endswith("send.php"):
            self._say(b"[]")
            return
        with self.server.counting:
            text = form["mes"][0]
            # Other notices say the same to the same family again, rightly.
            self.server.taken[form["phones"][0], text] += 1 if CODE.search(text) else 0
            self.server.number += 1
            number = self.server.number
        answer = json.dumps({"id": number, "cnt": 1, "cost": "18"}).encode()
        if self.server.manner == "slow":
            time.sleep(5)
        self._say({"wrong": b"<html>busy</html>"}.get(self.server.manner, answer))

    def _say(self, content: bytes) -> None:
        self.send_response(500 if self.server.manner == "wrong" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        drips = self.server.manner == "dripping"
        for at in range(0, len(content), 1 if drips else len(content)):
            with suppress(OSError):
                self.wfile.write(content[at : at + (1 if drips else len(content))])
                self.wfile.flush()
            if drips:
                time.sleep(1)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def answering() -> Iterator[Gateway]:
    """A gateway on this machine, until the end."""
    with Gateway() as gateway:
        thread = threading.Thread(target=gateway.serve_forever, daemon=True)
        thread.start()
        try:
            yield gateway
        finally:
            gateway.shutdown()
