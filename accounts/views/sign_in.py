"""Signing in and out. Whatever is wrong with a sign-in, the answer and its time are the same.

Too many wrong passwords lock nobody out: for a while after them an unknown device is asked for a code by SMS, which is
sent only if the password was right. Until the code is entered, nobody learns whether it was.
"""

import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import audit, limits, pending, second_way, typed
from accounts.devices import known_device, latest_account, remember_device
from accounts.forms import SignInCodeForm, SignInForm
from accounts.journal_actions import Action
from accounts.masks import mask_phone
from accounts.models import SmsCode, User
from accounts.numbers import claims, moves
from accounts.progress import instant
from accounts.registry_data import is_due
from accounts.second_factor import has_app
from accounts.services import TooManyTries
from accounts.sms_codes import RESEND_AFTER, check_code, send_sign_in_code
from accounts.views.limited import limited, whole_minute
from accounts.views.second_way import too_many_codes
from accounts.visits import enter, tell_of_new_device
from accounts.way_back import page_of_ours
from notifications.broker import wake_on_commit
from notifications.clock import read_clock

REFRESH_TASK = "accounts.tasks.refresh_person"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Parents sign in here. An employee's name and password count as wrong: employees have a page of their own."""
    target = wanted_page(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = read_clock()
        # Before the password is checked: checking may renew its hash, and with it the mark stored on devices.
        device, address = known_device(request, form.name), audit.client_address(request)
        checked = limits.may_check_password(address=address, device=device, now=now)
        if not checked.ok:
            return limited(request, checked.retry_at, way="sign_in")
        if form.is_parents:
            moves.settle(form.name, now=now)
        user = _parent(request, form)
        if user is None and form.is_parents:
            limits.password_was_wrong(address=address, device=device, now=now)
        counted = limits.sign_in_limits(form.name, address=address, device=device)
        answer = limits.judge(counted, right=user is not None, now=now)
        if not answer.ok:
            return _too_often(request, form, user, free_at=answer.retry_at or now, target=target, now=now)
        if user is not None and not device and has_app(user.pk):
            return _ask_app(user, form, target=target, now=now)
        if user is not None:
            return enter_and_go(request, user, is_known=bool(device), target=target, now=now)
        form.add_error(None, ValidationError(_("The phone number or the password is wrong"), code="sign_in"))
    wanted = page_of_ours(request, request.GET.get("next", ""))
    context = {
        "form": form,
        "next": wanted,
        "has_ended": bool(wanted and latest_account(request)),
        "by_identity": bool(settings.IDENTITY_PROVIDER),
    }
    return render(request, "accounts/login.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The code that completes a sign-in after too many wrong ones. Every fault has the same answer."""
    waiting = pending.read(request)
    if request.user.is_authenticated or waiting is None:
        return redirect("accounts:login")
    now = read_clock()
    if waiting.is_over(now=now):
        messages.warning(request, _("The ten minutes of the code are over. Sign in again"))
        over = redirect("accounts:login")
        pending.forget(over)
        return over
    form = SignInCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        # A move that became due after the password was checked may have changed whose number it is.
        moves.settle(waiting.phone, now=now)
        owner = waiting.owner
        if _is_code(form, waiting, owner, now=now) and owner is not None:
            is_known = bool(known_device(request, owner.username))
            response = enter_and_go(request, owner, is_known=is_known, target=waiting.target, now=now)
            pending.forget(response)
            return response
        if not form.errors:
            form.add_error(
                "code", _("The code is wrong or no longer valid. It has five tries and ten minutes")
            )
    context = {
        "form": form,
        "masked_phone": mask_phone(waiting.phone),
        "by_app": waiting.by_app,
        "is_phone": waiting.phone.startswith("+"),
        "asked_at": instant(waiting.asked_at),
        "next_at": whole_minute(instant(waiting.asked_at) + RESEND_AFTER),
        "free_at": whole_minute(instant(waiting.free_at)),
    }
    return render(request, "accounts/login_code.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """Only a POST signs out, so that no foreign link can; a typed address leads to the home page."""
    user = request.user
    if request.method == "POST" and isinstance(user, User):
        audit.record(
            Action.SIGNED_OUT,
            now=read_clock(),
            actor=user,
            subject=user,
            address=audit.client_address(request),
        )
        logout(request)
        messages.success(request, _("You have signed out"))
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _parent(request: HttpRequest, form: SignInForm) -> User | None:
    """The parent whose name and password the form holds, or None. Only what can be one is worth the work of hashing."""
    if not form.is_parents:
        return None
    user = authenticate(request, username=form.name, password=form.cleaned_data["password"])
    if not isinstance(user, User) or (user.is_staff and not hasattr(user, "profile")):
        return None
    return user


def _too_often(
    request: HttpRequest,
    form: SignInForm,
    user: User | None,
    *,
    free_at: datetime,
    target: str,
    now: datetime,
) -> HttpResponse:
    """Ask for a code, which is sent only to a real `user`; a name that is not a phone gets none."""
    if not form.is_phone:
        return limited(request, free_at, way="sign_in")
    session = secrets.token_urlsafe(32)
    # The owner of an app needs no SMS. Asked for everybody, so that it takes as long.
    by_app = has_app(user.pk if user else uuid.uuid4())
    is_sent = send_sign_in_code(
        None if by_app else user, phone=form.name, session=session, language=get_language() or "kk", now=now
    )
    waiting = pending.read(request)
    # A code already on its way to this browser stays valid: the next one may be a minute away.
    if by_app or is_sent or waiting is None or not waiting.is_real or waiting.phone != form.name:
        owner = user if by_app or is_sent else None
        waiting = pending.begin(
            owner, phone=form.name, session=session, free_at=free_at, target=target, now=now
        )
    else:
        waiting = waiting.asked_again(free_at=free_at, now=now)
    response = redirect("accounts:login_code")
    pending.keep(response, waiting)
    return response


def _ask_app(user: User, form: SignInForm, *, target: str, now: datetime) -> HttpResponse:
    """The password was right; on a device that does not know the account its owner wants the app's code as well."""
    waiting = pending.begin(
        user,
        phone=form.name,
        session=secrets.token_urlsafe(32),
        free_at=now,
        target=target,
        by_app=True,
        now=now,
    )
    response = redirect("accounts:login_code")
    pending.keep(response, waiting)
    return response


def _is_code(
    form: SignInCodeForm, waiting: pending.PendingSignIn, owner: User | None, *, now: datetime
) -> bool:
    """Whether the form holds the SMS's code, or for the owner of an app, who is sent none, that of the app or of paper.

    All is looked up whoever it is, so that neither the answer nor its time tells whether the password was right.
    """
    code = form.cleaned_data["code"]
    verdict = check_code(
        phone=waiting.phone, purpose=SmsCode.Purpose.SIGN_IN, session=waiting.session, code=code, now=now
    )
    by_app = has_app(owner.pk if owner else uuid.uuid4())
    if verdict.ok and not by_app:
        if owner is not None:
            # An SMS proves the number; an app does not.
            claims.prove(owner, now=now)
        return True
    try:
        return second_way.try_code(waiting.phone, owner, code, now=now)
    except TooManyTries as refusal:
        form.add_error("code", too_many_codes(refusal))
        return False


def enter_and_go(
    request: HttpRequest,
    user: User,
    *,
    is_known: bool,
    target: str,
    action: Action = Action.SIGNED_IN,
    now: datetime,
) -> HttpResponse:
    """Sign in whoever has proven to be `user`, and lead on to what was typed before, or to `target`.

    `is_known` says whether the device knew the account before: the owner is told of a new one.
    """
    with transaction.atomic():
        enter(request, user, now=now)
        audit.record(action, now=now, actor=user, subject=user, address=audit.client_address(request))
        # After the answer, and by a worker: the registry may be slow.
        if is_due(user.profile, now=now):
            wake_on_commit(REFRESH_TASK, str(user.pk))
        if not is_known:
            tell_of_new_device(user, now=now)
    kept = typed.kept_for(request, user)
    if kept is not None:
        messages.warning(request, kept.told)
    following = kept.page if kept is not None else target
    if claims.is_silent(user, now=now):
        following = f"{reverse('accounts:number_confirm')}?{urlencode({'next': following})}"
    response = redirect(following)
    remember_device(response, request, user)
    return response


def wanted_page(request: HttpRequest) -> str:
    """Where to go after signing in: `next`, if it is a page of this site, else the cabinet."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    return page_of_ours(request, target) or resolve_url(settings.LOGIN_REDIRECT_URL)
