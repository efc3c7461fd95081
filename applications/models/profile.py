"""A kindergarten's public page as its employees would have it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.proposals import Proposal
from applications.states import ProposalState
from bulletin.models import Kindergarten, ProfileValues


class ProfileProposal(Proposal, ProfileValues):
    """The whole page as it would be; an official confirms or declines it."""

    kindergarten = models.ForeignKey(
        Kindergarten,
        on_delete=models.CASCADE,
        related_name="profile_proposals",
        verbose_name=_("kindergarten"),
    )

    class Meta(Proposal.Meta):
        verbose_name = _("proposal of a kindergarten's page")
        verbose_name_plural = _("proposals of kindergartens' pages")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            *Proposal.Meta.constraints,
            *ProfileValues.Meta.constraints,
            models.UniqueConstraint(
                fields=["kindergarten"],
                condition=Q(state=ProposalState.PROPOSED),
                name="one_open_proposal_per_page",
            ),
        ]

    def __str__(self) -> str:
        return str(self.kindergarten)
