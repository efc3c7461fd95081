"""The messages of this app itself: one SMS in the place of several."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import SMS, Kind, PastBudget, Topic

_NEEDS: Final = ("count", "numbers")

# All say the same; they differ in what may happen to the SMS, as what they stand for does (`bursts`).
SEVERAL: Final = Kind("several", Topic.QUEUE, _("Several notices in one SMS"), SMS, _NEEDS)
SEVERAL_IMPORTANT: Final = Kind(
    "several_important",
    Topic.PLACE,
    _("Several notices in one SMS, an important one among them"),
    SMS,
    _NEEDS,
    texts_of=SEVERAL.code,
)
SEVERAL_REMINDERS: Final = Kind(
    "several_reminders",
    Topic.PLACE,
    _("Several reminders in one SMS"),
    SMS,
    _NEEDS,
    can_wait=True,
    texts_of=SEVERAL.code,
)
SEVERAL_PLACES: Final = Kind(
    "several_places",
    Topic.ALERTS,
    _("Several notices of new places in one SMS"),
    SMS,
    _NEEDS,
    past_budget=PastBudget.SPARING,
    can_wait=True,
    texts_of=SEVERAL.code,
)

# `numbers` names the applications by their last digits; empty where the notices are about none.
KINDS: Final = (SEVERAL, SEVERAL_IMPORTANT, SEVERAL_REMINDERS, SEVERAL_PLACES)

SAMPLES: Final[dict[str, Any]] = {"count": 12, "numbers": "№0417, №0418, …"}
