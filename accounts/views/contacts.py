"""A parent's e-mail address and second phone: entered with the password, proven by a code of its own."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import contacts
from accounts.audit import client_address
from accounts.contacts import Contact, Way
from accounts.decorators import parent_required
from accounts.devices import known_device
from accounts.forms import CodeForm, EmailForm, MailCodeForm, OwnPasswordForm, RecoveryPhoneForm
from accounts.models import User
from accounts.phones import display_phone
from accounts.progress import (
    NewContact,
    forget_new_contact,
    instant,
    keep_new_contact,
    keep_session_secret,
    new_contact_of,
    session_secret,
)
from accounts.sms_codes import LIFETIME, RESEND_AFTER, TooManyCodes
from accounts.typed import refilled
from accounts.views import code_step
from accounts.views.own_password import is_confirmed
from notifications.clock import read_clock


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def email(request: HttpRequest) -> HttpResponse:
    """Enter an address, or take it away; say whether notices go there."""
    if not settings.SENDS_MAIL:
        raise Http404
    user = cast(User, request.user)
    now = read_clock()
    initial = {"email": user.email or "", "mails_notices": user.mails_notices}
    form = refilled(request, EmailForm(request.POST if request.method == "POST" else None, initial=initial))
    if is_confirmed(request, form, now=now):
        typed, wants = form.cleaned_data["email"], form.cleaned_data["mails_notices"]
        if typed and typed != user.email:
            asked = NewContact(way=Way.EMAIL, value=typed, mails_notices=wants)
            if _send(request, form, asked, field="email", now=now):
                return redirect("accounts:email_code")
        elif typed:
            contacts.choose_mails(user, mails_notices=wants, now=now)
            messages.success(request, _("Your profile is saved"))
            return redirect("accounts:profile")
        else:
            contacts.forget_email(user, address=client_address(request), now=now)
            messages.success(request, _("We have no e-mail address of yours"))
            return redirect("accounts:profile")
    return render(request, "accounts/email.html", {"form": form, "email": user.email})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def email_code(request: HttpRequest) -> HttpResponse:
    return _code(request, way=Way.EMAIL)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def second_phone(request: HttpRequest) -> HttpResponse:
    """Enter a second phone, and say whether a code to it may give the account back."""
    user = cast(User, request.user)
    now = read_clock()
    initial = {
        "phone": display_phone(user.profile.second_phone),
        "regains": user.profile.second_phone_proven_at is not None,
    }
    form = refilled(
        request, RecoveryPhoneForm(request.POST if request.method == "POST" else None, initial=initial)
    )
    if form.is_valid() and form.cleaned_data["regains"] and form.cleaned_data["phone"] == user.phone:
        form.add_error("phone", _("This is the number with which you sign in. Enter another one"))
    elif is_confirmed(request, form, now=now):
        phone = form.cleaned_data["phone"]
        if form.cleaned_data["regains"] and phone != contacts.proven_contact(user, Way.PHONE):
            if _send(request, form, NewContact(way=Way.PHONE, value=phone), field="phone", now=now):
                return redirect("accounts:second_phone_code")
        else:
            if not form.cleaned_data["regains"]:
                contacts.change_second_phone(
                    user, phone, is_proven=False, address=client_address(request), now=now
                )
            messages.success(request, _("Your profile is saved"))
            return redirect("accounts:profile")
    return render(request, "accounts/second_phone.html", {"form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def second_phone_code(request: HttpRequest) -> HttpResponse:
    return _code(request, way=Way.PHONE)


def _code(request: HttpRequest, *, way: Way) -> HttpResponse:
    first_step = "accounts:email" if way is Way.EMAIL else "accounts:second_phone"
    asked = new_contact_of(request.session)
    if asked.way != way:
        return redirect(first_step)
    now = read_clock()
    user = cast(User, request.user)
    if "resend" in request.POST:
        try:
            _ask(request, asked, now=now)
        except TooManyCodes as refusal:
            messages.warning(request, code_step.why_no_code(refusal, now=now))
        else:
            messages.success(request, _("A new code is on its way. The former one is no longer valid"))
        return redirect(f"{first_step}_code")
    kind = MailCodeForm if way is Way.EMAIL else CodeForm
    form = kind(request.POST if request.method == "POST" else None)
    if form.is_valid():
        verdict = contacts.prove(
            user,
            Contact(way, asked.value),
            mails_notices=asked.mails_notices,
            session=session_secret(request.session),
            code=form.cleaned_data["code"],
            address=client_address(request),
            now=now,
        )
        if verdict.ok:
            forget_new_contact(request.session)
            messages.success(request, _("It is proven and saved"))
            return redirect("accounts:profile")
        form.add_error("code", code_step.fault(verdict, wrong=str(form.wrong)))
    sent_at = instant(asked.sent_at)
    context = {
        "form": form,
        "is_email": way is Way.EMAIL,
        "shown": asked.value if way is Way.EMAIL else display_phone(asked.value),
        "first_step": first_step,
        "now": now,
        "resend_at": sent_at + RESEND_AFTER,
        "can_resend": now >= sent_at + RESEND_AFTER,
        "is_over": now >= sent_at + LIFETIME,
    }
    return render(request, "accounts/contact_code.html", context)


def _send(
    request: HttpRequest, form: OwnPasswordForm, asked: NewContact, *, field: str, now: datetime
) -> bool:
    """Send the code; otherwise the form says why there is none."""
    try:
        _ask(request, asked, now=now)
    except TooManyCodes as refusal:
        form.add_error(field, code_step.why_no_code(refusal, now=now))
        return False
    return True


def _ask(request: HttpRequest, asked: NewContact, *, now: datetime) -> None:
    user = cast(User, request.user)
    session = session_secret(request.session)
    contacts.ask_for_proof(
        user,
        Contact(Way(asked.way), asked.value),
        session=session,
        address=client_address(request),
        device=known_device(request, user.username),
        now=now,
    )
    keep_session_secret(request.session, session)
    keep_new_contact(request.session, replace(asked, sent_at=now.isoformat()))
