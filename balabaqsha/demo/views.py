"""The demo desk: a page for people, and the same as JSON for scripts and the browser tests."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
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
from accounts.way_back import whole_address
from balabaqsha.context import LANGUAGE_LABELS, LANGUAGE_NAMES
from balabaqsha.demo import desk, staff
from notifications import budget
from notifications.clock import estimate_clock, read_clock
from notifications.pressing import pressed_on

REFRESH_SECONDS = 10


@never_cache
@require_GET
def desk_page(request: HttpRequest) -> HttpResponse:
    """People to register as, the employees' logins, what was sent; in `?lang=`, else in the browser's language."""
    now = estimate_clock()
    today = timezone.localdate(now)
    language = _language(request)
    refresh_seconds = REFRESH_SECONDS if "refresh" in request.GET else None
    with override(language):
        response = render(
            request,
            "demo/desk.html",
            {
                "people": desk.people(today=today),
                "registered": desk.registered_people(today=today),
                "unknown_iins": ", ".join(desk.UNKNOWN_IINS),
                "unavailable_iins": ", ".join(desk.UNAVAILABLE_IINS),
                "language": language,
                "here": f"{request.path}?lang={language}",
                "refreshing_url": f"{request.path}?lang={language}&refresh={REFRESH_SECONDS}",
                "refresh_seconds": refresh_seconds,
                "logins": staff.logins(now=now),
                "messages_sent": [
                    sms | {"sent_at": parse_datetime(sms["sent_at"])} for sms in desk.newest_sms()
                ],
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
