"""One POST to a gateway, with everything that can go wrong turned into one error."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 10.0
_LARGEST_ANSWER = 64 * 1024


class GatewayError(Exception):
    """No usable answer. The text is a short code: addresses and bodies hold keys, phones and texts."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A gateway that redirects would make us send a password to an address that nobody configured."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects())


def post_form(url: str, fields: Mapping[str, str], *, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """POST `fields` as a form and return the JSON object that came back. Raises `GatewayError`, nothing else."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise GatewayError("address is not http")
    request = urllib.request.Request(  # noqa: S310 - the scheme was just checked
        url,
        data=urllib.parse.urlencode(fields).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        method="POST",
    )
    try:
        with _opener.open(request, timeout=timeout) as response:
            answer = json.loads(response.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        error.close()
        raise GatewayError(f"HTTP {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise GatewayError(type(error).__name__) from None
    except ValueError:
        raise GatewayError("answer is not JSON") from None
    if not isinstance(answer, dict):
        raise GatewayError("answer is not an object")
    return answer
