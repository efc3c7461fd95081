"""When the free places that a kindergarten, or a group, has in the bulletin can be had."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from bulletin.models import Kindergarten, Vacancy
from bulletin.opening import Phase
from bulletin.selectors import Listing, listings, published_vacancies

_LATER = (Phase.PRIORITY, Phase.ANNOUNCED)


@dataclass(frozen=True)
class Opening:
    """Of some free places so many are `open` to all now; `next` is the one that opens next, to the head or to all.

    `next` is None where every place that can be had is open to all.
    """

    open: int
    next: Listing | None


def openings(rows: Iterable[Listing], *, of: Callable[[Vacancy], int]) -> dict[int, Opening]:
    """The opening for each key of the vacancies that have one; none where no free place opens."""
    by_key: dict[int, list[Listing]] = {}
    for one in rows:
        if one.vacancy.seats_free:
            by_key.setdefault(of(one.vacancy), []).append(one)
    found = {}
    for key, some in by_key.items():
        later = [one for one in some if one.phase in _LATER]
        free = sum(one.vacancy.seats_free for one in some if one.phase == Phase.OPEN)
        if free or later:
            found[key] = Opening(free, min(later, key=_opens_next, default=None))
    return found


def _opens_next(one: Listing) -> datetime:
    """A place that is for the head of the queue now comes next for all others."""
    return (one.open_to_all_at if one.phase == Phase.PRIORITY else None) or one.vacancy.opens_at


def with_openings(kindergartens: Iterable[Kindergarten], *, now: datetime) -> None:
    """Give each its `opening`, or None; one statement."""
    kindergartens = list(kindergartens)
    waiting = published_vacancies(now=now).filter(
        Q(phase_now__in=[*_LATER, Phase.OPEN]),
        group__kindergarten__in=[one.pk for one in kindergartens],
        seats_taken__lt=F("seats_total"),
    )
    found = openings(listings(waiting, now=now), of=lambda vacancy: vacancy.group.kindergarten_id)
    for one in kindergartens:
        vars(one)["opening"] = found.get(one.pk)
