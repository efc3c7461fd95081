"""manage.py try_registry IIN: does the gateway of the person registry keep to docs/registry.md?"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.iin import IinError, parse_iin
from accounts.masks import mask_iin
from accounts.registry import Person, get_registry
from accounts.registry.contract import NoSense, Reading
from accounts.registry.http import PERSON, PHONE, WARD, WARDS, HttpRegistry, ask
from notifications import peers

# No document has such a number, no telephone such a one, and no gateway such a token.
NOBODYS_DOCUMENT: Final = "BALABAQSHA0"
NOBODYS_PHONE: Final = "+77000000000"
NOBODYS_TOKEN: Final = "try-registry-without-a-right"  # noqa: S105
# Of the time after which the portal gives up.
SLOW: Final = 0.6


@dataclass
class Trial:
    """One question, and how it went: what fails it, and what differs from the contract and works all the same."""

    name: str
    seconds: float = 0.0
    status: int | None = None
    fault: str = ""
    departures: list[str] = field(default_factory=list)
    note: str = ""

    def line(self) -> str:
        word = "FAILS  " if self.fault else "DIFFERS" if self.departures else "ok     "
        told = "; ".join(filter(None, [self.fault, *self.departures, self.note]))
        return f"{word}  {self.name}: {told or 'as in the contract'} ({self.seconds:.1f} s)"


class Command(BaseCommand):
    help = (
        "Asks the person registry about one person by the contract in docs/registry.md and says what differs. "
        "Nothing that it answers is printed. Without IIN it is read from standard input. 1: something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("iin", nargs="?", help="of somebody who agrees, with a child if possible")

    def handle(self, *args: Any, iin: str | None = None, **options: Any) -> None:
        try:
            number = parse_iin(sys.stdin.readline(100) if iin is None else iin)
        except IinError as error:
            raise CommandError(f"Not an IIN: {error}", returncode=2) from None
        if not isinstance(get_registry(), HttpRegistry):
            raise CommandError(f"PERSON_REGISTRY is {settings.PERSON_REGISTRY}: there is no gateway to ask.")
        self.stdout.write(f"About {mask_iin(number)}, at {settings.PERSON_REGISTRY_URL or 'no address'}")
        differing = 0
        for trial in _trials(number):
            self.stdout.write(trial.line())
            differing += bool(trial.fault or trial.departures)
        if differing:
            raise CommandError(f"{differing} of the answers differ from docs/registry.md.")
        self.stdout.write("The gateway keeps to the contract.")


def _trials(iin: str) -> Iterator[Trial]:
    yield _refused("a wrong token is refused", PERSON, {"iin": iin, "document_number": ""})
    yield _read("the person", PERSON, {"iin": iin, "document_number": ""}, _about(iin))
    yield _nobody("a document of nobody", PERSON, {"iin": "", "document_number": NOBODYS_DOCUMENT})
    yield _nobody("a child that is not theirs", WARD, _ward(iin, child=iin))
    children: list[Person] = []
    yield _read("their children", WARDS, {"guardian_iin": iin}, _listing(children), may_lack=True)
    for child in children[:1]:
        yield _read("one of them by itself", WARD, _ward(iin, child=child.iin), _about(child.iin))
    phone = {"phone": NOBODYS_PHONE, "iin": iin}
    yield _read("whose phone it is", PHONE, phone, lambda reading, body: reading.tie(body), may_lack=True)


def _ward(guardian: str, *, child: str) -> dict[str, str]:
    return {"guardian_iin": guardian, "guardian_document": "", "child_iin": child}


def _about(iin: str) -> Callable[[Reading, bytes], object]:
    def read(reading: Reading, body: bytes) -> None:
        if reading.person(body).iin != iin:
            raise NoSense("the answer is about somebody else")

    return read


def _listing(children: list[Person]) -> Callable[[Reading, bytes], object]:
    return lambda reading, body: children.extend(reading.wards(body))


def _read(
    name: str,
    path: str,
    question: dict[str, str],
    read: Callable[[Reading, bytes], object],
    *,
    may_lack: bool = False,
) -> Trial:
    """A question that is answered with 200, or with 404 where a gateway need not offer it."""
    trial, body = _asked(name, path, question)
    if trial.fault:
        return trial
    if trial.status == 404 and may_lack:
        trial.note = "not offered (404)"
    elif trial.status != 200:
        trial.fault = f"status {trial.status} instead of 200"
    else:
        reading = Reading()
        try:
            read(reading, body)
        except NoSense as reason:
            trial.fault = str(reason)
        trial.departures += reading.departures
    return trial


def _nobody(name: str, path: str, question: dict[str, str]) -> Trial:
    trial, _body = _asked(name, path, question)
    if not trial.fault and trial.status != 404:
        trial.fault = f"status {trial.status} instead of 404"
    return trial


def _refused(name: str, path: str, question: dict[str, str]) -> Trial:
    trial, _body = _asked(name, path, question, token=NOBODYS_TOKEN)
    if not trial.fault and trial.status not in (401, 403):
        trial.fault = f"status {trial.status} instead of 401 or 403: whoever finds the address can ask"
    return trial


def _asked(
    name: str, path: str, question: dict[str, str], *, token: str | None = None
) -> tuple[Trial, bytes]:
    trial, began = Trial(name), monotonic()
    try:
        answer = ask(path, question, token=token)
    except peers.Unavailable as reason:
        trial.fault = f"no whole answer: {reason}"
        return trial, b""
    finally:
        trial.seconds = monotonic() - began
    trial.status = answer.status
    if trial.seconds > SLOW * settings.PERSON_REGISTRY_SECONDS:
        trial.departures.append(f"slow: after {settings.PERSON_REGISTRY_SECONDS:.0f} s the portal gives up")
    return trial, answer.body
