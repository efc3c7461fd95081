"""Several gateways in order: when one fails, the next is asked."""

import logging
import time
from dataclasses import replace
from typing import Final

from django.conf import settings

from notifications.sms import health
from notifications.sms.base import (
    DAY_MINUTES,
    SEND_SECONDS,
    Outcome,
    SendResult,
    SmsBackend,
    Try,
    get_backend,
    hand_over,
    name_of,
)

logger = logging.getLogger(__name__)

# What passes a message on to the next gateway, the worst for it last: the answer of all of them is the worst one.
_TROUBLES: Final = (Outcome.NOT_ASKED, Outcome.UNAVAILABLE, Outcome.UNCLEAR)


class FailoverBackend:
    """Asks the gateways of `SMS_FAILOVER_BACKENDS` in turn until one accepts or refuses the message.

    Those that are left for a while (`sms.health`) come after the others, and `last` after them: a message that it took
    did not arrive. A refused number is not tried elsewhere. If a gateway accepts the message and then loses the
    connection, a second one sends it too: an SMS twice is better than none. If the earlier ones were so slow that the
    next might exceed `SEND_SECONDS`, it is not tried.
    """

    def __init__(self, *, last: str = "") -> None:
        self._last = last

    def asking_last(self, name: str) -> "FailoverBackend":
        """The same, but this gateway is asked after all others."""
        return FailoverBackend(last=name)

    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        until = time.monotonic() + SEND_SECONDS
        troubles: list[SendResult] = []
        tries: tuple[Try, ...] = ()
        for backend in self._in_turn():
            if time.monotonic() + settings.SMS_GATEWAY_SECONDS > until:
                break
            result = hand_over(
                backend,
                phone,
                text,
                idempotency_key=idempotency_key,
                is_repeat=is_repeat,
                minutes=minutes,
            )
            tries += result.tries
            if result.outcome not in _TROUBLES:
                return replace(result, tries=tries)
            troubles.append(result)
            if result.outcome is not Outcome.NOT_ASKED:
                # Whether another one follows is seen by what is logged next.
                logger.error("SMS gateway in trouble (%s) with message %s", result.error, idempotency_key)
        worst = max((result.outcome for result in troubles), key=_TROUBLES.index, default=Outcome.NOT_ASKED)
        return SendResult(worst, error="; ".join(result.error for result in troubles), tries=tries)

    def _in_turn(self) -> list[SmsBackend]:
        backends = [get_backend(path) for path in settings.SMS_FAILOVER_BACKENDS]
        return sorted(backends, key=lambda one: (name_of(one) == self._last, health.is_left(name_of(one))))
