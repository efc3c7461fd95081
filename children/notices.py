"""Messages about guardians: who was added, who was stopped, what was decided."""

from datetime import date
from types import SimpleNamespace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import BOTH, INBOX, Kind, PastBudget, Topic

KINDS: Final = (
    Kind(
        "guardian_added",
        Topic.GUARDIANS,
        _("Guardian added"),
        BOTH,
        ("child", "guardian", "may_stop"),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "guardians_before",
        Topic.GUARDIANS,
        _("Other guardians were there before"),
        BOTH,
        ("child", "guardians", "may_stop"),
        past_budget=PastBudget.WARNING,
    ),
    # `is_you`: the reader is the one who is disputed. Deadlines stand still from the press on: the night costs nothing.
    Kind(
        "guardian_stopped",
        Topic.GUARDIANS,
        _("Guardian stopped"),
        BOTH,
        ("children", "guardian", "is_you", "is_mutual", "last_day"),
        past_budget=PastBudget.WARNING,
        by_day=True,
    ),
    Kind(
        "guardian_reported",
        Topic.GUARDIANS,
        _("Guardian reported"),
        BOTH,
        ("children", "guardian", "is_you", "is_mutual", "last_day"),
    ),
    Kind(
        "guardian_freed",
        Topic.GUARDIANS,
        _("Stop: nothing is halted any more"),
        INBOX,
        ("children", "guardian", "is_you"),
    ),
    Kind(
        "guardianship_stands",
        Topic.GUARDIANS,
        _("Guardianship stands"),
        BOTH,
        ("children", "guardian", "is_you", "reason"),
    ),
    Kind(
        "guardianship_ended",
        Topic.GUARDIANS,
        _("Guardianship ended"),
        BOTH,
        ("children", "guardian", "is_you", "reason"),
    ),
    # To who pressed «Stop» and is no guardian of the child: nothing in it says whose child it is. `stands`: the
    # disputed one stays a guardian.
    Kind("stop_decided", Topic.GUARDIANS, _("“Stop” pressed by somebody else: decided"), BOTH, ("stands",)),
    # Without codes to both numbers. `has_number`: a new one; otherwise somebody else has the former one now.
    Kind(
        "guardian_moved",
        Topic.GUARDIANS,
        _("Another guardian's number changed"),
        BOTH,
        ("children", "guardian", "has_number"),
        past_budget=PastBudget.WARNING,
    ),
)

SAMPLES: Final[dict[str, Any]] = {
    "child": SimpleNamespace(
        full_name="КАМЕНОВА ДАНИЯ ЕРМЕКОВНА", first_name="ДАНИЯ", birth_date=date(2017, 5, 4)
    ),
    "children": ["КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"],
    "guardian": "К••••• Г.",
    "guardians": ["К••••• Г.", "О••••• Т."],
    "may_stop": True,
    "stands": True,
    "is_you": False,
    "has_number": True,
    "is_mutual": False,
    "last_day": date(2019, 7, 3),
    "reason": "Құжаттар толық емес",
}

TARGETS: Final = {"children:list": _("To the children")}
