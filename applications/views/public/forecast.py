"""«Қанша күтеміз?»: how long a family may wait, as an interval, with how often such intervals have held."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.forecast.outlook import accuracy, all_of, outlook_of_newcomer, places_of_a_year
from applications.forecast.what_if import time_of
from applications.queue.position import Position
from applications.queue.public_order import counted_queues
from applications.queue.small_groups import is_few, told
from applications.states import Tier
from applications.views.public.forms import BENEFITS, ForecastForm
from bulletin.chosen_place import chosen_locality
from bulletin.models import Language
from notifications.clock import estimate_clock


@require_safe
def forecast(request: HttpRequest) -> HttpResponse:
    """For a family that files now: its number, how many wait, how many got a place, and the interval."""
    now = estimate_clock()
    queues = counted_queues()
    form = ForecastForm(
        request.GET, locality=chosen_locality(request), years={queue.birth_year for queue in queues}
    )
    asked = form.values
    place, birth_year = asked["locality"], asked["birth_year"]
    context: dict[str, Any] = {"filters": form}
    if place is not None and birth_year is not None:
        queue = next((one for one in queues if (one.locality, one.birth_year) == (place, birth_year)), None)
        placed = places_of_a_year(locality=place, birth_year=birth_year, now=now)
        language = Language(asked["language"]) if asked["language"] else None
        months = accuracy(now=now)
        outlook = outlook_of_newcomer(locality=place, birth_year=birth_year, tier=asked["tier"], now=now)
        context |= {
            "place": place,
            "birth_year": birth_year,
            "benefit": BENEFITS[asked["tier"]],
            "may_have_benefit": asked["tier"] != Tier.EXTRAORDINARY,
            "bulletin_query": urlencode(
                {
                    "status": "open",
                    "place": place.slug,
                    "birth_year": birth_year,
                    "language": asked["language"],
                }
            ),
            "outlook": outlook,
            "today": place.day(now),
            "time": time_of(place, birth_year, now=now),
            "asked": request.GET.urlencode(),
            "moved": told(outlook.moved),
            "ahead": ahead_told(outlook.position, asked["tier"]),
            "waiting": told(queue.waiting if queue else 0),
            "placed": told(placed.get(None, 0)),
            "language": language,
            "waiting_in_language": told(queue.by_language[language] if queue and language else 0),
            "placed_in_language": told(placed.get(asked["language"], 0)),
            "accuracy": all_of(months) if months else None,
            "months": months[:12],
        }
    return render(request, "applications/forecast.html", context)


def ahead_told(place: Position, tier: Tier) -> str:
    """How many would be ahead; empty where it would tell that fewer than five have a benefit."""
    with_benefits = [place.ahead[part] for part in Tier if part <= tier and part != Tier.GENERAL]
    are_few = tier != Tier.GENERAL and any(map(is_few, with_benefits))
    return "" if are_few else told(sum(place.ahead.values()))
