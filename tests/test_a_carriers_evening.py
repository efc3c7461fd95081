"""The hour before an opening, behind the addresses of one mobile carrier: families come in, guesses don't.

Twenty thousand families use the portal behind thirty addresses, one in a hundred mistypes, and somebody behind the same
addresses guesses ten thousand times. Every decision is made by the functions that the pages call, on a real Redis, by a
clock that the test moves; some of it is sent through the pages as well.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count

import pytest
import time_machine
from django.test import Client

from accounts import limits
from accounts.limits import (
    IIN_PER_ACCOUNT,
    QUEUE_CHECK_PER_NETWORK,
    SIGN_IN_PER_NETWORK,
    WRONG_PASSWORDS_PER_NETWORK,
    Limit,
)
from accounts.models import SmsCode
from applications.access.by_number import _counted
from tests.accounts.walk import newest_code
from tests.factories import UserFactory
from tests.thorough import THOROUGH

START = datetime(2026, 8, 1, 15, 0, tzinfo=UTC)
HOUR = 3600  # seconds
# A quick run has the first quarter of the hour, which is as crowded as the others.
LASTS = HOUR if THOROUGH else HOUR // 4
FAMILIES, GUESSES, ADDRESSES = 20_000, 10_000, 30
MISTYPE = 0.01
PRESENT = "in"
# The page goes on, with one thing more to enter: a code by SMS, the child's date of birth.
ONE_MORE = "one thing more"
REFUSED = "refused"


@dataclass
class Evening:
    """What happens in the hour, in its order, and how it is answered."""

    addresses: list[str]
    chance: random.Random
    families: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    events: list[tuple[float, int, Callable[[datetime], None]]] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=count)

    def at(self, second: float, event: Callable[[datetime], None]) -> None:
        heapq.heappush(self.events, (second, next(self.number), event))

    def run(self) -> None:
        while self.events:
            second, _order, event = heapq.heappop(self.events)
            event(START + timedelta(seconds=second))

    def somewhere(self) -> str:
        return self.chance.choice(self.addresses)

    # --- a family with right data, which may have mistyped before ---

    def note(self, what: str, outcome: str) -> None:
        self.families[f"{what}: {outcome}"] += 1
        if outcome == REFUSED:
            self.refused.append(what)

    def mistypes(self) -> bool:
        return self.chance.random() < MISTYPE

    def sign_in(self, phone: str, *, device: str, now: datetime) -> None:
        address, what = self.somewhere(), "on a known device" if device else "on a new device"
        if self.mistypes():
            self.password(phone, device=device, address=address, right=False, now=now)
            now += timedelta(seconds=5)
        self.note(what, self.password(phone, device=device, address=address, right=True, now=now))

    def password(self, phone: str, *, device: str, address: str, right: bool, now: datetime) -> str:
        """What the page of the sign-in says (`accounts.views.sign_in`)."""
        if not limits.may_check_password(address=address, device=device, now=now).ok:
            return REFUSED
        if not right:
            limits.password_was_wrong(address=address, device=device, now=now)
        counted = limits.sign_in_limits(phone, address=address, device=device)
        if limits.judge(counted, right=right, now=now).ok:
            return PRESENT
        # A code goes out only to who knew the password.
        gets_code = right and limits.allow_all(limits.sign_in_code_limits(phone), now=now).ok
        return ONE_MORE if gets_code or not right else REFUSED

    def register(self, phone: str, *, now: datetime) -> None:
        address, purpose = self.somewhere(), SmsCode.Purpose.REGISTER
        allowed = limits.allow_code(phone, purpose=purpose, address=address, device="", now=now)
        self.note("code to register", PRESENT if allowed.ok else REFUSED)
        network = limits.address_key(address)
        if not allowed.ok or self.mistypes():
            # Given up: the code is never entered.
            return

        def enter(then: datetime) -> None:
            limits.code_was_entered(phone, purpose=purpose, network=network, sent_at=now)
            self.look_up(phone, now=then)

        self.at((now - START).total_seconds() + self.chance.uniform(15, 120), enter)

    def look_up(self, account: str, *, now: datetime) -> None:
        address = self.somewhere()
        if self.mistypes() and limits.allow_lookup(account, address=address, now=now).ok:
            limits.lookup_failed(account, address=address, now=now)
            now += timedelta(seconds=40)
            self.at((now - START).total_seconds(), lambda then: self.look_up(account, now=then))
            return
        allowed = limits.allow_lookup(account, address=address, now=now)
        self.note("IIN", PRESENT if allowed.ok else REFUSED)
        limits.lookup_was_harmless(account, now=now)

    def check_number(self, number: str, digits: str, *, now: datetime) -> None:
        address = self.somewhere()
        if self.mistypes():
            self.pair(number, f"{(int(digits) + 1) % 10_000:04}", None, address=address, right=False, now=now)
            now += timedelta(seconds=5)
        outcome = self.pair(number, digits, None, address=address, right=True, now=now)
        if (
            outcome == REFUSED
            and self.pair(number, digits, BORN, address=address, right=True, now=now) == PRESENT
        ):
            outcome = ONE_MORE
        self.note("number in the queue", outcome)

    def pair(
        self, number: str, digits: str, born: date | None, *, address: str, right: bool, now: datetime
    ) -> str:
        counted = _counted(number, digits=digits, born=born, address=address)
        return PRESENT if limits.judge(counted, right=right, now=now).ok else REFUSED

    # --- somebody who guesses ---

    def guess_password(self, phone: str, *, now: datetime) -> None:
        outcome = self.password(phone, device="", address=self.somewhere(), right=False, now=now)
        self.told[f"password: {outcome}"] += 1

    def guess_pair(self, number: str, digits: str, *, now: datetime) -> None:
        outcome = self.pair(number, digits, None, address=self.somewhere(), right=False, now=now)
        self.told[f"pair: {outcome}"] += 1

    def guess_iin(self, account: str, *, now: datetime) -> None:
        address = self.somewhere()
        if limits.allow_lookup(account, address=address, now=now).ok:
            limits.lookup_failed(account, address=address, now=now)
            self.told["IIN: told"] += 1


BORN = date(2023, 5, 14)
# Of the families on known devices every fifteenth is driven through the limits: see the test of what they count.
DRIVEN = 15


def evening(addresses: list[str], *, seconds: int = LASTS) -> Evening:
    """The first `seconds` of the hour, planned."""
    chance = random.Random(20260801)
    evening = Evening(addresses, chance)

    def plan(event: Callable[[int, datetime], None], numbers: range) -> None:
        for one in numbers:
            second = chance.uniform(0, HOUR)
            if second < seconds:
                evening.at(second, partial(event, one))

    def phone(one: int) -> str:
        # A carrier's numbers begin alike: four operators, and blocks of ten thousand.
        return f"+77{('01', '02', '75', '78')[one % 4]}{one * 7919 % 10_000_000:07}"

    def pair(one: int, now: datetime) -> None:
        evening.check_number(f"26-{one:06}", f"{one * 13 % 10_000:04}", now=now)

    def guessed_pair(one: int, now: datetime) -> None:
        evening.guess_pair(f"26-{one:06}", f"{one * 7 % 10_000:04}", now=now)

    plan(lambda one, now: evening.sign_in(phone(one), device=f"{one}", now=now), range(0, 15_000, DRIVEN))
    plan(lambda one, now: evening.sign_in(phone(one), device="", now=now), range(15_000, 17_000))
    plan(lambda one, now: evening.register(phone(one), now=now), range(17_000, 17_500))
    plan(lambda one, now: evening.look_up(f"{one}", now=now), range(17_500, 19_000))
    plan(pair, range(19_000, FAMILIES))
    # Somebody tries one password on numbers of the carrier, pairs of the queue, and IINs with forty accounts.
    plan(lambda one, now: evening.guess_password(phone(one * 3), now=now), range(5_000))
    plan(guessed_pair, range(5_000, 9_500))
    plan(lambda one, now: evening.guess_iin(f"guesser {one % 40}", now=now), range(9_500, GUESSES))
    return evening


ONE_NETWORK = [f"178.89.1.{host}" for host in range(1, ADDRESSES + 1)]
MANY_NETWORKS = [f"178.89.{third}.1" for third in range(1, ADDRESSES + 1)]


def test_nobody_with_right_data_is_refused_and_guesses_are_stopped():
    """All thirty addresses in one network, which is the worst case: they share every limit of a network."""
    hour = evening(ONE_NETWORK)
    hour.run()
    assert hour.refused == []
    families, told = hour.families, hour.told
    in_the_hour = sum(families.values()) + families[f"on a known device: {PRESENT}"] * (DRIVEN - 1)
    share = 0.95 * LASTS / HOUR
    assert in_the_hour >= FAMILIES * share
    # On a known device nobody is asked for anything more, whatever the neighbours do.
    assert families[f"on a known device: {ONE_MORE}"] == 0
    # Thousands of guesses, of which hardly any learns anything.
    assert told[f"password: {PRESENT}"] <= SIGN_IN_PER_NETWORK[-1].times
    assert told[f"password: {REFUSED}"] == 0
    assert told[f"password: {ONE_MORE}"] >= 4_900 * share
    assert told[f"pair: {PRESENT}"] <= QUEUE_CHECK_PER_NETWORK.times
    assert told[f"pair: {REFUSED}"] >= 4_500 * share - QUEUE_CHECK_PER_NETWORK.times
    assert told["IIN: told"] <= 40 * IIN_PER_ACCOUNT.times


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        # What was there before shut families out.
        ("WRONG_PASSWORDS_PER_NETWORK", Limit("wrong-passwords", 60, timedelta(minutes=1))),
        ("SIGN_IN_PER_NETWORK", (Limit("sign-in-network", 10**9, timedelta(minutes=15)),)),
    ],
)
def test_control(monkeypatch, name, limit):
    """The simulation notices a limit that stops neighbours, and one that stops nobody."""
    monkeypatch.setattr(limits, name, limit)
    hour = evening(ONE_NETWORK, seconds=240)
    hour.run()
    if name == "SIGN_IN_PER_NETWORK":
        assert hour.told[f"password: {PRESENT}"] > SIGN_IN_PER_NETWORK[-1].times
    else:
        assert hour.refused


def test_where_the_addresses_lie_apart():
    hour = evening(MANY_NETWORKS, seconds=240)
    hour.run()
    assert hour.refused == []
    assert hour.told[f"password: {PRESENT}"] <= ADDRESSES * SIGN_IN_PER_NETWORK[0].times


@pytest.mark.parametrize("purpose", SmsCode.Purpose)
def test_what_a_known_device_counts_is_shared_with_nobody(monkeypatch, purpose):
    """Every key holds the number of the device, and none an address."""
    asked: list[tuple[Limit, str]] = []

    def note(pairs, *, watched=(), now):
        asked.extend([*pairs, *watched])
        return limits.Allowed(ok=True)

    monkeypatch.setattr(limits, "allow_all", note)
    own = {"address": ONE_NETWORK[0], "device": "device-7"}
    limits.may_check_password(**own, now=START)
    limits.password_was_wrong(**own, now=START)
    limits.judge(limits.sign_in_limits("+77017779876", **own), right=False, now=START)
    limits.allow_code("+77017779876", purpose=purpose, **own, now=START)
    assert len(asked) >= 6
    assert [key for _limit, key in asked if "device-7" not in key or "178.89" in key] == []
    asked.clear()
    limits.allow_lookup("account", **own, now=START)
    assert {key for _limit, key in asked} == {"account"}


def limits_of_the_table() -> list[Limit]:
    found: list[Limit] = []
    for value in vars(limits).values():
        group = value if isinstance(value, tuple) else (value,)
        found += [one for one in group if isinstance(one, Limit)]
    return found


def test_each_limit_says_what_it_protects_and_whom_it_could_hurt():
    table = limits_of_the_table()
    assert len(table) > 25
    assert [one.name for one in table if not (one.protects and one.hurts)] == []
    assert len({one.name for one in table}) == len(table)
    assert all(one.protects and one.hurts for one, _key in limits._newcomers_of_network("+77017779876", "x"))


@pytest.mark.django_db
def test_the_same_through_the_pages():
    """A flood of wrong passwords is on its way from the same addresses."""
    with time_machine.travel(START, tick=False) as traveller:
        known, new = UserFactory.create(), UserFactory.create()
        device = Client()

        def sign_in(client, user, address, password="parent-pass-1"):
            fields = {"phone": str(user.phone), "password": password}
            return client.post("/login/", fields, REMOTE_ADDR=address)

        assert sign_in(device, known, ONE_NETWORK[0]).url == "/cabinet/"
        device.post("/logout/")
        for number in range(WRONG_PASSWORDS_PER_NETWORK.times - 1):
            traveller.shift(timedelta(seconds=0.2))
            address = ONE_NETWORK[number % ADDRESSES]
            limits.password_was_wrong(address=address, device="", now=datetime.now(UTC))
            wrong = limits.sign_in_limits(f"+7707{number:07}", address=address, device="")
            limits.judge(wrong, right=False, now=datetime.now(UTC))
        assert sign_in(device, known, ONE_NETWORK[1]).url == "/cabinet/"
        stranger = Client()
        assert sign_in(stranger, new, ONE_NETWORK[2]).url == "/login/code/"
        code = {"code": newest_code(str(new.phone))}
        assert stranger.post("/login/code/", code, REMOTE_ADDR=ONE_NETWORK[3]).url == "/cabinet/"
        # A guess is asked for a code as well, and none is sent.
        guess = Client()
        assert sign_in(guess, known, ONE_NETWORK[4], password="wrong-pass").url == "/login/code/"
        assert guess.post("/login/code/", code, REMOTE_ADDR=ONE_NETWORK[4]).status_code == 200
