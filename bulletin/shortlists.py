"""The kindergartens that a visitor set aside: kept in a cookie of their browser, and nowhere else."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

REMEMBERED_SECONDS: Final = 365 * 24 * 60 * 60
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]{1,80}")


@dataclass(frozen=True)
class Shortlist:
    """A list of addresses of kindergartens, by the name of its cookie, and how many it holds at most."""

    name: str
    most: int


FAVOURITES: Final = Shortlist("favourites", most=30)
# As many as stand beside each other.
COMPARED: Final = Shortlist("compared", most=4)
SHORTLISTS: Final = {one.name: one for one in (FAVOURITES, COMPARED)}


def slugs_in(request: HttpRequest, shortlist: Shortlist) -> list[str]:
    """The addresses in the visitor's cookie, in the order in which they were added; whatever is none is left out."""
    found = re.findall(_SLUG, request.COOKIES.get(shortlist.name, "")[:4096])
    return list(dict.fromkeys(found))[: shortlist.most]


def remember(response: HttpResponse, shortlist: Shortlist, slugs: Collection[str]) -> None:
    """Keep these addresses for a year from now; nothing is kept of an empty list."""
    if not slugs:
        response.delete_cookie(shortlist.name, samesite="Lax")
        return
    response.set_cookie(
        shortlist.name,
        ".".join(slugs),
        max_age=REMEMBERED_SECONDS,
        samesite="Lax",
        secure=settings.HTTPS,
        httponly=True,
    )
