"""What the journal can say about children and their guardians."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Registered at start-up with `accounts.journal`."""

    CHILD_ADDED = "child_added", _("Child added")
    GUARDIAN_ADDED = "guardian_added", _("Somebody was added as guardian of the child")
    GUARDIAN_STOPPED = "guardian_stopped", _("“Stop” pressed: a guardian does not know the one who was added")
    STOP_REPEATED = "stop_repeated", _("“Stop” pressed once more")
    STOP_FREED = (
        "stop_freed",
        _("Nothing is halted any more: the state knows the phone of the one who was added"),
    )
    PRESSER_PROVEN = (
        "presser_proven",
        _("The state knows who pressed “Stop”: they can send bids again"),
    )
    GUARDIANSHIP_STANDS = "guardianship_stands", _("The guardianship stands, by decision")
    GUARDIANSHIP_ENDED = "guardianship_ended", _("The guardianship is ended, by decision")
    GUARDIAN_MOVED = "guardian_moved", _("The phone number of the child's other guardian changed")
