"""A lost number: the new one and its code, then whose account it is, then a code to a contact proven before.

Every page is the same for an account that exists and one that does not. Whoever has no such contact is told whom to
call: the contact centre moves the account with a document (`applications.workplace`).
"""

from dataclasses import replace
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.audit import client_address
from accounts.contacts import Way
from accounts.devices import known_device
from accounts.forms import CodeForm, ContactCodeForm, LostNumberForm
from accounts.identity import Identity
from accounts.models import SmsCode, User
from accounts.numbers import recovery, rules
from accounts.numbers.moves import NotMoved
from accounts.progress import Lost, instant, keep_lost, keep_session_secret, lost_of, session_secret
from accounts.sms_codes import LIFETIME, RESEND_AFTER, TooManyCodes
from accounts.views import code_step
from notifications.clock import read_clock

NEW = SmsCode.Purpose.NEW_NUMBER


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """The new number. Opened again later, it starts over with another one.

    Also for whoever is signed in to an account without a number, as after a sign-in by a provider of identity.
    """
    if request.user.is_authenticated and not _is_without_number(request.user):
        return redirect(settings.LOGIN_REDIRECT_URL)
    return code_step.ask_for_phone(
        request,
        lost_of(request.session),
        keep=keep_lost,
        purpose=NEW,
        template="accounts/lost_phone.html",
        code_page="accounts:lost_number_code",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The code to the new number. What belongs to an account already is no new number."""
    now = read_clock()
    lost = lost_of(request.session)
    if lost.is_verified(now=now):
        return redirect("accounts:lost_number_account")
    if not lost.phone or lost.verified_at:
        return redirect("accounts:lost_number")
    if "resend" in request.POST:
        if code_step.resend(request, phone=lost.phone, purpose=NEW, now=now):
            keep_lost(request.session, replace(lost, sent_at=now.isoformat()))
        return redirect("accounts:lost_number_code")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and code_step.check(request, form, phone=lost.phone, purpose=NEW, now=now):
        if User.objects.filter(phone=lost.phone).exists():
            keep_lost(request.session, Lost())
            messages.warning(
                request,
                _("With this number somebody is registered already. Sign in, or enter another number"),
            )
            return redirect("accounts:lost_number")
        request.session.cycle_key()
        keep_lost(request.session, replace(lost, verified_at=now.isoformat()))
        return redirect("accounts:lost_number_account")
    context = code_step.page(form, phone=lost.phone, sent_at=lost.sent_at, now=now)
    return render(request, "accounts/lost_code.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Whose account, and where the code goes."""
    now = read_clock()
    lost = lost_of(request.session)
    if not lost.is_verified(now=now):
        return _start_over(request, lost)
    form = LostNumberForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        owner, way = form.cleaned_data["identity"], Way(form.cleaned_data["way"])
        try:
            _ask(request, lost, owner, way)
        except TooManyCodes as refusal:
            form.add_error(None, code_step.why_no_code(refusal, now=now))
            status = 429
        else:
            return redirect("accounts:lost_number_proof")
    context = {"form": form, "contact_phones": settings.CONTACT_PHONES}
    return render(request, "accounts/lost_account.html", context, status=status)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest) -> HttpResponse:
    """The code to the contact; with it the move begins, which its owner can stop for 72 hours."""
    now = read_clock()
    lost = lost_of(request.session)
    if not lost.is_verified(now=now) or not lost.asked_at:
        return _start_over(request, lost)
    owner, way = lost.claimed, Way(lost.way)
    if "resend" in request.POST:
        try:
            _ask(request, lost, owner, way)
        except TooManyCodes as refusal:
            messages.warning(request, code_step.why_no_code(refusal, now=now))
        else:
            messages.success(request, _("A new code is on its way. The former one is no longer valid"))
        return redirect("accounts:lost_number_proof")
    form = ContactCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            verdict, move = recovery.recover(
                owner,
                way,
                new_phone=lost.phone,
                session=session_secret(request.session),
                code=form.cleaned_data["code"],
                address=client_address(request),
                now=now,
            )
        except NotMoved as refused:
            form.add_error(None, f"{refused}. {code_step.who_helps()}")
        else:
            if move is not None:
                keep_lost(request.session, Lost(sent_at=now.isoformat()))
                return redirect("accounts:lost_number_done")
            if verdict.ok:
                return _start_over(request, lost)
            form.add_error("code", code_step.fault(verdict, wrong=str(form.wrong)))
    asked_at = instant(lost.asked_at)
    context = {
        "form": form,
        "is_email": way is Way.EMAIL,
        "now": now,
        "resend_at": asked_at + RESEND_AFTER,
        "can_resend": now >= asked_at + RESEND_AFTER,
        "is_over": now >= asked_at + LIFETIME,
        "contact_phones": settings.CONTACT_PHONES,
    }
    return render(request, "accounts/lost_proof.html", context)


@never_cache
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """What happens now."""
    lost = lost_of(request.session)
    if lost.phone or not lost.sent_at:
        return redirect("accounts:lost_number")
    context = {"due_at": instant(lost.sent_at) + rules.WAIT, "contact_phones": settings.CONTACT_PHONES}
    return render(request, "accounts/lost_done.html", context)


def _is_without_number(user: User) -> bool:
    """Whether it is a parent's account that lost its number, or never had one; an employee's needs none."""
    return user.phone is None and hasattr(user, "profile")


def _ask(request: HttpRequest, lost: Lost, owner: Identity, way: Way) -> None:
    now = read_clock()
    session = session_secret(request.session)
    recovery.ask_for_code(
        owner,
        way,
        new_phone=lost.phone,
        session=session,
        language=get_language() or "kk",
        address=client_address(request),
        knows=partial(known_device, request),
        now=now,
    )
    keep_session_secret(request.session, session)
    keep_lost(request.session, lost.asked_for(owner, way, now=now))


def _start_over(request: HttpRequest, lost: Lost) -> HttpResponse:
    """To the first step that is not done or has expired."""
    if lost.phone and not lost.verified_at:
        return redirect("accounts:lost_number_code")
    if lost.verified_at and lost.is_verified(now=read_clock()):
        return redirect("accounts:lost_number_account")
    if lost.verified_at:
        keep_lost(request.session, Lost())
        messages.warning(request, _("The time is over: ten minutes after the code. Begin again"))
    return redirect("accounts:lost_number")
