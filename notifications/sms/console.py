"""SMS on the screen, for development."""

import sys

from notifications.sms.base import DAY_MINUTES, Outcome, SendResult


class ConsoleBackend:
    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        sys.stdout.write(f"SMS {phone}: {text}\n")
        sys.stdout.flush()
        return SendResult(Outcome.ACCEPTED, provider_id=f"console:{idempotency_key}")
