"""What waits for a second person, and how it is decided: shared by groups, counts of children and rules."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import is_one_with
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    ConfirmForm,
    SeenForm,
    Words,
    Work,
    WorkAdmin,
    reason_field,
    staff_of,
    tag,
)
from applications.states import ProposalState

TONES = {
    ProposalState.PROPOSED: "warning",
    ProposalState.APPROVED: "success",
    ProposalState.DECLINED: "neutral",
    ProposalState.ENDED: "neutral",
    ProposalState.WITHDRAWN: "neutral",
}
DECIDED_FIELDS = ["proposed_at", "proposed_by", "decided_at", "decided_by", "decision_reason"]


class DeclineForm(forms.Form):
    reason = reason_field(
        help_text=_("Employees read it at the proposal."),
    )


class WaitsForYou(admin.SimpleListFilter):
    """What an employee may decide: the start page links to it."""

    title = _("decision")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("you", _("waits for your decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Nobody decides on a proposal of their own, or of whoever counts as them."""
        if self.value() != "you":
            return queryset
        own = is_one_with(staff_of(request), path="proposed_by")
        return queryset.filter(state=ProposalState.PROPOSED).exclude(own)


def waits(proposal: Any, now: datetime) -> bool:
    """Whether the proposal is still open."""
    return bool(proposal.state == ProposalState.PROPOSED)


def decisions(
    *,
    permission: str,
    approve: Callable[..., Any],
    decline: Callable[..., Any],
    label: Words,
    consequence: Words,
    done: Words,
    otherwise: Words,
    seen: Callable[[Any], str] | None = None,
) -> list[Work]:
    """The two buttons of a proposal: `approve(proposal, actor, now)` with its words, and `decline(…, reason)`.

    `otherwise` says what stays as it is if it is declined. With `seen(proposal)`, the mark of what else the page
    showed, it is `approve(proposal, actor, seen, now)`. Both services enter the journal themselves.
    """

    def perform_approval(proposal: Any, actor: User, data: dict[str, Any], now: datetime) -> None:
        approve(proposal, actor=actor, now=now, **data)

    def perform_decline(proposal: Any, actor: User, data: dict[str, Any], now: datetime) -> None:
        decline(proposal, actor=actor, reason=data["reason"], now=now)

    return [
        Work(
            name="approve",
            label=label,
            consequence=consequence,
            done=done,
            permission=permission,
            offered=waits,
            perform=perform_approval,
            form=SeenForm if seen else ConfirmForm,
            initial=(lambda proposal: {"seen": seen(proposal)}) if seen else None,
            is_in_journal=True,
        ),
        Work(
            name="decline",
            label=_("Decline"),
            consequence=otherwise,
            done=_("The proposal is declined. Nothing changed."),
            permission=permission,
            offered=waits,
            perform=perform_decline,
            form=DeclineForm,
            danger=True,
            is_in_journal=True,
        ),
    ]


class ProposalAdmin(InTurn, WorkAdmin):
    """What waits to be decided, and what became of the rest."""

    ordering = ["-proposed_at"]
    most_urgent = ("proposed_at", "pk")

    def waiting_for(self, employee: User) -> QuerySet[Any]:
        """Nobody decides on a proposal of their own."""
        open_ones: QuerySet[Any] = self.model._default_manager.filter(state=ProposalState.PROPOSED)
        return open_ones.exclude(proposed_by=employee)

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Any) -> str:
        return tag(obj.get_state_display(), tone=TONES[ProposalState(obj.state)])
