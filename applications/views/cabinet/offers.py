"""Answering the offer of a place that was given back: accept it or decline it, each after a confirmation."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import parent_required
from applications.bidding.offers import accept_offer, decline_offer, live_offer
from applications.models import Application
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import Move
from applications.views.cabinet.halted import answer_if_halted, answer_if_not_for
from applications.views.people import own_application, parent
from notifications.clock import read_clock


class _Answer(NamedTuple):
    """One of the two answers: what the page asks, what is done, and what is said then."""

    title: Promise
    text: Promise
    done: Promise
    answer: Callable[..., object]
    # Back to the application, if the user may not answer so now.
    refuse: Callable[[HttpRequest, Application], HttpResponse | None]

    @property
    def is_accepting(self) -> bool:
        return self.answer is accept_offer


_ACCEPT = _Answer(
    title=_("Accept the place"),
    text=_(
        "You then have a bid for this place, and the kindergarten answers it. Until then you can't send another bid."
    ),
    done=_("The place is accepted. Wait for the kindergarten's answer."),
    answer=accept_offer,
    refuse=partial(answer_if_not_for, step=Move.ACCEPT_OFFER),
)
_DECLINE = _Answer(
    title=_("Decline the place"),
    text=_(
        "The place is then offered to the next child, and not to you again. Your number and date in the queue are kept."
    ),
    done=_("The place is declined. Your number and date in the queue are kept."),
    answer=decline_offer,
    refuse=answer_if_halted,
)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Accept the offered place, after a confirmation."""
    return _page(request, pk, _ACCEPT)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Decline the offered place, after a confirmation."""
    return _page(request, pk, _DECLINE)


def _page(request: HttpRequest, pk: UUID, question: _Answer) -> HttpResponse:
    now = read_clock()
    application = own_application(request, pk, now=now)
    offer = live_offer(application)
    if offer is None:
        messages.info(request, str(Refusal.OFFER_ENDED.label))
        return redirect(application)
    refused = question.refuse(request, application)
    if refused is not None:
        return refused
    if request.method == "POST":
        try:
            question.answer(offer, actor=parent(request), now=now)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, str(question.done))
        return redirect(application)
    context = {"application": application, "offer": offer, "question": question}
    return render(request, "applications/offer.html", context)
