"""The staff's workplace: Django admin behind a second factor, which opens with what is to be done today."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, auth, messages
from django.contrib.contenttypes.views import shortcut
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite

from accounts import audit
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.journal_actions import Action
from accounts.models import User
from applications import workplace
from balabaqsha.staff_lists import WatchedAutocomplete, guarded, is_offered_for_choice
from balabaqsha.staff_sign_in import StaffLoginForm, StaffPasswordChangeView
from notifications import budget
from notifications.clock import estimate_clock, read_clock

# From so much of the day's budget for SMS on the start page shows it in red.
ALARM_PERCENT = 80
_SEEN = "staff_seen_at"
# A request is noted only so often, so that a click does not always write.
_NOTED_EVERY = timedelta(minutes=1)


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

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The door: it remembers the device of whoever came in, and says 429 to whoever tried too often."""
        response = cast(HttpResponse, super().login(request, extra_context))
        form = (getattr(response, "context_data", None) or {}).get("form")
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            user = cast(User, request.user)
            remember_device(response, request, user)
            audit.record(
                Action.SIGNED_IN, now=read_clock(), actor=user, subject=user, address=client_address(request)
            )
        elif isinstance(form, StaffLoginForm) and form.is_too_often:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's, entered in the journal."""
        user = request.user
        response = cast(HttpResponse, super().logout(request, extra_context))
        if isinstance(user, User) and not request.user.is_authenticated:
            _note_sign_out(request, user, actor=user)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page with our form."""
        request.current_app = self.name
        view = StaffPasswordChangeView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast(HttpResponse, view(request))

    def get_urls(self) -> list[Any]:
        """Django's; the first of them stands before its own of the same address."""
        own = path(
            "r/<path:content_type_id>/<path:object_id>/", self.admin_view(public_page), name="view_on_site"
        )
        return [own, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What is to be done today, for those who may answer bids; below it the lists, by everyone's rights."""
        context = {**(extra_context or {}), "sms": _sms(request)}
        if isinstance(request.user, User) and request.user.has_perm("applications.view_bid"):
            now = estimate_clock()
            context = {**context, "today": workplace.today(request.user, now=now), "now": now}
        return cast(TemplateResponse, super().index(request, context))


def public_page(request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
    """To the page that families see of an object; 404 for a key that can't be one, of which Django makes an error."""
    try:
        return cast(HttpResponse, shortcut(request, content_type_id, object_id))
    except (ValidationError, DataError):
        raise Http404 from None


def _sms(request: HttpRequest) -> dict[str, Any] | None:
    """What the start page says of the SMS of today, to who may see them: nothing while all is well."""
    if not (isinstance(request.user, User) and request.user.has_perm("notifications.view_message")):
        return None
    now = estimate_clock()
    usage, withheld = budget.usage_of(now=now), budget.withheld_today(now=now).count()
    if usage.level is budget.Level.OK and not withheld:
        return None
    return {"usage": usage, "withheld": withheld, "is_alarm": usage.percent >= ALARM_PERCENT or withheld}


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


def _note_sign_out(request: HttpRequest, user: User, *, actor: User | None) -> None:
    audit.record(
        Action.SIGNED_OUT, now=read_clock(), actor=actor, subject=user, address=client_address(request)
    )


def _sign_out(request: HttpRequest) -> None:
    user = cast(User, request.user)
    auth.logout(request)
    _note_sign_out(request, user, actor=None)
    text = gettext(
        "You were signed out: nothing was done here for a long time. Minutes allowed: %(minutes)s. "
        "Sign in again, and the page where you were opens."
    )
    messages.warning(request, text % {"minutes": settings.STAFF_IDLE_MINUTES})


# The site on which `@admin.register` registers (`balabaqsha.apps.StaffAdminConfig`).
staff_site = cast(StaffAdminSite, SimpleLazyObject(lambda: admin.site))
