"""One line in the log for one event, whatever strangers send: addresses, names, words of peers.

A sign that is not seen, or that moves what is seen, is written as Python writes it in a string: line breaks, escape
codes of terminals, NUL, marks of direction. The trace of an error has lines of its own, each indented, as no event
begins.
"""

import logging
from typing import Any, Final
from urllib.parse import quote

from balabaqsha.serving.contract import MOST_IN_PATH

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


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def _indented(trace: str) -> str:
    return "\n".join(f"    {_visible(line)}" for line in trace.split("\n"))
