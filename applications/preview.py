"""Before the opening: people register and add their children here, while the queue is still kept in the old portal.

`MODE` says so, and nothing is stored: once it says otherwise, everything is open.
"""

from datetime import date, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from bulletin.models import Locality

PREVIEW = "preview"


def is_preview() -> bool:
    """Whether the portal has yet to open."""
    return bool(settings.MODE == PREVIEW)


def rests(locality: Locality, *, begun_at: datetime) -> bool:
    """Whether families could not answer in time to what began then: the portal was, or is, not open.

    After the opening `OPENS_ON` tells it.
    """
    opened: date | None = settings.OPENS_ON
    return is_preview() or (opened is not None and locality.day(begun_at) < opened)


def ended_unanswered(locality: Locality, *, end: datetime, now: datetime) -> bool:
    """Whether a time to answer was over before the portal opened, as far as it is known at `now`.

    Whoever has it gets it back: it has no end then.
    """
    opened: date | None = settings.OPENS_ON
    return (opened is not None and locality.day(end) <= opened) or (is_preview() and end <= now)


def preview_words(*, today: date) -> str:
    """What every page says before the opening, with its day while that is still ahead; empty once it is open."""
    if not is_preview():
        return ""
    if settings.OPENS_ON is not None and today <= settings.OPENS_ON:
        return _(
            "The portal opens on: %(day)s. Until then the queue is kept in the old one. Here you can already register "
            "and add your children."
        ) % {"day": f"{settings.OPENS_ON:%d.%m.%Y}"}
    return _(
        "The portal is not open yet: the queue is still kept in the old one. Here you can already register and add "
        "your children."
    )
