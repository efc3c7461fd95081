"""Periods and sizes: those in force, and those that wait for a second official."""

from datetime import date, datetime
from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.models.proposals import Proposal
from applications.states import ProposalState
from bulletin.models import MOST_CHILDREN, Locality

# The least and the most of every size and period, in the form and in the database. A campaign leaves time for all its
# reminders, a grace ends before the next campaign does, and every last day lies within the calendar of working days.
BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "referral_working_days": (1, 20),
    "coming_working_days": (1, 20),
    "extension_calendar_days": (1, 90),
    "stop_working_days": (1, 60),
    "priority_working_days": (0, 10),
    "priority_seats_multiple": (1, 100),
    "general_per_priority": (1, 20),
    "activation_working_days": (1, 10),
    "offer_working_days": (1, 10),
    "publication_lead_hours": (1, 336),
    "most_in_group": (5, MOST_CHILDREN),
    "archive_undo_hours": (1, 168),
    "youngest_age": (0, 6),
    "oldest_age": (3, 10),
    "complaint_working_days": (1, 15),
    "interest_month": (1, 12),
    "interest_day": (1, 28),
    "interest_campaign_days": (14, 180),
    "interest_grace_days": (7, 300),
}
EARLIEST, LATEST = date(2015, 1, 1), date(2099, 12, 31)


def _within(name: str) -> list[MinValueValidator | MaxValueValidator]:
    least, most = BOUNDS[name]
    return [MinValueValidator(least), MaxValueValidator(most)]


class RuleValues(models.Model):
    """The periods and sizes themselves. The defaults are the manual's."""

    referral_working_days = models.PositiveSmallIntegerField(
        _("referral is valid, working days"), default=5, validators=_within("referral_working_days")
    )
    coming_working_days = models.PositiveSmallIntegerField(
        _("the contract is signed after the family came within, working days"),
        default=5,
        db_default=5,
        validators=_within("coming_working_days"),
        help_text=_(
            "After the kindergarten noted that the family came with its papers, or after something was undone."
        ),
    )
    extension_calendar_days = models.PositiveSmallIntegerField(
        _("longest extension, calendar days"), default=30, validators=_within("extension_calendar_days")
    )
    stop_working_days = models.PositiveSmallIntegerField(
        _("stop-list, working days"), default=10, validators=_within("stop_working_days")
    )
    priority_working_days = models.PositiveSmallIntegerField(
        _("priority window, working days"), default=3, validators=_within("priority_working_days")
    )
    priority_seats_multiple = models.PositiveSmallIntegerField(
        _("families in the priority window per seat"),
        default=3,
        validators=_within("priority_seats_multiple"),
    )
    general_per_priority = models.PositiveSmallIntegerField(
        _("general children after each priority child"), default=3, validators=_within("general_per_priority")
    )
    activation_working_days = models.PositiveSmallIntegerField(
        _("kindergarten answers a bid within, working days"),
        default=2,
        validators=_within("activation_working_days"),
    )
    offer_working_days = models.PositiveSmallIntegerField(
        _("a family answers the offer of a place within, working days"),
        default=2,
        db_default=2,
        validators=_within("offer_working_days"),
        help_text=_("Of a place that was given back after places had been given by queue number."),
    )
    publication_lead_hours = models.PositiveSmallIntegerField(
        _("a place is published before its opening by, hours"),
        default=1,
        validators=_within("publication_lead_hours"),
        help_text=_(
            "Collected bids are collected for so long, too. Twelve hours let all who match hear of it."
        ),
    )
    most_in_group = models.PositiveSmallIntegerField(
        _("a group holds at most, children (sanitary norm)"),
        default=26,
        db_default=26,
        validators=_within("most_in_group"),
    )
    archive_undo_hours = models.PositiveSmallIntegerField(
        _("archive can be undone for, hours"), default=24, validators=_within("archive_undo_hours")
    )
    youngest_age = models.PositiveSmallIntegerField(
        _("youngest age by birth year"), default=0, validators=_within("youngest_age")
    )
    oldest_age = models.PositiveSmallIntegerField(
        _("oldest age by birth year"), default=7, validators=_within("oldest_age")
    )

    complaint_working_days = models.PositiveSmallIntegerField(
        _("a complaint is answered within, working days"),
        default=5,
        db_default=5,
        validators=_within("complaint_working_days"),
        help_text=_("The family may say for as long after the answer that it solves nothing."),
    )
    interest_month = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, month"), default=10, validators=_within("interest_month")
    )
    interest_day = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, day"), default=1, validators=_within("interest_day")
    )
    interest_campaign_days = models.PositiveSmallIntegerField(
        _("the campaign begins before that date by, calendar days"),
        default=60,
        validators=_within("interest_campaign_days"),
    )
    interest_grace_days = models.PositiveSmallIntegerField(
        _("a lapsed application can be restored for, calendar days"),
        default=90,
        validators=_within("interest_grace_days"),
    )
    moving_keeps_date = models.BooleanField(
        _("who moves here from another locality keeps the date of filing"), default=True
    )

    class Meta:
        abstract = True
        constraints = [
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__gte": least, f"{name}__lte": most}),
                    name=f"%(class)s_{name}_bounds",
                )
                for name, (least, most) in BOUNDS.items()
            ),
            models.CheckConstraint(
                condition=Q(youngest_age__lte=F("oldest_age")), name="%(class)s_youngest_below_oldest"
            ),
        ]

    def admits(self, birth_year: int, *, on: date) -> bool:
        """Whether these rules let a child of that birth year wait on a day. Age counts by birth year only."""
        return self.youngest_age <= on.year - birth_year <= self.oldest_age


VALUES: Final = tuple(field.name for field in RuleValues._meta.fields)


class Rules(RuleValues):
    """Periods and sizes in force from a date, for all localities or for one.

    A change never shortens a promise already shown: deadlines are stored as instants when they are promised. In an
    emergency what is newly promised goes by them from the instant `early_from` on, within the day before `valid_from`;
    what is counted in whole days (the ratio of the queue, campaigns, school age) from `valid_from` as ever.
    """

    locality = models.ForeignKey(
        Locality,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("locality"),
        help_text=_("Empty: for all localities that have no rules of their own."),
    )
    valid_from = models.DateField(
        _("valid from"), validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
    )
    early_from = models.DateTimeField(
        _("in an emergency already from"), null=True, blank=True, editable=False
    )

    class Meta(RuleValues.Meta):
        verbose_name = _("rules")
        verbose_name_plural = _("rules")
        ordering = ["-valid_from", F("early_from").desc(nulls_last=True)]
        constraints = [
            *RuleValues.Meta.constraints,
            models.UniqueConstraint(
                fields=["locality", "valid_from", "early_from"],
                nulls_distinct=False,
                name="one_set_of_rules_per_instant",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__gte=EARLIEST, valid_from__lte=LATEST), name="rules_valid_from_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from:%d.%m.%Y}"

    def has_begun(self, at: datetime, *, day: date) -> bool:
        """Whether they hold for what is promised at an instant, which lies in the local `day`."""
        return self.valid_from <= day or (self.early_from is not None and self.early_from <= at)


class RulesProposal(Proposal, RuleValues):
    """Rules that one official proposed and another one carries out or declines (four eyes).

    Rules for all localities, and those of an emergency, come into force in no other way.
    """

    locality = models.ForeignKey(
        Locality, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("locality")
    )
    valid_from = models.DateField(
        _("valid from"), null=True, blank=True, help_text=_("Empty: an emergency, from the approval on.")
    )
    reason = models.CharField(_("reason"), max_length=500)

    class Meta(RuleValues.Meta):
        verbose_name = _("proposal of rules")
        verbose_name_plural = _("proposals of rules")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            *RuleValues.Meta.constraints,
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="rules_four_eyes"
            ),
            models.UniqueConstraint(
                fields=["locality"],
                nulls_distinct=False,
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_proposal_of_rules",
            ),
        ]

    def __str__(self) -> str:
        place = self.locality.name if self.locality else gettext("All localities")
        return f"{place}, {self.valid_from:%d.%m.%Y}" if self.valid_from else place

    @property
    def is_emergency(self) -> bool:
        return self.valid_from is None
