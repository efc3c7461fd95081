"""The demo desk: a page for people, and the same as JSON for scripts and the browser tests."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import get_supported_language_variant, override
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import limits
from accounts.identity_provider.simulator import code_for
from accounts.registry import simulated_people
from accounts.visits import enter
from accounts.way_back import whole_address
from applications.models import Application
from applications.rosters.sheet import XLSX_TYPE
from balabaqsha.context import LANGUAGE_LABELS, LANGUAGE_NAMES
from balabaqsha.demo import desk, former_file, staff
from bulletin.importing.templates import XLSX
from notifications import budget
from notifications.bursts import WAIT
from notifications.clock import estimate_clock, read_clock
from notifications.folding import fold_name, words_of
from notifications.hours import DAYTIME
from notifications.pressing import pressed_on

REFRESH_SECONDS = 10
# Of each list the desk shows the first rows; a list of its own has pages.
FIRST_ROWS = 5
ROWS_OF_A_PAGE = 20
LONGEST_QUESTION = 60


@never_cache
@require_GET
def desk_page(request: HttpRequest) -> HttpResponse:
    """Families and people to be, employees' logins, what was sent; in `?lang=`, else in the browser's language.

    `?q=` looks for words in all of it, `?show=` names the one list that is shown whole, by pages.
    """
    now = estimate_clock()
    language = _language(request)
    refresh_seconds = REFRESH_SECONDS if "refresh" in request.GET else None
    with override(language):
        response = render(
            request,
            "demo/desk.html",
            {
                **_lists(request, now=now),
                "daytime": DAYTIME,
                "burst_minutes": WAIT.seconds // 60,
                "unknown_iins": ", ".join(desk.UNKNOWN_IINS),
                "unavailable_iins": ", ".join(desk.UNAVAILABLE_IINS),
                "language": language,
                "here": f"{request.path}?lang={language}",
                "styleguide_url": reverse("styleguide"),
                "refreshing_url": f"{request.path}?lang={language}&refresh={REFRESH_SECONDS}",
                "refresh_seconds": refresh_seconds,
                # This address is the same in both languages: the switch goes by the parameter instead.
                "language_switch": [
                    {
                        "code": code,
                        "label": label,
                        "name": LANGUAGE_NAMES[code],
                        "url": f"{request.path}?lang={code}",
                        "current": code == language,
                    }
                    for code, label in LANGUAGE_LABELS.items()
                ],
            },
        )
    if refresh_seconds:
        response["Refresh"] = str(refresh_seconds)
    return response


def _lists(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """What the desk shows of each list."""
    today, query = timezone.localdate(now), request.GET.get("q", "").strip()[:LONGEST_QUESTION]
    rows: dict[str, Sequence[Any]] = {
        "families": desk.families(),
        "sms": [sms | {"sent_at": parse_datetime(sms["sent_at"])} for sms in desk.newest_sms()],
        "staff": staff.logins(now=now),
        "registered": desk.registered_people(today=today),
        "people": desk.people(today=today),
        "former": desk.former_families(today=today),
    }
    asked = words_of(query)
    found = {name: [row for row in some if _fits(row, asked)] for name, some in rows.items()}
    show = request.GET.get("show", "")
    if show in found:
        page = Paginator(found[show], ROWS_OF_A_PAGE).get_page(request.GET.get("page"))
        return {"lists": {show: page}, "show": show, "page": page, "query": query}
    return {
        "lists": {
            # There are a few families, and they are what a newcomer wants.
            name: Paginator(some, ROWS_OF_A_PAGE if name == "families" else FIRST_ROWS).get_page(1)
            for name, some in found.items()
        },
        "query": query,
    }


def _fits(row: Any, asked: Sequence[str]) -> bool:
    """Whether every word that was asked for begins in the row's own words, on whatever keyboard it was typed."""
    told = fold_name(str(row)).split(" ")
    words = words_of(" ".join(told))
    return all(any(word.startswith(one) for word in words) for one in asked)


@never_cache
@pressed_on("demo")
def enter_family(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the desk's families, at its application; no password is asked for in a demo."""
    now = read_clock()
    wanted = next(
        (one for one in desk.families() if str(one.application) == request.POST.get("family")), None
    )
    if wanted is None:
        return redirect("demo")
    application = Application.objects.select_related("filed_by").get(pk=wanted.application)
    assert application.filed_by is not None  # the desk names no other
    enter(request, application.filed_by, now=now)
    with override(_language(request)):
        return redirect(application)


@never_cache
@require_GET
def desk_json(request: HttpRequest) -> JsonResponse:
    """`{"people", "staff", "sms"}`, as docs/demo.md describes it; `birth_date` and `sent_at` are ISO 8601."""
    now = estimate_clock()
    admin_url = whole_address(request, reverse("admin:index"))
    return JsonResponse(
        {
            "people": [_person(person) for person in desk.people(today=timezone.localdate(now))],
            "staff": [_login(login, admin_url=admin_url) for login in staff.logins(now=now)],
            "sms": desk.newest_sms(),
        },
        json_dumps_params={"ensure_ascii": False},
    )


@never_cache
@require_GET
def former_queue(request: HttpRequest, ending: str) -> HttpResponse:
    """The file of the former queue, to be brought to the workplace; as CSV or as a workbook."""
    with override(_language(request)):
        content = former_file.content(ending, today=timezone.localdate(estimate_clock()))
    return HttpResponse(
        content,
        content_type=XLSX_TYPE if ending == XLSX else "text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="former-queue.{ending}"'},
    )


def _person(person: desk.DeskPerson) -> dict[str, Any]:
    shown = asdict(person)
    del shown["phone"]
    return shown


@never_cache
@pressed_on("demo")
def lift_limits(request: HttpRequest) -> HttpResponse:
    """Let everybody try again at once, and go back to the desk."""
    now = read_clock()
    limits.lift_all(now=now)
    budget.begin_anew(now=now)
    with override(_language(request)):
        messages.success(request, _("All limits begin anew."))
    return redirect(f"{reverse('demo')}?lang={_language(request)}")


def _login(login: staff.Login, *, admin_url: str) -> dict[str, Any]:
    return {
        "username": login.employee.username,
        "password": login.employee.password,
        "otp": login.otp,
        "role": login.employee.role,
        "kindergarten": login.kindergarten,
        "admin_url": admin_url,
    }


def _language(request: HttpRequest) -> str:
    """The language that was asked for, else the first of the browser's that the portal has, else Kazakh."""
    known = dict(settings.LANGUAGES)
    asked = request.GET.get("lang", "")
    if asked in known:
        return asked
    for accepted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return get_supported_language_variant(accepted)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


@never_cache
@require_GET
def identity_page(request: HttpRequest) -> HttpResponse:
    """The page of the made-up provider of identity: a link for each person, back to where the visitor came from."""
    back, state, nonce = (request.GET.get(name, "") for name in ("back", "state", "nonce"))
    if not (settings.IDENTITY_PROVIDER and state and nonce and back in _ways_back(request)):
        # Nobody to lead back.
        return redirect("demo")
    now = read_clock()
    people = []
    for entry in simulated_people.everyone(today=timezone.localdate(now)):
        person = entry.person
        if person.iin:
            code = code_for(iin=person.iin, name=person.full_name, nonce=nonce, back=back, now=now)
            url = f"{back}?{urlencode({'state': state, 'code': code})}"
            people.append({"name": person.full_name, "iin": person.iin, "url": url})
    with override(_language(request)):
        return render(request, "demo/identity.html", {"people": people})


def _ways_back(request: HttpRequest) -> set[str]:
    """Our own addresses at which a visit to the provider ends: in each language."""
    ways = set()
    for code, _name in settings.LANGUAGES:
        with override(code):
            ways.add(whole_address(request, reverse("accounts:identity_back")))
    return ways
