"""smsc.kz, by its HTTP interface: POST to /sys/send.php, JSON back (fmt=3)."""

from django.conf import settings

from notifications.sms.base import Outcome, SendResult
from notifications.sms.http import GatewayError, post_form, short

_BAD_NUMBER = "7"
# The same request was made less than a minute ago, so the first one did arrive.
_REPEATED = "9"


class SmscBackend:
    """All errors but a bad number are the gateway's: parameters (1), login (2), money (3), address blocked (4), date
    (5), text or sender forbidden (6), undeliverable by its routes (8). Another gateway may succeed.
    """

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        fields = {
            "login": settings.SMSC_LOGIN,
            "psw": settings.SMSC_PASSWORD,
            "phones": phone,
            "mes": text,
            "sender": settings.SMS_SENDER,
            "charset": "utf-8",
            "fmt": "3",
        }
        try:
            answer = post_form(settings.SMSC_URL, fields)
        except GatewayError as error:
            return error.result("smsc")
        code = str(answer.get("error_code", ""))
        if not code and "id" in answer:
            return SendResult(Outcome.ACCEPTED, provider_id=f"smsc:{short(answer['id'])}")
        if code == _REPEATED:
            return SendResult(Outcome.ACCEPTED, provider_id="smsc:repeated")
        if not code:
            return SendResult(Outcome.UNCLEAR, error="smsc: neither an id nor an error")
        outcome = Outcome.REFUSED if code == _BAD_NUMBER else Outcome.UNAVAILABLE
        return SendResult(outcome, error=f"smsc: {short(code)}")
