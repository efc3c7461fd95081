"""What every SMS gateway can do, and how the configured one is found."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Outcome(Enum):
    ACCEPTED = auto()  # the gateway took the message over
    REFUSED = auto()  # it never will: the number is wrong, whoever sends
    UNAVAILABLE = auto()  # the gateway's trouble: later, or another gateway, may succeed


@dataclass(frozen=True)
class SendResult:
    """What came of one attempt. `error` is a short code for employees and holds neither phone nor text."""

    outcome: Outcome
    provider_id: str = ""
    error: str = ""


class SmsBackend(Protocol):
    """A gateway. Made without arguments, from settings; one object may be used by one thread."""

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        """Hand `text` over for `phone` (E.164). Takes at most half a minute and raises nothing.

        The same `idempotency_key` means the same message again; gateways that know duplicates suppress it.
        """
        ...


def get_backend(path: str = "") -> SmsBackend:
    """The backend at dotted `path`, or the one that `SMS_BACKEND` names."""
    backend: SmsBackend = import_string(path or settings.SMS_BACKEND)()
    return backend
