"""Addresses of this site: those that came with a request and may lead anywhere, and those we give out."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_path, override

from notifications.pressing import page_of_form


def page_of_ours(request: HttpRequest, address: str) -> str:
    """`address` if it is a path on this site, else "". For the address of a button, the page that the button stands on.

    Only paths: a bare word would be taken for the name of a view, and none of our forms sends an address with a host.
    """
    is_path = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return (_page_of_button(address) or address) if is_path else ""


def _page_of_button(address: str) -> str:
    """Where the button or the form stands whose address it is; empty for a page."""
    path = urlsplit(address).path
    with override(get_language_from_path(path) or settings.LANGUAGE_CODE):
        try:
            return page_of_form(resolve(path))
        except Resolver404:
            return ""


def whole_address(request: HttpRequest, path: str) -> str:
    """`path` as an absolute address: under `SITE_URL`, or else under the host name of the request.

    That name is one of `ALLOWED_HOSTS`. Its port is kept only if this server itself listens on it: a visitor may write
    any port, and the address may reach other people.
    """
    if settings.SITE_URL:
        return f"{settings.SITE_URL}{path}"
    name, port = split_domain_port(request.get_host())
    is_own = port == request.META.get("SERVER_PORT") and not settings.BEHIND_PROXY
    return f"{request.scheme}://{name}{f':{port}' if is_own else ''}{path}"
