"""An official closes a kindergarten, or one group of it.

One transaction decides it and takes all its places out of the bulletin. Then every family is handled in a transaction
of its own: bids, offers and referrals end without a penalty, families with a contract are told.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from applications.bidding.offers import end_recalled_offers
from applications.bidding.publication import void_recalled_bids
from applications.closings.entries import record, record_recall
from applications.closings.touched import groups_of, referrals_that_end, touched_by
from applications.journal_actions import Action
from applications.models import Bid, Contract, Offer, Referral, ToldOfClosing
from applications.moves import Refused, lock_application, locking, remind, trace
from applications.referrals.ending import close_referral
from applications.refusals import Refusal
from applications.rules.closing import why_not_closed
from applications.states import LIVE_OFFERS, BidState, ReferralState
from bulletin import services
from bulletin.closings import closings_of, covers
from bulletin.employment import kindergartens_of
from bulletin.models import Closing, Vacancy
from notifications.broker import wake_soon_on_commit
from notifications.sweeps import sweep

CLOSE, END = "bulletin.add_closing", "bulletin.change_closing"
RUNNING = Closing.State.RUNNING
FINISH_TASK = "applications.tasks.finish_closings"


def close(closing: Closing, *, actor: User, now: datetime) -> Closing:
    """Close what an unsaved `closing` names. Its places leave the bulletin; a worker does what follows.

    Raises `PermissionDenied`, and `Refused`: REASON_MISSING, `why_not_closed`, CLOSED_ALREADY, BUSY. Locks the groups,
    then their vacancies, each in the order of their keys.
    """
    require(closing, CLOSE, actor=actor, now=now)
    today = closing.locality.day(now)
    if not closing.reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    if refusal := why_not_closed(closing.starts_on, closing.reopens_on, today=today):
        raise Refused(refusal)
    closing.reason, closing.decided_at, closing.decided_by = closing.reason.strip(), now, actor
    try:
        with locking():
            vacancies = lock_offer(closing)
            if is_closed_already(closing):
                raise Refused(Refusal.CLOSED_ALREADY)
            closing.save(force_insert=True)
            record(closing, actor=actor, reason=closing.reason, now=now)
            awaited = _awaited_among(vacancies)
            for vacancy in vacancies:
                if vacancy.state == Vacancy.State.PUBLISHED or vacancy.pk in awaited:
                    _recall(vacancy, closing, actor=actor, now=now)
                elif vacancy.closing and vacancy.closing.state == Closing.State.UNDONE:
                    _take_over(vacancy, closing)
            wake_soon_on_commit(FINISH_TASK)
    except IntegrityError as error:
        raise Refused(Refusal.CLOSED_ALREADY) from error
    return closing


def require(closing: Closing, permission: str, *, actor: User, now: datetime) -> None:
    """Raise `PermissionDenied` unless `actor` has the permission, and works for the kindergarten."""
    own = kindergartens_of(actor, today=closing.locality.day(now))
    if not actor.has_perm(permission) or not own.filter(pk=closing.kindergarten_id).exists():
        raise PermissionDenied


def is_closed_already(closing: Closing) -> bool:
    """Whether the same group, or the whole kindergarten, is closed."""
    return bool(closings_of(closing.kindergarten, closing.group))


def lock_offer(closing: Closing) -> list[Vacancy]:
    """Lock the groups of a closing, then all vacancies of them that are no drafts; returns these as they are now.

    While they are locked nobody publishes, bids or takes a place back there.
    """
    groups = list(
        groups_of(closing).select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)
    )
    return list(
        Vacancy.objects.filter(group__in=groups)
        .exclude(state=Vacancy.State.DRAFT)
        .select_for_update(of=("self",), no_key=True)
        .select_related("group__kindergarten__locality", "closing")
        .order_by("pk")
    )


def _awaited_among(vacancies: Iterable[Vacancy]) -> set[UUID]:
    """Those that have ended, but a family waits for a place of them, or holds one without a contract. One query."""
    ended = [vacancy.pk for vacancy in vacancies if vacancy.state == Vacancy.State.CLOSED]
    is_awaited = (
        Exists(Bid.objects.filter(vacancy=OuterRef("pk"), state=BidState.PENDING))
        | Exists(Offer.objects.filter(vacancy=OuterRef("pk"), state__in=LIVE_OFFERS))
        | Exists(Referral.objects.filter(bid__vacancy=OuterRef("pk"), state=ReferralState.ISSUED))
    )
    return set(Vacancy.objects.filter(is_awaited, pk__in=ended).order_by().values_list("pk", flat=True))


def _take_over(vacancy: Vacancy, closing: Closing) -> None:
    """The closing that had recalled it was undone, but nobody has given it back yet: now this one has recalled it."""
    vacancy.closing, vacancy.end_reason = closing, closing.reason
    vacancy.save(update_fields=["closing", "end_reason"])


def _recall(vacancy: Vacancy, closing: Closing, *, actor: User, now: datetime) -> None:
    services.end(vacancy, Vacancy.State.RECALLED, reason=closing.reason, now=now)
    vacancy.closing = closing
    vacancy.save(update_fields=["closing"])
    record_recall(vacancy, actor=actor, reason=closing.reason, now=now)


def end_what_is_under_way(closing: Closing, *, now: datetime) -> bool:
    """End bids, offers and referrals where it closes, and tell the families with a contract; whether nothing is left.

    May be repeated. Bids come before referrals, which an activation makes of them, and referrals before contracts.
    """
    for vacancy in Vacancy.objects.filter(closing=closing).order_by("pk"):
        void_recalled_bids(vacancy, now=now)
        end_recalled_offers(vacancy, now=now)
    sweep(_referrals(closing), lambda referral: close_referral(referral, closing, now=now))
    sweep(_untold(closing), lambda contract: _tell(contract, closing, now=now))
    touched = touched_by(closing)
    return not (
        touched.bids.exists() or touched.offers.exists() or _referrals(closing) or _untold(closing).exists()
    )


def _referrals(closing: Closing) -> list[Referral]:
    return referrals_that_end(closing, at=closing.decided_at)


def _untold(closing: Closing) -> QuerySet[Contract]:
    """Of the contracts that run: whose family has not been told, or not since the days changed."""
    told = ToldOfClosing.objects.filter(closing=closing, contract=OuterRef("pk"))
    if closing.days_moved_at is not None:
        told = told.filter(told_at__gte=closing.days_moved_at)
    return touched_by(closing).contracts.filter(~Exists(told))


def _tell(contract: Contract, closing: Closing, *, now: datetime) -> None:
    with locking():
        application = lock_application(contract.referral.application_id)
        contract = Contract.objects.select_related(
            "moved_to__kindergarten", "referral__bid__vacancy__group__kindergarten"
        ).get(pk=contract.pk)
        # Its end takes this row, too: nobody is told of a closing that is over, nor of days that it no longer has.
        rows = Closing.objects.select_for_update(of=("self",), no_key=True)
        closing = rows.select_related("group", "decided_by").get(pk=closing.pk)
        is_running = closing.state == RUNNING
        if contract.ended_at is not None or not is_running or not covers(closing, contract.group):
            return
        # A run that began before the days changed tells of the new ones, too: they are read under the lock.
        told_at = max(now, closing.days_moved_at or now)
        days = {"starts_on": closing.starts_on, "reopens_on": closing.reopens_on}
        row, is_first = ToldOfClosing.objects.get_or_create(
            closing=closing, contract=contract, defaults={"told_at": told_at} | days
        )
        moved_at, was = None, None
        if not is_first:
            moved_at = closing.days_moved_at
            if moved_at is None or row.told_at >= moved_at:
                return
            was = DaysTold(row.starts_on, row.reopens_on) if row.starts_on else None
            row.told_at, row.starts_on, row.reopens_on = told_at, closing.starts_on, closing.reopens_on
            row.save(update_fields=["told_at", "starts_on", "reopens_on"])
        group = contract.group
        remind(
            application,
            "group_closes",
            # A guardian may have several children there.
            key=f"{closing.pk}:{contract.pk}{since(moved_at)}",
            now=now,
            closing=closing,
            kindergarten=group.kindergarten,
            group=group,
            reason=closing.reason,
            is_moved=moved_at is not None,
            was=was,
        )
        trace(application, Action.TOLD_OF_CLOSING, actor=closing.decided_by, now=now, reason=closing.reason)


class DaysTold(NamedTuple):
    """The days of a closing that a family was told last, before they moved."""

    starts_on: date
    reopens_on: date | None


def since(moved_at: datetime | None) -> str:
    """What a key of a notice ends with: of each change of the days it is told once."""
    return "" if moved_at is None else f":{moved_at.isoformat()}"
