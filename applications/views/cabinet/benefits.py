"""«Жеңілдіктер»: the family's claims, what counts, claiming a benefit and withdrawing it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import accepts, parent_required
from accounts.models import User
from accounts.typed import refilled
from applications.access.family import benefit_for
from applications.benefits.claims import categories_to_claim, claim_benefit, withdraw_benefit
from applications.models import Application, Benefit
from applications.moves import Refused
from applications.preview import is_preview
from applications.refusals import Refusal
from applications.rules.in_force import rules_of_day
from applications.states import LIVE_STATES, BenefitState, Move
from applications.views.cabinet.forms import BenefitForm
from applications.views.cabinet.halted import answer_if_halted, answer_if_not_for
from applications.views.cabinet.sent_files import SentFile, sent_for_benefit, warn_of_losses
from applications.views.people import own_application, parent
from notifications.clock import read_clock

_TAGS = {
    BenefitState.CLAIMED: ("info", "clock"),
    BenefitState.VERIFIED: ("success", "check-circle"),
    BenefitState.REJECTED: ("danger", "cross"),
    BenefitState.WITHDRAWN: ("neutral", "minus"),
    BenefitState.EXPIRED: ("warning", "alert"),
}


@dataclass(frozen=True)
class ShownBenefit:
    """A benefit as the application's page shows it; `last_day` only if it counts, or counted, for a limited time."""

    benefit: Benefit
    tone: str
    icon: str
    last_day: date | None
    may_withdraw: bool
    document: SentFile | None


@dataclass(frozen=True)
class Benefits:
    """The section of the application's page."""

    shown: list[ShownBenefit]
    may_claim: bool


def benefits_of(application: Application, *, reader: User, now: datetime) -> Benefits:
    """The benefits of `application` (settled up to `now`) as `reader` sees them, the newest first."""
    is_live = application.state in LIVE_STATES and not is_preview()
    may_withdraw = is_live and not application.asker_is_bound
    rows = application.benefits.select_related("category", "application__locality")
    return Benefits(
        shown=[_shown(benefit, reader=reader, may_withdraw=may_withdraw, now=now) for benefit in rows],
        may_claim=is_live and application.asker_may_begin and categories_to_claim(application).exists(),
    )


@accepts(settings.UPLOAD_FORM_MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the category, attach the proof. It costs nothing and counts only after the check."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    refused = answer_if_not_for(request, application, Move.FILE)
    if refused is not None:
        return refused
    categories = categories_to_claim(application)
    if application.state not in LIVE_STATES or not categories.exists():
        return render(request, "applications/claim_closed.html", {"application": application})
    form = BenefitForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        sender=user,
        categories=categories,
    )
    form = refilled(request, form)
    if form.is_bound and form.is_valid():
        [upload] = form.copies
        try:
            claim_benefit(
                application,
                form.cleaned_data["category"],
                document=upload.file,
                original_name=upload.name,
                actor=user,
                now=now,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(
                request, _("The benefit is asked for. It counts only after an official has checked it.")
            )
            warn_of_losses(request, [upload])
            return redirect(application)
    ratio = rules_of_day(application.locality, now).general_per_priority
    return render(
        request, "applications/claim.html", {"form": form, "application": application, "ratio": ratio}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def withdraw(request: HttpRequest, pk: UUID, benefit_pk: UUID) -> HttpResponse:
    """Withdraw a benefit, after a confirmation that says what happens to the number."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    benefit = benefit_for(application, benefit_pk)
    if not _may_withdraw(benefit, is_live=application.state in LIVE_STATES, now=now):
        messages.info(request, str(Refusal.BENEFIT_ENDED.label))
        return redirect(application)
    halted = answer_if_halted(request, application)
    if halted is not None:
        return halted
    if request.method == "POST":
        try:
            withdraw_benefit(benefit, actor=user, now=now)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("The benefit is withdrawn. Your date in the queue is kept."))
        return redirect(application)
    context = {"application": application, "benefit": benefit, "counts": benefit.counts(now=now)}
    return render(request, "applications/withdraw_benefit.html", context)


def _shown(benefit: Benefit, *, reader: User, may_withdraw: bool, now: datetime) -> ShownBenefit:
    tone, icon = _TAGS[BenefitState(benefit.state)]
    place, until = benefit.application.locality, benefit.valid_until
    return ShownBenefit(
        benefit=benefit,
        tone=tone,
        icon=icon,
        last_day=place.last_day(until) if until else None,
        may_withdraw=_may_withdraw(benefit, is_live=may_withdraw, now=now),
        document=sent_for_benefit(benefit, sender=reader),
    )


def _may_withdraw(benefit: Benefit, *, is_live: bool, now: datetime) -> bool:
    return is_live and (benefit.state == BenefitState.CLAIMED or benefit.counts(now=now))
