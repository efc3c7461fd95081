"""Asking for the password again, where an open session alone is not enough."""

from datetime import datetime
from typing import cast

from django.forms import Form
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import services
from accounts.models import User
from accounts.views.code_step import too_many


def is_confirmed(request: HttpRequest, form: Form, *, now: datetime) -> bool:
    """Whether what the form holds is the password of who is signed in; otherwise the form says why not."""
    if not form.is_valid():
        return False
    why_not = why_not_own(request, form.cleaned_data["password"], now=now)
    if why_not:
        form.add_error("password", why_not)
    return not why_not


def why_not_own(request: HttpRequest, password: str, *, now: datetime) -> str:
    """Why `password` is not accepted as the present one of who is signed in; nothing if it is."""
    user = cast(User, request.user)
    if not user.has_usable_password():
        return _no_password(user)
    try:
        is_own = services.is_own_password(user, password, session=request.session.session_key, now=now)
        return "" if is_own else _("The present password is wrong")
    except services.TooManyTries as refusal:
        return too_many(refusal.retry_at, now=now)


def _no_password(user: User) -> str:
    """A number that moved without the password took it along; its owner came in by a provider of identity."""
    if user.phone is None:
        return _(
            "Your account has no password, since it has lost its number. Add a number under “Phone number” in your "
            "profile first, then set a password by SMS"
        )
    return _("Your account has no password yet. Sign out and set one by SMS under “Forgot your password?”")
