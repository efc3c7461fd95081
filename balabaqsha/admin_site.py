"""The staff's workplace: Django admin behind a second factor, which opens with what is to be done today."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, auth
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from applications import workplace

# What an authenticator app shows; anything else can only be one of the emergency codes.
APP_CODE_LENGTH = 6


class StaffLoginForm(AdminAuthenticationForm):
    """Login, password and one-time code together.

    One answer for every mistake: nobody learns from it that a name exists or that a password was right.
    """

    otp_token = forms.CharField(
        label=_("One-time code"),
        help_text=_("Six digits from the authenticator app on your phone, or one of your emergency codes."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    error_messages = {
        "invalid_login": _(
            "The login, the password or the one-time code is wrong. Check all three and take a fresh code. "
            "If you have no code, ask the system administrator."
        ),
        "inactive": AdminAuthenticationForm.error_messages["inactive"],
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Login")
        if not settings.STAFF_SECOND_FACTOR:
            del self.fields["otp_token"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        user = self.get_user()
        if settings.STAFF_SECOND_FACTOR and isinstance(user, User):
            device = verified_device(user, data.get("otp_token", ""))
            if device is None:
                # Counted like a wrong password, so that codes can't be guessed one after another.
                user_login_failed.send(
                    sender=auth.__name__, credentials={"username": user.username}, request=self.request
                )
                raise self.get_invalid_login_error()
            # django-otp binds the session to the device when the user is logged in.
            vars(user)["otp_device"] = device
        return dict(data)


def verified_device(user: User, token: str) -> Device | None:
    """The user's device that made `token`, now used up; None where it did not, or is resting after wrong codes."""
    token = "".join(token.split())
    kind = TOTPDevice if len(token) == APP_CODE_LENGTH and token.isdigit() else StaticDevice
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).order_by("-pk").first()
        if device is None or not device.verify_is_allowed()[0]:
            return None
        return device if device.verify_token(token) else None


class StaffAdminSite(OTPAdminSite):
    """Admin that asks for name, password and one-time code together (`STAFF_SECOND_FACTOR`)."""

    site_title = _("Balabaqsha: staff")
    site_header = _("Balabaqsha: staff")
    index_title = _("Workplace")
    enable_nav_sidebar = False
    login_form = StaffLoginForm
    login_template = "admin/login.html"
    index_template = "admin/today.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)

    def has_permission(self, request: HttpRequest) -> bool:
        if settings.STAFF_SECOND_FACTOR:
            return bool(super().has_permission(request))
        return admin.AdminSite.has_permission(self, request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What is to be done today, for those who may answer bids; below it the lists, by everyone's rights."""
        context = extra_context or {}
        if isinstance(request.user, User) and request.user.has_perm("applications.view_bid"):
            now = timezone.now()
            context = {**context, "today": workplace.today(request.user, now=now), "now": now}
        return cast(TemplateResponse, super().index(request, context))


# The site on which `@admin.register` registers (`balabaqsha.apps.StaffAdminConfig`).
staff_site = cast(StaffAdminSite, SimpleLazyObject(lambda: admin.site))
