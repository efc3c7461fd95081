"""A guardian by papers: handing them in, where they stand, and the IIN that a child got later."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits
from accounts.audit import client_address
from accounts.decorators import accepts, parent_required
from accounts.devices import known_device
from accounts.file_response import file_response
from accounts.registry import RegistryUnavailable
from accounts.typed import refilled
from accounts.views.code_step import too_many
from applications.guardians.claims import ChildOnPaper, hand_in
from applications.guardians.joining import join_iin
from applications.moves import Refused
from applications.refusals import Refusal
from applications.views.cabinet.forms import GuardianClaimForm, JoinForm
from applications.views.cabinet.sent_files import warn_of_losses
from applications.views.people import parent
from applications.waiting.filing import file_by
from children.access import child_for
from children.models import Child, ClaimPaper, GuardianClaim
from notifications.clock import read_clock

_TAGS = {
    GuardianClaim.State.HANDED_IN: ("info", "clock"),
    GuardianClaim.State.CHECKED: ("info", "clock"),
    GuardianClaim.State.APPROVED: ("success", "check-circle"),
    GuardianClaim.State.REFUSED: ("danger", "cross"),
}

# In the session: which child the one whose IIN was entered last has become.
_BECAME = "child_became"


@accepts(settings.UPLOAD_FORM_MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def new_claim(request: HttpRequest) -> HttpResponse:
    """The child, why by papers, and the papers."""
    now, user = read_clock(), parent(request)
    is_sent = request.method == "POST"
    form = GuardianClaimForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        sender=user,
        today=timezone.localdate(now),
    )
    form = refilled(request, form)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            claim = hand_in(
                user,
                ChildOnPaper(
                    iin=data["iin"],
                    paper_number=data["paper_number"],
                    last_name=data["last_name"],
                    first_name=data["first_name"],
                    middle_name=data["middle_name"],
                    birth_date=data["birth_date"],
                    sex=data["sex"],
                ),
                documents=[(copy.name, copy.file) for copy in form.copies],
                address=client_address(request),
                now=now,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The papers are handed in. Two officials look at them."))
            warn_of_losses(request, form.copies)
            return redirect("applications:guardian_claim", claim.pk)
    return render(request, "applications/guardian_claim_new.html", {"form": form})


@require_safe
@parent_required
def claim_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Where the papers stand, why they were refused, and what to do next."""
    claim, now = _own(request, pk), read_clock()
    tone, icon = _TAGS[GuardianClaim.State(claim.state)]
    is_approved = claim.state == GuardianClaim.State.APPROVED
    until = file_by(claim) if is_approved else None
    number = claim.masked_identity
    context: dict[str, Any] = {
        "claim": claim,
        "tone": tone,
        "icon": icon,
        "papers": claim.papers.all(),
        "is_approved": is_approved,
        "is_late": claim.is_late(now=now),
        "contact_phones": settings.CONTACT_PHONES,
        "file_by": until if until is not None and now < until else None,
        "rows": [
            {"label": _("Full name"), "value": claim.full_name},
            {"label": _("Date of birth"), "at": claim.birth_date, "show": "date"},
            {"label": _("IIN") if claim.iin else _("Number of the certificate"), "value": number},
            {"label": _("Handed in"), "at": claim.made_at},
        ],
    }
    return render(request, "applications/guardian_claim.html", context)


@require_safe
@parent_required
def claim_paper(request: HttpRequest, pk: UUID, paper_pk: int) -> HttpResponse:
    """One of the papers, for whoever handed it in."""
    claim = _own(request, pk)
    paper: ClaimPaper | None = claim.papers.filter(pk=paper_pk).first()
    if paper is None:
        raise Http404
    try:
        return file_response(paper.file, name=paper.original_name, shown=True)
    except FileNotFoundError:
        messages.info(request, _("This file is no longer kept."))
        return redirect("applications:guardian_claim", claim.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def join(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The IIN of a child that came without one."""
    became = request.session.get(_BECAME, {}).get(str(pk))
    if became is not None:
        # The second press of the button: the child of this address is another one by now.
        return redirect("children:child", became)
    child = child_for(parent(request), pk)
    if child.iin:
        messages.info(request, str(Refusal.HAS_IIN.label))
        return redirect("children:child", child.pk)
    form = JoinForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        answer = _join(request, child, form, now=read_clock())
        if answer is not None:
            return answer
    return render(request, "applications/join_iin.html", {"form": form, "child": child})


def _join(request: HttpRequest, child: Child, form: JoinForm, *, now: datetime) -> HttpResponse | None:
    """Lead on to the page of the child, or say in the form what is wrong."""
    user, address = parent(request), client_address(request)
    account = str(user.pk)
    allowed = limits.allow_lookup(
        account, address=address, device=known_device(request, user.username), now=now
    )
    if not allowed.ok:
        form.add_error("iin", too_many(allowed.retry_at, now=now))
        return None
    try:
        joined = join_iin(child, form.cleaned_data["iin"], actor=user, address=address, now=now)
    except Refused as refused:
        if refused.reason == Refusal.HAS_IIN:
            # Entered at the same moment; the child may have become one with another, whose page is on the list.
            limits.lookup_was_harmless(account, now=now)
            messages.info(request, str(refused))
            return redirect("children:list")
        if refused.reason == Refusal.IIN_NOT_OF_CHILD:
            limits.lookup_failed(account, address=address, now=now)
        form.add_error("iin", str(refused))
        return None
    except RegistryUnavailable:
        limits.lookup_was_harmless(account, now=now)
        form.add_error(None, _("The person registry does not answer now. Try again in a few minutes"))
        return None
    limits.lookup_was_harmless(account, now=now)
    if joined.pk != child.pk:
        request.session[_BECAME] = {str(child.pk): str(joined.pk)}
    messages.success(request, _("The IIN is entered. The child, its application and its date stay."))
    return redirect("children:child", joined.pk)


def _own(request: HttpRequest, pk: UUID) -> GuardianClaim:
    """What the reader handed in; others' is 404."""
    claim = GuardianClaim.objects.filter(pk=pk, user=parent(request)).first()
    if claim is None:
        raise Http404
    return claim
