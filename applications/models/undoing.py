"""What an employee asks to undo, and an official decides."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.models.bid import Bid
from applications.models.proposals import Proposal
from applications.states import ProposalState, UndoKind


class UndoRequest(Proposal):
    """What happened to a bid, or to what came of it, by a slip of the hand: asked for by one, decided by another."""

    kind = models.CharField(_("what happened"), max_length=10, choices=UndoKind.choices)
    bid = models.ForeignKey(
        Bid, on_delete=models.PROTECT, related_name="undo_requests", verbose_name=_("bid")
    )
    reason = models.CharField(_("reason"), max_length=500)
    came_on = models.DateField(_("came on"), null=True, blank=True)

    class Meta(Proposal.Meta):
        verbose_name = _("request to undo")
        verbose_name_plural = _("requests to undo")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=(ProposalState.PROPOSED, ProposalState.ENDED))
                | Q(decided_by__isnull=False),
                name="undorequest_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="undo_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(kind=UndoKind.COMING, came_on__isnull=False)
                | (~Q(kind=UndoKind.COMING) & Q(came_on=None)),
                name="only_who_came_has_a_day",
            ),
            models.UniqueConstraint(
                fields=["bid"], condition=Q(state=ProposalState.PROPOSED), name="one_open_undo_per_bid"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application.number}: {self.get_kind_display()}"

    @property
    def application(self) -> Application:
        return self.bid.application
