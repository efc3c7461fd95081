"""Who may open a page, and how much may be sent to it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import typed
from accounts.agreement import reads_on
from accounts.models import Profile, User
from accounts.services import must_accept_policy

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., HttpResponse])


def parent_required(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For every page of the cabinet: a visitor is sent to sign in and back; an employee without a profile is told so.

    Whoever has closed their account may only open it again. Whoever agreed to an earlier version of the data policy is
    asked about the present one; without agreeing they go on reading, and nothing that they send is done. What they
    typed comes back once they agree.

    The view may rely on `request.user` being an active user with `request.user.profile`.
    """

    @wraps(view)
    def asks(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = cast(User, request.user)
        if not must_accept_policy(user):
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs) if reads_on(request) else _ask(request.get_full_path())
        typed.keep(request)
        messages.warning(
            request, _("Nothing was sent: accept the data policy first. What you filled in comes back.")
        )
        return _ask(typed.page_of(request))

    return parent_whatever_agreed(asks)


def parent_whatever_agreed(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The same for what nobody has to agree to anything for: protecting, copying and closing one's account."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not Profile.objects.filter(user=request.user).exists():
            return render(request, "accounts/not_a_parent.html", status=403)
        if request.user.leaving_since is not None:
            return redirect("accounts:come_back")
        return view(request, *args, **kwargs)

    return guarded


def _ask(following: str) -> HttpResponse:
    return redirect(f"{reverse('accounts:policy')}?{urlencode({'next': following})}")


def accepts(largest: int) -> Callable[[View], View]:
    """Signed-in users, and browsers that know an account, may send up to `largest` bytes to this page.

    Others may send no more than to any page.
    """

    def mark(view: View) -> View:
        view.__dict__["largest_body"] = largest
        return view

    return mark


def largest_body(view: Callable[..., Any]) -> int | None:
    """The limit that `accepts` set for a view; None without one."""
    largest: int | None = getattr(view, "largest_body", None)
    return largest
