"""The messages of this app itself: one SMS in the place of several."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import SMS, Kind, Topic

SEVERAL: Final = "several"

# `numbers` names the applications by their last digits; empty where the notices are about none.
KINDS: Final = (Kind(SEVERAL, Topic.QUEUE, _("Several notices in one SMS"), SMS, ("count", "numbers")),)

SAMPLES: Final[dict[str, Any]] = {"count": 12, "numbers": "№0417, №0418, …"}
