"""What every page knows."""

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import Resolver404, resolve, translate_url
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language

from accounts.way_back import whole_address
from applications.preview import preview_words
from bulletin.chosen_place import chosen_locality
from bulletin.selectors import localities
from notifications.clock import estimate_clock
from notifications.pressing import page_of_form
from notifications.selectors import unread_count

LANGUAGE_LABELS = {"kk": "ҚАЗ", "ru": "РУС"}
# In the language itself, for screen readers. Django calls Kazakh what a Kazakh is called.
LANGUAGE_NAMES = {"kk": "Қазақша", "ru": "Русский"}


def site(request: HttpRequest) -> dict[str, Any]:
    """The place, the languages, the unread notices, the contacts and the clock; lazy if it costs a query."""
    places: Any = SimpleLazyObject(localities)
    here: Any = SimpleLazyObject(lambda: chosen_locality(request, places))
    return {
        "localities": places,
        "current_locality": here,
        # Of what belongs to no one place: the clock of the one that the reader chose; None is the portal's.
        "zone_here": lambda: here.timezone if here else None,
        "language_switch": language_switch(request),
        "canonical": lambda: whole_address(request, request.path),
        "alternates": lambda: alternates(request),
        "share_picture": lambda: share_picture(request),
        # A number, asked for once: gettext can't count with a lazy object.
        "unread_notices": cache(lambda: unread_count(request.user)),
        "demo_mode": settings.DEMO,
        "preview_words": cache(lambda: preview_words(today=timezone.localdate(estimate_clock()))),
        "contact_phones": settings.CONTACT_PHONES,
        "contact_links": contact_links(),
        "operator": operator,
        "policy_version": settings.DATA_POLICY_VERSION,
        "server_now": estimate_clock,
        "session_ends_cookie": settings.SESSION_ENDS_COOKIE_NAME,
    }


def operator() -> dict[str, str] | None:
    """Who answers for people's data, in the language of the page; None where nobody is named."""
    language = (get_language() or settings.LANGUAGE_CODE).upper()
    name = getattr(settings, f"OPERATOR_NAME_{language}")
    address = getattr(settings, f"OPERATOR_ADDRESS_{language}")
    return {"name": name, "address": address, "bin": settings.OPERATOR_BIN} if name else None


def contact_links() -> list[dict[str, str]]:
    """Each phone of the contact centre with where a press on it leads: a call, or WhatsApp where it is named."""
    links = []
    for phone in settings.CONTACT_PHONES:
        # In Kazakhstan 8 is dialled instead of +7.
        number = re.sub(r"^8", "7", re.sub(r"\D", "", phone))
        url = f"https://wa.me/{number}" if "WhatsApp" in phone else f"tel:+{number}"
        links.append({"label": phone, "url": url})
    return links


def language_switch(request: HttpRequest) -> list[dict[str, Any]]:
    """One entry per language: its label, its name and the address of this page in it, with the query string."""
    return [
        {
            "code": code,
            "label": LANGUAGE_LABELS[code],
            "name": LANGUAGE_NAMES[code],
            "url": in_language(request, code),
            "current": code == get_language(),
        }
        for code, _name in settings.LANGUAGES
    ]


def alternates(request: HttpRequest) -> list[dict[str, str]]:
    """The absolute address of this page in each language, without a query, and for readers of any other: Kazakh."""
    paths = {code: in_language(request, code).partition("?")[0] for code, _name in settings.LANGUAGES}
    paths["x-default"] = paths[settings.LANGUAGE_CODE]
    return [{"code": code, "url": whole_address(request, path)} for code, path in paths.items()]


def share_picture(request: HttpRequest) -> str:
    """The absolute address of the picture beside a link that is shared, in the language of the page."""
    return whole_address(request, static(f"img/share.{get_language()}.png"))


def in_language(request: HttpRequest, code: str) -> str:
    """The address of this page in another language, even for a missing page, since its visitor reads the error.

    For the answer to a form that has another address than its page, that of the page.
    """
    # A path that begins with two slashes would lead to another site.
    here = page_of_form(request.resolver_match) or escape_leading_slashes(request.get_full_path())
    there = translate_url(here, code)
    if there != here or code == get_language():
        return there
    try:
        resolve(request.path_info)
    except Resolver404:
        bare = "/" + here.removeprefix(f"/{get_language()}/").lstrip("/")
        return bare if code == settings.LANGUAGE_CODE else f"/{code}{bare}"
    return here
