"""One POST to a gateway; every failure becomes one kind of error."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from django.conf import settings

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
    text = str(value)
    return text if re.fullmatch(r"[\w-]{0,40}", text, re.ASCII) else "?"


def post_form(url: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """POST `fields` as a form and return the JSON object that came back, within `settings.SMS_GATEWAY_SECONDS`.

    Raises `GatewayError`, nothing else.
    """
    try:
        answer = peers.post(
            url,
            body=urllib.parse.urlencode(fields).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            seconds=settings.SMS_GATEWAY_SECONDS,
        )
    except peers.NotAsked as reason:
        raise GatewayError(str(reason), outcome=Outcome.NOT_ASKED) from None
    except peers.Unavailable as reason:
        outcome = Outcome.UNCLEAR if reason.was_asked else Outcome.UNAVAILABLE
        raise GatewayError(str(reason), outcome=outcome) from None
    if answer.status >= 500:
        raise GatewayError(f"HTTP {answer.status}", outcome=Outcome.UNCLEAR)
    # A redirect is no answer: it would send a password to an address that nobody configured.
    if not 200 <= answer.status < 300:
        raise GatewayError(f"HTTP {answer.status}")
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise GatewayError("answer is not JSON", outcome=Outcome.UNCLEAR) from None
    if not isinstance(content, dict):
        raise GatewayError("answer is not an object", outcome=Outcome.UNCLEAR)
    return content
