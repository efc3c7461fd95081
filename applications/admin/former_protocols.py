"""Protocols of the former queue: proposed on the page of a reconciliation, signed by another official, printed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import one_with
from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, WaitsForYou, decisions
from applications.admin.work import Rows, Work, link, staff_of, tag
from applications.city.protocols import (
    SIGN,
    decline_protocol,
    sign_protocol,
    sums_in,
)
from applications.city.reconciled_lines import reconciled
from applications.city.reconciling import Outcome
from applications.city.sums import sums_of
from applications.decisions.former import protocols_to_sign
from applications.models import FormerProtocol
from applications.refusals import Refusal
from applications.states import ProposalState
from notifications.clock import estimate_clock


@admin.register(FormerProtocol)
class FormerProtocolAdmin(ProposalAdmin):
    """Which protocols there are, who signed each, and the sums that were signed."""

    permission_to_decide = SIGN
    list_display = ["shown_batch", "proposed_at", "proposed_by", "decided_at", "shown_state"]
    list_filter = [WaitsForYou, "state"]
    list_select_related = ["batch", "proposed_by__employee"]
    fields = ["shown_state", "shown_batch", "reconciliation", *DECIDED_FIELDS, "signed_sums"]
    works = decisions(
        permission=SIGN,
        approve=sign_protocol,
        decline=decline_protocol,
        label=_("Sign"),
        consequence=_(
            "The sums of this moment stand still under both names, and everyone reads the counts on the site; a count "
            "under five is hidden. Look at the reconciliation first."
        ),
        done=_("The protocol is signed. It can be printed, and the counts are on the site."),
        otherwise=_("Nothing is signed, and the decisions about the lines stay as they are."),
    )

    def waiting_for(self, employee: User) -> QuerySet[FormerProtocol]:
        return protocols_to_sign(employee)

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: Any) -> str:
        """Whoever proposed it does not sign it a second time, nor who counts as them."""
        return str(Refusal.PROPOSER.label) if obj.proposed_by_id in one_with(staff_of(request)) else ""

    def summary(self, obj: FormerProtocol) -> Rows:
        return [
            {"label": gettext("loaded file"), "value": obj.batch.file_name},
            {"label": gettext("Reconciliation"), "value": self.reconciliation(obj)},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]

    def summary_for(self, obj: FormerProtocol, work: Work) -> Rows:
        """Whoever signs second sees the sums that they sign."""
        if work.name != "approve" or obj.batch.undone_at is not None:
            return self.summary(obj)
        kept = reconciled(obj.batch, None, now=estimate_clock())
        sums = sums_of(kept.found)
        lines = {"label": gettext("Lines in the file"), "value": sums.lines}
        decided = "; ".join(f"{kind.label}: {count}" for kind, count in sums.decisions.items())
        return [
            *self.summary(obj),
            {"label": gettext("As of"), "value": localize(timezone.localtime(kept.at))},
            lines,
            *({"label": outcome.label, "value": sums.outcomes[outcome]} for outcome in Outcome),
            {"label": gettext("Decided about by officials"), "value": decided or "—"},
        ]

    @admin.display(description=_("loaded file"), ordering="batch")
    def shown_batch(self, obj: FormerProtocol) -> str:
        return obj.batch.file_name

    @admin.display(description=_("Reconciliation"))
    def reconciliation(self, obj: FormerProtocol) -> str:
        return link(reverse("admin:reconciliation", args=[obj.batch_id]), gettext("Look at it"))

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: FormerProtocol) -> str:
        if obj.batch.undone_at is not None:
            return tag(gettext("the file was undone"), tone="danger")
        if obj.state == ProposalState.APPROVED:
            return tag(gettext("signed by two officials"), tone="success")
        return super().shown_state(obj)

    @admin.display(description=_("sums"))
    def signed_sums(self, obj: FormerProtocol) -> str:
        if obj.state != ProposalState.APPROVED:
            return gettext("They are kept when it is signed.")
        outcomes = sums_in(obj).outcomes
        told = "; ".join(f"{outcome.label}: {outcomes[outcome]}" for outcome in Outcome)
        return link(reverse("admin:former_protocol", args=[obj.pk]), f"{told}. {gettext('Print')}")
