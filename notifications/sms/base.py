"""What every SMS gateway can do, and how the configured one is found."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from django.conf import settings

from notifications.named_classes import find_class

# How long a send may take over all the gateways tried; the lease of a message relies on it (`delivery`).
SEND_SECONDS: Final = 30.0
# What the columns of the outbox hold.
LONGEST_ID: Final = 80
LONGEST_ERROR: Final = 200


class Outcome(Enum):
    ACCEPTED = auto()  # the gateway took the message over
    REFUSED = auto()  # it never will: the number is wrong for any gateway
    UNAVAILABLE = auto()  # surely not taken, by the gateway's trouble: later, or another one, may succeed
    UNCLEAR = auto()  # asked, and no clear answer: it may have been taken, so it is not asked without an end
    NOT_ASKED = auto()  # the gateway is left alone after failures, or busy: nothing was sent to it


@dataclass(frozen=True)
class SendResult:
    """The result of one attempt. `error` is a short code for employees, without the phone or the text.

    Whatever a gateway said, both texts can be stored: they are cut to their columns and hold nothing invisible.
    """

    outcome: Outcome
    provider_id: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider_id", _storable(self.provider_id, LONGEST_ID))
        object.__setattr__(self, "error", _storable(self.error, LONGEST_ERROR))


def _storable(text: str, length: int) -> str:
    """`text` as a column of that length takes it: a gateway's class that forgets to clean an answer breaks nothing."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(text)[:length])


class SmsBackend(Protocol):
    """A gateway. Made without arguments, from settings; one object may be used by one thread."""

    def send(self, phone: str, text: str, *, idempotency_key: str) -> SendResult:
        """Hand `text` over for `phone` (E.164). Takes at most `SEND_SECONDS` in all and raises nothing.

        The same `idempotency_key` means the same message again; gateways that detect duplicates suppress it.
        """
        ...


def get_backend(path: str = "") -> SmsBackend:
    """The backend at dotted `path`, or the one that `SMS_BACKEND` names. Raises ImportError if there is none."""
    backend: SmsBackend = find_class(path or settings.SMS_BACKEND, having="send")()
    return backend
