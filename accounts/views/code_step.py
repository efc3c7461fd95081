"""What the pages that begin with a phone number share: asking for a code, and judging one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import limits
from accounts.audit import client_address
from accounts.devices import known_device
from accounts.forms import CodeForm, PhoneForm
from accounts.masks import mask_phone
from accounts.models import SmsCode
from accounts.numbers import moves
from accounts.phones import display_phone
from accounts.progress import Proving, instant, keep_session_secret, note_code, session_secret, take_codes
from accounts.sms_codes import LIFETIME, RESEND_AFTER, CodeFault, TooManyCodes, Verdict, check_code, send_code
from accounts.views.limited import whole_minute
from notifications.budget import BudgetSpent
from notifications.clock import read_clock

# The reasons why a code may not be sent.
NO_CODE = (TooManyCodes, BudgetSpent)
# With fewer tries left than this, the page says how many.
WARN_FROM = 3

Way = TypeVar("Way", bound=Proving)


def send(request: HttpRequest, *, phone: str, purpose: SmsCode.Purpose, now: datetime) -> None:
    """Send a code to `phone` that counts in this session only. Raises what `NO_CODE` names.

    Before that the number becomes whose it is by now (`moves.settle`).
    """
    moves.settle(phone, now=now)
    session = session_secret(request.session)
    address = client_address(request)
    send_code(
        phone=phone,
        purpose=purpose,
        session=session,
        language=get_language() or "kk",
        address=address,
        device=known_device(request, phone),
        now=now,
    )
    # Only now: a refused visitor leaves no session behind.
    keep_session_secret(request.session, session)
    note_code(request.session, purpose=purpose, phone=phone, network=limits.address_key(address), now=now)


def resend(
    request: HttpRequest, *, phone: str, purpose: SmsCode.Purpose, is_first: bool = False, now: datetime
) -> bool:
    """The same from the button of the code page, with a message about the result; returns whether a code was sent.

    `is_first`: there is no former code that ends with it.
    """
    try:
        send(request, phone=phone, purpose=purpose, now=now)
    except NO_CODE as refusal:
        messages.warning(request, why_no_code(refusal, now=now))
        return False
    messages.success(
        request,
        _("The code is on its way")
        if is_first
        else _("A new code is on its way. The former one is no longer valid"),
    )
    return True


def check(
    request: HttpRequest,
    form: CodeForm,
    *,
    phone: str,
    purpose: SmsCode.Purpose,
    proves_more: Callable[[], bool] | None = None,
    now: datetime,
) -> bool:
    """Whether `form` holds the right code; if not, the form says what is wrong and what to do.

    `proves_more` as in `check_code`. Before that the number becomes whose it is by now (`moves.settle`).
    """
    moves.settle(phone, now=now)
    verdict = check_code(
        phone=phone,
        purpose=purpose,
        session=session_secret(request.session),
        code=form.cleaned_data["code"],
        proves_more=proves_more,
        now=now,
    )
    if verdict.ok:
        for network, sent_at in take_codes(request.session, purpose=purpose, phone=phone):
            limits.code_was_entered(phone, purpose=purpose, network=network, sent_at=sent_at)
    else:
        form.add_error(form.wrong_field, fault(verdict, wrong=str(form.wrong)))
    return verdict.ok


def ask_for_phone(
    request: HttpRequest,
    way: Way,
    *,
    keep: Callable[[SessionBase, Way], None],
    purpose: SmsCode.Purpose,
    template: str,
    code_page: str,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page that asks for a number and sends it a code. Opened again later, it begins `way` with another number.

    `more` is what its template shows beside the form.
    """
    now = read_clock()
    initial = {"phone": display_phone(way.phone)}
    form = PhoneForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        return render(request, template, {"form": form, **(more or {})})
    phone = form.cleaned_data["phone"]
    if phone == way.phone and is_fresh(way.sent_at, now=now):
        return redirect(code_page)
    try:
        send(request, phone=phone, purpose=purpose, now=now)
    except NO_CODE as refusal:
        form.add_error("phone", why_no_code(refusal, now=now))
        return render(request, template, {"form": form, **(more or {})}, status=429)
    keep(request.session, type(way)(phone=phone, sent_at=now.isoformat()))
    return redirect(code_page)


def is_fresh(sent_at: str, *, now: datetime) -> bool:
    """Whether the last code is too new to ask for another one."""
    return bool(sent_at) and now < instant(sent_at) + RESEND_AFTER


def page(form: CodeForm, *, phone: str, sent_at: str, now: datetime) -> dict[str, Any]:
    """What the code page shows in addition to the form."""
    return {
        "form": form,
        "masked_phone": mask_phone(phone),
        "now": now,
        "resend_at": instant(sent_at) + RESEND_AFTER,
        "can_resend": not is_fresh(sent_at, now=now),
        "is_over": now >= instant(sent_at) + LIFETIME,
    }


def why_no_code(refusal: TooManyCodes | BudgetSpent, *, now: datetime) -> str:
    """The sentences for a code that is not sent: when it may be asked for again, and whom to call until then."""
    return f"{why_no_code_now(refusal, now=now)}. {who_helps()}"


def why_no_code_now(refusal: TooManyCodes | BudgetSpent, *, now: datetime) -> str:
    """The first of them, with the local time: for an employee, whom others call."""
    if isinstance(refusal, BudgetSpent):
        return _(
            "So many codes for registration were asked for that no more are sent for the time being. Nothing is wrong "
            "with your number. You can try again at: %(time)s"
        ) % {"time": _shown(refusal.retry_at, now=now)}
    return too_many(refusal.retry_at, now=now)


def who_helps() -> str:
    """Who to call about something that can't wait."""
    return _("If it can't wait, call the contact centre: %(phone)s") % {"phone": settings.CONTACT_PHONES[0]}


def too_many(retry_at: datetime | None, *, now: datetime) -> str:
    """The sentence for a limit that is reached, with the local time from which it may be tried again."""
    if retry_at is None:
        return _("The service is busy. Try again in a few minutes")
    return _("Too many attempts. You can try again at: %(time)s") % {"time": _shown(retry_at, now=now)}


def changed_meanwhile() -> str:
    """The sentence for a proof of an owner that has fallen (`accounts.owner_proofs`)."""
    return _("The password or the number of this account has been changed since your code. Begin again")


def _shown(retry_at: datetime, *, now: datetime) -> str:
    """The time, with its date unless that is today."""
    local, today = localtime(whole_minute(retry_at)), localtime(now).date()
    return date_format(local, "H:i" if local.date() == today else "d.m.Y H:i")


def fault(verdict: Verdict, *, wrong: str) -> str:
    """The sentence for a code that is not right; `wrong` is the one for a wrong code."""
    if verdict.fault is CodeFault.EXHAUSTED:
        return _("Too many wrong codes. This code is no longer valid: request a new one")
    if verdict.fault is CodeFault.WRONG and verdict.tries_left <= WARN_FROM:
        return wrong + ". " + _("Attempts left: %(number)s") % {"number": verdict.tries_left}
    return wrong
