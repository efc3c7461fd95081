"""An employee's new backup codes: for whoever has used them up, or never saw them because the connection broke."""

from typing import Any, cast

import django_otp
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import limits, second_factor, staff_links
from accounts.audit import client_address
from accounts.models import User
from accounts.views.code_step import too_many
from notifications.clock import read_clock


class CodeForm(forms.Form):
    """A code of the owner's app (`app`); wrong ones are counted for the session with the key `session`."""

    token = forms.CharField(
        label=_("One-time code"),
        help_text=_(
            "Six digits from the authenticator app on your phone: not those with which you have signed in, but the "
            "next."
        ),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, user: User, session: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user, self._session = user, session or ""

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        now = read_clock()
        device = second_factor.matching_device(self._user, token, now=now)
        is_app = isinstance(device, TOTPDevice)
        answer = limits.judge([(limits.PASSWORD_PER_SESSION, self._session)], right=is_app, now=now)
        if not answer.ok:
            raise ValidationError(too_many(answer.retry_at, now=now), code="too_often")
        if device is None or not is_app or not second_factor.use_up(device, token, now=now):
            raise ValidationError(gettext("This is not the code that the app shows now. Enter the next one."))
        self.app = device
        return token


@never_cache
@sensitive_post_parameters()
def backup_codes(request: HttpRequest) -> HttpResponse:
    """Ask for a code, then show ten new backup codes this once; the former ones open nothing any more."""
    user = cast(User, request.user)
    form = CodeForm(
        request.POST if request.method == "POST" else None, user=user, session=request.session.session_key
    )
    context: dict[str, Any] = {**admin.site.each_context(request), "title": gettext("New backup codes")}
    if form.is_valid():
        codes = staff_links.renew_codes(user, address=client_address(request), now=read_clock())
        # The session may have been begun with a backup code, whose device is gone.
        django_otp.login(request, form.app)
        return TemplateResponse(
            request, "admin/backup_codes.html", {**context, "codes": codes, "is_new": True}
        )
    context |= {"form": form, "errors": form.errors, "left": staff_links.codes_left(user)}
    return TemplateResponse(request, "admin/new_backup_codes.html", context)
