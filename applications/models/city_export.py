"""What one official asks for and another allows: everything that the portal holds, as one encrypted file."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.proposals import Proposal
from applications.states import ProposalState

# How long after the second official allowed it an operator may make the file.
MADE_WITHIN: Final = timedelta(days=7)


class CityExport(Proposal):
    """An export of the whole city, to whoever holds one of the keys; made once by an operator, by a command."""

    reason = models.CharField(_("reason"), max_length=500)
    # As `age` writes them, one a line: whoever holds the private key of one can read the file.
    keys = models.TextField(_("public keys of the receiver"), max_length=1000)
    made_at = models.DateTimeField(_("made at"), null=True, blank=True)
    # Of the file that was made: whoever imports it can tell that it is that one.
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64, blank=True)

    class Meta(Proposal.Meta):
        verbose_name = _("export of the city")
        verbose_name_plural = _("exports of the city")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="export_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(state=ProposalState.APPROVED),
                name="only_allowed_exports_are_made",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=ProposalState.PROPOSED), name="one_open_export"
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def can_be_made(self, now: datetime) -> bool:
        """Whether it is allowed, not made yet, and the time to make it is not over."""
        return (
            self.state == ProposalState.APPROVED
            and self.made_at is None
            and self.decided_at is not None
            and now < self.decided_at + MADE_WITHIN
        )
