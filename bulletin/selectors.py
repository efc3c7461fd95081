"""The one source of every list and count of the public offer."""

from django.http import HttpRequest

from bulletin.models import Locality

PLACE_COOKIE = "place"


def localities() -> list[Locality]:
    """All localities, in the order of the place switch."""
    return list(Locality.objects.all())


def chosen_locality(request: HttpRequest) -> Locality | None:
    """The place that this visitor chose at the top right; the first one until they did; None if there is none."""
    places = localities()
    slug = request.COOKIES.get(PLACE_COOKIE)
    return next((place for place in places if place.slug == slug), places[0] if places else None)
