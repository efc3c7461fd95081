"""A push service on this machine: what it was asked, and the status that it answers for each address."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes


class PushService:
    """`answers` holds the status by the name of an address; None is silence. Without one it takes everything."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.log: list[Asked] = []
        self.answers: dict[str, int | None] = {}
        self.is_over = threading.Event()

    def address(self, name: str) -> str:
        return f"{self.url}/{name}"


@contextmanager
def push_service() -> Iterator[PushService]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.log.append(Asked(self.path, dict(self.headers), body))
            status = service.answers.get(self.path.removeprefix("/"), 201)
            if status is None:
                service.is_over.wait(30)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", service.address("elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = PushService(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()
