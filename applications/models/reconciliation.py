"""What officials decide about lines that a file of the former queue left out, and what two of them sign about all."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.models.former import FormerLine
from applications.models.proposals import Proposal
from applications.states import LineDecision, ProposalState
from bulletin.models import ImportBatch
from notifications.fields import EncryptedTextField


class FormerDecision(models.Model):
    """What one official decided about a line that was left out. It counts until it ends; ended ones stay as history."""

    line = models.ForeignKey(
        FormerLine, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("line of the file")
    )
    kind = models.CharField(_("decision"), max_length=10, choices=LineDecision.choices)
    # What the line was brought in as, or whose child it is.
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("application"),
    )
    # JSON: the cells that were typed in place of those of the line, by their columns; kept as long as the line's.
    values = EncryptedTextField(_("corrected values"), blank=True, default="", db_default="")
    reason = models.CharField(_("reason"), max_length=300)
    decided_at = models.DateTimeField(_("decided at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    # Taken back, or followed by another one.
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("ended by"),
    )

    class Meta:
        verbose_name = _("decision about a line of the former queue")
        verbose_name_plural = _("decisions about lines of the former queue")
        default_permissions = ()
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"], condition=Q(ended_at=None), name="one_decision_about_a_line"
            ),
            models.CheckConstraint(
                condition=Q(application=None, kind=LineDecision.LEFT_OUT)
                | (Q(application__isnull=False) & ~Q(kind=LineDecision.LEFT_OUT)),
                name="decision_names_application",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="decision_ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class FormerProtocol(Proposal):
    """What became of all lines of one file, proposed by one official and signed by another.

    `APPROVED`: signed at `decided_at`, with the `sums` of that moment (`applications.city.sums`).
    """

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.PROTECT, related_name="protocols", verbose_name=_("loaded file")
    )
    sums = models.JSONField(_("sums"), null=True, blank=True)

    class Meta(Proposal.Meta):
        verbose_name = _("protocol of the former queue")
        verbose_name_plural = _("protocols of the former queue")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="protocol_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(sums__isnull=False, state=ProposalState.APPROVED)
                | (Q(sums=None) & ~Q(state=ProposalState.APPROVED)),
                name="signed_protocol_has_sums",
            ),
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_protocol_of_a_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
