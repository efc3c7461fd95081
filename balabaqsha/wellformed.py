"""Requests that no browser sends are answered 400 before anything else happens.

Django reads a request leniently: a charset that exists but is none for texts, an address that is not UTF-8 or a NUL
come as far as the first line that can't cope with them, and that is a 500. `Guard` looks at the request as the web
server hands it over, `WellFormedMiddleware` at what only Django can read; a text with a NUL that still reaches the
database is refused there (`balabaqsha.postgresql`).

Nobody is turned away because of cookies: those of other sites on the same domain are sent too, and the visitor can do
nothing about them. An unreadable cookie is ignored.
"""

import codecs
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.utils.http import parse_header_parameters
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from accounts.kept_files import is_trouble_of_the_disk
from balabaqsha.serving.contract import MOST_IN_PATH

# Where `Guard` says what is wrong.
FAULT: Final = "balabaqsha.fault"

# The methods that pages and buttons use. The others would only reveal something (TRACE) or do nothing; and OPTIONS,
# which only another site's script sends, Django answers with a whole page where a view does not name its methods.
METHODS: Final = ("GET", "HEAD", "POST")

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

# Bytes of an address, besides its path. Pages repeat it in links to the other language and back.
MOST_IN_QUERY: Final = 4096


class Guard:
    """A WSGI application in front of Django's: what can't be a request reaches it stripped of all but its address."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if found := fault(environ):
            bare = {"CONTENT_TYPE": "", "CONTENT_LENGTH": "0", "QUERY_STRING": ""}
            path = environ.get("PATH_INFO", "").replace("\0", "")[:MOST_IN_PATH]
            environ = environ | bare | {"PATH_INFO": path, FAULT: found}
        return self.application(environ, start_response)


class WellFormedMiddleware:
    """400 for what `Guard` found, for a host that is not ours, and for a form that can't be read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if found := request.META.get(FAULT):
            raise BadRequest(found)
        request.get_host()
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if request.method == "POST":
            read_form(request)
        return self.get_response(request)


class WithoutTrace(logging.Filter):
    """One line in the log where it is not the code that is wrong: a stranger's mistake, or what is away or full.

    Where in the code it was found is of no use to anybody, and an outage would write it for each request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and (_is_away(error) or is_trouble_of_the_disk(error)):
            reason = str(error).strip().partition("\n")[0]
            record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}: {reason}", ()
            record.exc_info = record.exc_text = None
        return True


def fault(environ: Environ) -> str:
    """What makes it no request of a browser; empty where nothing does. Never repeats what was sent."""
    query = environ.get("QUERY_STRING", "")
    if len(environ.get("PATH_INFO", "")) > MOST_IN_PATH or len(query) > MOST_IN_QUERY:
        return "an address that is too long"
    if "\0" in environ.get("PATH_INFO", "") or "\0" in query or "%00" in query:
        return "a NUL in the address"
    if not _is_utf8(query):
        return "an address that is not UTF-8"
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return "a length that is no number"
    return "" if _is_charset_known(environ.get("CONTENT_TYPE", "")) else "a charset that is not UTF-8"


def _is_away(error: BaseException) -> bool:
    """Whether the database or Redis was not there; a statement that failed is not that."""
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    # Class 08: the connection. 57P: the server is ended, or not ready yet. 53: it takes nobody in any more.
    return code is None or code.startswith(("08", "57P", "53"))


def read_form(request: HttpRequest) -> None:
    """Read the form now, where an error is still the sender's. Raises BadRequest and what Django answers with 400."""
    try:
        _ = request.POST
    except (LookupError, ValueError, UnreadablePostError) as error:
        raise BadRequest("a form that can't be read") from error


def _is_utf8(query: str) -> bool:
    # A web server hands bytes over as letters of Latin-1.
    try:
        unquote_to_bytes(query.encode("latin-1")).decode()
    except UnicodeError:
        return False
    return True


def _is_charset_known(content_type: str) -> bool:
    if ";" not in content_type:
        return True
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
        return codecs.lookup(charset.strip('"')).name == "utf-8"
    except (LookupError, ValueError):
        return False
