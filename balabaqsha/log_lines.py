"""One line in the log for one event, whatever strangers send: addresses, names, words of peers.

A sign that is not seen, or that moves what is seen, is written as Python writes it in a string: line breaks, escape
codes of terminals, NUL, marks of direction. The trace of an error has lines of its own, each indented, as no event
begins. Where programs read the log each event is one JSON object of named fields instead (`LOG_FORMAT`).
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from accounts.crypto import keyed_hash
from balabaqsha.environment import Environment
from balabaqsha.serving.contract import MOST_IN_PATH, PROBED_PATHS

FORMATS: Final = ("line", "json")
# Enough to tell the users of a city apart.
USER_DIGITS: Final = 12

# What stands in a path as it is (RFC 3986), besides letters and digits.
_IN_PATH: Final = "/:@!$&'()*+,;=~"


class OneLine(logging.Formatter):
    """For every handler that writes where people or programs read lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return _visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        return _indented(super().formatStack(stack_info))


class AccessLine(OneLine):
    """A request with its path as it was sent, so that nothing in it ends the quotes; of a long one the beginning."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        if isinstance(record.args, dict):
            path = quote(str(record.args["path"])[:MOST_IN_PATH], safe=_IN_PATH)
            record.message = record.msg % {**record.args, "path": path}
        return super().formatMessage(record)


class JsonLine(logging.Formatter):
    """An event as one JSON object, in ASCII; of what code adds to a record nothing but the fields named here."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {key: value for key, value in self.fields(record).items() if value not in ("", None)}
        )

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """In the order in which they are read; an empty one is left out."""
        return {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "correlation_id", None),
            "user": getattr(record, "user", None),
            "message": record.getMessage(),
            "trace": self.formatException(record.exc_info) if record.exc_info else record.exc_text,
        }


class AccessJson(JsonLine):
    """A request, with its path as it was sent, and the id that the proxy gave it."""

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Those of a request; of a line that is none, those of any event."""
        if not isinstance(record.args, Mapping):
            return super().fields(record)
        told: Mapping[str, Any] = record.args
        return {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "logger": "access",
            "request": str(told.get("_h0", "")).strip("-"),
            "address": told["addr"],
            "method": told["method"],
            "path": quote(str(told["path"])[:MOST_IN_PATH], safe=_IN_PATH),
            "status": told["status"],
            "milliseconds": round(told["dt_ms"], 1),
        }


class WithUser(logging.Filter):
    """Whose request it was, where an event knows the request: a keyed hash, so that a log names nobody.

    Only of a user whom the page has looked up by then: writing a line asks the database nothing.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        user = getattr(getattr(record, "request", None), "_cached_user", None)
        if key := getattr(user, "pk", None):
            record.user = keyed_hash("log", str(key))[:USER_DIGITS]
        return True


class WithoutProbes(logging.Filter):
    """No line for a balancer that asks every few seconds and hears that all is well."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.args
        return not (isinstance(told, Mapping) and told["path"] in PROBED_PATHS and told["status"] == 200)


def chosen_format(environment: Environment) -> str:
    """`LOG_FORMAT`: by default lines for people in the demo and in development, JSON elsewhere.

    Raises `ImproperlyConfigured`.
    """
    is_for_people = environment.bool("DEBUG") or environment.bool("BALABAQSHA_DEMO")
    chosen: str = environment.str("LOG_FORMAT", default="line" if is_for_people else "json")
    if chosen not in FORMATS:
        raise ImproperlyConfigured("LOG_FORMAT must be line or json.")
    return chosen


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def _indented(trace: str) -> str:
    return "\n".join(f"    {_visible(line)}" for line in trace.split("\n"))
