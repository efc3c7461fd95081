"""The gateways of the contract as small real HTTP servers: they behave as their documents say, and fail on demand."""

import hashlib
import itertools
import json
import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "s3cretKey"


class Simulated:
    """A gateway: what it took, what it was asked, and what goes wrong next.

    `fault` is done instead of the answer, after the message has been taken if `takes_first`.
    """

    name = ""
    path = "/"

    def __init__(self):
        self.taken = []
        self.asked = []
        self.arrivals = {}
        self.fault = None
        self.takes_first = True
        self.over = threading.Event()
        self._numbers = itertools.count(1001)

    def answer(self, request):
        """What the API says to a request: (status, body)."""
        raise NotImplementedError

    def keep(self, phone, text, sender):
        number = str(next(self._numbers))
        self.taken.append((phone, text, sender))
        self.arrivals.setdefault(number, None)
        return number

    def configure(self, settings, address):
        raise NotImplementedError


class Smsc(Simulated):
    name = "smsc"
    path = "/sys/send.php"
    error = 0

    def configure(self, settings, address):
        settings.SMSC_LOGIN, settings.SMSC_PASSWORD = "city", SECRET
        settings.SMSC_URL = address + self.path

    def answer(self, request):
        form = request.form
        if (form.get("login"), form.get("psw"), form.get("fmt")) != ("city", SECRET, "3"):
            return 200, {"error": "authorise error", "error_code": 2}
        if self.error:
            return 200, {"error": f"for {form.get('phones')}", "error_code": self.error}
        if request.path == "/sys/status.php":
            numbers, phones = form["id"].rstrip(",").split(","), form["phone"].rstrip(",").split(",")
            assert len(numbers) == len(phones)
            return 200, [
                {
                    "status": self.arrivals.get(one, -3),
                    "last_timestamp": 1_760_000_000,
                    "id": one,
                    "phone": phone,
                }
                for one, phone in zip(numbers, phones, strict=True)
            ]
        twin = (form["phones"], form["mes"], form["sender"])
        if twin in self.taken:
            return 200, {"error": "duplicate request, wait a minute", "error_code": 9}
        answer = {"id": int(self.keep(*twin)), "cnt": 1}
        return 200, answer | ({"cost": "18.50"} if form.get("cost") == "2" else {})


class Mobizon(Simulated):
    name = "mobizon"
    path = "/service/message/sendSmsMessage"
    error = 0

    def configure(self, settings, address):
        settings.MOBIZON_API_KEY = SECRET
        settings.MOBIZON_URL = address + self.path

    def answer(self, request):
        if (request.query.get("apiKey"), request.query.get("output")) != (SECRET, "json"):
            return 200, {"code": 8, "data": None, "message": "wrong key"}
        if self.error:
            data = {"recipient": "wrong"} if self.error == 1 else None
            return 200, {"code": self.error, "data": data, "message": f"for {request.form.get('recipient')}"}
        if request.path.endswith("getSMSStatus"):
            numbers = request.form["ids"].split(",")
            assert len(numbers) <= 100
            rows = [
                {"id": int(one), "status": self.arrivals[one], "segNum": 1}
                for one in numbers
                if one in self.arrivals
            ]
            return 200, {"code": 0, "data": rows, "message": ""}
        assert request.form["recipient"].isdigit()
        number = self.keep("+" + request.form["recipient"], request.form["text"], request.form["from"])
        return 200, {"code": 0, "data": {"campaignId": "1", "messageId": number, "status": 2}, "message": ""}


class Kannel(Simulated):
    name = "kannel"
    path = "/cgi-bin/sendsms"

    def configure(self, settings, address):
        settings.KANNEL_USERNAME, settings.KANNEL_PASSWORD = "city", SECRET
        settings.KANNEL_URL = address + self.path

    def answer(self, request):
        heads = request.headers
        if (heads["X-Kannel-Username"], heads["X-Kannel-Password"]) != ("city", SECRET):
            return 403, b"Authorization failed for sendsms"
        if heads.get_content_type() != "text/plain":
            return 400, b"Invalid content-type"
        text = request.body.decode(heads.get_content_charset())
        if heads["X-Kannel-Coding"] == "2":
            text.encode("utf-16-be")
        self.keep(heads["X-Kannel-To"], text, heads["X-Kannel-From"])
        return 202, b"0: Accepted for delivery"


@contextmanager
def serve(*gateways):
    """One server for each; yields their addresses by name."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(one)) for one in gateways]
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    try:
        yield {
            one.name: f"http://127.0.0.1:{server.server_address[1]}"
            for one, server in zip(gateways, servers, strict=True)
        }
    finally:
        for one in gateways:
            one.over.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(gateway):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urllib.parse.urlsplit(self.path)
            gateway.asked.append((self.requestline, dict(self.headers), self.body))
            self.path, self.query = parts.path, dict(urllib.parse.parse_qsl(parts.query))
            is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
            self.form = dict(urllib.parse.parse_qsl(self.body.decode())) if is_form else {}
            if gateway.fault is None or gateway.takes_first:
                answer = gateway.answer(self)
            if gateway.fault is not None:
                gateway.fault(self, gateway)
            else:
                self.say(*answer)

        def say(self, status, content, **heads):
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | heads).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


def silent(handler, gateway):
    """It says nothing, and keeps the connection."""
    gateway.over.wait(5)


def hangs_up(handler, gateway):
    handler.close_connection = True


def half(handler, gateway):
    handler.say(200, b'{"id": 1', Content_Length="4000")
    handler.close_connection = True


def drips(handler, gateway):
    handler.say(200, b"{", Content_Length="4000")
    while not gateway.over.wait(0.02):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return


def says(status, content=b"", **heads):
    def fault(handler, gateway):
        handler.say(status, content, **heads)

    fault.__name__ = (
        f"{status}-{hashlib.md5(repr(content)[:80].encode(), usedforsecurity=False).hexdigest()[:4]}"
    )
    return fault
