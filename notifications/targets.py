"""Where notices lead, in words: what the button of a notice says.

Each app names its own pages at start-up (`<app>/notices.py`), by the names of their addresses.
"""

from collections.abc import Mapping

from django.conf import settings
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext, override

_LABELS: dict[str, Promise] = {}


def register(labels: Mapping[str, Promise]) -> None:
    """Add the pages of an app that notices lead to: the name of the address, and what the button says."""
    _LABELS.update(labels)


def label_of(link: str) -> str:
    """What the button that leads to `link` (`Notice.link`) says, in the language of the page."""
    with override(settings.LANGUAGE_CODE):
        try:
            name = resolve(link.partition("?")[0]).view_name
        except Resolver404:
            name = ""
    return str(_LABELS[name]) if name in _LABELS else gettext("View")
