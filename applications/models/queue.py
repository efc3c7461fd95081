"""How many are in each part of a queue, and corrections by official decision."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.states import CorrectionState, Tier
from bulletin.models import Locality


class QueueCount(models.Model):
    """One addend: the rows of a locality, birth year, tier and month add up to how many stand in that part of a queue.

    Only the trigger on applications writes here, whoever the writer is: a +1 or a -1, in the transaction that brought
    an application in, out or elsewhere. Rows are never updated, so writers never wait for each other;
    `applications.queue.buckets` folds them.
    """

    locality = models.ForeignKey(
        Locality, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    birth_year = models.PositiveSmallIntegerField()
    tier = models.PositiveSmallIntegerField(choices=Tier.choices)
    # The first day of the month of filing, in UTC.
    month = models.DateField()
    n = models.IntegerField()
    folded = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["locality", "birth_year", "tier", "month"], include=["n"], name="queue_count_sum"
            ),
            models.Index(
                fields=["locality", "birth_year", "tier", "month"],
                condition=Q(folded=False),
                name="queue_count_loose",
            ),
        ]


class Correction(models.Model):
    """A change of the queue by an official decision, carried out only after a second official has approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="corrections", verbose_name=_("application")
    )
    new_filed_at = models.DateTimeField(_("new time of filing"), null=True, blank=True)
    new_birth_year = models.PositiveSmallIntegerField(_("new birth year"), null=True, blank=True)
    previous_filed_at = models.DateTimeField(_("previous time of filing"))
    previous_birth_year = models.PositiveSmallIntegerField(_("previous birth year"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    document_number = models.CharField(_("number of the order"), max_length=60, blank=True)
    document_date = models.DateField(_("date of the order"))
    state = models.CharField(
        _("state"), max_length=10, choices=CorrectionState.choices, default=CorrectionState.PROPOSED
    )
    proposed_at = models.DateTimeField(_("proposed at"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("proposed by"),
        help_text=_("Empty: the portal itself, since the person registry has another birth year."),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(new_filed_at__isnull=False) | Q(new_birth_year__isnull=False),
                name="correction_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(proposed_by=None) | ~Q(decided_by=F("proposed_by")),
                name="correction_four_eyes",
            ),
            # The registry corrects birth years only; everything else is ordered by somebody.
            models.CheckConstraint(
                condition=Q(proposed_by=None, new_filed_at=None, document_number="")
                | (Q(proposed_by__isnull=False) & ~Q(document_number="") & ~Q(reason="")),
                name="correction_has_its_source",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state=CorrectionState.PROPOSED),
                name="one_open_correction_per_application",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.source}"

    @property
    def is_of_registry(self) -> bool:
        """Whether the portal proposed it by itself, for the person registry."""
        return self.proposed_by_id is None

    @property
    def source(self) -> str:
        """The order, or the registry, in the language of the page."""
        return gettext("Person registry") if self.is_of_registry else f"№ {self.document_number}"

    @property
    def why(self) -> str:
        """The reason, in the language of the page where nobody wrote it."""
        return gettext("The birth date of the child was corrected.") if self.is_of_registry else self.reason
