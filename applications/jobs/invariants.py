"""What must always be true, checked for all rows: places, bids, states, events, counts."""

from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, UUIDField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from applications.closings.finishing import overdue
from applications.models import Application, Bid, Event, Referral, Rules, StopListEntry
from applications.places.occupancy import over_promised
from applications.queue import history
from applications.queue.birth_years import differing
from applications.queue.buckets import bucket_differences
from applications.referrals.days_off import to_lengthen
from applications.rules.running_out import PREFETCH, first_end
from applications.states import LIVE_OFFERS, LIVE_STATES, ApplicationState, BidState, Move, ReferralState
from applications.waiting.campaigns import ended_campaign_for, unconfirmed
from bulletin.calendar import working_calendar
from bulletin.models import Closing, Locality, Vacancy
from bulletin.workdays import NoCalendar
from notifications.clock import read_clock
from notifications.snapshot import one_moment


def differences() -> Iterator[str]:
    """Name every contradiction; none when all is well.

    Reads the database in one snapshot, whatever is written meanwhile. Reads every application, bid and event: for a
    nightly job and for operators.
    """
    with one_moment():
        yield from _seats()
        yield from _over_promised()
        yield from _states()
        yield from _bids_without_event()
        yield from history.differences()
        yield from _too_late()
        yield from _too_short()
        yield from _closings()
        yield from _other_birth_years()
        for bucket in bucket_differences():
            yield f"queue count: {bucket}"


def _seats() -> Iterator[str]:
    counted = Vacancy.objects.annotate(
        held=Count("bids", filter=Q(bids__holds_seat=True), distinct=True)
        + Count("offers", filter=Q(offers__state__in=LIVE_OFFERS), distinct=True)
    )
    for vacancy in counted.exclude(seats_taken=F("held")):
        yield (
            f"vacancy {vacancy.pk}: {vacancy.seats_taken} places taken, but {vacancy.held} bids and offers hold one"
        )
    waiting = Bid.objects.filter(state=BidState.PENDING)
    for bid in waiting.filter(vacancy__mode=Vacancy.Mode.FIRST_COME, holds_seat=False):
        yield f"bid {bid.pk}: waits for an answer without a place"
    ended = (BidState.REJECTED, BidState.WITHDRAWN, BidState.LOST, BidState.VOID)
    for bid in Bid.objects.filter(state__in=ended, holds_seat=True):
        yield f"bid {bid.pk}: has ended and still holds a place"
    for reopened in Vacancy.objects.filter(closes_at__gt=F("awarded_at")):
        yield f"vacancy {reopened.pk}: was awarded before its end"


def _over_promised() -> Iterator[str]:
    """Groups of which more is taken and promised than there is room for; the list of groups shows them to officials."""
    for one in over_promised(now=read_clock()):
        yield (
            f"group {one.group.pk} ({one.group.kindergarten.slug}): room for {one.group.capacity}, but"
            f" {one.occupancy.children} children and {one.occupancy.promised} places promised"
            f" from the school year {one.occupancy.since} on"
        )


def _states() -> Iterator[str]:
    """Each of these states requires exactly one row that explains it."""
    reasons: dict[
        ApplicationState, tuple[str, QuerySet[Bid] | QuerySet[Referral] | QuerySet[StopListEntry]]
    ] = {
        ApplicationState.BID_PLACED: ("pending bid", Bid.objects.filter(state=BidState.PENDING)),
        ApplicationState.REFERRED: ("issued referral", Referral.objects.filter(state=ReferralState.ISSUED)),
        ApplicationState.ENROLLED: ("signed referral", Referral.objects.filter(state=ReferralState.SIGNED)),
        ApplicationState.STOP_LISTED: ("running stop", StopListEntry.objects.filter(lifted_at=None)),
    }
    for state, (name, rows) in reasons.items():
        applications = Application.objects.annotate(
            has_reason=Exists(rows.filter(application=OuterRef("pk")))
        )
        for application in applications.filter(state=state, has_reason=False):
            yield f"application {application.number}: {state} without {name}"
        for application in applications.filter(has_reason=True).exclude(state=state):
            yield f"application {application.number}: {application.state} with {name}"


def _too_late() -> Iterator[str]:
    """Applications that may end before they are looked at: `runs_out_at` must be a lower bound, for the press too."""
    now, rules = read_clock(), list(Rules.objects.all())
    live = Application.objects.filter(state__in=LIVE_STATES).select_related("locality")
    for application in live.prefetch_related(*PREFETCH).order_by("pk").iterator(chunk_size=1000):
        first, noted = first_end(application, now=now, rules=rules), application.runs_out_at
        if first is not None and (noted is None or noted > first):
            yield f"application {application.number}: may end at {first}, but is not looked at before {noted}"
    for locality in Locality.objects.all():
        ended = ended_campaign_for(locality, now=now)
        if ended is not None:
            missed = unconfirmed(ended, locality=locality).filter(
                Q(runs_out_at=None) | Q(runs_out_at__gt=now)
            )
            for application in missed:
                yield f"application {application.number}: missed the confirmation of {ended.year} unseen"


def _too_short() -> Iterator[str]:
    """Referrals with fewer working days than their families were promised."""
    try:
        calendar = working_calendar()
    except NoCalendar:
        return
    for referral, last_day, becomes in to_lengthen(calendar, now=read_clock()):
        yield f"referral {referral.number}: ends on {last_day}, but was promised to last until {becomes}"


def _closings() -> Iterator[str]:
    """Where it is closed nothing is offered, and what follows for the families is done within the hour."""
    running = Closing.objects.filter(
        Q(group=None) | Q(group=OuterRef("group")),
        kindergarten=OuterRef("group__kindergarten"),
        state=Closing.State.RUNNING,
    )
    for vacancy in Vacancy.objects.filter(Exists(running), state=Vacancy.State.PUBLISHED):
        yield f"vacancy {vacancy.pk}: is in the bulletin, but its group is closed"
    for closing in overdue(now=read_clock()):
        yield f"closing {closing.pk}: families are still to be handled after an hour"


def _other_birth_years() -> Iterator[str]:
    """Applications of which the registry says another birth year, until an official has decided."""
    for application in differing():
        yield (
            f"application {application.number}: stands in the queue of {application.birth_year}, but the registry says "
            f"{application.child.birth_year}"
        )


def _bids_without_event() -> Iterator[str]:
    sent = Event.objects.filter(move__in=[Move.PLACE_BID, Move.ACCEPT_OFFER]).annotate(
        bid=Cast(KT("data__bid"), UUIDField())
    )
    for bid in Bid.objects.exclude(pk__in=sent.values("bid")):
        yield f"bid {bid.pk}: no event tells that it was sent"
