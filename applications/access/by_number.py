"""«Нөмірімді тексеру»: anyone who knows an application's number and a guardian's phone may ask where it stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from hmac import compare_digest

from accounts import limits
from accounts.limits import Limit
from accounts.models import User
from applications.access.family import collected_among
from applications.access.settling import settle
from applications.models import Application
from applications.queue.position import Position, position
from applications.states import ApplicationState, label_of
from children.access import informed_guardianships, present_people

# Used for comparison if no guardian has a phone, so that an unknown number costs the same work.
_NO_DIGITS = "----"


@dataclass(frozen=True)
class Checked:
    """What the visitor is told: the state, and the number in the queue while the application holds one."""

    number: str
    state: ApplicationState
    position: Position | None
    is_collected: bool = False

    @property
    def state_label(self) -> str:
        return label_of(self.state, is_collected=self.is_collected)


class BirthDateWanted(Exception):
    """Too many others missed: the visitor is told nothing yet, and asked for the child's date of birth as well."""


class TooOften(Exception):
    """The visitor is not told whether it was right; ask again at `retry_at` (None: the counter does not answer)."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


def check(
    number: str,
    *,
    digits: str,
    born: date | None = None,
    address: str | None,
    is_known: Callable[[User], bool],
    now: datetime,
) -> Checked | None:
    """Where the application stands if the phone of a guardian who may know it ends in `digits`; otherwise None.

    None does not say whether there is such an application: both cases cost the same one query and comparison. Misses
    are counted, and past a limit neither hits nor misses are told: raises `BirthDateWanted` where what others missed,
    in this network, of this number or with these digits, is no reason to send a family away, else `TooOften`. With
    `born` that must be the child's date of birth too, and only misses with this very date count: of the number, and
    with these digits. If `is_known`
    says that a guardian is the one asking, nothing is counted or wanted, whatever others did.
    """
    guardians = list(
        present_people().filter(
            phone__isnull=False,
            guardianships__in=informed_guardianships().filter(
                child__applications__number=number, child__applications__filed_by__isnull=False
            ),
        )
    )
    endings = [re.sub(r"\D", "", str(guardian.phone))[-4:] for guardian in guardians] or [_NO_DIGITS]
    # A sum, so that all of them are compared.
    is_right = bool(sum(compare_digest(ending.encode(), digits.encode()) for ending in endings))
    if not any(map(is_known, guardians)):
        if born is not None:
            is_right &= Application.objects.filter(number=number, child__birth_date=born).exists()
        counted = _counted(number, digits=digits, born=born, address=address)
        allowed = limits.judge(counted, right=is_right, now=now)
        if not allowed.ok:
            raise _refusal(allowed.retry_at, born=born)
    if not is_right:
        return None
    application = settle(Application.objects.select_related("locality").get(number=number), now=now)
    return Checked(
        number=application.number,
        state=ApplicationState(application.state),
        position=position(application, now=now),
        is_collected=bool(collected_among([application])),
    )


def _refusal(retry_at: datetime | None, *, born: date | None) -> BirthDateWanted | TooOften:
    return BirthDateWanted() if born is None and retry_at is not None else TooOften(retry_at)


def _counted(number: str, *, digits: str, born: date | None, address: str | None) -> list[tuple[Limit, str]]:
    if born is None:
        of_others = [(limits.QUEUE_CHECK_PER_NETWORK, limits.address_key(address))]
    else:
        # Ten thousand endings times some two thousand days: trying them needs no limit of a network. A wrong date
        # closes nothing to who knows the right one, for which all endings still take more than a year.
        number, digits, of_others = f"{number} {born}", f"{digits} {born}", []
    return [
        *of_others,
        *((limit, number) for limit in limits.QUEUE_CHECK_PER_NUMBER),
        *((limit, digits) for limit in limits.QUEUE_CHECK_PER_DIGITS),
    ]
