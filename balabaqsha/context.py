"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from bulletin.selectors import chosen_locality, localities
from notifications.selectors import unread_count

LANGUAGE_LABELS = {"kk": "ҚАЗ", "ru": "РУС"}


def site(request: HttpRequest) -> dict[str, Any]:
    """The place, the languages, the unread notices and the contacts that the layout shows; lazy where it costs a query."""
    places = SimpleLazyObject(localities)
    return {
        "localities": places,
        "current_locality": SimpleLazyObject(lambda: chosen_locality(request)),
        "language_switch": language_switch(request),
        "unread_notices": SimpleLazyObject(lambda: unread_count(request.user)),
        "demo_mode": settings.DEMO,
        "contact_phones": settings.CONTACT_PHONES,
        "policy_version": settings.DATA_POLICY_VERSION,
        "server_now": timezone.now(),
    }


def language_switch(request: HttpRequest) -> list[dict[str, Any]]:
    """One entry per language: its label and the address of this very page in it, query string kept."""
    here = request.get_full_path()
    return [
        {
            "code": code,
            "label": LANGUAGE_LABELS[code],
            "url": translate_url(here, code),
            "current": code == get_language(),
        }
        for code, _name in settings.LANGUAGES
    ]
