"""The referral in the family's hands: its paper and its one extension."""

import logging
from datetime import date
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.decorators import accepts, parent_required
from accounts.typed import refilled
from applications.access.family import referral_for
from applications.jobs.papers import drop_outdated
from applications.journal_actions import Action
from applications.models import PAPERS_ON_THEIR_WAY, Extension, Referral
from applications.moves import Refused
from applications.preview import is_preview
from applications.referrals.due import last_day_of
from applications.referrals.extending import extend_referral, longest_extension, shortest_extension
from applications.referrals.stored_paper import order_paper
from applications.refusals import Refusal
from applications.states import HAS_PAPER
from applications.views.cabinet.forms import ExtensionForm
from applications.views.cabinet.halted import back_with
from applications.views.cabinet.sent_files import sent_for_extension, warn_of_losses
from applications.views.people import own_application, parent
from children.disputes import is_halted
from notifications.clock import estimate_clock, read_clock

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 5


@require_safe
@parent_required
def referral_pdf(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The paper itself; until it is made, a page that reloads by itself."""
    now, user = estimate_clock(), parent(request)
    application = own_application(request, pk, now=now)
    referral = referral_for(application)
    if referral is None:
        raise Http404
    if referral.state not in HAS_PAPER:
        messages.error(request, str(Refusal.REFERRAL_ENDED.label))
        return redirect(application)
    drop_outdated(referral)
    if not referral.pdf:
        # If the broker is down too, the sweep makes the paper within a minute.
        order_paper(referral, is_waited_for=True)
        response = render(
            request, "applications/referral_wait.html", {"application": application}, status=202
        )
        # A header, not a <meta>: it works without scripts too, and accessibility checkers read only the page.
        response["Refresh"] = str(REFRESH_SECONDS)
        return response
    try:
        with referral.pdf.open("rb") as file:
            paper: bytes = file.read()
    except FileNotFoundError:
        logger.error("the paper of referral %s is missing", referral.pk)
        Referral.objects.filter(pk=referral.pk).update(pdf="")
        return redirect(request.get_full_path())
    audit.record(
        Action.REFERRAL_DOWNLOADED,
        actor=user,
        subject=user,
        target=referral.number,
        address=audit.client_address(request),
        now=now,
    )
    disposition = f'attachment; filename="zholdama-{referral.number}.pdf"'
    return HttpResponse(paper, content_type="application/pdf", headers={"Content-Disposition": disposition})


@accepts(settings.UPLOAD_FORM_MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def extend(request: HttpRequest, pk: UUID) -> HttpResponse:
    """«Жолдаманы ұзарту»: once, with documents, up to the end of its last day."""
    now, user = read_clock(), parent(request)
    application = own_application(request, pk, now=now)
    referral = referral_for(application)
    if referral is None:
        raise Http404
    extension = Extension.objects.filter(referral=referral).first()
    if extension is not None or not referral.is_extendable(now=now):
        context = {
            "application": application,
            "referral": referral,
            "extension": extension,
            "sent": sent_for_extension(application, sender=user),
        }
        return render(request, "applications/extend_closed.html", context)
    if is_preview():
        return back_with(request, application, Refusal.PREVIEW)
    if is_halted(application.child):
        return back_with(request, application, Refusal.HALTED)
    earliest, latest = shortest_extension(referral), longest_extension(referral)
    if earliest > latest:
        messages.error(request, str(Refusal.NO_WORKING_DAY.label))
        return redirect(application)
    form = ExtensionForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        sender=user,
        earliest=earliest,
        latest=latest,
    )
    form = refilled(request, form)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            extended = extend_referral(
                referral,
                actor=user,
                until=data["until"],
                reason=data["reason"],
                explanation=data["explanation"].strip(),
                documents=[(upload.name, upload.file) for upload in form.copies],
                now=now,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(
                request,
                _(
                    "The referral is extended, last day: %(day)s. Download the new paper: it shows the new day."
                )
                % {"day": _shown(last_day_of(extended.referral))},
            )
            warn_of_losses(request, form.copies)
            return redirect(application)
    return render(
        request,
        "applications/extend.html",
        {
            "form": form,
            "application": application,
            "referral": referral,
            "last_day": last_day_of(referral),
            "choose_until": "" if referral.is_valid(now=now) else _last_choice(referral),
        },
    )


def _shown(day: date) -> str:
    return f"{day:%d.%m.%Y}, {date_format(day, 'l').lower()}"


def _last_choice(referral: Referral) -> str:
    """Until when a family whose papers were in time may choose other files, in the locality's zone."""
    assert referral.handed_in_at is not None
    until = referral.handed_in_at + PAPERS_ON_THEIR_WAY
    return date_format(until.astimezone(referral.application.locality.zone), "H:i")
