"""What a waiting family can change: the languages, the locality. The effect is shown before it confirms."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import parent_required
from accounts.models import User
from accounts.typed import refilled
from applications.bidding.offers import live_offer
from applications.models import Application
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import Move, is_allowed
from applications.views.cabinet.forms import LanguagesForm, MoveForm
from applications.views.cabinet.halted import answer_if_halted, answer_if_not_for
from applications.views.people import own_application, parent
from applications.waiting.changes import change_languages, change_locality
from applications.waiting.moving import compare
from bulletin.models import Language, Locality
from notifications.clock import estimate_clock, read_clock


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def languages(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose, check, confirm. The answers are in the address, so that back, reload and language switch keep them."""
    user = parent(request)
    application = own_application(request, pk, now=read_clock())
    if not is_allowed(Move.CHANGE_LANGUAGES, application.state):
        return _not_now(request, application)
    refused = answer_if_not_for(request, application, Move.CHANGE_LANGUAGES)
    if refused is not None:
        return refused
    answers = request.POST if request.method == "POST" else request.GET
    is_given = request.method == "POST" or "languages" in answers
    form = LanguagesForm(answers if is_given else None, initial={"languages": application.languages})
    form = refilled(request, form)
    if not form.is_valid():
        return _choose(request, application, form, title=_("Change the languages of education"))
    chosen = [code for code in Language.values if code in form.cleaned_data["languages"]]
    if chosen == application.languages:
        messages.info(request, _("The application already says so: nothing has changed."))
        return redirect(application)
    if request.method == "POST":
        if "confirm" in request.POST:
            return _change_languages(request, application, chosen, actor=user)
        return redirect(f"{request.path}?{urlencode({'languages': chosen}, doseq=True)}")
    return _check_languages(request, application, chosen)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the locality, read what happens to the date and the number, confirm."""
    user = parent(request)
    application = own_application(request, pk, now=read_clock())
    if not is_allowed(Move.CHANGE_LOCALITY, application.state):
        return _not_now(request, application)
    halted = answer_if_halted(request, application)
    if halted is not None:
        return halted
    answers = request.POST if request.method == "POST" else request.GET
    if answers.get("locality") == application.locality.slug:
        messages.info(request, _("The application already says so: nothing has changed."))
        return redirect(application)
    is_given = request.method == "POST" or "locality" in answers
    form = refilled(request, MoveForm(answers if is_given else None, present=application.locality))
    if not form.is_valid():
        return _choose(request, application, form, title=_("Move to another locality"))
    locality = form.cleaned_data["locality"]
    if request.method == "POST":
        if "confirm" in request.POST:
            return _change_locality(request, application, locality, actor=user)
        return redirect(_check_url(application, locality))
    return _check_move(request, application, locality)


def _change_languages(
    request: HttpRequest, application: Application, chosen: list[str], *, actor: User
) -> HttpResponse:
    try:
        change_languages(application, languages=chosen, actor=actor, now=read_clock())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The languages of education are changed. Your date is kept."))
    return redirect(application)


def _change_locality(
    request: HttpRequest, application: Application, locality: Locality, *, actor: User
) -> HttpResponse:
    keeps = request.POST.get("keeps") == "1"
    try:
        change_locality(application, locality=locality, keeps=keeps, actor=actor, now=read_clock())
    except Refused as refused:
        messages.error(request, str(refused))
        if refused.reason == Refusal.TOLD_OTHERWISE:
            return redirect(_check_url(application, locality))
    else:
        messages.success(request, _("The application now stands in the queue of the new locality."))
    return redirect(application)


def _check_languages(request: HttpRequest, application: Application, chosen: list[str]) -> HttpResponse:
    place = position(application, now=estimate_clock())
    names = dict(Language.choices)
    offer = live_offer(application)
    rows: list[dict[str, Any]] = [
        {"label": _("Now"), "value": application.get_languages_display()},
        {"label": _("Will be"), "value": ", ".join(str(names[code]) for code in chosen)},
        {"label": _("Time of filing, kept"), "at": application.filed_at},
        {
            "label": _("Your number in the queue, unchanged"),
            "value": _grouped(place.number) if place else "—",
        },
    ]
    context = {
        "title": _("Change the languages of education"),
        "answers": [("languages", code) for code in chosen],
        "text": _(
            "The queue is not kept by language: your date and number stay. Other places will suit you."
        ),
        "lost_offer": offer is not None and offer.vacancy.group.language not in chosen,
    }
    return _check(request, application, rows, **context)


def _check_move(request: HttpRequest, application: Application, locality: Locality) -> HttpResponse:
    told = compare(application, locality, now=estimate_clock())
    rows: list[dict[str, Any]] = [
        {"label": _("Now"), "value": application.locality.name},
        {"label": _("Will be"), "value": locality.name},
        {
            "label": _("Time of filing, kept") if told.keeps_date else _("New time of filing, about"),
            "at": told.filed_at,
        },
        {"label": _("Your number in the queue now"), "value": _grouped(told.number_here)},
        {"label": _("Your number there"), "value": _grouped(told.number_there)},
    ]
    kept = _("Your date is kept: you stand in the new queue as if you had always waited there.")
    lost = _("Your date is not kept: by the rules of that place you stand at the end of its queue.")
    context = {
        "title": _("Move to another locality"),
        "answers": [("locality", locality.slug), ("keeps", "1" if told.keeps_date else "0")],
        "text": kept if told.keeps_date else lost,
        "is_loss": not told.keeps_date,
        "lost_offer": live_offer(application) is not None,
        "note": _(
            "The number is exact for this moment. Moving back later follows the rules of that place then."
        ),
    }
    return _check(request, application, rows, **context)


def _grouped(number: int | None) -> str | None:
    """A number in the queue as every page shows it."""
    return None if number is None else number_format(number, force_grouping=True)


def _check_url(application: Application, locality: Locality) -> str:
    return f"{reverse('applications:move', args=[application.pk])}?{urlencode({'locality': locality.slug})}"


def _choose(
    request: HttpRequest, application: Application, form: LanguagesForm | MoveForm, *, title: str
) -> HttpResponse:
    context = {"application": application, "form": form, "title": title}
    return render(request, "applications/change.html", context)


def _check(
    request: HttpRequest, application: Application, rows: list[dict[str, Any]], **context: Any
) -> HttpResponse:
    context |= {"application": application, "rows": rows, "path": request.path}
    return render(request, "applications/change_check.html", context)


def _not_now(request: HttpRequest, application: Application) -> HttpResponse:
    """Only a waiting application can be changed; its page says what is under way."""
    messages.error(request, _("The application can be changed only while it waits for a place."))
    return redirect(application)
