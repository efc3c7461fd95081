"""The answers to requests turned away before anything was done, and how much a page accepts.

The web server's gateway (`balabaqsha.serving`) communicates through the environment of a request.
"""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.decorators import largest_body
from accounts.devices import latest_account
from accounts.hashing import HashingBusy
from accounts.typed import is_typed_anew, page_of
from balabaqsha.admin_site import staff_site
from balabaqsha.serving.contract import ACCOUNT_HEADER, LARGEST_HEADER, QUESTION, REFUSAL, Refusal

STATUS: Final = {Refusal.LARGE: 413, Refusal.SLOW: 408, Refusal.CROWDED: 503}
# The pages of the workplace for who is not signed in.
SIGNING_IN: Final = {"login", "set_up"}
RETRY_AFTER_SECONDS: Final = {Refusal.CROWDED: 60, Refusal.PASSWORDS: 5}
# Fields to be typed again: passwords are not sent back, and a one-time code has expired. By name, with its label.
TYPED_ANEW: Final = {
    "password": _("Password"),
    "repeated": _("Repeat the password"),
    "old_password": _("Present password"),
    "new_password1": _("New password"),
    "new_password2": _("Repeat the password"),
    "otp_token": _("One-time code"),
}


class GatewayMiddleware:
    """Says how large a body a page accepts, and explains why a request was turned away.

    It comes before the CSRF check, which would have no body yet. No view is called.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if QUESTION in request.META:
            return _allowance(request, view)
        refusal = request.META.get(REFUSAL)
        return _turned_away(request, view, Refusal(refusal)) if refusal in STATUS else None


class PasswordsMiddleware:
    """503 with the same form, except for the password, if too many passwords are waiting to be hashed.

    Either the web server says so before the view is called, or the hasher (`accounts.hashing`) inside any view. It
    comes after the CSRF check, so that no other site can fill in our form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        return _once_more(request) if request.META.get(REFUSAL) == Refusal.PASSWORDS else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A transaction begun by the view is rolled back, as with any exception."""
        return _once_more(request) if isinstance(exception, HashingBusy) else None


class SameForm(forms.Form):
    """The fields of any sent form, hidden and unchanged; only secrets must be typed again."""

    def __init__(self, sent: QueryDict) -> None:
        super().__init__()
        self.kept = [
            (name, value)
            for name, values in sent.lists()
            if not is_typed_anew(name) and name != "csrfmiddlewaretoken"
            for value in values
        ]
        for name in filter(is_typed_anew, sent):
            kind = forms.TextInput if name == "otp_token" else forms.PasswordInput
            widget = kind({"autocomplete": _autocomplete(name, sent)})
            self.fields[name] = forms.CharField(label=TYPED_ANEW.get(name, _("Password")), widget=widget)


def _autocomplete(name: str, sent: QueryDict) -> str:
    if name == "otp_token":
        return "one-time-code"
    is_chosen = name != "old_password" and ("repeated" in sent or "new_password2" in sent)
    return "new-password" if is_chosen else "current-password"


def _once_more(request: HttpRequest) -> HttpResponse:
    answer = render(request, "passwords_busy.html", {"form": SameForm(request.POST)}, status=503)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS[Refusal.PASSWORDS])
    return answer


def _allowance(request: HttpRequest, view: Callable[..., HttpResponse]) -> HttpResponse:
    found = request.resolver_match
    at_work, view_name = found is not None and found.app_name == "admin", found.url_name if found else ""
    largest = largest_body(view) or (settings.DATA_UPLOAD_MAX_MEMORY_SIZE if at_work else None)
    if largest is None:
        return _turned_away(request, view, Refusal.LARGE)
    if at_work and view_name in SIGNING_IN:
        # Nothing of that size is typed here, and signing in first leads to this very page.
        return _turned_away(request, view, Refusal.LARGE)
    if at_work and not staff_site.has_permission(request):
        return redirect_to_login(request.get_full_path(), login_url="admin:login")
    # Where somebody has signed in before, the form may come after the session has ended: its words are kept.
    account = str(request.user.pk) if request.user.is_authenticated else latest_account(request)
    if not account:
        return redirect_to_login(page_of(request))
    return HttpResponse(status=204, headers={LARGEST_HEADER: str(largest), ACCOUNT_HEADER: account})


def _turned_away(request: HttpRequest, view: Callable[..., HttpResponse], refusal: Refusal) -> HttpResponse:
    largest = largest_body(view)
    context = {
        "refusal": refusal.value,
        "status": STATUS[refusal],
        "megabytes": largest and settings.UPLOAD_MAX_BYTES // 1024**2,
        "megabytes_in_all": largest and largest // 1024**2,
    }
    answer = render(request, "turned_away.html", context, status=STATUS[refusal])
    if refusal is Refusal.CROWDED:
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS[refusal])
    return answer
