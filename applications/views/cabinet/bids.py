"""Bidding for a vacancy: choose the child, wait for the opening, confirm; withdrawing the bid."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import parent_required
from accounts.typed import refilled
from accounts.visits import store
from applications.access.family import pending_bid
from applications.bidding.eligibility import refusal_at_opening, why_not
from applications.bidding.ending import withdraw_bid
from applications.bidding.offers import offered_among
from applications.bidding.rush import Outcome
from applications.disputes.halts import dispute_of
from applications.models import Application
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.views.cabinet.forms import BidForm
from applications.views.cabinet.halted import answer_if_halted
from applications.views.cabinet.press import answer_press, chosen_application, press_as, sent
from applications.views.listings import fitting_listings, public_vacancies
from applications.views.people import live_applications, own_application, parent, waiting_for
from bulletin.models import Vacancy
from bulletin.selectors import running_pauses
from notifications.clock import read_clock


@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> HttpResponse:
    """Confirm and send the bid of one application; `answer_press` answers a press if it can."""
    return answer_press(request, pk, vacancy_pk) or _apply(request, pk, vacancy_pk)


@parent_required
def _apply(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> HttpResponse:
    now = read_clock()
    application = own_application(request, pk, now=now)
    vacancy = _vacancy(vacancy_pk)
    if _is_sent(application, vacancy):
        messages.info(request, _("Your application for this place is already sent."))
        return redirect(application)
    refusal = why_not(application, vacancy, now=now)
    if refusal == Refusal.NOT_OPEN_YET:
        refusal = refusal_at_opening(application, vacancy)
        if refusal is None:
            return _wait(request, [application], vacancy, now=now)
    if refusal is not None:
        return _refused(request, application, vacancy, refusal, now=now)
    return _confirm(request, [application], vacancy, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
def choose_child(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The same for a family with several children whom the place suits: choose one first."""
    chosen = chosen_application(request)
    quick = answer_press(request, chosen, pk) if chosen is not None else None
    return quick or _choose_child(request, pk)


@parent_required
def _choose_child(request: HttpRequest, pk: UUID) -> HttpResponse:
    now = read_clock()
    vacancy = _vacancy(pk)
    family = live_applications(request, now=now)
    fitting = [application for application in family if why_not(application, vacancy, now=now) is None]
    already = next((application for application in family if _is_sent(application, vacancy)), None)
    if not fitting and already is not None:
        return redirect(already)
    waiting = waiting_for(vacancy, family, now=now)
    if waiting:
        return _wait(request, waiting, vacancy, now=now)
    if not fitting:
        return redirect(vacancy)
    return _confirm(request, fitting, vacancy, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Withdraw a pending bid, after a confirmation."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    bid = pending_bid(application)
    if bid is None:
        messages.info(request, str(Refusal.BID_ENDED.label))
        return redirect(application)
    halted = answer_if_halted(request, application)
    if halted is not None:
        return halted
    if request.method == "POST":
        try:
            withdraw_bid(bid, actor=user, now=now)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("The bid is withdrawn. Your number in the queue is kept."))
        return redirect(application)
    return render(request, "applications/withdraw.html", {"application": application, "bid": bid})


def _confirm(
    request: HttpRequest, applications: list[Application], vacancy: Vacancy, *, now: datetime
) -> HttpResponse:
    form = BidForm(request.POST if request.method == "POST" else None, applications=applications)
    form = refilled(request, form)
    if form.is_bound and form.is_valid():
        application = form.cleaned_data["application"]
        outcome = press_as(request, application.pk, vacancy.pk)
        if outcome == Outcome.UNKNOWN:
            # The guardianship or the account ended while the page was being made.
            raise Http404
        if outcome == Outcome.RAN_OUT:
            # Between the reading of the clock and the press: the next press finds it settled.
            outcome = Refusal.BUSY
        if isinstance(outcome, Refusal):
            return _refused(request, application, vacancy, outcome, now=now)
        return sent(request, outcome, application.pk)
    return render(request, "applications/apply.html", _asked(form, applications, vacancy))


def _wait(
    request: HttpRequest, applications: list[Application], vacancy: Vacancy, *, now: datetime
) -> HttpResponse:
    """The child is chosen and the button is there; it works from the opening on. An earlier press is answered 409.

    The page shows the clock that will decide, and keeps its session until after the opening.
    """
    is_early = request.method == "POST"
    store(request.session).keep_for(vacancy.opens_at, now=now)
    form = BidForm(request.POST if is_early else None, applications=applications)
    context = {
        **_asked(form, applications, vacancy),
        "is_waiting": True,
        "is_early": is_early,
        "pauses": running_pauses(vacancy.locality),
        "server_now": now,
    }
    return render(request, "applications/apply.html", context, status=409 if is_early else 200)


def _asked(form: BidForm, applications: list[Application], vacancy: Vacancy) -> dict[str, Any]:
    """What the page of the button shows: for whom, for what, and what a bid costs."""
    return {
        "form": form,
        "vacancy": vacancy,
        "offered": offered_among(applications),
        "is_halted": any(application.asker_is_bound for application in applications),
    }


def _refused(
    request: HttpRequest, application: Application, vacancy: Vacancy, refusal: Refusal, *, now: datetime
) -> HttpResponse:
    """Why the bid was not sent, and what else is open. 409: the address is right, but the state is not."""
    context = {
        "application": application,
        "vacancy": vacancy,
        "refusal": refusal,
        "may_repeat": refusal == Refusal.BUSY,
        "may_withdraw": refusal == Refusal.BID_UNDER_WAY
        and pending_bid(application) is not None
        and not application.asker_is_bound,
        "place": position(application, now=now),
        "dispute": dispute_of(application, now=now)
        if refusal in (Refusal.DISPUTED, Refusal.UNPROVEN)
        else None,
        "pauses": running_pauses(vacancy.locality) if refusal == Refusal.PAUSED else [],
        "others": fitting_listings(application, without=vacancy, now=now),
    }
    return render(request, "applications/refused.html", context, status=409)


def _vacancy(pk: UUID) -> Vacancy:
    """The place that is asked for; the page tells times as they are there."""
    vacancy = get_object_or_404(public_vacancies(), pk=pk)
    timezone.activate(vacancy.locality.zone)
    return vacancy


def _is_sent(application: Application, vacancy: Vacancy) -> bool:
    bid = pending_bid(application)
    return bid is not None and bid.vacancy_id == vacancy.pk
