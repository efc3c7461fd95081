"""Where a visitor is, once they said so: kept in a cookie until the browser closes, never in an address or a log.

A family may keep it on its account for alerts, coarser.
"""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE: Final = "near"
_DEGREES: Final = re.compile(r"-?\d{1,3}(\.\d{1,20})?", re.ASCII)
# About a hundred metres: more than the order of kindergartens needs is not kept.
_DIGITS: Final = 3
# About half a kilometre: what is kept on an account.
_COARSE_PARTS: Final = 200

Point = tuple[float, float]


def read_point(latitude: str, longitude: str) -> Point | None:
    """Degrees as a browser tells them, rounded; None where they are no point of the earth."""
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        return None
    north, east = round(float(latitude), _DIGITS), round(float(longitude), _DIGITS)
    return (north, east) if abs(north) < 90 and abs(east) <= 180 else None


def coarse(text: str) -> Point | None:
    """A point that an account keeps, `latitude:longitude`, to half a kilometre; None for what is none."""
    latitude, _separator, longitude = text.partition(":")
    point = read_point(latitude, longitude)
    if point is None:
        return None
    north, east = (round(round(degrees * _COARSE_PARTS) / _COARSE_PARTS, _DIGITS) for degrees in point)
    return north, east


def as_text(point: Point) -> str:
    """A point as cookies and accounts have it: `latitude:longitude`."""
    return "{}:{}".format(*point)


def point_of(request: HttpRequest) -> Point | None:
    """Where this visitor is, as their cookie says."""
    latitude, _separator, longitude = request.COOKIES.get(COOKIE, "").partition(":")
    return read_point(latitude, longitude)


def remember(response: HttpResponse, point: Point) -> None:
    """Know it until the browser closes."""
    response.set_cookie(COOKIE, as_text(point), samesite="Lax", secure=settings.HTTPS, httponly=True)


def forget(response: HttpResponse) -> None:
    """Know it no more."""
    response.delete_cookie(COOKIE, samesite="Lax")


def may_ask_where(response: HttpResponse) -> HttpResponse:
    """«Near me»: on this page the browser may ask the visitor where they are."""
    response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY.replace(
        "geolocation=()", "geolocation=(self)"
    )
    return response
