"""Gateways for the tests: tiny HTTP servers on this machine, and backends that do as they are told."""

import json
import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from notifications.sms.base import Outcome, SendResult


@contextmanager
def fake_gateway(answer):
    """A server on 127.0.0.1: its address, and what it was asked. `answer(path, query, form)`: (status, body)."""
    log = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            parts = urllib.parse.urlsplit(self.path)
            form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
            query = dict(urllib.parse.parse_qsl(parts.query))
            log.append({"path": parts.path, "query": query, "form": form})
            status, content = answer(parts.path, query, form)
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ObedientBackend:
    """Answers with `results` in order, then accepts; `sent` and `terms` hold what it was given. Reset it before use."""

    results: list[SendResult | BaseException] = []
    sent: list[tuple[str, str, str]] = []
    terms: list[dict[str, object]] = []

    @classmethod
    def reset(cls, *results):
        cls.results, cls.sent, cls.terms = list(results), [], []

    def send(self, phone, text, *, idempotency_key, **terms):
        self.sent.append((phone, text, idempotency_key))
        self.terms.append(terms)
        result = (
            self.results.pop(0) if self.results else SendResult(Outcome.ACCEPTED, provider_id="obedient:1")
        )
        if isinstance(result, BaseException):
            raise result
        return result


class SecondBackend(ObedientBackend):
    """Another one, to fail over to."""


OBEDIENT = f"{__name__}.ObedientBackend"
SECOND = f"{__name__}.SecondBackend"
TROUBLE = SendResult(Outcome.UNAVAILABLE, error="obedient: trouble")
UNCLEAR = SendResult(Outcome.UNCLEAR, error="obedient: half an answer")
BAD_NUMBER = SendResult(Outcome.REFUSED, error="obedient: 7")
RESTING = SendResult(Outcome.NOT_ASKED, error="obedient: resting")
