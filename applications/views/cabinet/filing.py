"""Into the queue, out of it and back: filing, the basket, restoring, confirming interest."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import parent_required
from accounts.models import User
from accounts.typed import refilled
from applications.access.family import application_for, applications_of
from applications.alerts.choosing import switch
from applications.bidding.offers import live_offer
from applications.models import Application
from applications.moves import Refused
from applications.preview import is_preview
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState, BenefitState, Move, is_allowed
from applications.views.cabinet.forms import ApplicationForm
from applications.views.cabinet.halted import answer_if_halted
from applications.views.people import own_application, parent
from applications.waiting.claiming import unclaimed_among
from applications.waiting.confirming import confirm_interest
from applications.waiting.filing import (
    OTHERS_UNDO_FOR,
    archive,
    file_application,
    restorable_of,
    restore,
    undo_until,
)
from bulletin.chosen_place import chosen_locality, remember_place
from bulletin.models import Language
from children.access import children_of, known_children, others_of
from children.models import Child
from notifications.clock import read_clock
from notifications.pressing import pressed_on


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def new_application(request: HttpRequest) -> HttpResponse:
    """Fill in, check the answers, submit.

    The answers are in the address, so that the back button, a reload and the language switch keep them. They hold
    no personal data except the child's id, and every step checks them again.
    """
    user = parent(request)
    children = children_of(user)
    if not children:
        messages.info(request, _("Add your child by IIN first, then file the application."))
        return redirect("children:add")
    waiting = _live_by_child(user)
    answers = request.POST if request.method == "POST" else request.GET
    already = waiting.get(answers.get("child") or answers.get("for", ""))
    if already is not None:
        messages.info(request, _("This child already has an application: here it is."))
        return redirect(already)
    if is_preview():
        return render(request, "applications/new_in_preview.html", {"waiting": waiting.values()})
    unclaimed = {str(pk): pk for pk in unclaimed_among(children.exclude(pk__in=waiting))}
    chosen = unclaimed.get(answers.get("child") or answers.get("for", ""))
    to_file = children.exclude(pk__in=[*waiting, *unclaimed])
    if chosen is None and unclaimed and not to_file:
        chosen = next(iter(unclaimed.values()))
    if chosen is not None:
        return redirect("applications:claim_former", chosen)
    form = _form(request, answers, to_file)
    if request.method == "POST" and form.is_valid():
        return _submit(request, form) if "confirm" in request.POST else redirect(_answers_url(form))
    if request.method != "POST" and form.is_bound and "edit" not in request.GET and form.is_valid():
        return _check_answers(request, form)
    context = {
        "form": form,
        "waiting": waiting.values(),
        "can_file": len(waiting) + len(unclaimed) < len(children),
    }
    return render(request, "applications/new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def delete_application(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The basket: says what is lost, asks for confirmation, archives."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    if application.state == ApplicationState.ARCHIVED:
        messages.info(request, _("The application is in the archive."))
        return redirect("applications:archive")
    halted = answer_if_halted(request, application)
    if halted is not None:
        return halted
    if request.method == "POST":
        try:
            archive(application, actor=user, now=now)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect(application)
        messages.success(
            request, _("The application was moved to the archive. It can be restored for a short time.")
        )
        return redirect("applications:archive")
    verified = application.benefits.filter(state=BenefitState.VERIFIED).select_related("category")
    context = {
        "application": application,
        "may_archive": is_allowed(Move.ARCHIVE, application.state),
        "place": position(application, now=now),
        "benefits": ", ".join(benefit.category.name for benefit in verified),
        "offer": live_offer(application),
        "undo_until": undo_until(application.locality, archived_at=now),
        "others_undo_until": now + OTHERS_UNDO_FOR if others_of(application.child, user) else None,
        "is_lapsed": application.state == ApplicationState.LAPSED,
    }
    return render(request, "applications/delete.html", context)


@pressed_on("applications:archive")
@parent_required
def restore_application(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Undo the basket in time."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    if application.state != ApplicationState.ARCHIVED:
        return redirect(application)
    try:
        restore(application, actor=user, now=now)
    except Refused as refused:
        messages.error(request, _way_back(application, user=user, now=now) or str(refused))
        return redirect("applications:archive")
    messages.success(request, _("The application was restored with its original date."))
    return redirect(application)


def _way_back(application: Application, *, user: User, now: datetime) -> str:
    """How to restore an archived application although the child has a newer one; empty if it is impossible."""
    newer = Application.objects.filter(child=application.child, state__in=LIVE_STATES).first()
    restorable = restorable_of(application.child, by=user, now=now)
    if newer is None or restorable is None or restorable[0] != application:
        return ""
    until = localtime(restorable[1], application.locality.zone)
    return _(
        "The child has a newer application. Move that one to the bin first, then restore this one. "
        "Number of the newer one: %(number)s. Restore this one before: %(until)s"
    ) % {"number": newer.number, "until": date_format(until, "SHORT_DATETIME_FORMAT")}


@pressed_on("applications:application", "pk")
@parent_required
def interest(request: HttpRequest, pk: UUID) -> HttpResponse:
    """«Мүдделі»: the family still wants a place.

    Nobody misses this because they are disputed. To whom the state of the application is withheld, the answer doesn't
    tell it either.
    """
    now, user = read_clock(), parent(request)
    application = application_for(user, pk, now=now)
    try:
        confirm_interest(application, actor=user, now=now)
    except Refused as refused:
        if application.asker_may_know or refused.reason == Refusal.BUSY:
            messages.error(request, str(refused))
            return redirect(application)
    if not application.asker_may_know:
        messages.success(request, _("Noted: if a confirmation of interest is due, it is given."))
    else:
        messages.success(request, _("Your interest in a place is confirmed."))
    return redirect(application)


def _form(request: HttpRequest, answers: QueryDict, free: QuerySet[Child]) -> ApplicationForm:
    """The form with the answers given so far; a first visit gets what is known already.

    That is what the family answered for another child, or else the chosen place; and the child it came for, or an only
    one. No language is ticked that nobody has chosen.
    """
    if request.method == "POST" or {"child", "locality", "languages"} & answers.keys():
        return refilled(request, ApplicationForm(answers, children=free))
    known = applications_of(parent(request)).filter(child__in=known_children(parent(request).pk))
    only, before = free[:2], known.order_by("-filed_at").first()
    place = before.locality if before else chosen_locality(request)
    initial = {
        "locality": place.slug if place else None,
        "languages": before.languages if before else [],
        "child": only[0].pk if len(only) == 1 else request.GET.get("for"),
        "alert": True,
    }
    return refilled(request, ApplicationForm(initial=initial, children=free))


def _answers_url(form: ApplicationForm) -> str:
    data = form.cleaned_data
    answers = {"locality": data["locality"].slug, "languages": data["languages"], "child": data["child"].pk}
    if data["alert"]:
        answers["alert"] = "on"
    return f"{reverse('applications:new')}?{urlencode(answers, doseq=True)}"


def _check_answers(request: HttpRequest, form: ApplicationForm) -> HttpResponse:
    data: dict[str, Any] = form.cleaned_data
    change = f"{_answers_url(form)}&edit=1"
    names = dict(Language.choices)
    rows = [
        {"label": _("Locality"), "value": data["locality"].name, "url": change},
        {
            "label": _("Language of education"),
            "value": ", ".join(str(names[code]) for code in data["languages"]),
            "url": change,
        },
        {"label": _("Child"), "value": data["child"].full_name, "url": change},
        {"label": _("Date of birth"), "at": data["child"].birth_date, "show": "date"},
        {
            "label": _("Tell me when a place for my child appears"),
            "value": _("yes") if data["alert"] else _("no"),
            "url": change,
        },
        *_missing_in_profile(request, form),
    ]
    restorable = restorable_of(data["child"], by=parent(request), now=read_clock())
    context = {
        "rows": rows,
        "answers": form,
        "change": change,
        "restorable": restorable[0] if restorable else None,
        "restorable_until": restorable[1] if restorable else None,
    }
    return render(request, "applications/check.html", context)


def _missing_in_profile(request: HttpRequest, form: ApplicationForm) -> list[dict[str, Any]]:
    """What the profile lacks, with the way there and back: nobody has to open it before."""
    if parent(request).profile.address:
        return []
    back = urlencode({"next": _answers_url(form)})
    address = {
        "label": _("Home address"),
        "value": _("Not stated"),
        "url": f"{reverse('accounts:profile')}?{back}#contacts",
        "change": _("Fill in"),
    }
    return [address]


def _submit(request: HttpRequest, form: ApplicationForm) -> HttpResponse:
    data = form.cleaned_data
    user = parent(request)
    try:
        application = file_application(
            child=data["child"],
            locality=data["locality"],
            languages=data["languages"],
            actor=user,
            now=read_clock(),
        )
    except Refused as refused:
        already = _live_by_child(user).get(str(data["child"].pk))
        if refused.reason == Refusal.ALREADY_FILED and already is not None:
            messages.info(request, _("This child already has an application: here it is."))
            return redirect(already)
        form.add_error("child" if refused.reason == Refusal.AGE else None, str(refused))
        return render(request, "applications/new.html", {"form": form, "can_file": True})
    if data["alert"]:
        switch(application, user=user, is_on=True, now=read_clock())
    response = redirect(f"{application.get_absolute_url()}?filed=1")
    remember_place(response, application.locality)
    return response


def _live_by_child(user: User) -> dict[str, Application]:
    """The family's live applications by the child's id as text, as in addresses."""
    live = applications_of(user).filter(state__in=LIVE_STATES)
    return {str(application.child_id): application for application in live}
