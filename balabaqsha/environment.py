"""Reading the process's environment: what is given, what is missing, and words for what can't be read."""

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

_YES = {"1", "true", "on", "yes", "y"}
_NO = {"0", "false", "off", "no", "n"}
_POSTGRES = {"postgres", "postgresql"}


class Given(FileAwareMapping):
    """The environment, in which `NAME_FILE` names a file that holds `NAME`, and an empty value is none.

    An empty value is what a forgotten line of an environment file gives; it must not switch anything off. A secret's
    file mostly ends with a line break, which belongs to nobody's password.
    """

    def __getitem__(self, key: str) -> str:
        try:
            value: str = super().__getitem__(key)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{key}_FILE names a file that can't be read: {error}") from None
        if f"{key}_FILE" in self.env:
            value = value.rstrip("\r\n")
        if not value.strip():
            raise KeyError(key)
        return value


class Environment(environ.FileAwareEnv):
    """Values of the environment by type. What can't be read raises `ImproperlyConfigured`, which names the variable.

    No message holds a value: it may be a secret.
    """

    ENVIRON = Given()

    def secret(self, var: str) -> str:
        """The value as it stands, `$` and all; empty where there is none."""
        value: str = self.ENVIRON.get(var, "")
        return value

    def bool(self, var: str, default: bool = False) -> bool:
        """1 or 0 (also true, on, yes, y; false, off, no, n): a slip of the pen must not mean no."""
        value = self.str(var, default="1" if default else "0").strip().lower()
        if value not in _YES | _NO:
            raise ImproperlyConfigured(f"{var} must be 1 or 0.")
        return value in _YES

    def int(self, var: str, default: int) -> int:
        """A whole number."""
        value = self.str(var, default=str(default)).strip()
        if not (value.isascii() and value.removeprefix("-").isdigit()):
            raise ImproperlyConfigured(f"{var} must be a whole number.")
        return int(value)

    def list(self, var: str, default: list[str]) -> list[str]:
        """What stands between commas, without the spaces around it."""
        parts = (part.strip() for part in self.str(var, default=",".join(default)).split(","))
        return [part for part in parts if part]

    def database(self, var: str, *, beside: str, default: str) -> dict[str, Any]:
        """Django's settings of the database at the address `var`; `beside` is the variable of its password.

        A password in an address must be percent-encoded; in a variable of its own it is taken as it stands.
        """
        address = self.secret(var) or default
        try:
            parts = urlsplit(address)
            is_whole = parts.scheme in _POSTGRES and parts.path.strip("/") and parts.port is not False
        except ValueError:
            is_whole = False
        if not is_whole:
            raise ImproperlyConfigured(
                f"{var} can't be read: it must look like postgres://user@host/name. A password with / or other signs "
                f"goes into {beside}, as it stands."
            )
        settings: dict[str, Any] = self.db_url_config(address)
        if given := self.secret(beside):
            settings["PASSWORD"] = given
        return settings
