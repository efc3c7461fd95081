"""An application of the former queue that waits for its family: what proves whose it is, and the button."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import limits
from accounts.decorators import parent_required
from accounts.models import User
from accounts.services import refresh_phone_tie
from applications.access.settling import settle
from applications.models import Application
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import ApplicationState
from applications.views.people import parent
from applications.waiting.claiming import claim, proof_of, unclaimed_of
from children.access import child_for
from children.disputes import side_of
from children.models import Child
from notifications.clock import read_clock


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def claim_former(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The child's application of the former queue: its number and date for who is proven, and what to do for others.

    Where nothing waits (any more), on to the child's application: the second press of the button ends there, too.
    """
    now, user = read_clock(), parent(request)
    child = child_for(user, pk)
    application = _waiting(child, now=now)
    refusal = _refusal(child, user)
    if application is None or refusal is not None:
        if refusal is not None:
            messages.error(request, str(refusal.label))
            return redirect("children:child", child.pk)
        return redirect(_application_of(child) or "applications:list")
    timezone.activate(application.locality.zone)
    # Outside of a transaction: the registry may be slow. Whose number it is, is not asked where the file has it.
    if proof_of(application, user) is None and _may_ask_the_state(user, now=now):
        refresh_phone_tie(user)
    if request.method == "POST":
        try:
            claimed = claim(application, actor=user, now=now)
        except Refused as refused:
            if refused.reason != Refusal.NOT_PROVEN:
                messages.error(request, str(refused))
                return redirect(_application_of(child) or "applications:list")
        else:
            return redirect(f"{claimed.get_absolute_url()}?claimed")
    proof = proof_of(application, user)
    context = {
        "application": application,
        "proof": proof,
        "place": position(application, now=now) if proof else None,
    }
    return render(request, "applications/claim_former.html", context)


def _may_ask_the_state(user: User, *, now: datetime) -> bool:
    """Each opening of the page asks; beyond the limit the last answer holds. The question is counted."""
    return limits.allow(limits.PHONE_TIES_PER_ACCOUNT, str(user.pk), now=now).ok


def _waiting(child: Child, *, now: datetime) -> Application | None:
    """The unclaimed application, brought up to `now`; None if school age has ended it."""
    application = unclaimed_of(child)
    if application is None:
        return None
    settled = settle(application, now=now)
    return settled if settled.state == ApplicationState.WAITING else None


def _refusal(child: Child, user: User) -> Refusal | None:
    side = side_of(child, user)
    return Refusal(side.value) if side is not None and not side.may_begin else None


def _application_of(child: Child) -> Application | None:
    """The newest claimed application of the child, for one of its guardians."""
    return child.applications.filter(filed_by__isnull=False).order_by("-filed_at").first()
