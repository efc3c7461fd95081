"""The list of pages that search engines may keep, each in both languages: those of `layout_indexed.html`."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.http import require_safe

from accounts.way_back import whole_address
from applications.reports.memory import remember
from balabaqsha.help_questions import SLUGS
from bulletin.models import Kindergarten
from bulletin.selectors import published_vacancies
from notifications.clock import estimate_clock

PAGES: Final = (
    "home",
    "applications:bulletin",
    "applications:queue",
    "applications:forecast",
    "applications:what_if",
    "applications:former_queue",
    "applications:corrections",
    "applications:referrals",
    "applications:check_referral",
    "bulletin:kindergartens",
    "bulletin:map",
    "bulletin:reviews",
    "statistics",
    "open_data",
    "help",
    "glossary",
    "contacts",
    "privacy",
    "accessibility",
)
# A sitemap holds 50,000 addresses at most.
MOST_OF_A_KIND: Final = 10_000

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The addresses as they were at most a minute ago."""
    site = whole_address(request, "")
    lines = [f"<url><loc>{escape(site + path)}</loc></url>\n" for path in remember("sitemap", _paths)]
    return HttpResponse([_HEAD, *lines, "</urlset>\n"], content_type="application/xml; charset=utf-8")


def _paths() -> list[str]:
    """The public pages, the kindergartens, and the newest places of the bulletin."""
    paths: list[str] = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            paths += [reverse(name) for name in PAGES]
            paths += [reverse("help_question", args=[slug]) for slug in SLUGS]
            paths += _of_objects()
    return paths


def _of_objects() -> Iterator[str]:
    for slug in Kindergarten.objects.values_list("slug", flat=True)[:MOST_OF_A_KIND]:
        yield reverse("bulletin:kindergarten", args=[slug])
    places = published_vacancies(sort="new", now=estimate_clock()).values_list("pk", flat=True)
    for place in places[:MOST_OF_A_KIND]:
        yield reverse("applications:vacancy", args=[place])
