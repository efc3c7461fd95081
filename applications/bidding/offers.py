"""A place that was given back after an award by number goes to the next of its bidders: offered, accepted, passed on.

An offer holds its seat from the moment at which the place was given back (`passing_on`) until it is accepted, when the
new bid holds it, or nobody is left. Nobody is punished for not answering.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from applications.bidding.award import hold_seat
from applications.bidding.eligibility import why_not_offered
from applications.bidding.held_offers import hold_offer
from applications.bidding.passing_on import give_back, next_bidders
from applications.journal_actions import Action
from applications.models import Application, Bid, Offer, Rules
from applications.moves import (
    Refused,
    announce,
    lock_application,
    lock_vacancy,
    locking,
    move,
)
from applications.queue.position import in_order
from applications.refusals import Refusal
from applications.rules.ages import too_old_from
from applications.rules.in_force import rules_at
from applications.states import LIVE_OFFERS, Move, OfferState
from bulletin import seats
from bulletin.calendar import working_calendar
from bulletin.models import Locality, Vacancy
from bulletin.workdays import end_of_day
from children.disputes import is_halted
from notifications.sweeps import sweep


def offer_to_the_next(offer: Offer, *, now: datetime) -> bool:
    """Offer a place that seeks its next family to the bidder with the smallest number at `now`; whether it was offered.

    The family has `Rules.offer_working_days`, to the end of the last of them; a child that leaves by age before that is
    passed over. Where nobody is left the place is free. If the next in order changes while the locks are taken, or has
    to be settled first, the next run decides. Locks the application, then the vacancy. Raises `Refused(BUSY)`, and
    `NoCalendar` where the last day can't be told.
    """
    first = _first_in_order(offer.vacancy, now=now)
    if first is None:
        _open_again(offer, now=now)
        return False
    with locking():
        application = lock_application(first.pk)
        vacancy = lock_vacancy(offer.vacancy_id)
        offer = Offer.objects.get(pk=offer.pk)
        is_still_next = _first_in_order(vacancy, now=now) == application
        if offer.state != OfferState.SEEKING or not is_still_next or application.ran_out(now=now):
            return False
        last_day = _last_day(application.locality, now=now)
        offer.application, offer.state = application, OfferState.OFFERED
        offer.made_at, offer.until = now, end_of_day(last_day, application.locality.zone)
        offer.save()
        event = move(application, Move.OFFER_PLACE, actor=None, now=now, data=_data(offer))
        announce(event, "place_offered", Action.PLACE_OFFERED, vacancy=vacancy, last_day=last_day)
        if is_halted(application.child):
            hold_offer(application, now=now)
    return True


def _first_in_order(vacancy: Vacancy, *, now: datetime) -> Application | None:
    """The bidder to whom an offer would be made at `now`.

    None that leaves by age before it ends: its family would be promised days that it does not have.
    """
    able = [one for one in next_bidders(vacancy) if why_not_offered(one, vacancy) is None]
    if not able:
        return None
    place, rules = vacancy.locality, list(Rules.objects.all())
    until = end_of_day(_last_day(place, now=now), place.zone)
    staying = (
        one
        for one in in_order(able, now=now)
        if until <= too_old_from(one.birth_year, rules, locality=place, now=now)
    )
    return next(staying, None)


def _last_day(locality: Locality, *, now: datetime) -> date:
    """The last day for the answer to an offer made at `now`."""
    return working_calendar().add(locality.day(now), rules_at(locality, now).offer_working_days)


def _open_again(offer: Offer, *, now: datetime) -> None:
    with locking():
        vacancy = lock_vacancy(offer.vacancy_id)
        offer = Offer.objects.get(pk=offer.pk)
        if offer.state == OfferState.SEEKING and _first_in_order(vacancy, now=now) is None:
            _write_end(offer, OfferState.NOBODY, now=now)
            seats.release(vacancy)


def accept_offer(offer: Offer, *, actor: User, now: datetime) -> Bid:
    """Accept an offered place: a pending bid holds it, and the kindergarten has its time to answer.

    Raises `Refused`: OFFER_ENDED from the end of the last day on, or with the reason for which the place can't be the
    application's any more; CALENDAR; as `moves.move` for a disputed guardian.
    """
    with locking():
        application, vacancy, offer = _lock(offer)
        if not offer.is_open(now=now):
            raise Refused(Refusal.OFFER_ENDED)
        refusal = why_not_offered(application, vacancy)
        if refusal is not None:
            raise Refused(refusal)
        _write_end(offer, OfferState.ACCEPTED, now=now)
        # The family is told here, in other words than of a bid that is collected.
        bid = Bid(application=application, vacancy=vacancy, placed_at=now, placed_by=actor, told_at=now)
        hold_seat(bid, vacancy, now=now)
        bid.save()
        data = {**_data(offer), "bid": str(bid.pk)}
        event = move(application, Move.ACCEPT_OFFER, actor=actor, now=now, data=data)
        assert bid.answer_due is not None
        last_day = application.locality.last_day(bid.answer_due)
        announce(event, "bid_awarded", Action.OFFER_ACCEPTED, vacancy=vacancy, last_day=last_day)
    return bid


def decline_offer(offer: Offer, *, actor: User, now: datetime) -> Application:
    """Decline an offered place: it goes to the next in order; the family keeps its number and date.

    Raises `Refused`: OFFER_ENDED from the end of the last day on; HALTED as `moves.move`.
    """
    with locking():
        application, vacancy, offer = _lock(offer)
        if not offer.is_open(now=now):
            raise Refused(Refusal.OFFER_ENDED)
        _pass_on(
            application, vacancy, offer, OfferState.DECLINED, step=Move.DECLINE_OFFER, actor=actor, now=now
        )
    return application


def end_if_over(offer: Offer, *, now: datetime) -> bool:
    """Pass an offer on that was not answered in time, or whose family can't have the place any more; whether it was."""
    with locking():
        application, vacancy, offer = _lock(offer)
        end = _end_of(offer, application, vacancy, now=now)
        if end is None:
            return False
        _pass_on(application, vacancy, offer, end, step=Move.END_OFFER, actor=None, now=now)
    return True


def _end_of(offer: Offer, application: Application, vacancy: Vacancy, *, now: datetime) -> OfferState | None:
    """How the offer ends by itself at `now`; None if it has ended, or goes on."""
    if offer.state != OfferState.OFFERED:
        return None
    if not offer.is_open(now=now):
        return OfferState.UNANSWERED
    return None if why_not_offered(application, vacancy) is None else OfferState.VOID


def end_offers_of(application: Application, *, now: datetime) -> None:
    """End the offer to this application, if it is over."""
    for offer in application.offers.filter(state=OfferState.OFFERED, until__lte=now, held_since=None):
        end_if_over(offer, now=now)


def end_recalled_offers(vacancy: Vacancy, *, now: datetime) -> int:
    """End the offers of a recalled vacancy, one transaction each; returns how many. May be repeated.

    One that can't be ended now is left to the job that repeats this, and holds up no other.
    """
    live = vacancy.offers.filter(state__in=LIVE_OFFERS)
    return sweep(live, partial(_end_recalled, reason=vacancy.end_reason, now=now))


def _end_recalled(offer: Offer, *, reason: str, now: datetime) -> None:
    with locking():
        application = lock_application(offer.application_id) if offer.application_id else None
        vacancy = lock_vacancy(offer.vacancy_id)
        offer = Offer.objects.get(pk=offer.pk)
        # Offered since it was read: the family's row is not locked, so the next run ends it.
        is_another = offer.application_id != (application.pk if application else None)
        is_recalled = vacancy.state == Vacancy.State.RECALLED
        if offer.state not in LIVE_OFFERS or is_another or not is_recalled:
            return
        _write_end(offer, OfferState.RECALLED, now=now)
        seats.release(vacancy)
        if application is not None:
            event = move(application, Move.END_OFFER, actor=None, now=now, reason=reason, data=_data(offer))
            announce(event, "offer_ended", Action.OFFER_ENDED, vacancy=vacancy, reason=reason)


def _pass_on(
    application: Application,
    vacancy: Vacancy,
    offer: Offer,
    end: OfferState,
    *,
    step: Move,
    actor: User | None,
    now: datetime,
) -> None:
    _write_end(offer, end, now=now)
    give_back(vacancy, now=now)
    event = move(application, step, actor=actor, now=now, data=_data(offer))
    is_declined = end == OfferState.DECLINED
    action = Action.OFFER_DECLINED if is_declined else Action.OFFER_ENDED
    others = "offer_declined_by_other" if is_declined else ""
    announce(event, "offer_ended", action, others=others, vacancy=vacancy, reason="")


def _lock(offer: Offer) -> tuple[Application, Vacancy, Offer]:
    """The rows of an offer that was made, as they are now, application and vacancy locked."""
    assert offer.application_id is not None
    application = lock_application(offer.application_id)
    vacancy = lock_vacancy(offer.vacancy_id)
    return application, vacancy, Offer.objects.get(pk=offer.pk)


def _write_end(offer: Offer, state: OfferState, *, now: datetime) -> None:
    offer.state, offer.ended_at, offer.held_since = state, now, None
    offer.save(update_fields=["state", "ended_at", "held_since"])


def _data(offer: Offer) -> dict[str, str]:
    return {"offer": str(offer.pk)}


def live_offer(application: Application) -> Offer | None:
    """The place that is offered to the application, if any; settle the application first."""
    return live_offers([application]).get(application.pk)


def live_offers(applications: Iterable[Application]) -> dict[UUID, Offer]:
    """`live_offer` of each of these settled applications that has one. One statement, none for no application."""
    asked = {one.pk: one for one in applications}
    rows = Offer.objects.filter(application__in=asked, state=OfferState.OFFERED)
    found = {}
    for offer in rows.select_related("vacancy__group__kindergarten__locality"):
        assert offer.application_id is not None
        offer.application = asked[offer.application_id]
        found[offer.application_id] = offer
    return found


def offered_among(applications: Iterable[Application]) -> list[Application]:
    """Those of these settled applications to which a place is offered; a bid for another gives it up. One query."""
    asked = list(applications)
    offered = Offer.objects.filter(application__in=asked, state=OfferState.OFFERED)
    considering = set(offered.values_list("application", flat=True)) if asked else set()
    return [one for one in asked if one.pk in considering]


def offers_over(*, now: datetime) -> list[Offer]:
    """The offers that may be over at `now`, as read without a lock; `end_if_over` decides."""
    made = (
        Offer.objects.filter(state=OfferState.OFFERED)
        .select_related("application", "vacancy__group__kindergarten")
        .prefetch_related("application__bids")
        .order_by("until", "pk")
    )
    return [
        offer
        for offer in made
        if offer.application and _end_of(offer, offer.application, offer.vacancy, now=now)
    ]


def places_to_offer() -> QuerySet[Offer]:
    """The places that seek their next family, of vacancies that are not recalled; the longest free first."""
    seeking = Offer.objects.filter(state=OfferState.SEEKING).exclude(vacancy__state=Vacancy.State.RECALLED)
    return seeking.select_related("vacancy__group__kindergarten__locality").order_by("freed_at", "pk")


def recalled_with_offers() -> QuerySet[Vacancy]:
    """Recalled vacancies with live offers."""
    return Vacancy.objects.filter(
        state=Vacancy.State.RECALLED, offers__in=Offer.objects.filter(state__in=LIVE_OFFERS)
    ).distinct()
