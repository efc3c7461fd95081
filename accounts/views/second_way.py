"""The parent's authenticator app: set up, new recovery codes, turned off."""

from base64 import b32encode
from collections.abc import Callable
from typing import Final, cast

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import second_factor, second_way, services
from accounts.audit import client_address
from accounts.decorators import parent_whatever_agreed
from accounts.forms import AppForm, AppOffBySmsForm, SecondWayForm
from accounts.masks import mask_phone
from accounts.models import SmsCode, User
from accounts.second_factor import has_app
from accounts.views import code_step
from accounts.views.code_step import too_many
from accounts.views.own_password import is_confirmed
from notifications.clock import read_clock

# In the session: when the code was sent with which the app is turned off.
_SENT_AT: Final = "app_off_sent_at"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def app(request: HttpRequest) -> HttpResponse:
    """Set up an app: its key as a picture and as text, the password and the app's first code. Then how it stands."""
    user, now = cast(User, request.user), read_clock()
    if has_app(user.pk):
        return render(request, "accounts/app.html", {"left": second_way.codes_left(user)})
    form = AppForm(request.POST if request.method == "POST" else None)
    if is_confirmed(request, form, now=now):
        codes = second_way.set_up(
            user,
            form.cleaned_data["code"],
            session=request.session,
            address=client_address(request),
            now=now,
        )
        if codes is not None:
            return _codes(request, codes)
        form.add_error("code", _("This is not the code that the app shows now. Enter the next one."))
    device = second_factor.app_to_set_up(user, request.session)
    context = {
        "form": form,
        "key": " ".join(_fours(b32encode(device.bin_key).decode())),
        "picture": SafeString(segno.make(device.config_url).svg_inline(scale=5, border=4, light="#fff")),
        "address": device.config_url,
        "issuer": settings.OTP_TOTP_ISSUER,
    }
    return render(request, "accounts/app_set_up.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once: the former ones are worth nothing any more."""
    user = cast(User, request.user)

    def renew() -> HttpResponse:
        return _codes(
            request, second_way.renew_codes(user, address=client_address(request), now=read_clock())
        )

    return _proven(request, user, "accounts/recovery_codes_renew.html", renew)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def app_off(request: HttpRequest) -> HttpResponse:
    """Turn the app off: codes come by SMS again."""
    user = cast(User, request.user)
    return _proven(request, user, "accounts/app_off.html", lambda: _turn_off(request, user))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def app_off_by_sms(request: HttpRequest) -> HttpResponse:
    """Turn the app off without it and without a recovery code: by the password and a code to the account's number.

    Who reads SMS to that number gets in without the app anyway (docs/accounts.md).
    """
    user, now = cast(User, request.user), read_clock()
    if not has_app(user.pk):
        return redirect("accounts:app")
    if user.phone is None:
        return redirect("accounts:app_off")
    phone, sent_at = user.phone.as_e164, request.session.get(_SENT_AT, "")
    if "resend" in request.POST:
        if code_step.resend(request, phone=phone, purpose=SmsCode.Purpose.CONFIRM, now=now):
            request.session[_SENT_AT] = now.isoformat()
        return redirect("accounts:app_off_by_sms")
    form = AppOffBySmsForm(request.POST if request.method == "POST" else None)
    if (
        sent_at
        and is_confirmed(request, form, now=now)
        and code_step.check(request, form, phone=phone, purpose=SmsCode.Purpose.CONFIRM, now=now)
    ):
        del request.session[_SENT_AT]
        return _turn_off(request, user)
    context = {"masked_phone": mask_phone(phone), "is_sent": bool(sent_at)}
    if sent_at:
        context |= code_step.page(form, phone=phone, sent_at=sent_at, now=now)
    return render(request, "accounts/app_off_by_sms.html", context)


def _turn_off(request: HttpRequest, user: User) -> HttpResponse:
    second_way.turn_off(user, actor=user, address=client_address(request), now=read_clock())
    by_sms = _("The app is turned off. If a code is needed, it comes by SMS")
    messages.success(request, by_sms if user.phone else _("The app is turned off"))
    return redirect("accounts:profile")


def _proven(request: HttpRequest, user: User, template: str, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Ask for the password and a code of the app (or a recovery code), then `act`."""
    if not has_app(user.pk):
        return redirect("accounts:app")
    form = SecondWayForm(request.POST if request.method == "POST" else None)
    if is_confirmed(request, form, now=read_clock()):
        try:
            if second_way.try_code(user.username, user, form.cleaned_data["code"], now=read_clock()):
                return act()
            form.add_error(
                "code", _("The code is wrong or was used already. Enter the next one, or a recovery code")
            )
        except services.TooManyTries as refusal:
            form.add_error("code", too_many_codes(refusal))
    return render(request, template, {"form": form})


def too_many_codes(refusal: services.TooManyTries) -> str:
    """The sentence after too many wrong codes: it says what is accepted all the same."""
    way = _(
        "At once you can enter two codes of the app one after the other (wait until it shows the next one), or a "
        "recovery code."
    )
    return f"{too_many(refusal.retry_at, now=read_clock())}. {way}"


@sensitive_variables()
def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The codes, on the only page that ever shows them."""
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


def _fours(key: str) -> list[str]:
    return [key[at : at + 4] for at in range(0, len(key), 4)]
