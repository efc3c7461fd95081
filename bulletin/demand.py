"""How sought after a kindergarten is: an app above tells it, since this one knows no families and no bids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bulletin.models import Kindergarten


@dataclass(frozen=True)
class PastVacancy:
    """Places that were in the bulletin: of which group, how many, and how many families applied, as all may read it."""

    group: str
    age_group: str
    opened_on: date
    places: int
    applied: str


@dataclass(frozen=True)
class Demand:
    """What became of the places of the past.

    `waited_days`: the median from filing to the contract, of the contracts of the last year; None where they are too
    few to tell. `past`: the newest vacancies that no longer accept applications, the newest first.
    """

    waited_days: int | None
    past: Sequence[PastVacancy]


Source = Callable[..., Demand]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Name who knows the demand: called as `source(kindergarten, now=…)`, it answers with a `Demand`."""
    _sources[:] = [source]


def demand_of(kindergarten: Kindergarten, *, now: datetime) -> Demand:
    """The demand at `now`; nothing where nobody was registered."""
    return _sources[0](kindergarten, now=now) if _sources else Demand(waited_days=None, past=())
