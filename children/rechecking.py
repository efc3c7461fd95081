"""Whether guardians still are: the registry is asked about each once a month, in portions, the oldest answer first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from accounts.registry import RegistryUnavailable, UnusableAnswer
from accounts.registry_data import is_due, refresh_person
from children.models import Guardianship
from children.services import DocumentUnknown, recheck_guardianship
from notifications.clock import read_clock
from notifications.sweeps import renew_connection

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=30)
# One run of the job, far below the time that a task may take.
PORTION_SECONDS: Final = 120.0
# So many questions in a row without any answer: the registry is down, and not only for one person.
DOWN_AFTER: Final = 5


@dataclass
class Found:
    """How many were confirmed and ended; the numbers of the guardianships about which nothing could be told."""

    held: int = 0
    ended: int = 0
    unknown: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    is_down: bool = False

    @property
    def usable(self) -> int:
        """How many usable answers there were."""
        return self.held + self.ended

    def told(self, word: str) -> str:
        parts = [f"confirmed: {self.held}, {word}: {self.ended}"]
        for what, keys in (
            ("document unknown to the registry", self.unknown),
            ("no usable answer", self.unanswered),
        ):
            if keys:
                parts.append(f"{what}: {len(keys)} (guardianships {', '.join(map(str, keys))})")
        return ", ".join(parts)


def provable() -> QuerySet[Guardianship]:
    """The live guardianships that the registry confirmed once, so that it can be asked again."""
    return Guardianship.objects.filter(
        ended_at=None, source=Guardianship.Source.REGISTRY, user__profile__isnull=False
    ).select_related("child", "user__profile")


def due(*, now: datetime) -> QuerySet[Guardianship]:
    """Those about which the registry was last asked a month ago or longer, the longest first."""
    asked = provable().annotate(last=Coalesce("asked_at", "verified_at"))
    return asked.filter(last__lte=now - EVERY).order_by("last", "pk")


def recheck_portion(*, now: datetime) -> Found:
    """Ask about as many of those that are due as there is time for, and log what could not be told.

    Whoever got no usable answer is asked again in a month, so that nobody is held up by them. If the registry does not
    answer at all, the next portion begins with the same ones.
    """
    until, found = monotonic() + PORTION_SECONDS, Found()
    recheck(due(now=now), found, is_enough=lambda: monotonic() >= until)
    if found.unknown or found.unanswered:
        logger.warning("guardianships rechecked: %s", found.told("ended"))
    return found


def recheck(
    guardianships: QuerySet[Guardianship],
    found: Found,
    *,
    is_enough: Callable[[], bool] = lambda: False,
    dry_run: bool = False,
) -> Found:
    """Ask the registry about these guardianships, one after another; ends those that it no longer confirms.

    Names and documents of their guardians are brought up to date. One that can't be handled is counted and holds up no
    other. Stops when `is_enough` says so, or when the registry does not answer at all (`Found.is_down`). With `dry_run`
    nothing is changed. Never call it inside a transaction.
    """
    silent = 0
    for guardianship in guardianships.iterator(chunk_size=500):
        if is_enough():
            break
        answered = _recheck(guardianship, found, dry_run=dry_run)
        silent = 0 if answered else silent + 1
        if silent >= DOWN_AFTER:
            found.is_down = True
            break
    return found


def _recheck(guardianship: Guardianship, found: Found, *, dry_run: bool) -> bool:
    """Ask about one; whether the registry answered at all, whatever it said."""
    now = read_clock()
    try:
        if not dry_run and is_due(guardianship.user.profile, now=now):
            refresh_person(guardianship.user, now=now)
            guardianship.user.profile.refresh_from_db()
        holds = recheck_guardianship(guardianship, now=now, dry_run=dry_run)
    except DocumentUnknown:
        found.unknown.append(guardianship.pk)
    except UnusableAnswer:
        found.unanswered.append(guardianship.pk)
    except RegistryUnavailable:
        found.unanswered.append(guardianship.pk)
        return False
    except Exception:
        logger.exception("could not recheck guardianship %s", guardianship.pk)
        found.unanswered.append(guardianship.pk)
        renew_connection()
    else:
        found.held, found.ended = found.held + holds, found.ended + (not holds)
    if not dry_run:
        Guardianship.objects.filter(pk=guardianship.pk).update(asked_at=now)
    return True
