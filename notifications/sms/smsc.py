"""smsc.kz, by its HTTP interface: POST to /sys/send.php and /sys/status.php, JSON back (fmt=3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from notifications.sms.base import DAY_MINUTES, Alarm, Arrival, Outcome, Report, SendResult, price
from notifications.sms.http import GatewayError, ask, beside, digits, post_form, short

_BAD_NUMBER: Final = "7"
# Either it got the same request less than a minute ago, or too many at once under our login and took nothing of this
# one; its words tell which.
_TOO_OFTEN: Final = "9"
_SAME_REQUEST: Final = "duplicate"
_ALARMS: Final = {"2": Alarm.ACCOUNT, "3": Alarm.MONEY, "4": Alarm.BLOCKED}
# Minus three: it does not know the message. Others below one: it waits, or is on its way to the operator.
_ARRIVALS: Final = {
    "-3": Arrival.UNKNOWN,
    "-2": Arrival.UNDELIVERED,
    "-1": Arrival.UNDER_WAY,
    "0": Arrival.UNDER_WAY,
    "1": Arrival.DELIVERED,
    # Read, and a link in it pressed: it knows that of some networks.
    "2": Arrival.DELIVERED,
    "4": Arrival.DELIVERED,
    # Too old, can't be delivered, wrong number, forbidden, no money, number out of reach.
    **dict.fromkeys(("3", "20", "22", "23", "24", "25"), Arrival.UNDELIVERED),
}


class SmscBackend:
    """All errors but a bad number are the gateway's: parameters (1), login (2), money (3), address blocked (4), date
    (5), text or sender forbidden (6), undeliverable by its routes (8), too often (9). Another gateway may succeed.
    """

    name = "smsc"
    most_asked = 50

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
            "phones": phone,
            "mes": text,
            "sender": settings.SMS_SENDER,
            # Hours and minutes, from 00:01 to 24:00.
            "valid": f"{minutes // 60:02}:{minutes % 60:02}",
            # It is to say what it takes.
            "cost": "2",
        }
        try:
            answer = post_form(settings.SMSC_URL, _signed(fields), gateway=self.name)
        except GatewayError as error:
            return error.result(self.name)
        # It has no error of number 0, and may say so.
        code, number = short(answer.get("error_code") or ""), digits(answer.get("id"))
        if not code and number:
            return SendResult(
                Outcome.ACCEPTED, provider_id=f"{self.name}:{number}", cost=price(answer.get("cost"))
            )
        if not code:
            return SendResult(Outcome.UNCLEAR, error="smsc: neither an id nor an error")
        if is_repeat and code == _TOO_OFTEN and _SAME_REQUEST in str(answer.get("error")):
            return SendResult(Outcome.ACCEPTED, provider_id=f"{self.name}:")
        outcome = Outcome.REFUSED if code == _BAD_NUMBER else Outcome.UNAVAILABLE
        return SendResult(outcome, error=f"smsc: {code}", alarm=_ALARMS.get(code))

    def reports(self, sent: Mapping[str, str]) -> dict[str, Report]:
        # With a comma behind the last one the answer is a list, however many are asked about.
        fields = {
            "id": "".join(f"{number}," for number in sent),
            "phone": "".join(f"{phone}," for phone in sent.values()),
        }
        answer = ask(beside(settings.SMSC_URL, "status.php"), _signed(fields), gateway=self.name)
        if isinstance(answer, dict) and "error_code" in answer:
            raise GatewayError(short(answer["error_code"]))
        if not isinstance(answer, list):
            raise GatewayError("answer is no list")
        return {str(row.get("id")): _report(row) for row in answer if isinstance(row, dict)}


def _signed(fields: dict[str, str]) -> dict[str, str]:
    """The fields with the credentials, all in the body: an address is written into logs."""
    us = {"login": settings.SMSC_LOGIN, "psw": settings.SMSC_PASSWORD}
    return us | fields | {"charset": "utf-8", "fmt": "3"}


def _report(row: dict[str, Any]) -> Report:
    return Report(_ARRIVALS.get(str(row.get("status")), Arrival.UNKNOWN), _instant(row.get("last_timestamp")))


def _instant(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
