"""Where a visitor is, once they said so: kept in a cookie until the browser closes, never in an address or a log."""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE: Final = "near"
_DEGREES: Final = re.compile(r"-?\d{1,3}(\.\d{1,20})?", re.ASCII)
# About a hundred metres: more than the order of kindergartens needs is not kept.
_DIGITS: Final = 3

Point = tuple[float, float]


def read_point(latitude: str, longitude: str) -> Point | None:
    """Degrees as a browser tells them, rounded; None where they are no point of the earth."""
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        return None
    north, east = round(float(latitude), _DIGITS), round(float(longitude), _DIGITS)
    return (north, east) if abs(north) < 90 and abs(east) <= 180 else None


def point_of(request: HttpRequest) -> Point | None:
    """Where this visitor is, as their cookie says."""
    latitude, _separator, longitude = request.COOKIES.get(COOKIE, "").partition(":")
    return read_point(latitude, longitude)


def remember(response: HttpResponse, point: Point) -> None:
    """Know it until the browser closes."""
    value = "{}:{}".format(*point)
    response.set_cookie(COOKIE, value, samesite="Lax", secure=settings.HTTPS, httponly=True)


def forget(response: HttpResponse) -> None:
    """Know it no more."""
    response.delete_cookie(COOKIE, samesite="Lax")
