"""The phone number of one's own account: changed with codes to both numbers, or after a wait; confirmed by a code."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import limits
from accounts.audit import client_address
from accounts.decorators import parent_whatever_agreed
from accounts.devices import remember_device
from accounts.forms import CodeForm, NewNumberForm
from accounts.identity import Identity
from accounts.masks import mask_phone
from accounts.models import NumberMove, SmsCode, User
from accounts.numbers import claims, moves, stopping
from accounts.numbers.moves import Claimant, Kind, NotMoved, Proof, Renewed
from accounts.phones import display_phone
from accounts.progress import NewNumber, keep_new_number, new_number_of
from accounts.services import refresh_phone_tie
from accounts.typed import refilled
from accounts.views import code_step
from accounts.views.own_password import is_confirmed
from accounts.way_back import page_of_ours
from notifications.clock import read_clock
from notifications.pressing import pressed_on

FORMER = SmsCode.Purpose.OLD_NUMBER
NEW = SmsCode.Purpose.NEW_NUMBER
CONFIRM = SmsCode.Purpose.CONFIRM


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def number(request: HttpRequest) -> HttpResponse:
    """What is under way, or else the form that begins a change: the new number and the password."""
    user, now = cast(User, request.user), read_clock()
    if moves.settle(user.username, now=now):
        return redirect(request.get_full_path())
    move = moves.live_move_of(user)
    if move is not None and move.kind != Kind.RECYCLING:
        return render(request, "accounts/number_under_way.html", _under_way(user, move))
    form = refilled(request, NewNumberForm(request.POST if request.method == "POST" else None))
    status = 200
    if request.method == "POST" and is_confirmed(request, form, now=now):
        if form.cleaned_data["phone"] == _number_of(user):
            form.add_error("phone", str(NotMoved(moves.Fault.SAME_NUMBER)))
        elif refused := _send_to_the_new(request, user, form, now=now):
            form.add_error("phone", refused)
            status = 429
        else:
            return redirect("accounts:number_new")
    context = {
        "form": form,
        "phone": display_phone(user.phone),
        "has_password": user.has_usable_password(),
        "contact_phones": settings.CONTACT_PHONES,
        "held": stopping.held(user),
        "after_stop": stopping.after_stop(user, is_signed_in=True, now=now),
    }
    if move is not None:
        context |= _under_way(user, move)
    return render(request, "accounts/number.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def new_code(request: HttpRequest) -> HttpResponse:
    """The code that was sent to the new number."""
    user, now = cast(User, request.user), read_clock()
    begun = _begun(request, user)
    if begun is None:
        return redirect("accounts:number")
    if begun.is_verified(now=now):
        return redirect("accounts:number_former")
    if "resend" in request.POST:
        if _may_ask(user, now=now) and code_step.resend(request, phone=begun.phone, purpose=NEW, now=now):
            keep_new_number(request.session, replace(begun, sent_at=now.isoformat(), verified_at=""))
        return redirect("accounts:number_new")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and code_step.check(request, form, phone=begun.phone, purpose=NEW, now=now):
        if User.objects.filter(phone=begun.phone).exists():
            return _claim(request, user, begun, now=now)
        keep_new_number(request.session, replace(begun, verified_at=now.isoformat()))
        return redirect("accounts:number_former")
    context = code_step.page(form, phone=begun.phone, sent_at=begun.sent_at, now=now)
    return render(request, "accounts/number_new.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def former_code(request: HttpRequest) -> HttpResponse:
    """The code to the former number, which changes it at once; or the way without it."""
    user, now = cast(User, request.user), read_clock()
    begun = _begun(request, user)
    if begun is None or not begun.is_verified(now=now):
        return _start_over(request, begun)
    former = _number_of(user)
    if not former:
        return redirect("accounts:number_wait")
    if "resend" in request.POST:
        is_first = not begun.former_sent_at
        if code_step.resend(request, phone=former, purpose=FORMER, is_first=is_first, now=now):
            keep_new_number(request.session, replace(begun, former_sent_at=now.isoformat()))
        return redirect("accounts:number_former")
    context = {
        "masked_phone": mask_phone(former),
        "new_phone": display_phone(begun.phone),
        "held": stopping.held(user),
    }
    if not begun.former_sent_at:
        return render(request, "accounts/number_former.html", context)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and code_step.check(request, form, phone=former, purpose=FORMER, now=now):
        return _change(request, user, begun, proof=Proof.BOTH_NUMBERS, now=now)
    context |= code_step.page(form, phone=former, sent_at=begun.former_sent_at, now=now)
    return render(request, "accounts/number_former.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def wait(request: HttpRequest) -> HttpResponse:
    """Without the former number: what happens in 72 hours, and the button that asks for it."""
    user, now = cast(User, request.user), read_clock()
    begun = _begun(request, user)
    if begun is None or not begun.is_verified(now=now):
        return _start_over(request, begun)
    if request.method == "POST":
        return _change(request, user, begun, proof=Proof.NEW_NUMBER, now=now)
    context = {"new_phone": display_phone(begun.phone), "held": stopping.held(user)}
    return render(request, "accounts/number_wait.html", context)


@pressed_on("accounts:number")
@parent_whatever_agreed
def stop(request: HttpRequest) -> HttpResponse:
    """Stop what is under way for one's own number."""
    user, now = cast(User, request.user), read_clock()
    move = moves.live_move_of(user)
    try:
        if move is not None and str(move.pk) == request.POST.get("move"):
            moves.stop(move, by=user, address=client_address(request), now=now)
            messages.success(request, stopping.stopped(move))
    except NotMoved as refused:
        messages.warning(request, str(refused))
    return redirect("accounts:number")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def confirm(request: HttpRequest) -> HttpResponse:
    """Whether the number is still one's own: a code. Asked after a silent year; nobody is held up by it."""
    user, now = cast(User, request.user), read_clock()
    if moves.settle(user.username, now=now):
        return redirect(request.get_full_path())
    following = page_of_ours(request, request.POST.get("next") or request.GET.get("next") or "") or reverse(
        settings.LOGIN_REDIRECT_URL
    )
    if user.phone is None:
        return redirect(following)
    phone, sent_at = user.phone.as_e164, request.session.get("confirm_sent_at", "")
    status = 200
    form = CodeForm(request.POST if "code" in request.POST else None)
    if "resend" in request.POST:
        try:
            code_step.send(request, phone=phone, purpose=CONFIRM, now=now)
        except code_step.NO_CODE as refusal:
            messages.warning(request, code_step.why_no_code(refusal, now=now))
            status = 429
        else:
            sent_at = request.session["confirm_sent_at"] = now.isoformat()
    elif form.is_valid() and code_step.check(request, form, phone=phone, purpose=CONFIRM, now=now):
        del request.session["confirm_sent_at"]
        if claims.confirm(user, address=client_address(request), now=now):
            said = _("The number is confirmed and stays with your account: the other person does not get it")
        else:
            said = _("The number is confirmed")
        messages.success(request, said)
        return redirect(following)
    context = {"next": following, "masked_phone": mask_phone(phone), "is_sent": bool(sent_at)}
    if sent_at:
        context |= code_step.page(form, phone=phone, sent_at=sent_at, now=now)
    return render(request, "accounts/number_confirm.html", context, status=status)


def _send_to_the_new(request: HttpRequest, user: User, form: NewNumberForm, *, now: datetime) -> str:
    """Send the first code and keep what was typed; the sentence for which limit forbids it, or nothing."""
    new, password = form.cleaned_data["phone"], form.cleaned_data["password"]
    allowed = limits.allow(limits.NEW_NUMBER_PER_ACCOUNT, str(user.pk), now=now)
    if not allowed.ok:
        return code_step.too_many(allowed.retry_at, now=now)
    try:
        code_step.send(request, phone=new, purpose=NEW, now=now)
    except code_step.NO_CODE as refusal:
        return code_step.why_no_code(refusal, now=now)
    begun = NewNumber(
        phone=new,
        sent_at=now.isoformat(),
        password=Renewed.of(user, password).password,
    )
    keep_new_number(request.session, begun.about(user))
    return ""


def _may_ask(user: User, *, now: datetime) -> bool:
    return limits.allow(limits.NEW_NUMBER_PER_ACCOUNT, str(user.pk), now=now).ok


def _begun(request: HttpRequest, user: User) -> NewNumber | None:
    """The change that this session began for the account as it still is."""
    begun = new_number_of(request.session)
    return begun if begun.phone and begun.holds_for(user) else None


def _number_of(user: User) -> str:
    """The number of the account in E.164; empty for one that has lost it to somebody else."""
    return user.phone.as_e164 if user.phone is not None else ""


def _start_over(request: HttpRequest, begun: NewNumber | None) -> HttpResponse:
    if begun is None:
        return redirect("accounts:number")
    if begun.verified_at:
        keep_new_number(request.session, NewNumber())
        messages.warning(request, _("The time is over: ten minutes after the code. Begin again"))
        return redirect("accounts:number")
    return redirect("accounts:number_new")


def _change(
    request: HttpRequest, user: User, begun: NewNumber, *, proof: NumberMove.Proof, now: datetime
) -> HttpResponse:
    """Ask for the move; with both codes it is done at once, and only this session goes on."""
    keep_new_number(request.session, NewNumber())
    try:
        move = moves.ask(
            user,
            kind=Kind.CHANGE,
            proof=proof,
            new_phone=begun.phone,
            renewed=Renewed(begun.password, user.get_session_auth_hash()),
            asked_by=user,
            address=client_address(request),
            now=now,
        )
    except NotMoved as refused:
        messages.warning(request, str(refused))
        return redirect("accounts:number")
    response = redirect("accounts:number")
    if move.done_at is not None:
        user.refresh_from_db()
        update_session_auth_hash(request, user)
        refresh_phone_tie(user)
        messages.success(request, _("The number is changed. Your other devices are signed out"))
        remember_device(response, request, user)
    return response


def _claim(request: HttpRequest, user: User, begun: NewNumber, *, now: datetime) -> HttpResponse:
    """The new number belongs to another account, perhaps of whoever had it before."""
    keep_new_number(request.session, NewNumber())
    profile = user.profile
    identity = Identity(profile.iin, "" if profile.iin else profile.document_number)
    try:
        move = claims.claim(
            begun.phone,
            Claimant(profile.full_name, identity),
            address=client_address(request),
            now=now,
        )
    except NotMoved as refused:
        messages.warning(request, str(refused))
    else:
        messages.info(request, claims.told(move))
    return redirect("accounts:number")


def _under_way(user: User, move: NumberMove) -> dict[str, object]:
    held = stopping.held(user)
    return {
        "move": move,
        "rows": stopping.rows(move, is_held=bool(held)),
        "advice": stopping.advice(move),
        "held": held,
        "is_claim": move.kind == Kind.RECYCLING,
    }
