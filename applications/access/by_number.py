"""«Нөмірімді тексеру»: anyone who knows an application's number and a guardian's phone may ask where it stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from accounts import limits
from accounts.limits import Limit
from accounts.models import User
from applications.access.settling import settle
from applications.models import Application
from applications.queue.position import Position, position
from applications.states import ApplicationState

# Used for comparison if no guardian has a phone, so that an unknown number costs the same work.
_NO_DIGITS = "----"


@dataclass(frozen=True)
class Checked:
    """What the visitor is told: the state, and the number in the queue while the application holds one."""

    number: str
    state: ApplicationState
    position: Position | None


class TooOften(Exception):
    """The visitor is not told whether it was right; ask again at `retry_at` (None: the counter does not answer)."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


def check(
    number: str,
    *,
    digits: str,
    address: str | None,
    is_known: Callable[[User], bool],
    now: datetime,
) -> Checked | None:
    """Where the application stands if the phone of one of its present guardians ends in `digits`; otherwise None.

    None does not say whether there is such an application: both cases cost the same one query and comparison. Misses
    are counted, and past a limit neither hits nor misses are told: raises `TooOften`. If `is_known` says that a
    guardian is the one asking, nothing is counted, whatever others did with this number or from this network.
    """
    guardians = list(
        User.objects.filter(
            is_active=True,
            phone__isnull=False,
            guardianships__ended_at=None,
            guardianships__child__applications__number=number,
        )
    )
    endings = [re.sub(r"\D", "", str(guardian.phone))[-4:] for guardian in guardians] or [_NO_DIGITS]
    # A sum, so that all of them are compared.
    is_right = bool(sum(compare_digest(ending.encode(), digits.encode()) for ending in endings))
    if not any(map(is_known, guardians)):
        allowed = limits.judge(_counted(number, digits=digits, address=address), right=is_right, now=now)
        if not allowed.ok:
            raise TooOften(allowed.retry_at)
    if not is_right:
        return None
    application = settle(Application.objects.select_related("locality").get(number=number), now=now)
    return Checked(
        number=application.number,
        state=ApplicationState(application.state),
        position=position(application, now=now),
    )


def _counted(number: str, *, digits: str, address: str | None) -> list[tuple[Limit, str]]:
    return [
        (limits.QUEUE_CHECK_PER_NETWORK, limits.address_key(address)),
        *((limit, number) for limit in limits.QUEUE_CHECK_PER_NUMBER),
        *((limit, digits) for limit in limits.QUEUE_CHECK_PER_DIGITS),
    ]
