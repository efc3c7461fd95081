"""A closing ends: it is opened again, or was a mistake and is undone as far as nothing has built on it since."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from applications.bidding.award import hold_seat
from applications.bidding.obstacles import publication_lead
from applications.bidding.passing_on import PASSING_TASK
from applications.closings.deciding import END, FINISH_TASK, lock_offer, require
from applications.closings.entries import closed_before, record, record_return
from applications.closings.touched import ended_by, groups_of
from applications.journal_actions import Action
from applications.models import Application, Bid, Event, Offer, Referral, ToldOfClosing
from applications.moves import (
    Refused,
    announce,
    lock_application,
    lock_referral,
    lock_vacancy,
    locking,
    move,
    remind,
    trace,
)
from applications.places.occupancy import lock_places
from applications.places.retaking import room_beside
from applications.referrals.restoring import restore_referral
from applications.referrals.standstill import hold_if_halted
from applications.refusals import Refusal
from applications.states import QUEUED_STATES, ApplicationState, BidState, Move, OfferState, ReferralState
from applications.undoing.kinds import may_return
from applications.undoing.revocations import last_day_left
from bulletin import seats
from bulletin.closings import closings_of, covers, cut_short_by, is_closed, may_be_undone
from bulletin.models import Closing, Group, Vacancy
from notifications.broker import wake_soon_on_commit
from notifications.sweeps import sweep

MINUTE: Final = timedelta(minutes=1)


def reopen(closing: Closing, *, actor: User, reason: str = "", now: datetime) -> Closing:
    """Open a closed kindergarten or group again: places may be published there. A worker does what follows.

    What the closing ended stays ended; families with a contract are told. Raises `PermissionDenied`, and `Refused`:
    NOT_ALLOWED for one that has ended, STILL_CLOSED for a group of a kindergarten that is closed.
    """
    return _end(closing, Closing.State.REOPENED, actor=actor, reason=reason.strip(), now=now)


def undo(closing: Closing, *, actor: User, reason: str, now: datetime) -> Closing:
    """Take a closing for a mistake, up to the end of its first day. A worker does what follows.

    Raises `PermissionDenied`, and `Refused`: REASON_MISSING, NOT_ALLOWED once it has ended or its first day is over,
    STILL_CLOSED as `reopen`. Locks as the closing did.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    return _end(closing, Closing.State.UNDONE, actor=actor, reason=reason.strip(), now=now)


def why_not_end(closing: Closing, state: Closing.State, *, now: datetime) -> Refusal | None:
    """Why a closing can't end so at `now`."""
    if closing.state != Closing.State.RUNNING:
        return Refusal.NOT_ALLOWED
    if state == Closing.State.UNDONE and not may_be_undone(closing, now=now):
        return Refusal.NOT_ALLOWED
    is_whole_closed = closing.group_id and closings_of(closing.kindergarten)
    return Refusal.STILL_CLOSED if is_whole_closed else None


def _end(closing: Closing, state: Closing.State, *, actor: User, reason: str, now: datetime) -> Closing:
    require(closing, END, actor=actor, now=now)
    with locking():
        lock_offer(closing)
        rows = Closing.objects.select_for_update(of=("self",), no_key=True)
        closing = rows.select_related("kindergarten__locality", "group", "decided_by").get(pk=closing.pk)
        if refusal := why_not_end(closing, state, now=now):
            raise Refused(refusal)
        closing.state, closing.ended_at, closing.ended_by, closing.end_reason = state, now, actor, reason
        closing.finished_at = None
        closing.save()
        record(closing, actor=actor, reason=reason, now=now)
        wake_soon_on_commit(FINISH_TASK)
    return closing


# --- what comes back ------------------------------------------------------------------------------------------------


def give_back_what_it_ended(closing: Closing, *, now: datetime) -> bool:
    """Give the families of an undone closing back what they had, one transaction each; whether nothing is left.

    Only to who still waits and has applied nowhere since, and only a place that is still there: first to those who had
    one, then to those whose bids were collected, vacancy by vacancy. The others are told that nothing comes back. Then
    each vacancy ends as `_give_back`. May be repeated. Where it has closed again meanwhile nothing comes back now, but
    with the undoing of that closing, too (`cut_short_by`).
    """
    ended = bids_ended_by(closing)
    # Those of a vacancy that another closing has recalled again are only told.
    first = [bid for bid, had_place in ended if had_place or bid.vacancy.closing_id != closing.pk]
    if sweep(first, lambda bid: _restore(bid, closing, now=now)) < len(first):
        return False

    def give_back(vacancy: Vacancy) -> None:
        collected = [bid for bid, had_place in ended if not had_place and bid.vacancy_id == vacancy.pk]
        if sweep(collected, lambda bid: _restore(bid, closing, now=now)) == len(collected):
            _give_back(vacancy, closing, now=now)

    vacancies = Vacancy.objects.filter(closing=closing)
    sweep(vacancies.order_by("pk"), give_back)
    return not vacancies.exists()


def bids_ended_by(closing: Closing) -> list[tuple[Bid, bool]]:
    """The bids that it ended, and those of its referrals, as they were sent; and whether each had a place.

    After them, in its groups, those that nobody has given back of the closings that it cut short.
    """
    found: dict[UUID, tuple[Bid, bool]] = {}
    for one in (closing, *cut_short_by(closing)):
        for bid, had_place in _bids_ended_by(one, groups=groups_of(closing)):
            found.setdefault(bid.pk, (bid, had_place))
    return list(found.values())


def _bids_ended_by(closing: Closing, *, groups: QuerySet[Group]) -> list[tuple[Bid, bool]]:
    events = ended_by(closing)
    had_place = {event.data["bid"]: event.data["held"] for event in events if "bid" in event.data}
    referrals = [event.data["referral"] for event in events if "referral" in event.data]
    ended = Bid.objects.filter(
        Q(pk__in=had_place, state=BidState.VOID)
        | Q(referral__in=referrals, referral__state=ReferralState.REVOKED),
        vacancy__group__in=groups.order_by(),
    )
    rows = ended.select_related(
        "application", "referral", "vacancy__closing", "vacancy__group__kindergarten__locality"
    ).order_by("placed_at", "pk")
    return [(bid, had_place.get(str(bid.pk), True)) for bid in rows]


def _event_of(bid: Bid, referral: Referral | None, closing: Closing) -> Event | None:
    """What ended a bid, or its referral, if that was this closing, or one that it cut short, and nothing since."""
    events = Event.objects.filter(application=bid.application_id).order_by("-id")
    if bid.state == BidState.VOID:
        newest = events.filter(move=Move.VOID_BID, data__bid=str(bid.pk)).first()
    elif referral is not None and referral.state == ReferralState.REVOKED:
        newest = events.filter(move=Move.REVOKE_REFERRAL, data__referral=str(referral.pk)).first()
    else:
        return None
    closings = (closing.pk, *(one.pk for one in cut_short_by(closing)))
    return newest if newest and newest.data.get("closing") in closings else None


def _restore(bid: Bid, closing: Closing, *, now: datetime) -> None:
    with locking():
        application = lock_application(bid.application_id)
        referral = Referral.objects.filter(bid=bid).first()
        if referral is not None:
            referral = lock_referral(referral.pk)
        group = lock_places(bid.vacancy.group_id, now=now)
        vacancy = lock_vacancy(bid.vacancy_id)
        bid = Bid.objects.get(pk=bid.pk)
        bid.application, bid.vacancy = application, vacancy
        event = _event_of(bid, referral, closing)
        if event is None or vacancy.state != Vacancy.State.RECALLED or _is_left_to_another(vacancy, closing):
            return
        bid.holds_seat = event.data.get("held", True)
        has_place = _may_give_back(vacancy, group, closing) and room_beside(vacancy, group, now=now) > 0
        if not (may_return(bid, application) and has_place and (not bid.holds_seat or seats.take(vacancy))):
            _tell_that_it_stays_ended(bid, closing, ended_by=event.data["closing"], now=now)
            return
        if referral is None:
            _restore_bid(bid, application, closing, now=now)
        else:
            bid.save(update_fields=["holds_seat"])
            referral.bid = bid
            _restore_referral(referral, application, closing, now=now)


def _tell_that_it_stays_ended(bid: Bid, closing: Closing, *, ended_by: int, now: datetime) -> None:
    """Tell the family of a bid that does not come back, while it is in the queue: once of what one closing ended."""
    if bid.application.state in QUEUED_STATES:
        key = f"{ended_by}:{bid.pk}"
        _remind_of_what_is_lost(bid.application, bid.vacancy.group, closing, key=key, now=now)


def _remind_of_what_is_lost(
    application: Application,
    group: Group,
    closing: Closing,
    *,
    key: str,
    is_contract: bool = False,
    now: datetime,
) -> None:
    remind(
        application,
        "closing_undone",
        key=key,
        now=now,
        kindergarten=group.kindergarten,
        group=group,
        reason=closing.end_reason,
        is_contract=is_contract,
    )


def _is_left_to_another(vacancy: Vacancy, closing: Closing) -> bool:
    """Whether another closing has recalled a vacancy again, and is undone, too: that one gives back what is left."""
    another = vacancy.closing if vacancy.closing_id != closing.pk else None
    return another is not None and another.state == Closing.State.UNDONE


def _may_give_back(vacancy: Vacancy, group: Group, closing: Closing) -> bool:
    """Whether a vacancy is still recalled by a closing, or was by hand before; and its group has not closed again."""
    return vacancy.closing_id in (closing.pk, None) and not is_closed(group)


def _restore_bid(bid: Bid, application: Application, closing: Closing, *, now: datetime) -> None:
    if bid.holds_seat:
        hold_seat(bid, bid.vacancy, now=now)
    bid.state, bid.decided_at, bid.reason = BidState.PENDING, None, ""
    bid.save()
    data = {"bid": str(bid.pk), "closing": closing.pk}
    event = move(
        application, Move.RESTORE_BID, actor=closing.ended_by, now=now, reason=closing.end_reason, data=data
    )
    due = bid.answer_due if bid.holds_seat else None
    announce(
        event,
        "bid_returned",
        Action.BID_RETURNED,
        vacancy=bid.vacancy,
        reason=closing.end_reason,
        last_day=application.locality.last_day(due) if due else None,
    )


def _restore_referral(
    referral: Referral, application: Application, closing: Closing, *, now: datetime
) -> None:
    last_day = last_day_left(referral, now=now)
    restore_referral(referral, last_day=last_day)
    data = {"referral": str(referral.pk), "closing": closing.pk}
    event = move(
        application, Move.UNDO_CLOSING, actor=closing.ended_by, now=now, reason=closing.end_reason, data=data
    )
    announce(
        event,
        "referral_returned",
        Action.REFERRAL_RETURNED,
        referral=referral,
        reason=closing.end_reason,
        last_day=last_day,
    )
    hold_if_halted(application, now=now)


# As what the place of an offer was given back while its vacancy was recalled: nobody was offered it next.
FREED = (OfferState.RECALLED, OfferState.VOID, OfferState.DECLINED, OfferState.UNANSWERED)


def _give_back(vacancy: Vacancy, closing: Closing, *, now: datetime) -> None:
    """Let a vacancy end its recall, after its families: its offers look for the next in the queue again.

    It is in the bulletin again only if its announced opening is still far enough ahead, or if it still collects bids
    (`give_time_back`): nobody gains by being fast. Otherwise it is closed, and what is free is published anew. What is
    collected for has only as many places as the group has room for; without any it stays recalled, and its bids end.
    """
    with locking():
        group = lock_places(vacancy.group_id, now=now)
        vacancy = lock_vacancy(vacancy.pk)
        if vacancy.closing_id != closing.pk or is_closed(group):
            return
        ended = Offer.objects.filter(vacancy=vacancy, state__in=FREED, ended_at__gte=vacancy.ended_at)
        for _offer in range(ended.count()):
            if room_beside(vacancy, group, now=now) > 0 and seats.take(vacancy):
                Offer.objects.create(vacancy=vacancy, freed_at=now)
                wake_soon_on_commit(PASSING_TASK)
        vacancy.closing = None
        places = max(room_beside(vacancy, group, now=now), 0)
        if Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False).exists():
            if vacancy.seats_free and not places:
                # `recalled_with_bids` ends them.
                vacancy.save(update_fields=["closing"])
                return
            vacancy.seats_total = vacancy.seats_taken + min(vacancy.seats_free, places)
        give_time_back(vacancy, now=now)
        was_closed = closed_before(vacancy)
        vacancy.end_reason, vacancy.state = "", Vacancy.State.CLOSED
        if was_closed:
            vacancy.ended_at = was_closed
        elif goes_on(vacancy, now=now) and places >= vacancy.seats_free:
            vacancy.state, vacancy.ended_at = Vacancy.State.PUBLISHED, None
        vacancy.save(update_fields=_OF_A_RECALL)
        record_return(vacancy, closing, now=now)


_OF_A_RECALL = ("closing", "end_reason", "state", "ended_at", "seats_total", "closes_at", "priority_until")


def give_time_back(vacancy: Vacancy, *, now: datetime) -> None:
    """Let what collects bids do so for as much longer as it was recalled, up to a whole minute."""
    assert vacancy.ended_at is not None
    closes_at, since = vacancy.closes_at, max(vacancy.ended_at, vacancy.opens_at)
    if not vacancy.is_collected or closes_at is None or vacancy.awarded_at or not since < min(closes_at, now):
        return
    lost = ceil((now - since) / MINUTE) * MINUTE
    vacancy.closes_at = closes_at + lost
    if vacancy.priority_until is not None and vacancy.priority_until > since:
        vacancy.priority_until += lost


def goes_on(vacancy: Vacancy, *, now: datetime) -> bool:
    if vacancy.awarded_at is not None:
        return False
    if vacancy.opens_at >= now + publication_lead(vacancy.locality, now=now):
        return True
    return vacancy.is_collected and vacancy.closes_at is not None and vacancy.closes_at > now


# --- families with a contract ----------------------------------------------------------------------------------------


def tell_that_it_is_over(closing: Closing, *, now: datetime) -> bool:
    """Tell the families that were told of a closing, and still have their contract there; whether nobody is left.

    Not those whose group is still closed, or closed again.
    """
    sweep(_to_tell(closing), lambda told: _tell(told, closing, now=now))
    return not _to_tell(closing)


def _to_tell(closing: Closing) -> list[ToldOfClosing]:
    return list(
        ToldOfClosing.objects.filter(closing=closing, over_told_at=None)
        .select_related("contract__referral__bid__vacancy__group__kindergarten")
        .order_by("pk")
    )


def _tell(told: ToldOfClosing, closing: Closing, *, now: datetime) -> None:
    with locking():
        application = lock_application(told.contract.referral.application_id)
        told = ToldOfClosing.objects.select_related(
            "contract__moved_to__kindergarten", "contract__referral__bid__vacancy__group__kindergarten"
        ).get(pk=told.pk)
        if told.over_told_at is not None:
            return
        told.over_told_at = now
        told.save(update_fields=["over_told_at"])
        group = told.contract.group
        if told.contract.ended_at is not None and _took_its_number_back(told, application, closing):
            key = f"{closing.pk}:{told.contract_id}"
            _remind_of_what_is_lost(application, group, closing, key=key, is_contract=True, now=now)
        # The child may have moved to a group that never closed, or its group may be closed by itself.
        if told.contract.ended_at is not None or not covers(closing, group) or is_closed(group):
            return
        remind(
            application,
            "group_reopens",
            key=f"{closing.pk}:{told.contract_id}",
            now=now,
            closing=closing,
            kindergarten=group.kindergarten,
            group=group,
            reason=closing.end_reason,
        )
        trace(
            application, Action.TOLD_OF_REOPENING, actor=closing.ended_by, now=now, reason=closing.end_reason
        )


def _took_its_number_back(told: ToldOfClosing, application: Application, closing: Closing) -> bool:
    """Whether a family waits that has ended its contract because of a closing which was a mistake."""
    if closing.state != Closing.State.UNDONE or application.state != ApplicationState.WAITING:
        return False
    steps = Event.objects.filter(application=application, move=Move.RETURN_TO_QUEUE, at__gte=told.told_at)
    return steps.filter(data__referral=str(told.contract.referral_id)).exists()
