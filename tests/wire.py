"""A request as a web server hands it over, with whatever a stranger wrote into it, past what a client would forbid."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from balabaqsha.wsgi import application

CSRF = "c" * 32


@contextmanager
def keeping_the_connection() -> Iterator[None]:
    """As Django's own test client: the connection holds the test's transaction, so the end of a request keeps it."""
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    try:
        yield
    finally:
        for end in ends:
            end.connect(close_old_connections)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def send(
    path: bytes = b"/",
    *,
    query: bytes = b"",
    method: str = "GET",
    body: bytes = b"",
    client: Client | None = None,
    **head: str,
) -> Answer:
    """What the portal answers. `head` holds what WSGI calls the heads: HTTP_REFERER, CONTENT_TYPE.

    `client` lends its session. A POST has the token that a form would have.
    """
    cookies = {settings.CSRF_COOKIE_NAME: CSRF}
    if client is not None and settings.SESSION_COOKIE_NAME in client.cookies:
        cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    own = "; ".join(f"{name}={value}" for name, value in cookies.items())
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "HTTP_X_CSRFTOKEN": CSRF,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    } | head
    environ["HTTP_COOKIE"] = "; ".join(filter(None, (own, head.get("HTTP_COOKIE", ""))))
    begun = []

    def start_response(status, headers, exc_info=None):
        begun.append((int(status.split()[0]), dict(headers)))

    with keeping_the_connection():
        answer = application(environ, start_response)
        try:
            content = b"".join(answer)
        finally:
            answer.close()
    return Answer(*begun[-1], content)
