"""Messages to whoever wrote a review: whether it is published, and that it was answered."""

from types import SimpleNamespace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import INBOX, Kind, Topic

# `kindergarten` is None for a review of the portal.
KINDS: Final = (
    Kind("review_published", Topic.REVIEWS, _("Review published"), INBOX, ("kindergarten",)),
    Kind("review_declined", Topic.REVIEWS, _("Review not published"), INBOX, ("kindergarten", "reason")),
    Kind("review_answered", Topic.REVIEWS, _("Review answered"), INBOX, ("kindergarten",)),
)

SAMPLES: Final[dict[str, Any]] = {
    "kindergarten": SimpleNamespace(name='ЖМ "Амина балабақшасы"'),
    "reason": "Құжаттар толық емес",
}

TARGETS: Final = {"bulletin:reviews": _("To the reviews")}
