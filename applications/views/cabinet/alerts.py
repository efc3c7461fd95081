"""«Tell me when a place for my child appears»: on, off, and of which places."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import parent_required
from accounts.typed import refilled
from applications.alerts.choosing import (
    MOST_KINDERGARTENS,
    alert_of,
    alerts_of,
    choose,
    chosen_kindergartens,
    may_have,
    reach,
    suiting_now,
    switch,
)
from applications.models import Alert, Application
from applications.views.cabinet.forms import AlertForm
from applications.views.people import live_applications, own_application, parent
from bulletin.models import Kindergarten
from bulletin.nearness import coarse, may_ask_where
from bulletin.selectors import closest
from notifications.clock import estimate_clock, read_clock
from notifications.pressing import pressed_on

# So many kindergartens are listed without a search, and found by one.
LISTED = 20
# How many places the page names; the bulletin has the rest.
NAMED = 20


@require_safe
@parent_required
def alert_list(request: HttpRequest) -> HttpResponse:
    """Each child's application, and whether its reader is told of places for it."""
    live = [one for one in live_applications(request, now=estimate_clock()) if may_have(one)]
    alerts = alerts_of(parent(request), live)
    rows = [{"application": one, "alert": alerts[one]} for one in live]
    return render(request, "applications/alerts.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def alert(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The places that suit now, the switch, and of which places to tell. A search keeps its answers in the address."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    if not may_have(application):
        messages.info(request, _("The application waits for no place any more: there is nothing to tell."))
        return redirect(application)
    present = alert_of(application, user)
    form = _form(request, application, present)
    if request.method == "POST" and "find" in request.POST:
        return redirect(f"{request.path}?{_answers(request.POST)}#id_kindergartens_group")
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        choose(
            application,
            user=user,
            languages=chosen.get("languages", application.languages),
            kindergartens=chosen["kindergartens"],
            circle=form.circle,
            now=now,
        )
        messages.success(request, _("Saved. You are told when such a place appears."))
        return redirect("applications:alert", pk)
    suiting = suiting_now(application, present, now=now)
    context = {
        "application": application,
        "alert": present,
        "form": form,
        "now": now,
        "suiting": suiting[:NAMED],
        "reach": reach(application, present),
        "count": len(suiting),
        "bulletin_url": _bulletin_url(application),
    }
    return may_ask_where(render(request, "applications/alert.html", context))


@pressed_on("applications:alert", "pk")
@parent_required
def switch_alert(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Switch it on or off; what was chosen stays, so that the other button is the way back."""
    now = read_clock()
    application = own_application(request, pk, now=now)
    if may_have(application):
        is_on = request.POST.get("on") == "1"
        switch(application, user=parent(request), is_on=is_on, now=now)
        said = (
            _("Switched on. You are told when a place for your child appears.")
            if is_on
            else _("Switched off. What you have chosen is kept: you can switch it on again.")
        )
        messages.success(request, said)
    return redirect("applications:alert", pk)


def _form(request: HttpRequest, application: Application, present: Alert | None) -> AlertForm:
    here = Kindergarten.objects.filter(locality=application.locality_id)
    place = coarse(present.point) if present else None
    if request.method == "POST":
        shown = _shown(here, _keys(request.POST), request.POST.get("around", ""), search="")
        form = AlertForm(request.POST, application=application, offered=here, shown=shown, place=place)
        return refilled(request, form)
    if "find" in request.GET:
        ticked, search = _keys(request.GET), request.GET.get("search", "").replace("\0", "")[:100]
        languages = request.GET.getlist("languages")
        within, around = request.GET.get("within", ""), request.GET.get("around", "")
    else:
        ticked, search = list(chosen_kindergartens(present, application).values_list("pk", flat=True)), ""
        languages = (present.languages if present else []) or application.languages
        within, around = _circle_of(present)
    initial = {
        "languages": languages,
        "kindergartens": ticked,
        "search": search,
        "within": within,
        "around": around,
    }
    shown = _shown(here, ticked, around, search=search)
    form = AlertForm(initial=initial, application=application, offered=here, shown=shown, place=place)
    return refilled(request, form)


def _circle_of(alert: Alert | None) -> tuple[str, str]:
    """How far, and from where, as the form has it."""
    if alert is None or alert.within_km is None:
        return "", ""
    return str(alert.within_km), AlertForm.MINE if alert.point else str(alert.around_id or "")


def _shown(
    here: QuerySet[Kindergarten], ticked: list[int], around: str, *, search: str
) -> list[Kindergarten]:
    """Those ticked or counted from, and those found; without a search the first ones of the locality."""
    chosen = [*ticked, *_as_keys([around])]
    found = closest(search, here.exclude(pk__in=chosen), most=LISTED)
    return [*here.filter(pk__in=chosen), *found]


def _keys(answers: QueryDict) -> list[int]:
    """The ticked kindergartens of an address, which anybody can type."""
    return _as_keys(answers.getlist("kindergartens")[: MOST_KINDERGARTENS + 1])


def _as_keys(typed: list[str]) -> list[int]:
    return [int(one) for one in typed if one.isascii() and one.isdecimal() and len(one) < 10]


def _answers(answers: QueryDict) -> str:
    names = ("languages", "kindergartens", "search", "within", "around")
    kept = {name: answers.getlist(name) for name in names}
    return urlencode({**kept, "find": "1"}, doseq=True)


def _bulletin_url(application: Application) -> str:
    """The bulletin with what suits the application, also what is not open yet."""
    query = {"place": application.locality.slug, "birth_year": application.birth_year, "sort": "new"}
    if len(application.languages) == 1:
        query["language"] = application.languages[0]
    return f"{reverse('applications:bulletin')}?{urlencode(query)}"
