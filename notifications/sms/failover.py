"""Several gateways in order: the next one is asked when one is in trouble."""

import logging

from django.conf import settings

from notifications.sms.base import Outcome, SendResult, get_backend

logger = logging.getLogger(__name__)


class FailoverBackend:
    """Asks the gateways of `SMS_FAILOVER_BACKENDS` in turn until one accepts or refuses the message.

    A refused number is not tried elsewhere. A gateway that took the message and then lost the line makes a second
    one send it too: an SMS twice is better than none.
    """

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        troubles = []
        for path in settings.SMS_FAILOVER_BACKENDS:
            result = get_backend(path).send(phone, text, idempotency_key=idempotency_key)
            if result.outcome is not Outcome.UNAVAILABLE:
                return result
            troubles.append(result.error)
            logger.error(
                "SMS gateway in trouble (%s); message %s goes on to the next.", result.error, idempotency_key
            )
        return SendResult(Outcome.UNAVAILABLE, error="; ".join(troubles)[:200])
