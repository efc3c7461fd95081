"""Messages about guardians: who was added, who was stopped, what was decided."""

from datetime import date
from types import SimpleNamespace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import BOTH, INBOX, Kind, PastBudget

KINDS: Final = (
    Kind(
        "guardian_added",
        _("Guardian added"),
        BOTH,
        ("child", "guardian"),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "guardian_stopped",
        _("Guardian stopped"),
        BOTH,
        ("child", "guardian", "last_day"),
        past_budget=PastBudget.WARNING,
    ),
    Kind("guardian_reported", _("Guardian reported"), BOTH, ("child", "guardian", "last_day")),
    Kind("guardian_freed", _("Stop: nothing is halted any more"), INBOX, ("child", "guardian")),
    Kind("guardianship_stands", _("Guardianship stands"), BOTH, ("child", "guardian", "reason")),
    Kind("guardianship_ended", _("Guardianship ended"), BOTH, ("child", "guardian", "reason")),
)

SAMPLES: Final[dict[str, Any]] = {
    "child": SimpleNamespace(full_name="КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"),
    "guardian": "К••••• Г.",
    "last_day": date(2019, 7, 3),
    "reason": "Құжаттар толық емес",
}
