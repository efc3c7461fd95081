"""How many places a group has: what kindergartens propose and officials confirm."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models.proposals import Proposal
from applications.states import ProposalState
from bulletin.models import MOST_CHILDREN, AgeGroup, Group, Kindergarten, Language
from bulletin.school_years import year_in_words

FIRST_YEAR, LAST_YEAR = 2015, 2099
# More than a group may hold: those from before the norm was checked are counted as they are.
MOST_COUNTED = 500


class Headcount(Proposal):
    """How many children are in a group in a school year, whichever way they came, at the moment of the count.

    Contracts for that school year or an earlier one, signed by then, are among them. The newest approved count of a
    school year counts.
    """

    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        related_name="headcounts",
        verbose_name=pgettext_lazy("of a kindergarten", "group"),
    )
    school_year = models.PositiveSmallIntegerField(_("school year, from September of"))
    children = models.PositiveSmallIntegerField(
        _("children in the group"), validators=[MaxValueValidator(MOST_COUNTED)]
    )
    counted_at = models.DateTimeField(_("counted at"))

    class Meta(Proposal.Meta):
        verbose_name = _("count of children")
        verbose_name_plural = _("counts of children")
        ordering = ["-counted_at", "-id"]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(condition=Q(children__lte=MOST_COUNTED), name="headcount_children_bounds"),
            models.CheckConstraint(
                condition=Q(school_year__gte=FIRST_YEAR, school_year__lte=LAST_YEAR),
                name="headcount_school_year_bounds",
            ),
            models.UniqueConstraint(
                fields=["group", "school_year"],
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_count_per_group_and_year",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group.kindergarten} · {self.group} · {self.years}"

    @property
    def years(self) -> str:
        return year_in_words(self.school_year)


class GroupProposal(Proposal):
    """A new group, or other data of one that there is, as they would be."""

    kindergarten = models.ForeignKey(
        Kindergarten, on_delete=models.CASCADE, related_name="+", verbose_name=_("kindergarten")
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposals",
        verbose_name=pgettext_lazy("of a kindergarten", "group"),
        help_text=_("Empty: a new group."),
    )
    name = models.CharField(
        _("group name"), max_length=80, help_text=_("A proper name, the same in both languages.")
    )
    age_group = models.CharField(_("age group"), max_length=5, choices=AgeGroup.choices)
    language = models.CharField(_("language of education"), max_length=2, choices=Language.choices)
    regime = models.CharField(
        _("group type"), max_length=5, choices=Group.Regime.choices, default=Group.Regime.DAY
    )
    capacity = models.PositiveSmallIntegerField(
        _("capacity"), validators=[MinValueValidator(1), MaxValueValidator(MOST_CHILDREN)]
    )

    class Meta(Proposal.Meta):
        verbose_name = _("proposal of a group")
        verbose_name_plural = _("proposals of groups")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=Q(capacity__gte=1, capacity__lte=MOST_CHILDREN),
                name="group_proposal_capacity_bounds",
            ),
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_proposal_per_group",
            ),
            models.UniqueConstraint(
                fields=["kindergarten", "name"],
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_proposal_per_name",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kindergarten} · {self.name}"
