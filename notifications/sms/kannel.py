"""Kannel (kannel.org), a gateway of one's own in front of an operator's SMPP: POST to its `sendsms`.

What would stand in the address of a GET is sent in headers, as its guide has it for a POST ("X-Kannel-…"): credentials,
phones and the address of the report are in no log of addresses.
"""

from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from notifications.sms.base import Alarm, Arrival, Outcome, SendResult
from notifications.sms.http import GatewayError, post
from notifications.text import is_gsm

_ACCEPTED: Final = 202
_FORBIDDEN: Final = 403
# It reports what arrived (1), what did not (2), and what the operator would not take (16).
_ARRIVALS: Final = {"1": Arrival.DELIVERED, "2": Arrival.UNDELIVERED, "16": Arrival.UNDELIVERED}
_MASK: Final = "19"
_VALIDITY_MINUTES: Final = "1440"


class KannelBackend:
    """It takes a message with 202; whatever else it says is its own trouble. It can't be asked what became of one."""

    name = "kannel"

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": settings.KANNEL_USERNAME,
            "X-Kannel-Password": settings.KANNEL_PASSWORD,
            "X-Kannel-From": settings.SMS_SENDER,
            "X-Kannel-To": phone,
            # The alphabet of GSM, or UCS-2.
            "X-Kannel-Coding": "0" if is_gsm(text) else "2",
            "X-Kannel-Validity": _VALIDITY_MINUTES,
        }
        if settings.SITE_URL:
            address = f"{settings.SITE_URL}/sms/reports/kannel/{idempotency_key}/{sign(idempotency_key)}/"
            headers |= {"X-Kannel-DLR-Mask": _MASK, "X-Kannel-DLR-Url": f"{address}?status=%d"}
        try:
            answer = post(settings.KANNEL_URL, body=text.encode(), headers=headers)
        except GatewayError as error:
            return error.result(self.name)
        if answer.status == _ACCEPTED:
            return SendResult(Outcome.ACCEPTED, provider_id=f"kannel:{idempotency_key}")
        if 200 <= answer.status < 300:
            return SendResult(Outcome.UNCLEAR, error=f"kannel: HTTP {answer.status}")
        alarm = Alarm.ACCOUNT if answer.status == _FORBIDDEN else None
        return SendResult(Outcome.UNAVAILABLE, error=f"kannel: HTTP {answer.status}", alarm=alarm)


def sign(message: str) -> str:
    """What only we could have written into the address of the report about a message."""
    return salted_hmac("notifications.sms.kannel", message, algorithm="sha256").hexdigest()


def read_report(message: str, *, signed: str, status: str) -> Arrival | None:
    """What a report says of a message, if its address is one that we made."""
    return _ARRIVALS.get(status) if constant_time_compare(sign(message), signed) else None
