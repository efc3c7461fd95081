"""How often something may be tried: sliding windows counted in Redis, so that all processes share them.

A key (a phone, a user, an address) is stored only as a keyed hash. Limits per address are twenty times wider in the
demo, where a whole class of newcomers shares one address.

When Redis does not answer, sending codes stops (`fails_closed`: each SMS costs money and is a lever for abuse), and
everything else goes on, since a parent's way must not depend on a counter.
"""

import ipaddress
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, cast

import redis
from django.conf import settings

from accounts.crypto import keyed_hash

logger = logging.getLogger(__name__)

DEMO_FACTOR: Final = 20


@dataclass(frozen=True)
class Limit:
    """At most `times` in any `window`, per key."""

    name: str
    times: int
    window: timedelta
    per_address: bool = False
    fails_closed: bool = False

    @property
    def allowed_times(self) -> int:
        return self.times * DEMO_FACTOR if self.per_address and settings.DEMO else self.times


@dataclass(frozen=True)
class Allowed:
    """Whether it may be done; if not, from when (None: unknown, the counter does not answer)."""

    ok: bool
    retry_at: datetime | None = None


CODE_PER_PHONE: Final = (
    Limit("code-phone-minute", 1, timedelta(seconds=60), fails_closed=True),
    Limit("code-phone-hour", 5, timedelta(hours=1), fails_closed=True),
    Limit("code-phone-day", 8, timedelta(days=1), fails_closed=True),
)
CODE_PER_ADDRESS: Final = (
    Limit("code-address-burst", 20, timedelta(minutes=5), per_address=True, fails_closed=True),
    Limit("code-address-hour", 60, timedelta(hours=1), per_address=True, fails_closed=True),
)
LOGIN_PER_ADDRESS: Final = Limit("login-address", 20, timedelta(minutes=1), per_address=True)
PASSWORD_PER_ACCOUNT: Final = Limit("password-account", 5, timedelta(minutes=15))
IIN_PER_ACCOUNT: Final = Limit("iin-account", 5, timedelta(hours=1))
IIN_PER_ADDRESS: Final = Limit("iin-address", 20, timedelta(days=1), per_address=True)
QUEUE_CHECK_PER_ADDRESS: Final = Limit("queue-check-address", 10, timedelta(hours=1), per_address=True)
# Four digits of a phone could be guessed from many addresses: at this rate all of them take six weeks.
QUEUE_CHECK_PER_NUMBER: Final = Limit("queue-check-number", 10, timedelta(hours=1))
# An employee at the telephone looks somebody up every two minutes; who tries numbers one after another needs more.
LOOK_UP_PER_EMPLOYEE: Final = Limit("look-up-employee", 30, timedelta(hours=1))
SEARCH_PER_EMPLOYEE: Final = Limit("search-employee", 120, timedelta(hours=1))

UPLOADS_PER_ACCOUNT: Final = Limit("uploads-account", 20, timedelta(hours=1))

# All windows are looked at before any of them is counted: a refused attempt costs nothing, so waiting helps.
# Returns 0, or the microsecond from which the last of the full windows has room again.
_SCRIPT: Final = """
local now = tonumber(ARGV[1])
local retry = 0
for i, key in ipairs(KEYS) do
  local times, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  if redis.call('ZCARD', key) >= times then
    local frees = redis.call('ZRANGE', key, -times, -times, 'WITHSCORES')
    retry = math.max(retry, tonumber(frees[2]) + window)
  end
end
if retry > 0 then return string.format('%.0f', retry) end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, ARGV[1], ARGV[1] .. ':' .. ARGV[2])
  redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[2 * i + 2]) / 1000) + 1000)
end
return '0'
"""


def allow(limit: Limit, key: str, *, now: datetime) -> Allowed:
    """Count one attempt of `key` at `now` if `limit` has room for it, atomically; a refused one is not counted."""
    return allow_all([(limit, key)], now=now)


def allow_all(pairs: Iterable[tuple[Limit, str]], *, now: datetime) -> Allowed:
    """The same for several limits at once: either all of them count the attempt or none does."""
    wanted = list(pairs)
    # The random part keeps two attempts of the same microsecond apart.
    arguments: list[str | int] = [_microseconds(now), secrets.token_hex(8)]
    for limit, _key in wanted:
        arguments += [limit.allowed_times, limit.window // timedelta(microseconds=1)]
    names = [_name(limit, key) for limit, key in wanted]
    try:
        answer = _client(settings.REDIS_URL).eval(_SCRIPT, len(names), *names, *arguments)
    except redis.RedisError:
        logger.exception("Redis does not answer, limits are not counted: %s", wanted[0][0].name)
        return Allowed(ok=not any(limit.fails_closed for limit, _key in wanted))
    retry = int(cast(bytes, answer))
    if not retry:
        return Allowed(ok=True)
    return Allowed(ok=False, retry_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=retry))


def forget(pairs: Iterable[tuple[Limit, str]], *, now: datetime) -> None:
    """Take back what `allow_all` counted at this very `now`: the attempt proved to be harmless."""
    moment = _microseconds(now)
    try:
        for limit, key in pairs:
            _client(settings.REDIS_URL).zremrangebyscore(_name(limit, key), moment, moment)
    except redis.RedisError:
        logger.exception("Redis does not answer, an attempt stays counted")


def code_limits(phone: str, address: str | None) -> list[tuple[Limit, str]]:
    """What one SMS code to `phone`, asked for from `address`, is counted by."""
    return [(limit, phone) for limit in CODE_PER_PHONE] + [
        (limit, address_key(address)) for limit in CODE_PER_ADDRESS
    ]


def iin_limits(account: str, address: str | None) -> list[tuple[Limit, str]]:
    """What one look-up in the person registry is counted by; `account` is a user's id, or the proven phone."""
    return [(IIN_PER_ACCOUNT, account), (IIN_PER_ADDRESS, address_key(address))]


def address_key(address: str | None) -> str:
    """The network that shares its limits: /24 of IPv4, /64 of IPv6; one bucket for all unknown addresses."""
    if address is None:
        return "unknown"
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def _name(limit: Limit, key: str) -> str:
    prefix = settings.CACHES["default"].get("KEY_PREFIX", "")
    return f"{prefix}:limit:{limit.name}:{keyed_hash('limit', key)}"


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@lru_cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
