"""Whether an application may bid for a vacancy, and if not, why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from django.db.models import Q

from applications.models import CLAIMED, Application, PriorityCutoff
from applications.preview import is_preview
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import Vacancy
from bulletin.opening import Phase, phase

# The applications that `state_refusal` leaves: those that wait for a place, and whose families may bid.
SEEKING: Final = CLAIMED & Q(state=ApplicationState.WAITING)

_STATE_REFUSALS = {
    ApplicationState.BID_PLACED: Refusal.BID_UNDER_WAY,
    ApplicationState.REFERRED: Refusal.REFERRAL_UNDER_WAY,
    ApplicationState.ENROLLED: Refusal.ENROLLED,
    ApplicationState.STOP_LISTED: Refusal.STOP_LISTED,
    ApplicationState.LAPSED: Refusal.LAPSED,
    ApplicationState.ARCHIVED: Refusal.ARCHIVED,
}


_PHASE_REFUSALS = {
    Phase.ANNOUNCED: Refusal.NOT_OPEN_YET,
    Phase.FULL: Refusal.FULL,
    Phase.PAUSED: Refusal.PAUSED,
}


_END_REFUSALS = {
    Phase.DRAFT: Refusal.NOT_PUBLISHED,
    Phase.RECALLED: Refusal.RECALLED,
    Phase.CLOSED: Refusal.CLOSED,
}


def why_not(application: Application, vacancy: Vacancy, *, now: datetime) -> Refusal | None:
    """The first reason for which `application` can't bid for `vacancy` at `now`, or None when it can.

    First whether the portal is open, and the user may bid for the child at all; then from what never changes to what
    may change soon: an ended vacancy, a mismatch, the application's own state, the opening and the seats, a pause, the
    priority window. It queries only for a pause, an earlier refusal and, in the priority window, the cut-offs (for
    lists take vacancies `with_pauses` and prefetch `application.bids` and `vacancy.cutoffs`).
    """
    now_in = phase(vacancy, now=now)
    return (
        (Refusal.PREVIEW if is_preview() else None)
        or _side_refusal(application)
        or _END_REFUSALS.get(now_in)
        or mismatch(application, suit_of(vacancy))
        or state_refusal(application)
        or _PHASE_REFUSALS.get(now_in)
        or _refused_before(application, vacancy)
        or _outside_the_window(application, vacancy, now_in)
    )


def why_not_offered(application: Application, vacancy: Vacancy) -> Refusal | None:
    """Why a place that was given back after its award can't be the application's; the family's side, as in `why_not`.

    The time for bids is over, so that neither it nor a pause counts.
    """
    recalled = Refusal.RECALLED if vacancy.state == Vacancy.State.RECALLED else None
    return (
        _side_refusal(application)
        or recalled
        or mismatch(application, suit_of(vacancy))
        or state_refusal(application)
        or _refused_before(application, vacancy)
    )


def _side_refusal(application: Application) -> Refusal | None:
    """What a dispute of guardians refuses to whoever asks."""
    side = application.asker_side
    return None if side is None or application.asker_may_choose else Refusal(side.value)


def state_refusal(application: Application) -> Refusal | None:
    """Why the application can't bid for any place as it stands; None while it waits and is claimed."""
    if not application.is_claimed:
        return Refusal.UNCLAIMED
    return _STATE_REFUSALS.get(ApplicationState(application.state))


def refusal_at_opening(application: Application, vacancy: Vacancy) -> Refusal | None:
    """The refusal that will remain once an announced vacancy opens. A pause is ignored: it may be over by then."""
    refusal = why_not(application, vacancy, now=vacancy.opens_at)
    return None if refusal == Refusal.PAUSED else refusal


class Suit(NamedTuple):
    """Which children a place suits."""

    locality_id: int
    birth_years: tuple[int, ...]
    language: str


class Seeker(Protocol):
    """What of an application decides whether a place suits it; `Application` provides it."""

    @property
    def locality_id(self) -> int: ...
    @property
    def birth_year(self) -> int: ...
    @property
    def languages(self) -> Sequence[str]: ...
    @property
    def tier(self) -> int: ...
    @property
    def filed_at(self) -> datetime: ...
    @property
    def sequence(self) -> int: ...


def mismatch(seeker: Seeker, suit: Suit) -> Refusal | None:
    """Which of the place's locality, birth year and language differs from the application's, if any."""
    if seeker.locality_id != suit.locality_id:
        return Refusal.OTHER_LOCALITY
    if seeker.birth_year not in suit.birth_years:
        return Refusal.OTHER_BIRTH_YEAR
    if suit.language not in seeker.languages:
        return Refusal.OTHER_LANGUAGE
    return None


def refusal_of_newcomer(seeker: Seeker, vacancy: Vacancy, *, now: datetime) -> Refusal | None:
    """The part of `why_not` that holds for whoever waits like `seeker`, whatever else there is to say of them.

    Load the vacancy as for `why_not`.
    """
    now_in = phase(vacancy, now=now)
    return (
        _END_REFUSALS.get(now_in)
        or mismatch(seeker, suit_of(vacancy))
        or _PHASE_REFUSALS.get(now_in)
        or _outside_the_window(seeker, vacancy, now_in)
    )


# From what parts a child most from a place to what parts it least.
_MISMATCHES: Final = (Refusal.OTHER_LOCALITY, Refusal.OTHER_BIRTH_YEAR, Refusal.OTHER_LANGUAGE)


def mismatch_of_all(seekers: Iterable[Seeker], suit: Suit) -> Refusal | None:
    """The `mismatch` of whoever of a family is nearest to the place; None if it suits one of them, or nobody seeks."""
    found = [mismatch(one, suit) for one in seekers]
    parted = [refusal for refusal in found if refusal is not None]
    return max(parted, key=_MISMATCHES.index) if parted and len(parted) == len(found) else None


def is_unsuited(application: Application, vacancy: Vacancy) -> bool:
    """Whether the vacancy's place is not, or not any more, one for the child: as in `mismatch`."""
    return mismatch(application, suit_of(vacancy)) is not None


def is_inside(seeker: Seeker, cutoffs: Iterable[PriorityCutoff]) -> bool:
    """Whether the application is in the head of the queue, for which the priority window is."""
    return any(
        cutoff.birth_year == seeker.birth_year
        and cutoff.tier == seeker.tier
        and (seeker.filed_at, seeker.sequence) <= (cutoff.filed_at, cutoff.sequence)
        for cutoff in cutoffs
    )


def suit_of(vacancy: Vacancy) -> Suit:
    """Which children the place of `vacancy` suits; load it with its group and kindergarten."""
    group = vacancy.group
    return Suit(group.kindergarten.locality_id, tuple(vacancy.birth_years), group.language)


def _refused_before(application: Application, vacancy: Vacancy) -> Refusal | None:
    refused = any(
        bid.vacancy_id == vacancy.pk and bid.state == BidState.REJECTED for bid in application.bids.all()
    )
    return Refusal.REJECTED_HERE if refused else None


def _outside_the_window(seeker: Seeker, vacancy: Vacancy, now_in: Phase) -> Refusal | None:
    if now_in != Phase.PRIORITY or is_inside(seeker, vacancy.cutoffs.all()):
        return None
    return Refusal.PRIORITY
