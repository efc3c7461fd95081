"""Benefits that bring a child forward, and their categories."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.states import BenefitState, Tier


class BenefitCategory(models.Model):
    """A ground on which a child stands earlier in the queue (льгота): data, edited by officials."""

    slug = models.SlugField(_("code"), unique=True)
    name_kk = models.CharField(_("name in Kazakh"), max_length=200)
    name_ru = models.CharField(_("name in Russian"), max_length=200)
    proof_kk = models.CharField(_("required proof in Kazakh"), max_length=300)
    proof_ru = models.CharField(_("required proof in Russian"), max_length=300)
    tier = models.PositiveSmallIntegerField(
        _("part of the queue"),
        choices=[choice for choice in Tier.choices if choice[0] != Tier.GENERAL],
    )
    valid_days = models.PositiveSmallIntegerField(
        _("valid from the date of the paper for, calendar days"),
        null=True,
        blank=True,
        help_text=_("Empty: until the child gets a place."),
    )
    is_active = models.BooleanField(_("can be claimed"), default=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("benefit category")
        verbose_name_plural = _("benefit categories")
        ordering = ["tier", "order", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_ru if get_language() == "ru" else self.name_kk

    @property
    def proof(self) -> str:
        return self.proof_ru if get_language() == "ru" else self.proof_kk


class Benefit(models.Model):
    """A family's claim to a benefit: it counts only once an official has verified it, and for a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="benefits", verbose_name=_("application")
    )
    category = models.ForeignKey(
        BenefitCategory, on_delete=models.PROTECT, related_name="benefits", verbose_name=_("benefit category")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=BenefitState.choices, default=BenefitState.CLAIMED
    )
    document = models.FileField(_("document"), upload_to="benefits/")
    original_name = models.CharField(_("name of the file"), max_length=150)
    claimed_at = models.DateTimeField(_("claimed at"))
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("claimed by")
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
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    valid_until = models.DateTimeField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("The first instant at which it does not count; empty: without an end."),
    )

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        ordering = ["-claimed_at", "-id"]
        constraints = [
            # Two constraints, so that a benefit can be proved again while the former proof still counts.
            models.UniqueConstraint(
                fields=["application", "category"],
                condition=Q(state=BenefitState.CLAIMED),
                name="one_open_claim_per_category",
            ),
            models.UniqueConstraint(
                fields=["application", "category"],
                condition=Q(state=BenefitState.VERIFIED),
                name="one_counted_benefit_per_category",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"], condition=Q(state=BenefitState.VERIFIED), name="benefit_expiry"
            ),
            models.Index(
                fields=["claimed_at"], condition=Q(state=BenefitState.CLAIMED), name="benefit_to_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.category}"

    def counts(self, *, now: datetime) -> bool:
        """Whether it brings the child forward at `now`: a late sweep gives nobody a minute more."""
        return self.state == BenefitState.VERIFIED and (self.valid_until is None or now < self.valid_until)
