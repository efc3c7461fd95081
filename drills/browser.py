"""Somebody who walks through the portal by HTTPS: keeps cookies, reads forms, and tells what came back."""

import http.client
import re
import ssl
from contextlib import closing
from html import unescape
from http.cookies import SimpleCookie
from typing import Final, NamedTuple
from urllib.parse import urlencode

from drills.proxy import NAME

PATIENCE_SECONDS: Final = 30
_FIELD: Final = re.compile(r'<input[^>]*type="hidden"[^>]*>')


class Page(NamedTuple):
    """What came back."""

    status: int
    location: str
    text: str


class Lost(Exception):
    """No answer came."""


class Browser:
    """One visitor. Each request is a connection of its own: as of many visitors."""

    def __init__(self, port: int, *, tls: ssl.SSLContext, cookies: dict[str, str] | None = None) -> None:
        self._port, self._tls = port, tls
        self._cookies = dict(cookies or {})

    def get(self, path: str) -> Page:
        return self._ask("GET", path, None)

    def send(self, path: str, **fields: str | list[str]) -> Page:
        """Fill in the form at an address that has these fields, with its hidden ones, and send it."""
        forms = [form.partition("</form>")[0] for form in self.get(path).text.split("<form")[1:]]
        chosen = next((form for form in forms if all(f'name="{name}"' in form for name in fields)), "")
        hidden = {
            name: unescape(value)
            for field in _FIELD.findall(chosen)
            if (name := _attribute(field, "name")) and (value := _attribute(field, "value")) is not None
        }
        return self.post(path, **(hidden | fields))

    def post(self, path: str, **fields: str | list[str]) -> Page:
        """Send these fields; the token is the cookie's."""
        token = self._cookies.get("__Host-csrftoken", "")
        return self._ask("POST", path, urlencode({"csrfmiddlewaretoken": token} | fields, doseq=True))

    def _ask(self, method: str, path: str, body: str | None) -> Page:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {
            "Host": NAME,
            "Cookie": cookies,
            "Referer": f"https://{NAME}/",
            "Origin": f"https://{NAME}",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        address = http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=PATIENCE_SECONDS, context=self._tls
        )
        with closing(address) as connection:
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                raise Lost(f"{method} {path}: {type(error).__name__}") from None
        given: SimpleCookie = SimpleCookie()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            given.load(cookie)
        self._cookies |= {name: morsel.value for name, morsel in given.items()}
        return Page(answer.status, answer.headers.get("Location", ""), text)


def _attribute(field: str, name: str) -> str | None:
    found = re.search(rf'\b{name}="([^"]*)"', field)
    return found[1] if found else None
