"""«Нөмірімді тексеру» by a number of the former queue: whether it came over, and where it stands now.

Who asks proves nothing, so nothing is told that the public order does not tell: neither dates nor names, nor whether
the family has claimed the application, nor why the number moved.
"""

from datetime import datetime

from accounts import limits
from accounts.models import User
from applications.access.by_number import TooOften
from applications.access.settling import settle
from applications.models import Application, FormerRow
from applications.models.former import number_key
from applications.queue.position import Position, position
from applications.states import ApplicationState
from bulletin.models import Locality


class LocalityWanted(Exception):
    """Several localities have such a number: say which is meant."""


class Ambiguous(Exception):
    """Several numbers of one locality differ in their signs alone: it must be typed as it is on the paper."""


class Shared(Exception):
    """Several applications of one locality have this very number: only the paper can tell which is meant."""


class NotFound(Exception):
    """Nothing that came over and is still there has this number.

    Why, is not told: what a file left out, and what has left the queue, is like what there never was.
    """


def is_asked() -> bool:
    """Whether there is a former queue to be asked about. One query."""
    return FormerRow.objects.exists()


def check(
    number: str, *, locality: Locality | None = None, asker: User | None, address: str | None, now: datetime
) -> Position | None:
    """Where the application with this number of the former queue stands; None while it holds no number.

    In whatever spelling (`number_key`); signs are asked for where they alone tell two numbers apart. Every question
    counts, since a right guess costs as little as a wrong one: for the network, or for `asker` alone, who is signed
    in. Raises `NotFound`, `LocalityWanted`, `Ambiguous`, `Shared`, `TooOften`.
    """
    counted = (
        (limits.FORMER_CHECK_PER_ACCOUNT, str(asker.pk))
        if asker is not None
        else (limits.FORMER_CHECK_PER_NETWORK, limits.address_key(address))
    )
    allowed = limits.allow(*counted, now=now)
    if not allowed.ok:
        raise TooOften(allowed.retry_at)
    row = _only(_rows_of(number, locality), number)
    application = settle(Application.objects.select_related("locality").get(pk=row.application_id), now=now)
    if application.state == ApplicationState.ARCHIVED:
        raise NotFound
    return position(application, now=now)


def _rows_of(number: str, locality: Locality | None) -> list[FormerRow]:
    """The rows that may be meant: who has left the queue, claimed or not, is no more there."""
    rows = FormerRow.objects.filter(number_key=number_key(number)).exclude(
        application__state=ApplicationState.ARCHIVED
    )
    if locality is not None:
        rows = rows.filter(locality=locality)
    # A bound against a key that a whole file shares.
    # What the file said of guardians is not even decrypted.
    return list(rows.exclude(number_key="").only("old_number", "locality")[:50])


def _only(rows: list[FormerRow], number: str) -> FormerRow:
    exact = [row for row in rows if row.old_number == number.strip()]
    found = exact or rows
    if not found:
        raise NotFound
    if len({row.locality_id for row in found}) > 1:
        raise LocalityWanted
    if len(exact) > 1:
        raise Shared
    if len(found) > 1:
        raise Ambiguous
    return found[0]
