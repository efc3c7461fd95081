"""The place that a visitor chose, kept in a cookie."""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

from bulletin import selectors
from bulletin.models import Locality

PLACE_COOKIE: str = settings.PLACE_COOKIE_NAME


def chosen_locality(request: HttpRequest, places: Sequence[Locality] | None = None) -> Locality | None:
    """The place that this visitor chose at the top right; until they did, the first one (None: no place yet).

    `places` are all localities, if the caller has them.
    """
    places = selectors.localities() if places is None else places
    slug = request.COOKIES.get(PLACE_COOKIE)
    return next((place for place in places if place.slug == slug), places[0] if places else None)
