"""Addresses of buttons: which page each button stands on, for whoever comes without pressing it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import ResolverMatch, reverse

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

_MARK = "form_stands_on"


def form_stands_on(page: str, *arguments: str) -> Callable[[View], View]:
    """Marks a view whose form is on another page: the address named `page`, with these arguments of the view."""

    def mark(view: View) -> View:
        view.__dict__[_MARK] = (page, arguments)
        return view

    return mark


def pressed_on(
    page: str, *arguments: str
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """The same for a view that takes a POST alone. Who opens its address is led to `page`; other methods get 405."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            if request.method in ("GET", "HEAD"):
                return redirect(_address(page, arguments, kwargs))
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])

        return form_stands_on(page, *arguments)(guarded)

    return decorate


def page_of_form(match: ResolverMatch | None) -> str:
    """The address of the page that the form of `match` stands on, if that is another one; else empty."""
    marked = getattr(match.func, _MARK, None) if match is not None else None
    if match is None or marked is None:
        return ""
    page, arguments = marked
    return _address(page, arguments, match.kwargs)


def _address(page: str, arguments: tuple[str, ...], given: dict[str, Any]) -> str:
    return reverse(page, kwargs={name: given[name] for name in arguments})
