"""What every SMS gateway can do, and how the configured one is found."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Final, Protocol, runtime_checkable

from django.conf import settings

from notifications.named_classes import find_class

# How long a send may take over all the gateways tried; the lease of a message relies on it (`delivery`).
SEND_SECONDS: Final = 30.0
# The longest for which a gateway is to try: our own day.
DAY_MINUTES: Final = 1440
# What the columns of the outbox hold.
LONGEST_ID: Final = 80
LONGEST_ERROR: Final = 200
LONGEST_NAME: Final = 20
# No SMS costs a million.
_DEAREST: Final = 1_000_000
FAILOVER: Final = "notifications.sms.failover.FailoverBackend"


class Outcome(Enum):
    ACCEPTED = auto()  # the gateway took the message over
    REFUSED = auto()  # it never will: the number is wrong for any gateway
    UNAVAILABLE = auto()  # surely not taken, by the gateway's trouble: later, or another one, may succeed
    UNCLEAR = auto()  # asked, and no clear answer: it may have been taken, so it is not asked without an end
    NOT_ASKED = auto()  # the gateway is left alone after failures, or busy: nothing was sent to it


class Alarm(StrEnum):
    """What keeps a gateway from taking anything until a person does something."""

    MONEY = "no money"
    BLOCKED = "address blocked"
    ACCOUNT = "account refused"


@dataclass(frozen=True)
class Try:
    """How one gateway did with one message."""

    gateway: str
    outcome: Outcome
    seconds: float
    alarm: Alarm | None = None


@dataclass(frozen=True)
class SendResult:
    """The result of one attempt. `error` is a short code for employees, without the phone or the text.

    Whatever a gateway said, all of it can be stored: both texts are cut to their columns and hold nothing invisible,
    and a cost that is no price is left out. `provider_id` is the gateway's name, a colon and its number for the
    message, which is empty where it gave none that can be asked about (`reports` then waits in vain, and repeats what
    matters). `cost` is what the gateway says that it takes, in tenge. `tries` holds the gateways that were asked,
    and is filled in by `hand_over`.
    """

    outcome: Outcome
    provider_id: str = ""
    error: str = ""
    cost: Decimal | None = None
    alarm: Alarm | None = None
    tries: tuple[Try, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider_id", _storable(self.provider_id, LONGEST_ID))
        object.__setattr__(self, "error", _storable(self.error, LONGEST_ERROR))
        object.__setattr__(self, "cost", price(self.cost))


def _storable(text: str, length: int) -> str:
    """`text` as a column of that length takes it: a gateway's class that forgets to clean an answer breaks nothing."""
    cut = str(text)[:length]
    return cut if cut.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in cut)


def price(value: object) -> Decimal | None:
    """What a gateway says that a message costs, in tenge; None where that can be no price. Raises nothing.

    What was taken stays taken, whatever is said beside it.
    """
    if not isinstance(value, Decimal | float | int | str):
        return None
    try:
        cost = round(Decimal(str(value)), 2)
        return cost if 0 <= cost < _DEAREST else None
    except (ArithmeticError, ValueError):
        # NaN can't be compared, and a whole number of thousands of digits not be written.
        return None


class SmsBackend(Protocol):
    """A gateway. Made without arguments, from settings; one object may be used by one thread."""

    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        """Hand `text` over for `phone` (E.164). Takes at most `SEND_SECONDS` in all and raises nothing.

        The same `idempotency_key` means the same message again; gateways that detect duplicates suppress it.
        `is_repeat`: an earlier attempt may have handed it over. Only then may a gateway's word that it has the message
        already count as taken. After `minutes` (from 1 to a day's) the text is worth nothing to its reader: a gateway
        that can be told so delivers it no later.
        """
        ...


class Arrival(Enum):
    """What a gateway knows of a message that it took."""

    DELIVERED = auto()
    UNDELIVERED = auto()  # it never will be: the gateway has given up
    UNDER_WAY = auto()  # not yet
    UNKNOWN = auto()  # the gateway does not know the message


@dataclass(frozen=True)
class Report:
    """Whether a message arrived, and when, where the gateway says so by a clock that we understand."""

    arrival: Arrival
    at: datetime | None = None


@runtime_checkable
class Reporter(Protocol):
    """A gateway that can be asked what became of messages."""

    name: str
    # So many messages may be asked about at once.
    most_asked: int

    def reports(self, sent: Mapping[str, str]) -> dict[str, Report]:
        """What became of messages, by the gateway's numbers for them, with their phones (E.164) as values.

        One that the gateway says nothing of may be left out. Raises `sms.http.GatewayError`.
        """
        ...


def hand_over(
    backend: SmsBackend,
    phone: str,
    text: str,
    *,
    idempotency_key: str,
    is_repeat: bool = False,
    minutes: int = DAY_MINUTES,
) -> SendResult:
    """`backend.send`, and how each gateway that was asked did."""
    started = time.monotonic()
    result = backend.send(phone, text, idempotency_key=idempotency_key, is_repeat=is_repeat, minutes=minutes)
    if result.tries:
        return result
    one = Try(name_of(backend), result.outcome, time.monotonic() - started, result.alarm)
    return replace(result, tries=(one,))


def name_of(backend: object) -> str:
    """What employees and counts call a gateway: its `name`, or that of its class."""
    return str(getattr(backend, "name", type(backend).__name__.removesuffix("Backend").lower()))[
        :LONGEST_NAME
    ]


def chosen_backends() -> list[str]:
    """The gateways that may be used, as dotted paths: the chosen one, or those behind the fail-over."""
    return (
        list(settings.SMS_FAILOVER_BACKENDS) if settings.SMS_BACKEND == FAILOVER else [settings.SMS_BACKEND]
    )


def chosen() -> dict[str, SmsBackend]:
    """The gateways that may be used, by their names, in the order in which they are named."""
    backends = [get_backend(path) for path in chosen_backends()]
    return {name_of(backend): backend for backend in backends}


def get_backend(path: str = "") -> SmsBackend:
    """The backend at dotted `path`, or the one that `SMS_BACKEND` names. Raises ImportError if there is none."""
    backend: SmsBackend = find_class(path or settings.SMS_BACKEND, having="send")()
    return backend
