"""«Жолдаманы тексеру»: whoever holds the paper of a referral sees whether it is valid. No names."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits
from accounts.audit import client_address
from accounts.views.limited import limited
from applications.models import Referral
from applications.referrals.check_codes import grouped, referral_of
from applications.referrals.due import last_day_of
from applications.referrals.verdict import Verdict, verdict
from applications.views.public.forms import ReferralCheckForm
from notifications.clock import read_clock

TONES = {
    Verdict.VALID: "success",
    Verdict.EXTENDED: "success",
    Verdict.USED: "info",
    Verdict.EXPIRED: "warning",
    Verdict.REVOKED: "danger",
    Verdict.UNKNOWN: "danger",
}


@require_http_methods(["GET", "HEAD", "POST"])
def check_referral(request: HttpRequest) -> HttpResponse:
    """The form for who can't scan; the answer stands at the address that the paper's QR code holds."""
    form = ReferralCheckForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect("applications:checked_referral", code=grouped(form.cleaned_data["code"]))
    return _asked(request, form)


@never_cache
@require_safe
def checked_referral(request: HttpRequest, code: str) -> HttpResponse:
    """What is known of the paper with this code, for whoever has it, whatever their neighbours try."""
    now = read_clock()
    form = ReferralCheckForm({"code": code})
    if not form.is_valid():
        return _asked(request, form, status=404)
    referral = referral_of(form.cleaned_data["code"])
    if referral is None:
        counted = [(limits.REFERRAL_CHECK_PER_NETWORK, limits.address_key(client_address(request)))]
        allowed = limits.judge(counted, right=False, now=now)
        if not allowed.ok:
            return limited(request, allowed.retry_at, way="paper")
    else:
        timezone.activate(referral.application.locality.zone)
    found = verdict(referral, now=now)
    context = {
        "code": grouped(form.cleaned_data["code"]),
        "referral": referral,
        "verdict": found,
        "tone": TONES[found],
        "last_day": last_day_of(referral) if referral else None,
        "row_url": _row_in_workplace(request, referral) if referral else "",
    }
    return render(request, "applications/referral_checked.html", context)


def _asked(request: HttpRequest, form: ReferralCheckForm, *, status: int = 200) -> HttpResponse:
    # Papers have the square code where the portal knows its own address.
    context = {"form": form, "has_picture": bool(settings.SITE_URL)}
    return render(request, "applications/referral_check.html", context, status=status)


def _row_in_workplace(request: HttpRequest, referral: Referral) -> str:
    """The referral's page in the workplace; empty for who is no employee, or has another kindergarten's rows only."""
    work = admin.site.get_model_admin(Referral)
    if not (admin.site.has_permission(request) and work.has_view_permission(request)):
        return ""
    is_theirs = work.get_queryset(request).filter(pk=referral.pk).exists()
    return reverse("admin:applications_referral_change", args=[referral.pk]) if is_theirs else ""
