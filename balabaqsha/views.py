"""Pages and answers that belong to no single app."""

import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import escape_leading_slashes
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_from_request, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.kept_files import is_trouble_of_the_disk
from accounts.models import User
from accounts.passwords import LONGEST, SHORTEST
from accounts.way_back import page_of_ours, whole_address
from applications.city.protocols import signed_protocols
from applications.disputes.guardianships import DECISION_WORKING_DAYS
from applications.families.at_a_glance import glances_of
from applications.models import BenefitCategory
from applications.preview import is_preview
from applications.queue.small_groups import FEW, told
from applications.reports.asked import Slice
from applications.reports.published import PUBLISHED, Figure, table_of_published
from applications.rules.in_force import rules_at, rules_of_day
from applications.states import ReferralState
from applications.views.public.forms import QueueCheckForm
from applications.views.public.statistics import NothingSuch, asked_place
from balabaqsha import help_questions
from balabaqsha import statistics as figures
from balabaqsha.health.probes import readiness, report
from balabaqsha.health.status import running_incidents
from balabaqsha.health.status import status as portal_status
from balabaqsha.turned_away import SameForm
from bulletin import selectors
from bulletin.chosen_place import PLACE_COOKIE, chosen_locality, remember_place
from bulletin.forms import ALL_PLACES
from bulletin.incidents import open_incidents
from bulletin.models import Locality
from bulletin.shared_page import shared_page
from notifications.clock import counted_clock, estimate_clock, read_clock
from notifications.hours import DAYTIME
from notifications.pressing import pressed_on
from notifications.replica import reads_replica
from notifications.selectors import unread_count

# Of each list of places on the home page.
FIRST_PLACES = 3
LATEST_REVIEWS = 3
RETRY_AFTER_SECONDS = 30
STATUS_KEPT_SECONDS = 10
# A form that came back for being out of date says so: once is enough.
PRESSED_AGAIN = "pressed_again"


@require_safe
@reads_replica
def home(request: HttpRequest) -> HttpResponse:
    """The home page: what can be done here now, and the figures of the chosen place; computed once a second for all.

    A family reads its own children's numbers and last days above it: that part is made for each reader anew.
    """
    now, unread = estimate_clock(), unread_count(request.user)
    return shared_page(
        request,
        "home.html",
        key=(request.COOKIES.get(PLACE_COOKIE), unread),
        is_signed_in=request.user.is_authenticated,
        now=now,
        context=lambda: _home(request, now=now) | {"unread_notices": unread},
        own_part=_my_place(request, now=now),
    )


def _home(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    places = selectors.localities()
    locality = chosen_locality(request, places)
    return {
        "localities": places,
        "current_locality": locality,
        "join_url": _join_url(request),
        # Places that nobody who reads this can apply for (full, paused, for the head of a queue) are in the bulletin
        # alone.
        "offer": selectors.offer_now(locality=locality, first=FIRST_PLACES, now=now),
        "pauses": selectors.running_pauses(locality),
        "incidents": list(open_incidents(locality, now=now)),
        "stands_still": running_incidents(),
        "check": QueueCheckForm(),
        "waiting": _bars((str(row.birth_year), row.waiting) for row in figures.waiting_by_year(locality)),
        "headline": figures.headline(None, now=now),
        "recent_days": figures.RECENT_DAYS,
        "reviews": selectors.published_reviews()[:LATEST_REVIEWS],
    }


def _my_place(request: HttpRequest, *, now: datetime) -> SafeString | None:
    """Where the children of a signed-in family stand; nothing for anybody else."""
    glances = glances_of(request.user, now=now) if isinstance(request.user, User) else []
    return render_to_string("balabaqsha/my_place.html", {"glances": glances}) if glances else None


def _join_url(request: HttpRequest) -> str:
    """The form of an application, before the opening the family's children; for a visitor through the registration."""
    form = reverse("children:list" if is_preview() else "applications:new")
    if request.user.is_authenticated:
        return form
    return f"{reverse('accounts:register')}?{urlencode({'next': form})}"


@pressed_on("home")
def choose_place(request: HttpRequest) -> HttpResponse:
    """Remember the place that the visitor chose, for a year, and go back to where they were."""
    back = page_of_ours(request, request.POST.get("next", "")) or reverse("home")
    slug = request.POST.get("locality", "")
    place = next((place for place in selectors.localities() if place.slug == slug), None)
    response = redirect(back if place is None else _about(place, address=back))
    if place is None:
        messages.error(request, _("There is no such place. Choose one from the list."))
        return response
    messages.success(request, _("Chosen place: %(place)s") % {"place": place.name})
    remember_place(response, place)
    return response


def _about(place: Locality, *, address: str) -> str:
    """The same page about `place`, where its address names another one."""
    parts, query = urlsplit(address), QueryDict(urlsplit(address).query, mutable=True)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return address
    if "place" in found.kwargs:
        # The rest of the address is about the queue of the other place.
        return reverse(found.view_name, kwargs=found.kwargs | {"place": place.slug})
    if "place" not in query:
        return address
    # Whoever is sent this address sees the same place.
    query["place"] = place.slug
    return f"{parts.path}?{query.urlencode()}"


# What somebody looks for is a few words.
LONGEST_SEARCH: Final = 100


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """The steps, and the questions with their answers; `q` looks among them."""
    context = _periods(request)
    questions = {slug: help_questions.question(slug, **_told(context)) for slug in help_questions.SLUGS}
    asked = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    context |= {
        "asked": asked,
        "results": help_questions.found(
            asked, [*questions.values(), *help_questions.steps(**_told(context))]
        ),
        "groups": [
            (title, [questions[slug] for slug in slugs]) for title, slugs in help_questions.GROUPS.values()
        ],
    }
    return render(request, "pages/help.html", context)


@require_safe
def help_question(request: HttpRequest, slug: str) -> HttpResponse:
    """One question on a page of its own, with the others of its group."""
    if slug not in help_questions.SLUGS:
        raise Http404
    told = _told(_periods(request))
    group, slugs = next(one for one in help_questions.GROUPS.values() if slug in one[1])
    context = {
        "question": help_questions.question(slug, **told),
        "group": group,
        "others": [help_questions.question(one, **told) for one in slugs if one != slug],
    }
    return render(request, "pages/help_question.html", context)


def _told(context: dict[str, Any]) -> dict[str, Any]:
    return {"language": get_language() or "kk", "context": context}


def _periods(request: HttpRequest) -> dict[str, Any]:
    """What the rules of the chosen place name today, and the benefits. No figure is typed in."""
    place, now = chosen_locality(request), estimate_clock()
    day = timezone.localdate(now, place.zone if place else None)
    rules, of_the_day = rules_at(place, now), rules_of_day(place, now)
    return {
        "born_from": day.year - rules.oldest_age,
        "born_to": day.year - rules.youngest_age,
        "categories": BenefitCategory.objects.filter(is_active=True),
        "rules": rules,
        "ratio": of_the_day.general_per_priority,
        "interest_last_day": date(day.year, of_the_day.interest_month, of_the_day.interest_day),
        "decision_days": DECISION_WORKING_DAYS,
        "daytime": DAYTIME,
        "password_lengths": f"{SHORTEST}–{LONGEST}",
    }


@require_safe
@reads_replica
def statistics(request: HttpRequest) -> HttpResponse:
    """Figures of the bulletin, the queues and the referrals: of the chosen place, of another one, or of all."""
    now = estimate_clock()
    places = selectors.localities()
    locality = asked_place(request, places)
    asked: dict[str, Any] = {"place": locality, "places": places, "now": now}
    by_month = table_of_published(PUBLISHED["places"], Slice.MONTH, **asked).rows
    outcomes = table_of_published(PUBLISHED["no-shows"], Slice.MONTH, **asked).total
    context: dict[str, Any] = {
        "locality": locality,
        "tabs": _place_tabs(places, current=locality),
        "headline": figures.headline(locality, now=now),
        "recent_days": figures.RECENT_DAYS,
        "by_year": _bars((str(row.birth_year), row.waiting) for row in figures.waiting_by_year(locality)),
        "by_locality": _bars((row.locality.name, row.waiting) for row in figures.waiting_by_locality()),
        "complaints": figures.complaints(now=now),
        "published": _told_bars((month.label, month.values["published"]) for month in by_month),
        "taken": _told_bars((month.label, month.values["signed"]) for month in by_month),
        "outcomes": _told_bars((str(one.label), outcomes.values[one.value]) for one in ReferralState),
        "waits": table_of_published(PUBLISHED["waits"], Slice.MONTH, **asked).total.values,
        "tables": list(PUBLISHED.values()),
        "query": urlencode({"place": locality.slug if locality else ALL_PLACES}),
        "is_former_told": signed_protocols().filter(batch__undone_at=None).exists(),
        "as_of": now,
    }
    return render(request, "statistics.html", context)


@never_cache
def clock(request: HttpRequest) -> JsonResponse:
    """The reference clock, by which bids are decided: ISO 8601 with microseconds, UTC. One statement."""
    return JsonResponse({"now": read_clock().astimezone(UTC).isoformat()})


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers leave alone: pages behind a sign-in, and the endless addresses of filters."""
    private = [
        f"{prefix}{path}"
        for prefix in ("", "/ru")
        for path in ("/admin/", "/cabinet/", "/login/", "/register/")
    ]
    rules = ["User-agent: *", *(f"Disallow: {path}" for path in (*private, "/demo/", "/*?"))]
    rules += ["", f"Sitemap: {whole_address(request, reverse('sitemap'))}"]
    return HttpResponse("\n".join([*rules, ""]), content_type="text/plain; charset=utf-8")


@require_safe
def in_kazakh(request: HttpRequest, rest: str) -> HttpResponse:
    """Whoever knows `/ru/…` writes `/kk/…`, too; Kazakh has no prefix."""
    path = request.get_full_path().removeprefix("/kk")
    # Two slashes would lead to another site.
    return redirect(escape_leading_slashes(path), permanent=True)


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database and Redis answer, else 503, within two seconds whatever hangs.

    Says in words which part is late, with names and ages, and nothing more (docs/operators.md). What needs a person but
    is no reason to take the web server away leaves the answer at 200: the status is "warning" then. With `?strict` it
    is 200 only if all is well.
    """
    told, serves = report()
    is_well = told["status"] == "ok" if "strict" in request.GET else serves
    return JsonResponse(told, status=200 if is_well else 503)


@never_cache
@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all; nothing else is asked, so that no fault elsewhere ends it."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200 while this process can serve pages: database, Redis, tables of this version; else 503, within two seconds."""
    told, serves = readiness()
    return JsonResponse(told, status=200 if serves else 503)


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """What works now, pauses, and the last ninety days; within two seconds whatever hangs, for any visitor alike."""
    found = portal_status()
    # While the database is silent its clock goes on by the last reading.
    as_of = found.history.read_at if found.history and found.is_history_fresh else counted_clock()
    answer = render(request, "status.html", {"status": found, "as_of": as_of})
    answer.headers["Cache-Control"] = f"public, max-age={STATUS_KEPT_SECONDS}"
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # It may be refused before its language was set: then the thread still has that of an earlier request.
    with override(get_language_from_request(request, check_path=True)):
        return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of ours that is out of date comes back to be sent once more; anything else is told how to go on.

    It is out of date if somebody has signed in in another tab since. A form that another site sent must not come back:
    its visitor would press the button for that site.
    """
    if not _is_from_our_page(request) or PRESSED_AGAIN in request.POST:
        return render(request, "403_csrf.html", status=403)
    match = request.resolver_match
    if request.user.is_authenticated and match is not None and match.view_name == "accounts:login":
        messages.info(request, _("You are signed in already. To sign in as somebody else, sign out first."))
        return redirect(page_of_ours(request, request.POST.get("next", "")) or settings.LOGIN_REDIRECT_URL)
    context = {"form": SameForm(request.POST), "had_files": bool(request.FILES), "marker": PRESSED_AGAIN}
    return render(request, "form_once_more.html", context, status=403)


def _is_from_our_page(request: HttpRequest) -> bool:
    """Whether the browser says that the form was on a page of this very site; it says so for every POST."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, NothingSuch):
        return render(request, "404_statistics.html", {"sentence": exception.sentence}, status=404)
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 if the database did not answer or the disk accepted no file, which is temporary."""
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):
        template = "503.html"
    elif is_trouble_of_the_disk(error):
        template = "503_files.html" if request.method == "POST" else "503.html"
    else:
        return render(request, "500.html", status=500)
    answer = render(request, template, status=503)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _place_tabs(places: list[Locality], *, current: Locality | None) -> list[dict[str, Any]]:
    """One tab for all places and one for each."""
    here = reverse("statistics")
    tabs = [{"label": _("All places"), "url": f"{here}?place={ALL_PLACES}", "current": current is None}]
    return tabs + [
        {"label": place.name, "url": f"{here}?place={place.slug}", "current": place == current}
        for place in places
    ]


def _told_bars(rows: Iterable[tuple[str, Figure]]) -> dict[str, Any]:
    """Rows for a chart component, of figures that are told or not."""
    bars: list[dict[str, Any]] = [
        {"label": label, "value": figure, "shown": ""}
        if isinstance(figure, int)
        else {"label": label, "value": 0, "shown": str(figure or "—")}
        for label, figure in rows
    ]
    most = max((bar["value"] for bar in bars), default=0)
    return {"rows": bars, "maximum": most, "empty": not any(bar["value"] or bar["shown"] for bar in bars)}


def _bars(rows: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Rows for a chart component, with the largest value; `empty` when there is nothing to draw.

    Counts that are so small that they might point at a family are neither shown nor drawn.
    """
    counted = list(rows)
    most = max((value for _label, value in counted), default=0)
    bars = [
        {"label": label, "value": 0, "shown": told(value)}
        if value < FEW
        else {"label": label, "value": value}
        for label, value in counted
    ]
    return {"rows": bars, "maximum": most, "empty": most == 0}
