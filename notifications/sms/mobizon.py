"""Mobizon (api.mobizon.kz), methods message/sendSmsMessage and message/getSMSStatus, and the webhook of its reports."""

import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from notifications.sms.base import DAY_MINUTES, Alarm, Arrival, Outcome, Report, SendResult
from notifications.sms.http import GatewayError, beside, digits, post_form, short

_TAKEN: Final = ("0", "100")  # done, or put into its own queue
_INVALID_FIELD: Final = "1"
_ALARMS: Final = {"8": Alarm.ACCOUNT, "9": Alarm.ACCOUNT, "14": Alarm.BLOCKED}
# The least for which it tries.
_LEAST_MINUTES: Final = 60
_ARRIVALS: Final = {
    **dict.fromkeys(("NEW", "ENQUEUD", "ACCEPTD", "PDLIVRD"), Arrival.UNDER_WAY),
    **dict.fromkeys(("UNDELIV", "REJECTD", "EXPIRED", "DELETED"), Arrival.UNDELIVERED),
    "DELIVRD": Arrival.DELIVERED,
}


class MobizonBackend:
    """All errors but a bad recipient are the gateway's: login (8), domain (13), account (14), too many calls (30).

    It has no code for an account without money, and names no price: both are told in the words of its `message`.
    """

    name = "mobizon"
    most_asked = 100

    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        fields = {
            "recipient": phone.removeprefix("+"),
            "text": text,
            "from": settings.SMS_SENDER,
            "params[validity]": str(max(minutes, _LEAST_MINUTES)),
        }
        try:
            answer = post_form(_signed(settings.MOBIZON_URL), fields, gateway=self.name)
        except GatewayError as error:
            return error.result(self.name)
        code, data = short(answer.get("code", "")), answer.get("data")
        details = data if isinstance(data, dict) else {}
        if code in _TAKEN:
            # What it has put into its queue may have no number yet.
            return SendResult(Outcome.ACCEPTED, provider_id=f"mobizon:{digits(details.get('messageId'))}")
        if not code:
            return SendResult(Outcome.UNCLEAR, error="mobizon: no code")
        bad_number = code == _INVALID_FIELD and "recipient" in details
        return SendResult(
            Outcome.REFUSED if bad_number else Outcome.UNAVAILABLE,
            error=f"mobizon: {code}",
            alarm=_ALARMS.get(code),
        )

    def reports(self, sent: Mapping[str, str]) -> dict[str, Report]:
        """Its times are those of the account's zone, which only its owner knows, so they are left out."""
        answer = post_form(
            _signed(beside(settings.MOBIZON_URL, "getSMSStatus")), {"ids": ",".join(sent)}, gateway=self.name
        )
        code, rows = str(answer.get("code", "")), answer.get("data")
        if code != "0" or not isinstance(rows, list):
            raise GatewayError(short(code))
        return {
            str(row.get("id")): Report(_ARRIVALS.get(str(row.get("status")), Arrival.UNKNOWN))
            for row in rows
            if isinstance(row, dict)
        }


def read_report(event: Any) -> str:
    """Its number of the message that a report of the webhook is about; empty if it is not Mobizon's.

    Its signature covers the event and not what is told, so nothing of that is believed: the message is asked about.
    """
    if not (settings.MOBIZON_WEBHOOK_SECRET and isinstance(event, dict)):
        return ""
    parts = [event.get("eventId"), event.get("attempt"), event.get("eventCreateTs")]
    told = "|".join([*(str(part) for part in parts), settings.MOBIZON_WEBHOOK_SECRET])
    sign = hashlib.sha1(told.encode(errors="replace"), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(sign.encode(), str(event.get("sign")).encode(errors="replace")):
        return ""
    data = event.get("data")
    return digits(data.get("messageId")) if isinstance(data, dict) else ""


def _signed(url: str) -> str:
    # Its API documents the key in the address alone; so addresses are never logged (`sms.http`), and TLS hides them.
    query = {"output": "json", "api": "v1", "apiKey": settings.MOBIZON_API_KEY}
    return f"{url}?{urllib.parse.urlencode(query)}"
