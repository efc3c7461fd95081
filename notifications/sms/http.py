"""One POST to a gateway; every failure becomes one kind of error."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django_guid import get_guid

from notifications import peers
from notifications.sms.base import Outcome, SendResult


class GatewayError(Exception):
    """No usable answer. The text is a short code: addresses and bodies hold keys, phones and texts."""

    def __init__(self, code: str, *, outcome: Outcome = Outcome.UNAVAILABLE) -> None:
        super().__init__(code)
        self._outcome = outcome

    def result(self, gateway: str) -> SendResult:
        """What it means for the message."""
        return SendResult(self._outcome, error=f"{gateway}: {self}")


def short(value: object) -> str:
    """A gateway's code or id in a form that may be stored and logged: one word, or a question mark for anything longer.

    A broken gateway may echo what it was sent.
    """
    text = "" if value is None else str(value) if isinstance(value, str | int) else "?"
    return text if re.fullmatch(r"[\w-]{0,40}", text, re.ASCII) else "?"


def digits(value: object) -> str:
    """A gateway's number for a message, by which it can be asked; empty for anything else that it says in its place."""
    text = str(value) if isinstance(value, str | int) else ""
    return text if re.fullmatch(r"[1-9][0-9]{0,39}", text) else ""


def post_form(url: str, fields: Mapping[str, str], *, gateway: str) -> dict[str, Any]:
    """POST `fields` as a form and return the JSON object that came back, within `settings.SMS_GATEWAY_SECONDS`.

    `gateway` is its name, for the log. Raises `GatewayError`, nothing else.
    """
    content = ask(url, fields, gateway=gateway)
    if not isinstance(content, dict):
        raise GatewayError("answer is not an object", outcome=Outcome.UNCLEAR)
    return content


def ask(url: str, fields: Mapping[str, str], *, gateway: str) -> Any:
    """The same for any JSON."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = post(url, body=urllib.parse.urlencode(fields).encode(), headers=headers, gateway=gateway)
    # A redirect is no answer: it would send a password to an address that nobody configured.
    if not 200 <= answer.status < 300:
        raise GatewayError(f"HTTP {answer.status}")
    try:
        return json.loads(answer.body, parse_int=_whole)
    except (ValueError, RecursionError):
        raise GatewayError("answer is not JSON", outcome=Outcome.UNCLEAR) from None


def _whole(digits: str) -> int | str:
    """A whole number; one of thousands of digits makes nothing else in the answer unreadable."""
    return int(digits) if len(digits) < 40 else digits


def post(url: str, *, body: bytes, headers: Mapping[str, str], gateway: str) -> peers.Answer:
    """POST `body` and return the whole answer, of any status below 500, in time. Raises `GatewayError` alone.

    A gateway that writes it down can be asked about one request by the id that our own log has.
    """
    if request_id := get_guid():
        headers = {**headers, "X-Request-ID": request_id}
    try:
        answer = peers.post(
            url,
            body=body,
            headers=headers,
            seconds=settings.SMS_GATEWAY_SECONDS,
            at_once=settings.SMS_AT_ONCE,
            name=gateway,
        )
    except peers.NotAsked as reason:
        raise GatewayError(str(reason), outcome=Outcome.NOT_ASKED) from None
    except peers.Unavailable as reason:
        outcome = Outcome.UNCLEAR if reason.was_asked else Outcome.UNAVAILABLE
        raise GatewayError(str(reason), outcome=outcome) from None
    if answer.status >= 500:
        raise GatewayError(f"HTTP {answer.status}", outcome=Outcome.UNCLEAR)
    return answer


def beside(url: str, method: str) -> str:
    """The address of another method of the same API: `…/send.php` and `status.php` make `…/status.php`."""
    return f"{url.rpartition('/')[0]}/{method}"
