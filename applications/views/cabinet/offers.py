"""Answering the offer of a place that was given back: accept it or decline it, each after a confirmation."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import parent_required
from applications.bidding.offers import accept_offer, decline_offer, live_offer
from applications.models import Application, Offer
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import Move
from applications.views.cabinet.halted import answer_if_halted, answer_if_not_for
from applications.views.people import own_application, parent
from notifications.clock import read_clock


class _Question(NamedTuple):
    """What the page of one answer says."""

    title: str
    text: str
    is_accepting: bool


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Accept the offered place, after a confirmation."""
    now = read_clock()
    application = own_application(request, pk, now=now)
    offer = live_offer(application)
    if offer is None:
        return _nothing_offered(request, application)
    refused = answer_if_not_for(request, application, Move.ACCEPT_OFFER)
    if refused is not None:
        return refused
    if request.method == "POST":
        return _answer(request, application, accept_offer, offer, now=now)
    question = _Question(
        _("Accept the place"),
        _(
            "You then have a bid for this place, and the kindergarten answers it. Until then you can't send another "
            "bid."
        ),
        is_accepting=True,
    )
    return _ask(request, application, offer, question)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Decline the offered place, after a confirmation."""
    now = read_clock()
    application = own_application(request, pk, now=now)
    offer = live_offer(application)
    if offer is None:
        return _nothing_offered(request, application)
    halted = answer_if_halted(request, application)
    if halted is not None:
        return halted
    if request.method == "POST":
        return _answer(request, application, decline_offer, offer, now=now)
    question = _Question(
        _("Decline the place"),
        _(
            "The place is then offered to the next child, and not to you again. Your number and date in the queue are "
            "kept."
        ),
        is_accepting=False,
    )
    return _ask(request, application, offer, question)


def _answer(
    request: HttpRequest,
    application: Application,
    answer: Callable[..., object],
    offer: Offer,
    *,
    now: datetime,
) -> HttpResponse:
    try:
        answer(offer, actor=parent(request), now=now)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _accepted() if answer is accept_offer else _declined())
    return redirect(application)


def _accepted() -> str:
    return _("The place is accepted. Wait for the kindergarten's answer.")


def _declined() -> str:
    return _("The place is declined. Your number and date in the queue are kept.")


def _ask(request: HttpRequest, application: Application, offer: Offer, question: _Question) -> HttpResponse:
    context = {"application": application, "offer": offer, "question": question}
    return render(request, "applications/offer.html", context)


def _nothing_offered(request: HttpRequest, application: Application) -> HttpResponse:
    messages.info(request, str(Refusal.OFFER_ENDED.label))
    return redirect(application)
