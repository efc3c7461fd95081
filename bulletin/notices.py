"""Messages to whoever wrote a review: whether it is published, and that it was answered; to employees of photos."""

from types import SimpleNamespace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import INBOX, Kind, Topic

# `kindergarten` is None for a review of the portal.
KINDS: Final = (
    Kind("review_published", Topic.REVIEWS, _("Review published"), INBOX, ("kindergarten",)),
    Kind("review_declined", Topic.REVIEWS, _("Review not published"), INBOX, ("kindergarten", "reason")),
    Kind("review_answered", Topic.REVIEWS, _("Review answered"), INBOX, ("kindergarten",)),
    # To who sends photos of the kindergarten.
    Kind(
        "staff_photo_published",
        Topic.WORK,
        _("Photo of the kindergarten published"),
        INBOX,
        ("kindergarten", "photo"),
    ),
    Kind(
        "staff_photo_declined",
        Topic.WORK,
        _("Photo of the kindergarten not published"),
        INBOX,
        ("kindergarten", "photo", "reason"),
    ),
)

SAMPLES: Final[dict[str, Any]] = {
    "kindergarten": SimpleNamespace(name='ЖМ "Амина балабақшасы"'),
    "reason": "Құжаттар толық емес",
    "photo": SimpleNamespace(caption="Ойын алаңы"),
}

TARGETS: Final = {
    "bulletin:reviews": _("To the reviews"),
    "admin:bulletin_photo_change": _("To the photo"),
}
