"""What is asked about a referral that has ended: nobody can decide it any more, so it is closed by itself."""

from datetime import datetime

from django.urls import reverse

from accounts import audit
from applications.journal_actions import Action
from applications.models import Application, Referral, UndoRequest
from applications.moves import trace
from applications.states import ProposalState, UndoKind
from notifications.services import enqueue


def close_requests(referral: Referral, application: Application, *, now: datetime) -> None:
    """Close an open request to take the coming of the family back, and tell whoever asked for it.

    The referral is locked and has its last state; what else can be asked for is asked after its end.
    """
    for request in UndoRequest.objects.filter(
        bid=referral.bid_id, kind=UndoKind.NOTED, state=ProposalState.PROPOSED
    ).select_related("proposed_by"):
        request.state, request.decided_at = ProposalState.ENDED, now
        request.save(update_fields=["state", "decided_at"])
        action = Action.UNDO_ENDED
        trace(application, action, actor=None, now=now)
        audit.record(action, actor=None, target=application.number, about=request, now=now)
        enqueue(
            request.proposed_by,
            "staff_undo_ended",
            context={"referral": referral},
            dedupe_key=f"undo-ended:{request.pk}",
            now=now,
            link=reverse("admin:applications_undorequest_change", args=[request.pk]),
        )
