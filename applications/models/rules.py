"""Periods and sizes in force."""

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from bulletin.models import Locality


class Rules(models.Model):
    """Periods and sizes in force from a date, for all localities or for one.

    The defaults are the manual's. A change never shortens a promise already shown: deadlines are stored as instants
    when they are promised.
    """

    locality = models.ForeignKey(
        Locality,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("locality"),
        help_text=_("Empty: for all localities that have no rules of their own."),
    )
    valid_from = models.DateField(_("valid from"))
    referral_working_days = models.PositiveSmallIntegerField(
        _("referral is valid, working days"), default=5, validators=[MinValueValidator(1)]
    )
    extension_calendar_days = models.PositiveSmallIntegerField(
        _("longest extension, calendar days"), default=30, validators=[MinValueValidator(1)]
    )
    stop_working_days = models.PositiveSmallIntegerField(_("stop-list, working days"), default=10)
    priority_working_days = models.PositiveSmallIntegerField(_("priority window, working days"), default=3)
    priority_seats_multiple = models.PositiveSmallIntegerField(
        _("families in the priority window per seat"), default=3, validators=[MinValueValidator(1)]
    )
    general_per_priority = models.PositiveSmallIntegerField(
        _("general children after each priority child"), default=3, validators=[MinValueValidator(1)]
    )
    activation_working_days = models.PositiveSmallIntegerField(
        _("kindergarten answers a bid within, working days"), default=2, validators=[MinValueValidator(1)]
    )
    publication_lead_hours = models.PositiveSmallIntegerField(
        _("a place is published before its opening by, hours"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(336)],
        help_text=_(
            "Collected bids are collected for so long, too. Twelve hours let all who match hear of it."
        ),
    )
    archive_undo_hours = models.PositiveSmallIntegerField(_("archive can be undone for, hours"), default=24)
    youngest_age = models.PositiveSmallIntegerField(
        _("youngest age by birth year"), default=0, validators=[MaxValueValidator(10)]
    )
    oldest_age = models.PositiveSmallIntegerField(
        _("oldest age by birth year"), default=7, validators=[MaxValueValidator(10)]
    )

    interest_month = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, month"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    interest_day = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, day"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
    )
    interest_campaign_days = models.PositiveSmallIntegerField(
        _("the campaign begins before that date by, calendar days"), default=60
    )
    interest_grace_days = models.PositiveSmallIntegerField(
        _("a lapsed application can be restored for, calendar days"), default=90
    )
    moving_keeps_date = models.BooleanField(
        _("who moves here from another locality keeps the date of filing"), default=True
    )

    class Meta:
        verbose_name = _("rules")
        verbose_name_plural = _("rules")
        ordering = ["-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "valid_from"], nulls_distinct=False, name="one_set_of_rules_per_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.valid_from:%d.%m.%Y}"

    def admits(self, birth_year: int, *, on: date) -> bool:
        """Whether these rules let a child of that birth year wait on a day. Age counts by birth year only."""
        return self.youngest_age <= on.year - birth_year <= self.oldest_age
