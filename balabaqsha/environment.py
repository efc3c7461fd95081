"""Reading the process's environment, with a clear message for anything missing or unreadable."""

import os
import re
import stat
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import environ
import psycopg2
import redis
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

# No secret is larger, and an endless device is not a secret.
LARGEST_FILE: Final = 64 * 1024
# What every machine and every column of the database can hold.
LARGEST_NUMBER: Final = 2_147_483_647

_YES = {"1", "true", "on", "yes", "y"}
_NO = {"0", "false", "off", "no", "n"}
_POSTGRES = {"postgres", "postgresql"}
# Django's own, in addition to the driver's parameters: for a connection pool in front of the database.
_DJANGO_PARAMETERS = {"disable_server_side_cursors"}
_WHOLE_NUMBERS = re.compile(r"(connect_timeout|keepalives.*|tcp_user_timeout|port)")
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_ORIGIN = re.compile(
    r"https?://(\*\.)?([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE
)


class Given(FileAwareMapping):
    """The environment, in which `NAME_FILE` names a file that holds `NAME`, and an empty value is none.

    A forgotten line in an environment file gives an empty value, which must not switch anything off. A secret's file
    usually ends with a line break, which is not part of the secret.
    """

    def __getitem__(self, key: str) -> str:
        path = self.env.get(f"{key}_FILE")
        value: str = self._read(key, path) if path else self.env[key]
        if "\0" in value:
            raise ImproperlyConfigured(f"{key} holds a NUL, which no value may have.")
        if not value.strip():
            raise KeyError(key)
        return value

    def _read(self, key: str, path: str) -> str:
        """The file's contents. Never waits: a pipe that nobody fills, or an endless device, is not read."""
        if path not in self.files_cache:
            try:
                self.files_cache[path] = _file_text(path).rstrip("\r\n")
            except (OSError, ValueError) as error:
                raise ImproperlyConfigured(f"{key}_FILE names a file that can't be read: {error}") from None
        return str(self.files_cache[path])


class Environment(environ.FileAwareEnv):
    """Values of the environment by type. What can't be read raises `ImproperlyConfigured`, which names the variable.

    No message holds a value: it may be a secret.
    """

    ENVIRON = Given()

    def secret(self, var: str) -> str:
        """The value exactly as given, `$` included; empty if there is none."""
        value: str = self.ENVIRON.get(var, "")
        return value

    def credential(self, var: str) -> str:
        """A secret that is sent to a peer: one line of text; empty if there is none."""
        value = self.secret(var)
        if not _is_line(value):
            raise ImproperlyConfigured(f"{var} holds control signs, or bytes that are not UTF-8.")
        return value

    def token(self, var: str) -> str:
        """A credential that a head of a request can carry: Latin letters, digits and signs without a blank."""
        value: str = self.secret(var).strip()
        if not (value.isascii() and value.isprintable() and " " not in value):
            raise ImproperlyConfigured(
                f"{var} may hold Latin letters, digits and signs only, without a blank."
            )
        return value

    def bool(self, var: str, default: bool = False) -> bool:
        """1 or 0 (also true, on, yes, y; false, off, no, n): a typing mistake must not mean no."""
        value = self.str(var, default="1" if default else "0").strip().lower()
        if value not in _YES | _NO:
            raise ImproperlyConfigured(f"{var} must be 1 or 0.")
        return value in _YES

    def int(self, var: str, default: int, *, least: int = -LARGEST_NUMBER, most: int = LARGEST_NUMBER) -> int:
        """A whole number from `least` to `most`."""
        value = self.str(var, default=str(default)).strip()
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise ImproperlyConfigured(f"{var} must be a whole number.")
        # Python itself refuses to read thousands of digits.
        if len(digits) > len(str(LARGEST_NUMBER)) or not least <= int(value) <= most:
            raise ImproperlyConfigured(f"{var} must be a whole number from {least} to {most}.")
        return int(value)

    def fernet_keys(self, var: str) -> list[str]:
        """The keys between commas. What is no key would encrypt nothing, and is a slip of copying."""
        found = self.list(var, default=[])
        for number, key in enumerate(found, 1):
            if not is_fernet_key(key):
                raise ImproperlyConfigured(
                    f"{var}: key {number} is no Fernet key, thirty-two random bytes as URL-safe Base64."
                )
        return found

    def day(self, var: str) -> date | None:
        """A day as 2027-03-01; None where there is none."""
        value = self.secret(var).strip()
        if not value:
            return None
        try:
            # Python itself also reads 20270301 and weeks.
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            raise ImproperlyConfigured(f"{var} must be a day such as 2027-03-01.") from None

    def http_address(self, var: str, *, default: str = "") -> str:
        """The address of a peer, http or https: a host, perhaps a port and a path; empty where there is none.

        We add the query and the credentials ourselves. A name in other letters is written as xn--….
        """
        value: str = self.str(var, default=default).strip()
        if value and not _is_http(value):
            raise ImproperlyConfigured(
                f"{var} can't be read: it must look like https://host/path, without blanks, a user, ? or #."
            )
        return value

    def tiles(self, var: str) -> str:
        """The address of the tiles of a map, with `{z}`, `{x}` and `{y}` in its path; empty where there is none."""
        value: str = self.str(var, default="").strip()
        found = re.findall(r"\{[^{}]*\}", value)
        if value and not (
            sorted(found) == ["{x}", "{y}", "{z}"]
            and _is_http(re.sub(r"\{[xyz]\}", "1", value))
            and _ORIGIN.fullmatch(origin_of(value))
        ):
            raise ImproperlyConfigured(
                f"{var} can't be read: it must look like https://host/{{z}}/{{x}}/{{y}}.png, without a blank, ? or #."
            )
        return value

    def origins(self, var: str) -> list[str]:
        """The origins that forms may come from: schemes and hosts, without a path."""
        found = self.list(var, default=[])
        if not all(_ORIGIN.fullmatch(origin) and _port_is_whole(origin) for origin in found):
            raise ImproperlyConfigured(
                f"{var} can't be read: each must look like https://bala.example.kz, without a path; comma separated."
            )
        return found

    def redis(self, var: str, *, default: str) -> str:
        """The address of a Redis, in a form that both the cache and the broker understand."""
        value = self.secret(var).strip() or default
        if not _is_redis(value):
            raise ImproperlyConfigured(
                f"{var} can't be read: it must look like redis://host:6379/0, or unix:///folder/redis.sock. A password "
                "with / or other signs must be percent-encoded."
            )
        return value

    def database(self, var: str, *, beside: str, default: str) -> dict[str, Any]:
        """Django's settings of the database at the address `var`; `beside` is the variable of its password.

        A password in an address must be percent-encoded; in a variable of its own it is taken as is.
        """
        address = self.secret(var).strip() or default
        parts = _parts(address)
        if not (parts and parts.scheme in _POSTGRES and parts.path.strip("/") and _is_line(unquote(address))):
            raise ImproperlyConfigured(
                f"{var} can't be read: it must look like postgres://user@host/name. A password with / or other signs "
                f"goes into {beside}, as it stands."
            )
        if not _parameters_are_known(parts.query):
            # It is not named: an unencoded password may have turned into one.
            raise ImproperlyConfigured(
                f"{var} can't be read: the driver does not know a parameter behind the ?, or can't read its value."
            )
        settings: dict[str, Any] = self.db_url_config(address)
        if given := self.secret(beside):
            settings["PASSWORD"] = given
        return settings

    def certificate(self, var: str) -> str:
        """Where a certificate is: a server that shows it, as host:port, or the path of a file; empty if nowhere."""
        value = self.credential(var).strip()
        host, _, port = value.rpartition(":")
        if value and not (value.startswith("/") or (host and "/" not in host and port.isdecimal())):
            raise ImproperlyConfigured(f"{var} must look like bala.example.kz:443 or /etc/ssl/bala.pem.")
        return value

    def prices(self, var: str) -> dict[str, Decimal]:
        """Prices by name: `name=18.50`, between commas; none by default."""
        found: dict[str, Decimal] = {}
        for part in self.list(var, default=[]):
            name, _is, price = (piece.strip() for piece in part.partition("="))
            if not (name and re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", price, re.ASCII)):
                raise ImproperlyConfigured(f"{var} must look like smsc=18.50,mobizon=20.")
            found[name] = Decimal(price)
        return found

    def list(self, var: str, default: list[str]) -> list[str]:
        """The values between commas, without surrounding spaces."""
        parts = (part.strip() for part in self.str(var, default=",".join(default)).split(","))
        return [part for part in parts if part]


def origin_of(address: str) -> str:
    """The scheme and the host of an address, as a policy of content names them."""
    scheme, _is, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def is_fernet_key(key: str) -> bool:
    """Whether it is thirty-two bytes as URL-safe Base64, random or not."""
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def reader_of(environ: Mapping[str, str]) -> Environment:
    """The same for an environment other than the process's."""

    class Reader(Environment):
        ENVIRON = Given(dict(environ), cache=False)

    return Reader()


def _file_text(path: str) -> str:
    # Just opening a pipe without a writer would block.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path!r} is no regular file")
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError(f"{path!r} is larger than {LARGEST_FILE // 1024} KB")
    return content.decode()


def _is_line(text: str) -> bool:
    """Whether it is text without control signs: neither line breaks nor bytes that are not UTF-8."""
    return not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


def _parts(address: str) -> SplitResult | None:
    """The parts of an address whose port, if any, is a port; None where there is no reading it.

    Unlike other programs, Python strips line breaks and tabs from an address before parsing it.
    """
    try:
        parts = urlsplit(address)
        return parts if _is_line(address) and " " not in address and parts.port != 0 else None
    except ValueError:
        return None


def _port_is_whole(address: str) -> bool:
    return _parts(address) is not None


def _is_http(address: str) -> bool:
    parts = _parts(address)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    return address.isascii() and not (set("?#") & set(address)) and "@" not in parts.netloc


def _is_redis(address: str) -> bool:
    parts = _parts(address)
    if parts is None or parts.fragment:
        return False
    if parts.scheme == "unix":
        is_whole = parts.path.startswith("/") and len(parts.path) > 1
    else:
        is_whole = bool(parts.hostname) and bool(re.fullmatch(r"/?|/[0-9]{1,9}", parts.path))
    try:
        # The client itself knows its schemes and parameters; this does not connect.
        pool = redis.ConnectionPool.from_url(address)
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        return False
    return is_whole


def _parameters_are_known(query: str) -> bool:
    """Whether the driver knows each parameter of a database's address, and can read those that are numbers."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() in _DJANGO_PARAMETERS:
            continue
        try:
            psycopg2.extensions.make_dsn(**{name: value})
        except (psycopg2.Error, TypeError):
            return False
        if _WHOLE_NUMBERS.fullmatch(name) and not re.fullmatch(r"[0-9]{1,9}", value):
            return False
        if name == "sslmode" and value not in _SSL_MODES:
            return False
    return True
