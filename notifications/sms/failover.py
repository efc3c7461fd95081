"""Several gateways in order: when one fails, the next is asked."""

import logging
import time
from typing import Final

from django.conf import settings

from notifications.sms.base import SEND_SECONDS, Outcome, SendResult, get_backend

logger = logging.getLogger(__name__)

# What passes a message on to the next gateway, the worst for it last: the answer of all of them is the worst one.
_TROUBLES: Final = (Outcome.NOT_ASKED, Outcome.UNAVAILABLE, Outcome.UNCLEAR)


class FailoverBackend:
    """Asks the gateways of `SMS_FAILOVER_BACKENDS` in turn until one accepts or refuses the message.

    A refused number is not tried elsewhere. If a gateway accepts the message and then loses the connection, a second
    one sends it too: an SMS twice is better than none. If the earlier ones were so slow that the next might exceed
    `SEND_SECONDS`, it is not tried.
    """

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        until = time.monotonic() + SEND_SECONDS
        troubles: list[SendResult] = []
        for path in settings.SMS_FAILOVER_BACKENDS:
            if time.monotonic() + settings.SMS_GATEWAY_SECONDS > until:
                break
            result = get_backend(path).send(phone, text, idempotency_key=idempotency_key)
            if result.outcome not in _TROUBLES:
                return result
            troubles.append(result)
            if result.outcome is not Outcome.NOT_ASKED:
                logger.error(
                    "SMS gateway in trouble (%s); message %s goes on to the next.",
                    result.error,
                    idempotency_key,
                )
        worst = max((result.outcome for result in troubles), key=_TROUBLES.index, default=Outcome.NOT_ASKED)
        return SendResult(worst, error="; ".join(result.error for result in troubles))
