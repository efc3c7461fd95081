"""Asking for the password again, where an open session alone is not enough."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts import services
from accounts.forms import OwnPasswordForm
from accounts.models import User
from accounts.views.code_step import too_many


def is_confirmed(user: User, form: OwnPasswordForm, *, now: datetime) -> bool:
    """Whether the form holds the password of `user`; otherwise it says why not."""
    if not form.is_valid():
        return False
    try:
        if services.is_own_password(user, form.cleaned_data["password"], now=now):
            return True
        form.add_error("password", _("The present password is wrong"))
    except services.TooManyTries as refusal:
        form.add_error("password", too_many(refusal.retry_at, now=now))
    return False
