"""Telegram, by its interface for bots: messages to the chats that families linked, and what people write to the bot.

The token is a part of every address, so no address is ever logged, and no error names one.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.conf import settings

from notifications.sms.base import Outcome, SendResult
from notifications.sms.http import GatewayError, post, short
from notifications.troubles import Trouble

# Some at once; one by one where they are too long together, which anybody can write.
_AT_ONCE: Final = ("20", "1")


class TelegramBackend:
    """Like a gateway for SMS, with a chat in place of the phone."""

    name = "telegram"

    def send(self, to: str, text: str, *, idempotency_key: str) -> SendResult:
        """Hand `text` over for the chat `to`. Telegram knows no key: after an unclear answer it may come twice.

        A chat that is gone, or whose owner blocked the bot, is `REFUSED` with `Trouble.BLOCKED`.
        """
        try:
            status, answer = _call("sendMessage", {"chat_id": to, "text": text})
        except GatewayError as error:
            return error.result(self.name)
        if status == 200 and answer.get("ok") is True:
            return SendResult(Outcome.ACCEPTED)
        if status == 403 or (status == 400 and "chat not found" in str(answer.get("description", ""))):
            return SendResult(Outcome.REFUSED, error=Trouble.BLOCKED.value)
        outcome = Outcome.REFUSED if status == 400 else Outcome.UNAVAILABLE
        return SendResult(outcome, error=f"telegram: {short(answer.get('error_code', status))}")


class Update(NamedTuple):
    """What somebody wrote to the bot; without text where it is something else, or not in a chat of their own."""

    number: int
    chat: str = ""
    text: str = ""


def read_updates(after: int | None) -> list[Update]:
    """What was written to the bot, the oldest first; what has a number of at most `after` Telegram may forget.

    Raises `GatewayError`, nothing else.
    """
    asked = {"timeout": "0", "allowed_updates": '["message"]'}
    if after is not None:
        asked["offset"] = str(after + 1)
    for most in _AT_ONCE:
        try:
            return _updates(asked | {"limit": most})
        except GatewayError as error:
            if "too long" not in str(error):
                raise
    # The first is too long by itself. All but the last are dropped: whoever waits asks for another link.
    return _updates(asked | {"limit": "1", "offset": "-1"})


def _updates(asked: Mapping[str, str]) -> list[Update]:
    status, answer = _call("getUpdates", asked)
    found = answer.get("result")
    if status != 200 or not isinstance(found, list):
        raise GatewayError(f"HTTP {status}")
    numbered = [one for one in found if isinstance(one, dict) and isinstance(one.get("update_id"), int)]
    return [_update(one) for one in numbered]


def _update(one: dict[str, Any]) -> Update:
    message = one.get("message")
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(chat, dict) or chat.get("type") != "private":
        return Update(one["update_id"])
    number, text = chat.get("id"), message.get("text")
    if not isinstance(number, int) or not isinstance(text, str):
        return Update(one["update_id"])
    return Update(one["update_id"], str(number), text)


def _call(method: str, fields: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object of an answer. Raises `GatewayError`, nothing else."""
    answer = post(
        f"{settings.TELEGRAM_URL.rstrip('/')}/bot{settings.TELEGRAM_TOKEN}/{method}",
        body=urlencode(fields).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        gateway=TelegramBackend.name,
    )
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise GatewayError("answer is not JSON", outcome=Outcome.UNCLEAR) from None
    if not isinstance(content, dict):
        raise GatewayError("answer is not an object", outcome=Outcome.UNCLEAR)
    return answer.status, content
