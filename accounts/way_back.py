"""Where to go on: addresses that came with a request and may lead anywhere."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def page_of_ours(request: HttpRequest, address: str) -> str:
    """`address` if it is a path on this site, else "".

    Only paths: a bare word would be taken for the name of a view, and no form of ours sends an address with a host.
    """
    is_path = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_path else ""
