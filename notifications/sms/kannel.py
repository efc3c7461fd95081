"""Kannel (kannel.org), a gateway of one's own in front of an operator's SMPP: POST to its `sendsms`.

What would stand in the address of a GET is sent in headers, as its guide has it for a POST ("X-Kannel-…"), so
credentials and phones are in no log of addresses. Nor is what proves a report: it stands behind the question mark.
"""

from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

from notifications.sms.base import DAY_MINUTES, Alarm, Arrival, Outcome, SendResult
from notifications.sms.http import GatewayError, post
from notifications.text import is_gsm

_ACCEPTED: Final = 202
_FORBIDDEN: Final = 403
# It reports what arrived (1), what did not (2), and what the operator would not take (16).
_ARRIVALS: Final = {"1": Arrival.DELIVERED, "2": Arrival.UNDELIVERED, "16": Arrival.UNDELIVERED}
_MASK: Final = "19"
# The operator gives up after a day; its last word may be late.
REPORTED_WITHIN: Final = timedelta(days=3)
_SIGNER: Final = TimestampSigner(salt="notifications.sms.kannel")


class Reported(NamedTuple):
    """What a report says: of which message, of which handing over of it, and what became of that."""

    message: UUID
    provider_id: str
    arrival: Arrival


class KannelBackend:
    """It takes a message with 202; whatever else it says is its own trouble. It can't be asked what became of one."""

    name = "kannel"

    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        # Kannel has no number for us. A message that is sent again gets another one, so that no report is taken for it.
        number = uuid4().hex
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": settings.KANNEL_USERNAME,
            "X-Kannel-Password": settings.KANNEL_PASSWORD,
            "X-Kannel-From": settings.SMS_SENDER,
            "X-Kannel-To": phone,
            # The alphabet of GSM, or UCS-2.
            "X-Kannel-Coding": "0" if is_gsm(text) else "2",
            "X-Kannel-Validity": str(minutes),
        }
        if settings.SITE_URL:
            asked = f"report={sign(idempotency_key, number)}&status=%d"
            headers |= {
                "X-Kannel-DLR-Mask": _MASK,
                "X-Kannel-DLR-Url": f"{settings.SITE_URL}/sms/reports/kannel/?{asked}",
            }
        try:
            answer = post(settings.KANNEL_URL, body=text.encode(), headers=headers, gateway=self.name)
        except GatewayError as error:
            return error.result(self.name)
        if answer.status == _ACCEPTED:
            return SendResult(Outcome.ACCEPTED, provider_id=_provider_id(number))
        if 200 <= answer.status < 300:
            return SendResult(Outcome.UNCLEAR, error=f"kannel: HTTP {answer.status}")
        alarm = Alarm.ACCOUNT if answer.status == _FORBIDDEN else None
        return SendResult(Outcome.UNAVAILABLE, error=f"kannel: HTTP {answer.status}", alarm=alarm)


def sign(message: str, number: str) -> str:
    """What only we could have written into the address of the report about one handing over of a message."""
    return _SIGNER.sign(f"{message}:{number}")


def read_report(signed: str, *, status: str) -> Reported | None:
    """What a report says, if we made its address, for an SMS of the last days; not signed is `status` alone."""
    arrival = _ARRIVALS.get(status)
    if arrival is None:
        return None
    try:
        message, _colon, number = _SIGNER.unsign(signed, max_age=REPORTED_WITHIN).partition(":")
        return Reported(UUID(message), _provider_id(number), arrival)
    except (BadSignature, ValueError):
        # The latter: what was handed over under another key is no message of the outbox.
        return None


def _provider_id(number: str) -> str:
    return f"{KannelBackend.name}:{number}"
