"""The staff's workplace: Django admin behind a second factor. Its start page shows what is to be done today."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, auth, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.contenttypes.views import shortcut
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import localdate
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite
from django_otp.models import Device

from accounts import audit
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.journal_actions import Action
from accounts.models import User
from accounts.sessions import clock_of
from accounts.way_back import page_of_ours
from applications import workplace
from applications.own_rows import has_every_locality, own_rows
from balabaqsha.staff_codes import backup_codes
from balabaqsha.staff_help import ABOUT_PAGES
from balabaqsha.staff_inbox import inbox, newest_unread, unread
from balabaqsha.staff_lists import WatchedAutocomplete, guarded, is_offered_for_choice
from balabaqsha.staff_manual import manual
from balabaqsha.staff_messages import messages_page
from balabaqsha.staff_ready import ready
from balabaqsha.staff_set_up import set_up
from balabaqsha.staff_sign_in import StaffLoginForm, StaffPasswordChangeView
from balabaqsha.staff_signed_out import signed_out_page
from bulletin.employment import places_of
from bulletin.sorting import sort_key
from notifications import budget, gateways
from notifications.clock import estimate_clock, read_clock

# Once this share of the day's budget for SMS is spent, the start page shows it in red.
ALARM_PERCENT = 80
_SEEN = "staff_seen_at"
# Tables of lists, by all that they depend on: nothing of that changes while a process runs, and a city has few roles.
MOST_TABLES = 100
_tables: dict[tuple[str | None, bool, bool, frozenset[str]], str] = {}
# How often a request is noted, so that not every click writes.
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
        # As our own columns and pages say it.
        self.empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        if settings.STAFF_SECOND_FACTOR:
            return bool(super().has_permission(request))
        return admin.AdminSite.has_permission(self, request)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A page of the workplace; after `STAFF_IDLE_MINUTES` without a request the employee signs in again first."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if self.has_permission(request):
                now = clock_of(request)
                if is_idle(request.session, now=now):
                    _sign_out(request)
                else:
                    note_request(request.session, now=now)
            if (
                request.method == "POST"
                and not request.user.is_authenticated
                and request.path not in self._open
            ):
                return signed_out_page(self, request)
            try:
                return cast(HttpResponse, guarded(request, *args, **kwargs))
            except (Http404, PermissionDenied) as refusal:
                if not self.has_permission(request):
                    raise
                return self._not_here(request, refusal)
            except (DisallowedModelAdminLookup, DisallowedModelAdminToField) as refusal:
                # An address that no page of ours has is a mistake like another, not an error in the log.
                raise BadRequest("a filter that no list offers") from refusal

        return watched

    @property
    def _open(self) -> tuple[str, ...]:
        """The addresses that somebody may send something to who is signed in nowhere: there is nothing to lose."""
        return tuple(reverse(f"admin:{name}", current_app=self.name) for name in ("login", "logout"))

    def _not_here(self, request: HttpRequest, refusal: Exception) -> HttpResponse:
        """A page of the workplace, with the way back, for what is not there (any more) or is no work of theirs."""
        is_missing = isinstance(refusal, Http404)
        context = {
            **self.each_context(request),
            "title": gettext("This page is not here") if is_missing else gettext("This can't be done here"),
            "is_missing": is_missing,
            # Of what was sent, the page from which it came.
            "back": request.path if request.method == "POST" and not is_missing else "",
        }
        status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.FORBIDDEN
        return TemplateResponse(request, "admin/not_here.html", context, status=status).render()

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Django's; the admin, ours or a library's, gets what holds for every list (`balabaqsha.staff_lists`).

        None for devices of the second factor: their pages show keys, which are for the owner alone.
        """
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else list(model_or_iterable)
        if any(issubclass(model, Device) for model in models):
            return
        super().register(model_or_iterable, guarded(admin_class or admin.ModelAdmin), **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Django's list, made when it is first looked at: Django asks for it on every page, and one page shows it."""

        def made() -> list[Any]:
            # Django's own method sorts, too, by code points.
            apps = self._build_app_dict(request, app_label).values()
            for app in apps:
                app["models"].sort(key=_in_kazakh_order)
            return sorted(apps, key=_in_kazakh_order)

        return SimpleLazyObject(made)

    def _table_of_lists(self, request: HttpRequest, user: User, *, now: datetime) -> str:
        """The lists that the employee may open, as HTML: made once for all who have the same rights."""
        rights = frozenset() if user.is_superuser else frozenset(user.get_all_permissions())
        key = (get_language(), user.is_superuser, has_every_locality(user, now=now), rights)
        if key not in _tables:
            if len(_tables) >= MOST_TABLES:
                _tables.clear()
            lists = {"app_list": self.get_app_list(request), "show_changelinks": True}
            _tables[key] = render_to_string("admin/app_list.html", lists, request)
        return _tables[key]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Suggestions while typing, only for fields whose form offers them."""
        if not is_offered_for_choice(self, request):
            raise PermissionDenied
        return cast(HttpResponse, WatchedAutocomplete.as_view(admin_site=self)(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in: remembers the device of an employee who signed in, and answers 429 after too many tries."""
        wanted = page_of_ours(request, request.POST.get("next") or request.GET.get("next") or "")
        shown = {"next": wanted or reverse("admin:index", current_app=self.name)}
        response = cast(HttpResponse, super().login(request, shown | (extra_context or {})))
        form = (getattr(response, "context_data", None) or {}).get("form")
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            # Django leads whoever came without a page of ours to where families are led.
            response["Location"] = shown["next"]
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
            if response.status_code == HTTPStatus.FOUND:
                response["Location"] = reverse("admin:login", current_app=self.name)
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
        """Ours before Django's, so that the first replaces Django's view at the same address."""
        # Only now: the pages of the workplace register themselves on this site.
        from applications.admin.city import CityPages
        from applications.admin.family import FamilyPages
        from applications.admin.files import FilePages
        from applications.admin.reconciling import ReconcilingPages
        from applications.admin.reports import ReportPages
        from applications.admin.rosters import RosterPages

        own = path(
            "r/<path:content_type_id>/<path:object_id>/", self.admin_view(public_page), name="view_on_site"
        )
        # Whoever opens a link has no account that could be signed in yet.
        link = path("invitation/", set_up, name="set_up")
        told = path("inbox/", self.admin_view(inbox), name="inbox")
        explained = path("manual/", self.admin_view(manual), name="manual")
        prepared = path("ready/", self.admin_view(ready), name="ready")
        delivered = path("messages/", self.admin_view(messages_page), name="messages")
        codes = path("backup-codes/", self.admin_view(backup_codes), name="backup_codes")
        pages = (FamilyPages, RosterPages, ReportPages, FilePages, ReconcilingPages, CityPages)
        ours = [address for one in pages for address in one(self).urls]
        return [own, told, explained, prepared, delivered, codes, link, *ours, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, with what the page is, and how many messages to the employee are unread."""
        name = request.resolver_match.url_name if request.resolver_match else None
        about = ABOUT_PAGES.get(name or "")
        return {**super().each_context(request), "about": about, "unread": unread(request)}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What is to be done today, by each employee's rights; below it the lists."""
        context = {**(extra_context or {})}
        if isinstance(request.user, User):
            user, now = request.user, estimate_clock()
            asked = {**_ask_for_sms(user, now=now), **workplace.ask_for_numbers(user, now=now)}
            context["table_of_lists"] = self._table_of_lists(request, user, now=now)
            context["is_employed"] = places_of(user, today=localdate(now)).are_any
            if user.has_perm("applications.view_bid"):
                context["today"], counted = workplace.today(user, besides=asked, now=now)
                context["now"] = now
            else:
                counted = workplace.count_all(asked, now=now)
            context["told"], context["unread"] = newest_unread(user)
            context |= {"sms": _sms(counted, now=now), "numbers": workplace.numbers(counted)}
        return cast(TemplateResponse, super().index(request, context))


def public_page(request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
    """To the page that families see of an object; 404 for a key that can't be one, of which Django makes an error."""
    try:
        return cast(HttpResponse, shortcut(request, content_type_id, object_id))
    except (ValidationError, DataError):
        raise Http404 from None


def _ask_for_sms(user: User, *, now: datetime) -> dict[str, Any]:
    """What `_sms` is told of; None for employees who may not see messages."""
    may_see = user.has_perm("notifications.view_message")
    return {
        "sms_gateways": gateways.troubled(now=now) if may_see else None,
        "sms_paid": budget.paid_today(now=now) if may_see else None,
        "sms_withheld": own_rows(budget.withheld_today(now=now), user=user, now=now) if may_see else None,
    }


def _sms(counted: dict[str, workplace.Counted | None], *, now: datetime) -> dict[str, Any] | None:
    """What the start page says about today's SMS, for employees who may see them; nothing while all is well."""
    paid, withheld, troubled = (counted[f"sms_{name}"] for name in ("paid", "withheld", "gateways"))
    if paid is None or withheld is None or troubled is None:
        return None
    usage = budget.usage(paid.total)
    if usage.level is budget.Level.OK and not withheld.total and not troubled.total:
        return None
    return {
        "usage": usage,
        "withheld": withheld.total,
        "troubled": troubled.total,
        "since": budget.midnight(now).isoformat(),
        # How much is spent is of interest only near the limit.
        "is_near": usage.level is not budget.Level.OK or usage.percent >= ALARM_PERCENT,
    }


def is_idle(session: SessionBase, *, now: datetime) -> bool:
    """Whether the last noted request to the workplace is `STAFF_IDLE_MINUTES` ago; False before the first one."""
    seen = _last_seen(session)
    return seen is not None and now >= seen + timedelta(minutes=settings.STAFF_IDLE_MINUTES)


def note_request(session: SessionBase, *, now: datetime) -> None:
    """Note, once a minute, that an employee is at work: the session ends at most a minute early, and never late.

    The total hours of a session still count from the sign-in: merely saving the session would extend it.
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


def _in_kazakh_order(named: dict[str, Any]) -> str:
    """Where an app or a list stands among others: by its name in the alphabet, not by code points."""
    return sort_key(str(named["name"]))
