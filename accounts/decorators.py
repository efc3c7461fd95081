"""Who may open a page, and how much may be sent to it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Profile

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., HttpResponse])


def parent_required(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For every page of the cabinet: a visitor is sent to sign in and back; an employee without a profile is told so.

    The view may rely on `request.user` being an active user with `request.user.profile`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not Profile.objects.filter(user=request.user).exists():
            return render(request, "accounts/not_a_parent.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def accepts(largest: int) -> Callable[[View], View]:
    """Signed-in users may send up to `largest` bytes to this page; others no more than to any page."""

    def mark(view: View) -> View:
        view.__dict__["largest_body"] = largest
        return view

    return mark


def largest_body(view: Callable[..., Any]) -> int | None:
    """The limit that `accepts` set for a view; None without one."""
    largest: int | None = getattr(view, "largest_body", None)
    return largest
