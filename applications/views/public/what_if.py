"""«Маған қай орын сай?»: what a child could apply for, without an account, and what would change it.

Nothing that is asked here is kept; the address names a birth year and no day, so that it can be shared.
"""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.forecast.what_if import (
    Option,
    fit_of,
    groups_ahead,
    newcomer,
    offer_for,
    options_beside,
    time_of,
)
from applications.views.listings import public_vacancies
from applications.views.public.forecast import ahead_told
from applications.views.public.forms import BENEFITS, WhatIfForm
from bulletin.chosen_place import chosen_locality
from bulletin.models import Vacancy
from bulletin.school_years import OLDEST_MIXED
from notifications.clock import estimate_clock

FIRST_PLACES = 5


@require_safe
def what_if(request: HttpRequest) -> HttpResponse:
    """Which published places suit a birth year, a language and a locality now; why others do not; what is next."""
    now, vacancy = estimate_clock(), _asked_vacancy(request)
    year = timezone.localdate(now).year
    form = WhatIfForm(
        request.GET,
        locality=vacancy.locality if vacancy else chosen_locality(request),
        years=range(year - OLDEST_MIXED, year + 1),
    )
    asked = form.values
    place, birth_year, tier = asked["locality"], asked["birth_year"], asked["tier"]
    context: dict[str, Any] = {"filters": form, "vacancy": vacancy, "place": place}
    if place is not None and birth_year is not None:
        timezone.activate(place.zone)
        child = newcomer(
            locality=place, birth_year=birth_year, language=asked["language"], tier=tier, now=now
        )
        options = options_beside(place, asked["other"], birth_year=birth_year, tier=tier, now=now)
        context |= {
            "birth_year": birth_year,
            "language": asked["language"],
            "today": place.day(now),
            "time": time_of(place, birth_year, now=now),
            "this": fit_of(child, vacancy, now=now) if vacancy else None,
            "offer": offer_for(child, place, first=FIRST_PLACES, now=now),
            "groups": groups_ahead(birth_year, today=place.day(now)),
            "options": (told := [_told(option) for option in options]),
            "is_untold": not all(one["ahead"] for one in told),
        }
    return render(request, "applications/what_if.html", context)


def _asked_vacancy(request: HttpRequest) -> Vacancy | None:
    """The place of the bulletin that the address asks about; an address that names none is like one without it."""
    try:
        pk = UUID(request.GET.get("vacancy", ""))
    except ValueError:
        return None
    return public_vacancies().filter(pk=pk).first()


def _told(option: Option) -> dict[str, Any]:
    return {
        "place": option.locality,
        "benefit": BENEFITS[option.tier],
        "is_asked": option.is_asked,
        "ahead": ahead_told(option.outlook.position, option.tier),
        "wait": option.outlook.told,
        "is_first": option.outlook.is_first,
    }
