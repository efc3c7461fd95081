"""The place that a visitor chose, kept in a cookie."""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from bulletin import selectors
from bulletin.models import Locality

PLACE_COOKIE: str = settings.PLACE_COOKIE_NAME
REMEMBERED_SECONDS = 365 * 24 * 60 * 60


def chosen_locality(request: HttpRequest, places: Sequence[Locality] | None = None) -> Locality | None:
    """The place that this visitor chose at the top right; until they did, the first one (None: no place yet).

    `places` are all localities, if the caller has them.
    """
    places = selectors.localities() if places is None else places
    slug = request.COOKIES.get(PLACE_COOKIE)
    return next((place for place in places if place.slug == slug), places[0] if places else None)


def remember_place(response: HttpResponse, place: Locality) -> None:
    """Choose `place` for this visitor from now on, for a year."""
    response.set_cookie(
        PLACE_COOKIE,
        place.slug,
        max_age=REMEMBERED_SECONDS,
        samesite="Lax",
        secure=settings.HTTPS,
        httponly=True,
    )
