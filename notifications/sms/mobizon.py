"""Mobizon (api.mobizon.kz), method message/sendSmsMessage."""

import urllib.parse

from django.conf import settings

from notifications.sms.base import Outcome, SendResult
from notifications.sms.http import GatewayError, post_form, short

_TAKEN = ("0", "100")  # done, or put into its own queue
_INVALID_FIELD = "1"
# Shorter than our own day: an SMS that arrives after we gave up helps nobody.
_VALIDITY_MINUTES = "1440"


class MobizonBackend:
    """All errors but a bad recipient are the gateway's: login (8), domain (13), account (14), too many calls (30)."""

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        # Its API accepts the key only in the address; so addresses are never logged (`sms.http`).
        query = urllib.parse.urlencode({"output": "json", "api": "v1", "apiKey": settings.MOBIZON_API_KEY})
        fields = {
            "recipient": phone.removeprefix("+"),
            "text": text,
            "from": settings.SMS_SENDER,
            "params[validity]": _VALIDITY_MINUTES,
        }
        try:
            answer = post_form(f"{settings.MOBIZON_URL}?{query}", fields)
        except GatewayError as error:
            return error.result("mobizon")
        code, data = str(answer.get("code", "")), answer.get("data")
        details = data if isinstance(data, dict) else {}
        if code in _TAKEN:
            return SendResult(Outcome.ACCEPTED, provider_id=f"mobizon:{short(details.get('messageId', ''))}")
        if not code:
            return SendResult(Outcome.UNCLEAR, error="mobizon: no code")
        bad_number = code == _INVALID_FIELD and "recipient" in details
        return SendResult(
            Outcome.REFUSED if bad_number else Outcome.UNAVAILABLE, error=f"mobizon: {short(code)}"
        )
