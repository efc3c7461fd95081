"""How often something may be tried: sliding windows counted in Redis, so that all processes share them.

A key (a phone, a user, a network) is stored only as a keyed hash. Limits of a network count failures: thousands of
families share the address of a mobile carrier, and what one of them does correctly is no reason to stop another. Their
windows are minutes. A visitor without failures passes them if what they ask is also counted for them alone.

When Redis does not answer, `grace` says how long a limit lets everything pass: sending codes stops at once (each SMS
costs money and can be abused), look-ups go on for a minute, and signing in goes on, since a parent must not depend on a
counter.
"""

import ipaddress
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final

import redis
from django.conf import settings

from accounts.crypto import keyed_hash
from accounts.models import SmsCode
from notifications.budget import BLOCK_LENGTH, OPERATOR_LENGTH

logger = logging.getLogger(__name__)

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
REST_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Limit:
    """At most `times` in any `window`, per key.

    With `pauses` the key is paused instead: after the `times`-th attempt in the window for the first pause, after each
    further attempt for the next one, and for the last pause from then on. `grace` is how long everything passes while
    Redis does not answer; None means for as long as that lasts. `protects` says what the limit is for, `hurts` who may
    be stopped by it who did nothing wrong, and what is left to them.
    """

    name: str
    times: int
    window: timedelta
    pauses: tuple[timedelta, ...] = ()
    grace: timedelta | None = None
    protects: str = field(default="", compare=False, kw_only=True)
    hurts: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True)
class Allowed:
    """Whether the attempt may be made; if not, when it may be (None: unknown, the counter does not answer)."""

    ok: bool
    retry_at: datetime | None = None


Pairs = Iterable[tuple[Limit, str]]

_CLOSED: Final = timedelta(0)
_GROWING: Final = tuple(minutes * MINUTE for minutes in (1, 2, 4, 8, 15))


def _per(
    *windows: tuple[str, int, timedelta], grace: timedelta | None, protects: str, hurts: str
) -> tuple[Limit, ...]:
    """One limit in several windows."""
    return tuple(
        Limit(name, times, window, grace=grace, protects=protects, hurts=hurts)
        for name, times, window in windows
    )


# The one table of limits. What each of them counts, and for which key, says the function that uses it.

# Wrong passwords. Strangers who try an account share one count, a device that knows the account has its own.
SIGN_IN_PER_ACCOUNT: Final = Limit(
    "sign-in-account",
    5,
    DAY,
    pauses=_GROWING,
    protects="an account whose phone number is known from guessing its password, from however many addresses",
    hurts="the owner on a new device while a stranger tries: gets in with a code by SMS, on known devices as ever",
)
SIGN_IN_PER_DEVICE: Final = Limit(
    "sign-in-device",
    5,
    DAY,
    pauses=_GROWING,
    protects="an account from whoever found or borrowed a phone that knows it",
    hurts="an owner who mistypes five times: gets in with a code by SMS",
)
SIGN_IN_PER_NETWORK: Final = _per(
    ("sign-in-network", 20, 15 * MINUTE),
    ("sign-in-network-day", 100, DAY),
    grace=None,
    protects="all accounts from one common password that is tried on each",
    hurts="neighbours behind a carrier's address on new devices: they get in with a code by SMS, on known ones as ever",
)
# Beyond these no password is even checked, right or wrong, since each takes a core for thirty milliseconds. That of a
# network lies far above what a carrier's families mistype while somebody guesses ten thousand an hour beside them.
WRONG_PASSWORDS_PER_NETWORK: Final = Limit(
    "wrong-passwords",
    300,
    MINUTE,
    protects="the processors, and with them everybody's pages, from a flood",
    hurts="neighbours on new devices while a flood of five a second lasts: a new password by SMS makes theirs known",
)
WRONG_PASSWORDS_PER_DEVICE: Final = Limit(
    "wrong-passwords-device",
    60,
    MINUTE,
    protects="the same from one device that has an account",
    hurts="nobody: no person types one a second",
)
# Of each session by itself: nobody gets another one without the password, and one that was taken over must not keep the
# owner, in a session of their own, from changing the password.
PASSWORD_PER_SESSION: Final = Limit(
    "password-session",
    5,
    15 * MINUTE,
    protects="the password from whoever sits down at a device that is signed in, and wants to change it",
    hurts="an owner who has forgotten it, or whose session somebody shares: signs in anew, or sets a new one by SMS",
)
# Addresses of one-time links for employees that open nothing. What is right is never counted.
STAFF_LINKS_PER_NETWORK: Final = Limit(
    "staff-links",
    20,
    15 * MINUTE,
    protects="the accounts of new employees from whoever tries addresses, and the database from a flood of them",
    hurts="a new employee beside whoever does that: tries again a quarter of an hour later, the link lasts three days",
)
# Codes to other contacts, which a signed-in parent names: any phone of the country, any address of the world.
CONTACTS_PER_ACCOUNT: Final = Limit(
    "contacts-account",
    10,
    DAY,
    grace=_CLOSED,
    protects="other people's phones and mailboxes from codes sent by somebody with an account",
    hurts="a parent who mistypes ten times: waits till the next day",
)

# Test messages to one's own ways.
TESTS_PER_ACCOUNT: Final = Limit(
    "tests-account",
    5,
    DAY,
    grace=_CLOSED,
    protects="the budget for SMS from whoever presses for the fun of it",
    hurts="a parent who tries five times a day: waits till the next day",
)

# Codes to a second phone or mailbox for a lost number, of one IIN. Networks cost a stranger nothing, so they are no
# measure here; each new number takes a SIM card and a code.
REGAIN_PER_NUMBER: Final = _per(
    ("regain-number-minute", 1, MINUTE),
    ("regain-number-day", 3, DAY),
    grace=_CLOSED,
    protects="the owner of an account from being woken, and kept from its codes, by one stranger from many networks",
    hurts="an owner whose codes do not arrive three times: uses another number or a known device, or comes with papers",
)
REGAIN_EVERYWHERE: Final = Limit(
    "regain-everywhere",
    5,
    DAY,
    pauses=tuple(minutes * MINUTE for minutes in (5, 10, 20, 40, 60)),
    grace=_CLOSED,
    protects="the second phone of an account from SMS asked for with many numbers: about thirty in a day at most",
    hurts="the owner on a new device, while a stranger spends SIM cards: gets one after each pause, or brings papers",
)
REGAIN_PER_DEVICE: Final = _per(
    ("regain-device-minute", 1, MINUTE),
    ("regain-device-hour", 5, HOUR),
    ("regain-device-day", 8, DAY),
    grace=_CLOSED,
    protects="the same from whoever found or borrowed a phone that knows the account",
    hurts="an owner whose codes do not arrive: told the minute, and whom to call",
)

# Codes by SMS to one phone for one purpose, asked for from one network or by one device that knows the account.
CODE_PER_PHONE: Final = _per(
    ("code-phone-minute", 1, MINUTE),
    ("code-phone-hour", 5, HOUR),
    ("code-phone-day", 8, DAY),
    grace=_CLOSED,
    protects="the owner of a number from being woken by SMS, and the budget for them",
    hurts="two who share one phone, or whose SMS do not arrive: told the minute, and whom to call",
)
# Codes for signing in, each of which had the right password.
SIGN_IN_CODE: Final = _per(
    ("sign-in-code-minute", 1, MINUTE),
    ("sign-in-code-hour", 5, HOUR),
    ("sign-in-code-day", 8, DAY),
    grace=_CLOSED,
    protects="the owner of a number, and the budget, from somebody who knows the password",
    hurts="an owner who asks again and again on new devices: the code sent before stays valid",
)
# Codes of a parent's authenticator app at a sign-in, counted for the number that was typed, whoever it belongs to.
APP_CODE: Final = _per(
    ("app-code-hour", 10, HOUR),
    ("app-code-day", 30, DAY),
    grace=None,
    protects="the code of an app from being guessed by somebody who knows the password",
    hurts="its owner on a new device while a stranger tries: enters two codes in a row, or one from paper",
)
# The same from everywhere. An owner gets one an hour, however many strangers have asked for; a newcomer, whose number
# has not answered yet, gets them at growing pauses.
CODE_PER_NEWCOMER_EVERYWHERE: Final = Limit(
    "code-newcomer-everywhere",
    6,
    DAY,
    pauses=(HOUR, HOUR, 2 * HOUR, 2 * HOUR, 3 * HOUR),
    grace=_CLOSED,
    protects="a number that has no account from SMS asked for from many networks: it gets fifteen a day at most",
    hurts="its owner, if strangers ask for six: gets one after each pause, or calls the contact centre",
)
CODE_PER_OWNER_EVERYWHERE: Final = Limit(
    "code-owner-everywhere",
    20,
    DAY,
    pauses=(HOUR,),
    grace=_CLOSED,
    protects="the owner of an account from the same",
    hurts="the owner on a new device, if strangers ask for twenty: gets one an hour, on known devices as ever",
)
# Codes for one purpose, asked for from one network, that nobody has entered (yet). A phone without such a code is
# stopped much later: a slow gateway, or one visitor, is no reason to stop a carrier's families.
CODE_UNANSWERED: Final = Limit(
    "code-unanswered",
    1,
    HOUR,
    grace=_CLOSED,
    protects="nothing by itself: tells phones with an unanswered code from others",
    hurts="nobody",
)
CODE_PER_NETWORK_AGAIN: Final = Limit(
    "code-network-again",
    60,
    10 * MINUTE,
    grace=_CLOSED,
    protects="the budget from somebody who asks for many numbers more than once",
    hurts="a family whose first SMS did not arrive, while a neighbour does that: waits some minutes",
)
CODE_PER_NETWORK: Final = Limit(
    "code-network",
    300,
    10 * MINUTE,
    grace=_CLOSED,
    protects="the budget, and other people's numbers, from somebody who asks for very many",
    hurts="newcomers behind the same address while that lasts: they wait some minutes; known devices pass",
)
# Of what newcomers of one block or operator get in an hour (`notifications.budget`) one network may leave
# this part unanswered: it takes as many networks to close it for all.
NETWORK_SHARE: Final = 8

# Setting a new password: guesses of the owner by somebody who holds the phone, and tries of codes in one browser.
RESET_PER_ACCOUNT: Final = Limit(
    "reset-account",
    5,
    DAY,
    protects="an account whose phone was found or whose number was given to somebody else",
    hurts="an owner whose phone somebody else reads: comes to the department with papers",
)
RESET_PER_SESSION: Final = Limit(
    "reset-session",
    10,
    HOUR,
    protects="codes and IINs from being tried in one browser",
    hurts="an owner who mistypes ten times: waits, or uses another browser",
)

IIN_PER_ACCOUNT: Final = Limit(
    "iin-account",
    5,
    HOUR,
    grace=MINUTE,
    protects="people in the registry from being looked up by their IINs, and the registry from load",
    hurts="a parent who mistypes five times: what was typed is kept; a look-up that finds the own child is not counted",
)
# Somebody who has missed twice in the hour is stopped by the misses of the network; a slip of the finger stops nobody.
IIN_MISSED: Final = Limit(
    "iin-missed",
    2,
    HOUR,
    grace=MINUTE,
    protects="nothing by itself: tells who misses from who mistyped once",
    hurts="nobody",
)
IIN_PER_NETWORK: Final = Limit(
    "iin-network",
    50,
    10 * MINUTE,
    grace=MINUTE,
    protects="the registry from many accounts that one person made for looking people up",
    hurts="a newcomer who mistypes twice beside such a person: waits some minutes; known devices pass",
)
# A visit to a provider of identity lasts as long, and leads back once.
IDENTITY_RETURN: Final = Limit(
    "identity-return",
    1,
    10 * MINUTE,
    grace=_CLOSED,
    protects="an account from whoever has copied a cookie and the address with which its owner came back",
    hurts="nobody: the next press begins another visit; while Redis is away the password still works",
)
NEW_NUMBER_PER_ACCOUNT: Final = Limit(
    "new-number-account",
    10,
    DAY,
    grace=_CLOSED,
    protects="other people's numbers, and the budget, from one account that asks for codes to them",
    hurts="nobody: no person moves to ten numbers in a day",
)
CALENDAR_PER_ADDRESS: Final = Limit(
    "calendar-address",
    60,
    HOUR,
    protects="the database from a calendar that asks for the same days again and again",
    hurts="nobody: calendars ask a few times an hour, and ask again later",
)
STOPS_PER_ACCOUNT: Final = Limit(
    "stop-account",
    10,
    DAY,
    protects="other guardians and the officials from «Stop» as a game",
    hurts="nobody: no family has ten guardians to stop in a day; the contact centre helps",
)
PHONE_TIES_PER_ACCOUNT: Final = Limit(
    "phone-ties-account",
    10,
    HOUR,
    protects="the state's base from one page that is opened again and again",
    hurts="nobody: the last answer of the base goes on to hold",
)
OBJECTIONS_PER_ACCOUNT: Final = Limit(
    "objection-account",
    10,
    DAY,
    protects="the officials who answer, and the families behind, from objections without end",
    hurts="nobody: no family finds ten faults in its data in a day; the contact centre helps",
)
COMPLAINTS_PER_SENDER: Final = Limit(
    "complaint-sender",
    10,
    DAY,
    protects="the officials who answer, and the families behind, from complaints without end",
    hurts="nobody: no family has ten complaints in a day; the contact centre helps",
)
# Wrong pairs of an application's number and four digits of a phone, by people not known as its guardian. Both could be
# guessed from many addresses: the digits for one application, and the application for a neighbour's digits. At this
# rate trying ten thousand of either takes more than a year.
QUEUE_CHECK_PER_NETWORK: Final = Limit(
    "queue-check-network",
    30,
    HOUR,
    grace=MINUTE,
    protects="the ends of phone numbers from being found by trying pairs",
    hurts="neighbours behind the same address: they tell the child's date of birth as well, known devices nothing",
)
QUEUE_CHECK_PER_NUMBER: Final = _per(
    ("queue-check-number", 10, HOUR),
    ("queue-check-number-day", 20, DAY),
    grace=MINUTE,
    protects="the phone of one application's guardian from being found by trying all digits, from many addresses",
    hurts="relatives without an account, if a stranger tries it: they tell the child's date of birth as well",
)
QUEUE_CHECK_PER_DIGITS: Final = _per(
    ("queue-check-digits", 10, HOUR),
    ("queue-check-digits-day", 20, DAY),
    grace=MINUTE,
    protects="a neighbour whose phone is known from being found among all applications",
    hurts="people whose phones end alike, if one of them is tried: they tell the child's date of birth as well",
)
# Questions by a number of the former queue, right and wrong alike: the numbers follow each other. Nobody is known
# before signing in, so the window of a network is short, and high enough for a carrier's families.
FORMER_CHECK_PER_NETWORK: Final = Limit(
    "former-check-network",
    300,
    10 * MINUTE,
    grace=MINUTE,
    protects="the list of all numbers of the former queue from being walked through in hours, and the database from "
    "a flood; in days one network can, and learns no more than the public order tells",
    hurts="neighbours of whoever does that: they wait some minutes, or sign in and are counted for themselves",
)
FORMER_CHECK_PER_ACCOUNT: Final = Limit(
    "former-check-account",
    30,
    HOUR,
    grace=MINUTE,
    protects="the same list from somebody with an account",
    hurts="nobody: no family has thirty numbers",
)
# Codes of referrals that nobody has: sixty bits can't be found by trying, but trying costs the database a look each.
REFERRAL_CHECK_PER_NETWORK: Final = Limit(
    "referral-check-network",
    60,
    10 * MINUTE,
    grace=MINUTE,
    protects="the database from a flood of made-up codes",
    hurts="who mistypes a code beside whoever does that; a right code is always answered",
)
# Requests for the open data, right and wrong, unchanged ones as well.
API_PER_NETWORK: Final = Limit(
    "api-network",
    600,
    10 * MINUTE,
    protects="the database and the pages of families from a program that asks without end",
    hurts="other programs behind the same address: told when to ask again",
)
# An employee at the telephone looks somebody up every two minutes; trying numbers one after another takes more.
LOOK_UP_PER_EMPLOYEE: Final = Limit(
    "look-up-employee",
    30,
    HOUR,
    grace=MINUTE,
    protects="families from an employee, or whoever sits at that desk, who tries numbers",
    hurts="an employee on a day of many calls: told the minute from which it goes on",
)
SEARCH_PER_EMPLOYEE: Final = Limit(
    "search-employee",
    120,
    HOUR,
    grace=MINUTE,
    protects="families from having the whole list read out by searches",
    hurts="the same employee",
)

UPLOADS_PER_ACCOUNT: Final = Limit(
    "uploads-account",
    20,
    HOUR,
    protects="the processors and the disk from files without end",
    hurts="a family whose files are refused twenty times: told the minute; papers that began in time stay in time",
)

# All windows are looked at before any of them is counted: a refused attempt costs nothing, so waiting helps.
# Returns 0, or the microsecond from which all of them have room again.
_SCRIPT: Final = """
local now, salt, at, retry = tonumber(ARGV[1]), ARGV[2], 3, 0
local counted = {}
for i, key in ipairs(KEYS) do
  local times, window, pauses = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if ARGV[at] == '1' then counted[key] = window end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  local found = redis.call('ZCARD', key)
  if found >= times then
    local ends
    if pauses == 0 then
      ends = tonumber(redis.call('ZRANGE', key, -times, -times, 'WITHSCORES')[2]) + window
    else
      local pause = tonumber(ARGV[at + 3 + math.min(found - times + 1, pauses)])
      ends = tonumber(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]) + pause
    end
    if ends > now then retry = math.max(retry, ends) end
  end
  at = at + 4 + pauses
end
if retry > 0 then return string.format('%.0f', retry) end
for key, window in pairs(counted) do
  redis.call('ZADD', key, ARGV[1], ARGV[1] .. ':' .. salt)
  redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1000)
end
return '0'
"""


def allow(limit: Limit, key: str, *, now: datetime) -> Allowed:
    """Count one attempt of `key` at `now` if `limit` has room for it, atomically; a refused one is not counted."""
    return allow_all([(limit, key)], now=now)


def allow_all(pairs: Pairs, *, watched: Pairs = (), now: datetime) -> Allowed:
    """The same for several limits at once: either all of them count the attempt or none does.

    Limits in `watched` must have room too, but are not counted.
    """
    wanted = [(limit, key, "1") for limit, key in pairs] + [(limit, key, "0") for limit, key in watched]
    arguments: list[str | int] = []
    for limit, _key, counts in wanted:
        arguments += [counts, limit.times, _length(limit.window), len(limit.pauses)]
        arguments += [_length(pause) for pause in limit.pauses]
    names = [_name(limit, key) for limit, key, _counts in wanted]
    # The random part keeps two attempts of the same microsecond apart.
    arguments = [_microseconds(now), secrets.token_hex(8), *arguments]
    counter = _counter(settings.REDIS_URL)
    answer = counter.ask(lambda: counter.script(names, arguments), now=now)
    if answer is None:
        return Allowed(ok=all(counter.is_open(limit, now=now) for limit, _key, _counts in wanted))
    retry = int(answer)
    if not retry:
        return Allowed(ok=True)
    return Allowed(ok=False, retry_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=retry))


def judge(pairs: Pairs, *, right: bool, now: datetime) -> Allowed:
    """Whether the visitor may be told the result of an attempt; a wrong one that may be told is counted.

    Call it after checking the attempt. Of any number of simultaneous attempts, exactly as many are answered as the
    limits have room for. The others learn nothing, not even whether they were right, and are not counted.
    """
    return allow_all([], watched=pairs, now=now) if right else allow_all(pairs, now=now)


def forget(pairs: Pairs, *, now: datetime) -> None:
    """Take back what `allow_all` counted at exactly this `now`: the attempt turned out to be harmless."""
    moment = _microseconds(now)
    counter = _counter(settings.REDIS_URL)
    for limit, key in pairs:
        name = _name(limit, key)
        counter.ask(partial(counter.client.zremrangebyscore, name, moment, moment), now=now)


def clear(limit: Limit, key: str, *, now: datetime) -> None:
    """Forget everything counted for `key`."""
    counter = _counter(settings.REDIS_URL)
    counter.ask(partial(counter.client.delete, _name(limit, key)), now=now)


def lift_all(*, now: datetime) -> None:
    """Forget everything counted for anybody: for the demo's desk, where everybody shares one address."""
    client = _counter(settings.REDIS_URL).client

    def delete() -> int:
        names = list(client.scan_iter(match=f"{_prefix()}*", count=1000))
        return int(client.delete(*names)) if names else 0

    _counter(settings.REDIS_URL).ask(delete, now=now)


def sign_in_limits(name: str, *, address: str | None, device: str) -> list[tuple[Limit, str]]:
    """The limits that count a wrong password for the account `name`.

    `device` is the number of a device that knows this account, or empty: such a device has a count of its own, which
    neither strangers nor neighbours affect.
    """
    if device:
        return [(SIGN_IN_PER_DEVICE, f"{device} {name}")]
    network = address_key(address)
    return [(SIGN_IN_PER_ACCOUNT, name)] + [(limit, network) for limit in SIGN_IN_PER_NETWORK]


def may_check_password(*, address: str | None, device: str, now: datetime) -> Allowed:
    """Whether a password may be checked at all, with `device` as in `sign_in_limits`.

    Ask before looking the account up: the answer and the time it takes are the same for every name.
    """
    return allow_all([], watched=[_wrong_passwords(address=address, device=device)], now=now)


def password_was_wrong(*, address: str | None, device: str, now: datetime) -> None:
    """Count one more password that was checked and wrong, whatever the visitor was told."""
    allow(*_wrong_passwords(address=address, device=device), now=now)


def _wrong_passwords(*, address: str | None, device: str) -> tuple[Limit, str]:
    return (
        (WRONG_PASSWORDS_PER_DEVICE, device)
        if device
        else (WRONG_PASSWORDS_PER_NETWORK, address_key(address))
    )


def allow_code(phone: str, *, purpose: str, address: str | None, device: str, now: datetime) -> Allowed:
    """Whether one code may be sent to `phone` for `purpose`; counts it, with `device` as in `sign_in_limits`.

    Each purpose has counts of its own: what is asked for one takes nothing from another. `code_was_entered` takes back
    what counts as left unanswered.
    """
    if device:
        return allow_all([(limit, f"{purpose} {device} {phone}") for limit in CODE_PER_PHONE], now=now)
    network = address_key(address)
    own = f"{purpose} {network} {phone}"
    left_one = not allow_all([], watched=[(CODE_UNANSWERED, own)], now=now).ok
    again = CODE_PER_NETWORK_AGAIN if left_one else _without_bound(CODE_PER_NETWORK_AGAIN)
    is_newcomer = purpose in (
        SmsCode.Purpose.REGISTER,
        SmsCode.Purpose.NEW_NUMBER,
        SmsCode.Purpose.COMPLAINT,
    )
    everywhere = CODE_PER_NEWCOMER_EVERYWHERE if is_newcomer else CODE_PER_OWNER_EVERYWHERE
    counted = [
        *((limit, own) for limit in CODE_PER_PHONE),
        (everywhere, f"{purpose} {phone}"),
        (_without_bound(CODE_UNANSWERED), own),
        (again, f"{purpose} {network}"),
        (CODE_PER_NETWORK, f"{purpose} {network}"),
        *(_newcomers_of_network(phone, network) if is_newcomer else ()),
    ]
    return allow_all(counted, now=now)


def code_was_entered(phone: str, *, purpose: str, network: str, sent_at: datetime) -> None:
    """The code that `allow_code` counted at `sent_at` for `network` (an `address_key`) was entered by its requester."""
    of_network = f"{purpose} {network}"
    unanswered = [
        (CODE_UNANSWERED, f"{of_network} {phone}"),
        (CODE_PER_NETWORK_AGAIN, of_network),
        (CODE_PER_NETWORK, of_network),
        *_newcomers_of_network(phone, network),
    ]
    forget(unanswered, now=sent_at)


def allow_regain(identity: str, *, new_phone: str, device: str, now: datetime) -> Allowed:
    """Whether one code may be sent to a contact of the account of `identity` (a hash); counts it, if there is none too.

    `new_phone` was proven by a code. `device` as in `sign_in_limits`: it has counts of its own.
    """
    if device:
        return allow_all([(limit, f"{device} {identity}") for limit in REGAIN_PER_DEVICE], now=now)
    own = [(limit, f"{new_phone} {identity}") for limit in REGAIN_PER_NUMBER]
    return allow_all([*own, (REGAIN_EVERYWHERE, identity)], now=now)


def sign_in_code_limits(account: str) -> list[tuple[Limit, str]]:
    """The limits that count one code for signing in; `account` is a user's id."""
    return [(limit, account) for limit in SIGN_IN_CODE]


def app_code_limits(name: str) -> list[tuple[Limit, str]]:
    """The limits that count one wrong code of an app for the number `name`."""
    return [(limit, name) for limit in APP_CODE]


def allow_lookup(account: str, *, address: str | None, device: str = "", now: datetime) -> Allowed:
    """Whether `account` (a user's id, or the proven phone) may look an IIN up in the person registry; counts it.

    Misses of others in the same network stop only those who have missed too, never a `device` that knows the account.
    """
    has_missed = not allow_all([], watched=[(IIN_MISSED, account)], now=now).ok
    watched = [(IIN_PER_NETWORK, address_key(address))] if has_missed and not device else []
    return allow_all([(IIN_PER_ACCOUNT, account)], watched=watched, now=now)


def lookup_failed(account: str, *, address: str | None, now: datetime) -> None:
    """The look-up found nobody that the visitor may see."""
    allow(IIN_MISSED, account, now=now)
    allow(IIN_PER_NETWORK, address_key(address), now=now)


def lookup_was_harmless(account: str, *, now: datetime) -> None:
    """The look-up that `allow_lookup` counted at exactly this `now` told the visitor nothing they may not know."""
    forget([(IIN_PER_ACCOUNT, account)], now=now)


def address_key(address: str | None) -> str:
    """The network that shares its limits: /24 of IPv4, /64 of IPv6; one bucket for all unknown addresses."""
    if address is None:
        return "unknown"
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def _newcomers_of_network(phone: str, network: str) -> list[tuple[Limit, str]]:
    """The limits in `network` for registration codes to numbers that begin like `phone`."""
    hourly = (
        ("operator", OPERATOR_LENGTH, settings.SMS_CODES_PER_OPERATOR_PER_HOUR),
        ("block", BLOCK_LENGTH, settings.SMS_CODES_PER_BLOCK_PER_HOUR),
    )
    return [
        (
            Limit(
                f"newcomers-{name}",
                max(1, most // NETWORK_SHARE),
                HOUR,
                grace=_CLOSED,
                protects="what newcomers of one block of numbers or operator get from one network that takes it all",
                hurts="newcomers in that network with numbers that begin alike: they wait, or use another network",
            ),
            f"{network} {phone[:length]}",
        )
        for name, length, most in hourly
    ]


def _without_bound(limit: Limit) -> Limit:
    """A limit that counts like `limit` and stops nobody."""
    return replace(limit, times=10**9)


class _Counter:
    """One Redis, and since when it has been silent, as seen by this process."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url, socket_timeout=settings.REDIS_SECONDS, socket_connect_timeout=settings.REDIS_SECONDS
        )
        self.script = self.client.register_script(_SCRIPT)
        self._silent_since: datetime | None = None
        self._rests_until = 0.0

    def ask(self, question: Callable[[], Any], *, now: datetime) -> Any:
        """What Redis answers; None if it does not. A silent one is asked once a second, not by every request."""
        if self._silent_since is not None and time.monotonic() < self._rests_until:
            return None
        try:
            answer = question()
        except redis.RedisError:
            self._rests_until = time.monotonic() + REST_SECONDS
            if self._silent_since is None:
                self._silent_since = now
                logger.exception("Redis does not answer, limits are not counted")
            return None
        if self._silent_since is not None:
            self._silent_since = None
            logger.warning("Redis answers again, limits are counted")
        return answer

    def is_open(self, limit: Limit, *, now: datetime) -> bool:
        """Whether `limit` lets everything pass while Redis is silent."""
        since = self._silent_since
        return limit.grace is None or (since is not None and now < since + limit.grace)


@lru_cache
def _counter(url: str) -> _Counter:
    return _Counter(url)


def _name(limit: Limit, key: str) -> str:
    return f"{_prefix()}{limit.name}:{keyed_hash('limit', key)}"


def _prefix() -> str:
    return f"{settings.CACHES['default'].get('KEY_PREFIX', '')}:limit:"


def _length(window: timedelta) -> int:
    return window // timedelta(microseconds=1)


def _microseconds(moment: datetime) -> int:
    return _length(moment - datetime(1970, 1, 1, tzinfo=UTC))
