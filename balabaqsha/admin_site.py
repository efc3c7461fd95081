"""The staff's workplace: Django admin behind a second factor, which opens with what is to be done today."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, auth, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from applications import workplace
from balabaqsha.staff_lists import WatchedAutocomplete, guarded, is_offered_for_choice
from notifications.clock import estimate_clock, read_clock

# What an authenticator app shows; anything else can only be one of the emergency codes.
APP_CODE_LENGTH = 6

_SEEN = "staff_seen_at"
# A request is noted only so often, so that a click does not always write.
_NOTED_EVERY = timedelta(minutes=1)


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

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A page of the workplace; whoever let it rest for `STAFF_IDLE_MINUTES` signs in first and comes back to it."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if self.has_permission(request):
                now = read_clock()
                if is_idle(request.session, now=now):
                    _sign_out(request)
                else:
                    note_request(request.session, now=now)
            return cast(HttpResponse, guarded(request, *args, **kwargs))

        return watched

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Django's; the admin, ours or a library's, gets what holds for every list (`balabaqsha.staff_lists`)."""
        super().register(model_or_iterable, guarded(admin_class or admin.ModelAdmin), **options)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Choices while one types, only for fields whose form offers them."""
        if not is_offered_for_choice(self, request):
            raise PermissionDenied
        return cast(HttpResponse, WatchedAutocomplete.as_view(admin_site=self)(request))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What is to be done today, for those who may answer bids; below it the lists, by everyone's rights."""
        context = extra_context or {}
        if isinstance(request.user, User) and request.user.has_perm("applications.view_bid"):
            now = estimate_clock()
            context = {**context, "today": workplace.today(request.user, now=now), "now": now}
        return cast(TemplateResponse, super().index(request, context))


def is_idle(session: SessionBase, *, now: datetime) -> bool:
    """Whether the last noted request to the workplace is `STAFF_IDLE_MINUTES` ago; False before the first one."""
    seen = _last_seen(session)
    return seen is not None and now >= seen + timedelta(minutes=settings.STAFF_IDLE_MINUTES)


def note_request(session: SessionBase, *, now: datetime) -> None:
    """Remember that an employee is at work, once a minute: the session ends a minute early at most, and never late.

    The hours that a session may last at all still count from the sign-in: a session that is written would last anew.
    """
    seen = _last_seen(session)
    if seen is None:
        session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    if seen is None or now >= seen + _NOTED_EVERY:
        session[_SEEN] = now.isoformat()


def _last_seen(session: SessionBase) -> datetime | None:
    seen = session.get(_SEEN)
    return datetime.fromisoformat(seen) if seen else None


def _sign_out(request: HttpRequest) -> None:
    auth.logout(request)
    text = gettext(
        "You were signed out: nothing was done here for a long time. Minutes allowed: %(minutes)s. "
        "Sign in again, and the page where you were opens."
    )
    messages.warning(request, text % {"minutes": settings.STAFF_IDLE_MINUTES})


# The site on which `@admin.register` registers (`balabaqsha.apps.StaffAdminConfig`).
staff_site = cast(StaffAdminSite, SimpleLazyObject(lambda: admin.site))
