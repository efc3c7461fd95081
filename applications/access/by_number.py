"""«Нөмірімді тексеру»: anyone who knows an application's number and a guardian's phone may ask where it stands."""

import re
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from accounts import limits
from accounts.limits import Allowed, Limit
from accounts.models import User
from applications.access.settling import settle
from applications.models import Application
from applications.queue.position import Position, position
from applications.states import ApplicationState

# Compared with where no guardian has a phone, so that an unknown number is answered by the same work.
_NO_DIGITS = "----"


@dataclass(frozen=True)
class Checked:
    """What is told: the state, and the place while the application holds one."""

    number: str
    state: ApplicationState
    position: Position | None


def allowed(number: str, *, address: str | None, now: datetime) -> Allowed:
    """Count one check of an application's number, known or not, from a network address."""
    return limits.allow_all(_counted(number, address=address), now=now)


def was_right(number: str, *, address: str | None, now: datetime) -> None:
    """The check that `allowed` counted at this very `now` was the family's own: it counts no more."""
    limits.forget(_counted(number, address=address), now=now)


def check(number: str, *, digits: str, now: datetime) -> Checked | None:
    """Where the application stands, if `digits` end the phone of a guardian that it has now; else None.

    None does not say whether there is such an application: both cases cost the same one query and comparison.
    """
    phones = User.objects.filter(
        is_active=True,
        phone__isnull=False,
        guardianships__ended_at=None,
        guardianships__child__applications__number=number,
    ).values_list("phone", flat=True)
    endings = [re.sub(r"\D", "", str(phone))[-4:] for phone in phones] or [_NO_DIGITS]
    # A sum, so that every one of them is compared.
    if not sum(compare_digest(ending.encode(), digits.encode()) for ending in endings):
        return None
    application = settle(Application.objects.select_related("locality").get(number=number), now=now)
    return Checked(
        number=application.number,
        state=ApplicationState(application.state),
        position=position(application, now=now),
    )


def _counted(number: str, *, address: str | None) -> list[tuple[Limit, str]]:
    return [
        (limits.QUEUE_CHECK_PER_NETWORK, limits.address_key(address)),
        (limits.QUEUE_CHECK_PER_NUMBER, number),
    ]
