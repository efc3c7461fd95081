"""A place of the bulletin as this family sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.visits import store
from applications.access.family import pending_bid
from applications.bidding.eligibility import refusal_at_opening, why_not
from applications.bidding.offers import offered_among
from applications.bidding.recalls import recall_title
from applications.models import Application, PriorityCutoff
from applications.queue.position import Position, last_position, position
from applications.queue.small_groups import FEW
from applications.refusals import Refusal
from applications.states import Tier
from applications.views.listings import listing, public_vacancies, similar_listings
from applications.views.people import (
    enrolled_applications,
    live_applications,
    waiting_for,
    withheld_applications,
)
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Vacancy
from bulletin.opening import BIDDING_PHASES, Phase
from bulletin.selectors import running_pauses
from bulletin.shared_page import shared_page
from notifications.clock import estimate_clock
from notifications.replica import reads_replica


@dataclass(frozen=True)
class Verdict:
    """Whether one child of the family may get a place of this vacancy, and if not, why.

    While the place is for the head of the queue, or will be, `head_until` is the last number of the child's part of the
    queue that is inside (None if there is none), and `number` its own.
    """

    application: Application
    refusal: Refusal | None
    is_sent: bool
    number: int | None = None
    head_until: int | None = None


@dataclass(frozen=True)
class Countdown:
    """To what the page counts down, with the words before it and those that replace it at its end."""

    at: datetime
    label: str
    done: str


@require_safe
@reads_replica
def vacancy_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One vacancy with all its fields, and the button or the reasons. For visitors it is worked out once a second."""
    now = estimate_clock()
    if request.user.is_authenticated:
        return render(request, "applications/vacancy.html", _vacancy(request, pk, now=now))
    place = request.COOKIES.get(PLACE_COOKIE)
    return shared_page(
        request,
        "applications/vacancy.html",
        key=place,
        is_signed_in=False,
        now=now,
        context=lambda: _vacancy(request, pk, now=now),
    )


def _vacancy(request: HttpRequest, pk: UUID, *, now: datetime) -> dict[str, Any]:
    vacancy = get_object_or_404(public_vacancies(), pk=pk)
    timezone.activate(vacancy.locality.zone)
    family = live_applications(request, now=now)
    # A family whose only child has a place already is told so, and not asked to file an application.
    told = family or enrolled_applications(request)
    withheld = [] if told else withheld_applications(request)
    shown = listing(vacancy, family=family, now=now)
    is_for_the_head = shown.open_to_all_at is not None
    verdicts = [
        *(_verdict(one, vacancy, is_for_the_head=is_for_the_head, now=now) for one in told),
        *(Verdict(one, Refusal.DISPUTED, is_sent=False) for one in withheld),
    ]
    fitting = [verdict.application for verdict in verdicts if verdict.refusal is None]
    waiting = waiting_for(vacancy, family, now=now)
    if waiting:
        store(request.session).keep_for(vacancy.opens_at, now=now)
    able = fitting or waiting
    is_collected = vacancy.mode == Vacancy.Mode.QUEUE_ORDER
    is_for_them = shown.phase in BIDDING_PHASES and (bool(able) or not verdicts)
    return {
        "vacancy": vacancy,
        "listing": shown,
        "verdicts": verdicts,
        "fitting": able,
        "only": able[0] if len(able) == 1 else None,
        "offered": offered_among(able),
        "is_waiting": bool(waiting),
        "recalled": recall_title(vacancy) if vacancy.state == Vacancy.State.RECALLED else "",
        "moved_openings": vacancy.moved_openings.select_related("pause"),
        "countdown": _countdown(vacancy, shown.phase, verdicts),
        "heads": _heads(vacancy, now=now) if is_for_the_head else "",
        "pauses": running_pauses(vacancy.locality),
        "is_collected": is_collected,
        "bids": vacancy.bids.count() if is_collected else None,
        "others": [] if is_for_them else similar_listings(vacancy, family=family, now=now),
    }


def _countdown(vacancy: Vacancy, now_in: Phase, verdicts: Sequence[Verdict]) -> Countdown | None:
    """The next opening for this family; for a visitor, the next one of the place. None if no opening is for them."""
    refusals = {verdict.refusal for verdict in verdicts}
    opened = _("It is open: refresh the page")
    if verdicts and not refusals & {None, Refusal.NOT_OPEN_YET}:
        if Refusal.PRIORITY not in refusals or vacancy.priority_until is None:
            return None
        return Countdown(vacancy.priority_until, _("Until it opens to your child:"), opened)
    if now_in == Phase.ANNOUNCED:
        is_head_first = vacancy.priority_until is not None and not verdicts
        label = _("Until the opening to the head of the queue:") if is_head_first else _("Until the opening:")
        return Countdown(vacancy.opens_at, label, opened)
    if now_in == Phase.PRIORITY and vacancy.priority_until:
        done = _("It is available to all: refresh the page")
        return Countdown(vacancy.priority_until, _("Until it is available to all:"), done)
    if now_in == Phase.OPEN and vacancy.closes_at:
        return Countdown(vacancy.closes_at, _("Until the end of acceptance:"), str(Refusal.CLOSED.label))
    return None


def _heads(vacancy: Vacancy, *, now: datetime) -> str:
    """For each birth year, up to which number the general part of the queue is at the head; for everybody to read."""
    told = []
    for cutoff in vacancy.cutoffs.all():
        last = _last_inside(cutoff, vacancy, now=now) if cutoff.tier == Tier.GENERAL else None
        # Of a queue so small nothing is told in public.
        if last is not None and last.total >= FEW:
            told.append(f"{cutoff.birth_year}: {number_format(last.number, force_grouping=True)}")
    return "; ".join(sorted(told))


def _last_inside(cutoff: PriorityCutoff, vacancy: Vacancy, *, now: datetime) -> Position | None:
    return last_position(
        locality=vacancy.locality,
        birth_year=cutoff.birth_year,
        tier=Tier(cutoff.tier),
        until=(cutoff.filed_at, cutoff.sequence),
        now=now,
    )


def _verdict(application: Application, vacancy: Vacancy, *, is_for_the_head: bool, now: datetime) -> Verdict:
    bid = pending_bid(application)
    is_sent = bid is not None and bid.vacancy_id == vacancy.pk
    refusal = why_not(application, vacancy, now=now)
    if refusal == Refusal.NOT_OPEN_YET:
        # Refusals that the opening will not change are shown beforehand.
        refusal = refusal_at_opening(application, vacancy) or refusal
    if not is_for_the_head or refusal not in (None, Refusal.NOT_OPEN_YET, Refusal.PRIORITY):
        return Verdict(application, refusal, is_sent)
    own = position(application, now=now)
    queue = (application.birth_year, application.tier)
    cutoff = next((one for one in vacancy.cutoffs.all() if (one.birth_year, one.tier) == queue), None)
    last = _last_inside(cutoff, vacancy, now=now) if cutoff else None
    return Verdict(
        application,
        refusal,
        is_sent,
        number=own.number if own else None,
        head_until=last.number if last else None,
    )
