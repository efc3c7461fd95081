"""When anything in an application may next end by itself: the one computation behind `Application.runs_out_at`.

The press, the look at the bulletin, every page and the sweep ask one question: is that instant past? If so, they settle
the application first. So it may be too early, which costs one check, but never too late.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from applications.models import Application, Rules
from applications.preview import ended_unanswered
from applications.rules.ages import too_old_from
from applications.rules.interest import unconfirmed_from
from applications.states import (
    AGEING_STATES,
    LIVE_STATES,
    ApplicationState,
    BenefitState,
    Move,
    OfferState,
    ReferralState,
)


def first_end(
    application: Application, *, now: datetime, rules: Iterable[Rules] | None = None
) -> datetime | None:
    """The first instant at which anything in `application` may end by itself, as its rows and the rules stand.

    What is over and has not been ended counts with its own instant; but campaigns of interest count from `now` on,
    since who missed one is known by more than this. None where nothing ends before the next move: a bid waits for the
    kindergarten, and age for the end of a bid or a referral. `rules` are all there are, where they are at hand;
    prefetch `PREFETCH` for several applications.
    """
    if application.state not in LIVE_STATES:
        return None
    ends = [*_promised(application, now), *_by_rules(application, rules, now)]
    return min(ends, default=None)


PREFETCH = ("benefits", "referrals", "stops", "offers")


def _promised(application: Application, now: datetime) -> Iterator[datetime]:
    """The ends that were stored when they were promised."""
    found: list[datetime | None] = [
        benefit.valid_until
        for benefit in application.benefits.all()
        if benefit.state == BenefitState.VERIFIED
    ]
    if application.state == ApplicationState.WAITING:
        found += [
            offer.runs_out_at for offer in application.offers.all() if offer.state == OfferState.OFFERED
        ]
    elif application.state == ApplicationState.REFERRED:
        issued = (one for one in application.referrals.all() if one.state == ReferralState.ISSUED)
        found += [referral.runs_out_at for referral in issued]
    elif application.state == ApplicationState.STOP_LISTED:
        found += [stop.until for stop in application.stops.all() if stop.lifted_at is None]
    elif application.state == ApplicationState.LAPSED:
        found.append(restorable_until(application, now=now))
    return (end for end in found if end is not None)


def _by_rules(application: Application, rules: Iterable[Rules] | None, now: datetime) -> Iterator[datetime]:
    """The ends that `Rules` may still move."""
    if application.state not in AGEING_STATES:
        return
    known, place = list(Rules.objects.all() if rules is None else rules), application.locality
    yield too_old_from(application.birth_year, known, locality=place, now=now)
    # Nobody can be asked about one that is not claimed: no interest of an old date ends it.
    if application.state == ApplicationState.WAITING and application.is_claimed:
        yield unconfirmed_from(application.interest_confirmed_at, known, locality=place, now=now)


def restorable_until(application: Application, *, now: datetime) -> datetime | None:
    """The first instant at which a lapsed application can't come back, as promised when it lapsed.

    None: no end, also where the promised one fell before the opening, when no family could answer.
    """
    lapsed = application.events.filter(move=Move.LAPSE).order_by("-id").first()
    end = promised_end(lapsed.data if lapsed else None)
    return None if end and ended_unanswered(application.locality, end=end, now=now) else end


def promised_end(data: dict[str, Any] | None) -> datetime | None:
    """The end of the grace as the event of a lapse holds it."""
    until = (data or {}).get("restorable_until")
    return datetime.fromisoformat(until) if until else None
