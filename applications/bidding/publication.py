"""Putting a vacancy into the bulletin and taking it out; its remaining bids are ended."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from accounts import audit
from accounts.models import User
from applications.bidding.eligibility import SEEKING
from applications.bidding.ending import void_bid
from applications.bidding.obstacles import priority_until, refuse_obstacles, why_not_publish
from applications.bidding.offers import end_recalled_offers
from applications.models import Application, Bid, PriorityCutoff
from applications.moves import Refused, lock_vacancy, locking
from applications.places.occupancy import lock_places
from applications.preview import is_preview
from applications.queue.order import head_by_tier
from applications.refusals import Refusal
from applications.rules.in_force import rules_at, rules_of_day
from applications.states import LIVE_OFFERS, BidState, Tier
from bulletin import services
from bulletin.journal_actions import Action
from bulletin.models import Closing, Vacancy
from bulletin.opening import Phase, phase
from bulletin.seen import mark_of
from notifications.sweeps import sweep

# Officials who may change the rules may make an exception to this one.
SHORTEN_LEAD = "applications.change_rules"


def publish_vacancy(
    vacancy: Vacancy, *, actor: User, short_notice_reason: str = "", seen: str | None = None, now: datetime
) -> Vacancy:
    """Put a draft into the bulletin and decide who is inside its priority window.

    It opens `Rules.publication_lead_hours` later at the earliest, or sooner if an official gives a reason that everyone
    can read; never before it is published. The window runs from the opening, for `Rules.priority_working_days`, to the
    same time of day. The first `seats x Rules.priority_seats_multiple` waiting applications of every matching queue are
    inside. `seen` is the mark (`seen_of`) of what the employee has read; None where nobody had a page to read. Raises
    `Refused` (NO_PUBLICATION_YET, NOT_A_DRAFT, CHANGED_MEANWHILE), `ValidationError` with all that stands in the way
    (`obstacles.why_not_publish`), and `PermissionDenied` for a reason given by anybody but an official. Locks the
    vacancy, then the group.
    """
    if short_notice_reason and not actor.has_perm(SHORTEN_LEAD):
        raise PermissionDenied
    if refusal := why_nobody_publishes():
        raise Refused(refusal)
    with locking():
        vacancy = lock_vacancy(vacancy.pk)
        if vacancy.state != Vacancy.State.DRAFT:
            raise Refused(Refusal.NOT_A_DRAFT)
        vacancy.group = lock_places(vacancy.group_id, now=now)
        if seen is not None and seen != seen_of(vacancy):
            raise Refused(Refusal.CHANGED_MEANWHILE)
        is_short_notice = bool(short_notice_reason.strip())
        refuse_obstacles(why_not_publish(vacancy, now=now, is_short_notice=is_short_notice))
        services.set_published(
            vacancy,
            priority_until=priority_until(vacancy),
            short_notice_reason=short_notice_reason.strip(),
            now=now,
        )
        PriorityCutoff.objects.bulk_create(priority_cutoffs(vacancy))
        audit.record(
            Action.VACANCY_PUBLISHED,
            actor=actor,
            target=str(vacancy),
            reason=vacancy.short_notice_reason,
            about=vacancy,
            now=now,
        )
    return vacancy


def why_nobody_publishes() -> Refusal | None:
    """Why nothing at all can be published now; None once the portal is open.

    Who is at the head of the queue is decided at publication, and until the opening the queue that counts is in the old
    portal. Drafts are written all the same.
    """
    return Refusal.NO_PUBLICATION_YET if is_preview() else None


def seen_of(vacancy: Vacancy) -> str:
    """The mark of all that a publication makes unchangeable, and of the group whose places they are."""
    return mark_of(vacancy, vacancy.group)


def priority_cutoffs(vacancy: Vacancy) -> list[PriorityCutoff]:
    """The last application inside the priority window, for every birth year and tier that has one; not saved."""
    multiple = rules_at(vacancy.locality, vacancy.opens_at).priority_seats_multiple
    ratio = rules_of_day(vacancy.locality, vacancy.opens_at).general_per_priority
    cutoffs = []
    for birth_year in vacancy.birth_years:
        matching = matching_queue(vacancy, birth_year)
        totals = {tier: matching.filter(tier=tier).count() for tier in Tier}
        inside = head_by_tier(
            vacancy.seats_total * multiple,
            totals=totals,
            general_per_priority=ratio,
        )
        for tier, count in inside.items():
            in_order = matching.filter(tier=tier).order_by("filed_at", "sequence")
            # Fewer than were counted, if some have left the queue since.
            if head := list(in_order.values_list("filed_at", "sequence")[:count]):
                filed_at, sequence = head[-1]
                cutoffs.append(
                    PriorityCutoff(
                        vacancy=vacancy,
                        birth_year=birth_year,
                        tier=tier,
                        filed_at=filed_at,
                        sequence=sequence,
                    )
                )
    return cutoffs


def matching_queue(vacancy: Vacancy, birth_year: int) -> QuerySet[Application]:
    """The applications of one birth year that wait for such a place and may bid: those that are claimed."""
    return Application.objects.filter(
        SEEKING,
        locality=vacancy.locality,
        birth_year=birth_year,
        languages__contains=[vacancy.group.language],
    )


def recall_vacancy(vacancy: Vacancy, *, actor: User, reason: str, now: datetime) -> Vacancy:
    """Recall a published vacancy, or a closed one for whose places families still wait, with a reason for them.

    Pending bids become void and their families wait at their original date; referrals already issued stay valid.
    Raises `Refused` (REASON_MISSING, NOT_PUBLISHED).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    vacancy = _end(vacancy, Vacancy.State.RECALLED, actor=actor, reason=reason.strip(), now=now)
    void_recalled_bids(vacancy, now=now)
    end_recalled_offers(vacancy, now=now)
    return vacancy


def void_recalled_bids(vacancy: Vacancy, *, now: datetime) -> int:
    """End the pending bids of a recalled vacancy, one transaction each; returns how many. May be repeated.

    Whoever recalled it ends them, also where a job finishes what was broken off. One that can't be ended now is left to
    that job, and holds up no other.
    """
    recall = audit.history_of(vacancy).filter(action=Action.VACANCY_RECALLED).first()
    actor = recall.actor if recall else None
    pending = vacancy.bids.filter(state=BidState.PENDING)
    return sweep(pending, lambda bid: _void_if_pending(bid, vacancy, actor=actor, now=now))


def _void_if_pending(bid: Bid, vacancy: Vacancy, *, actor: User | None, now: datetime) -> None:
    try:
        void_bid(bid, actor=actor, reason=vacancy.end_reason, now=now)
    except Refused as refused:
        # The family was quicker, or another worker.
        if refused.reason != Refusal.BID_ENDED:
            raise


def close_vacancy(vacancy: Vacancy, *, actor: User, now: datetime) -> Vacancy:
    """Stop accepting bids; existing bids stay with the kindergarten. Raises `Refused` (`why_not_close`)."""
    return _end(vacancy, Vacancy.State.CLOSED, actor=actor, reason="", now=now)


def why_not_recall(vacancy: Vacancy) -> Refusal | None:
    """Why the places can't be recalled; None while they are in the bulletin, or families wait for them."""
    if vacancy.state == Vacancy.State.PUBLISHED:
        return None
    is_awaited = vacancy.state == Vacancy.State.CLOSED and (
        vacancy.bids.filter(state=BidState.PENDING).exists()
        or vacancy.offers.filter(state__in=LIVE_OFFERS).exists()
    )
    return None if is_awaited else Refusal.NOT_PUBLISHED


def why_not_close(vacancy: Vacancy, *, now: datetime) -> Refusal | None:
    """Why bids can't be stopped now: who counted on the announced end of a collection would be cut off."""
    if vacancy.state != Vacancy.State.PUBLISHED:
        return Refusal.NOT_PUBLISHED
    is_collecting = vacancy.is_collected and phase(vacancy, now=now) != Phase.CLOSED
    return Refusal.STILL_COLLECTING if is_collecting else None


_ENDED = {
    Vacancy.State.RECALLED: Action.VACANCY_RECALLED,
    Vacancy.State.CLOSED: Action.VACANCY_CLOSED,
}


def _end(vacancy: Vacancy, state: Vacancy.State, *, actor: User, reason: str, now: datetime) -> Vacancy:
    with locking():
        vacancy = lock_vacancy(vacancy.pk)
        is_recall = state == Vacancy.State.RECALLED
        if refusal := why_not_recall(vacancy) if is_recall else why_not_close(vacancy, now=now):
            raise Refused(refusal)
        services.end(vacancy, state, reason=reason, now=now)
        audit.record(_ENDED[state], actor=actor, target=str(vacancy), reason=reason, about=vacancy, now=now)
    return vacancy


def recalled_with_bids() -> QuerySet[Vacancy]:
    """Recalled vacancies with bids that are still pending; not those whose bids come back, as the closing is undone."""
    recalled = Vacancy.objects.exclude(closing__state=Closing.State.UNDONE)
    return recalled.filter(
        state=Vacancy.State.RECALLED, bids__in=Bid.objects.filter(state=BidState.PENDING)
    ).distinct()
