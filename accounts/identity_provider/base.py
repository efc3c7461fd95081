"""What the portal asks of a provider of identity, and what it gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Proven:
    """Who has just proven to be themselves: a valid IIN, and the name as the provider writes it."""

    iin: str
    name: str


class NotProven(Exception):
    """Nobody is proven. The text is a short code for the log: it holds nothing of anybody."""


class IdentityProvider(Protocol):
    """One provider. It never learns where on the portal somebody was going, and no address ever holds an IIN."""

    simulated: bool

    def start(self, *, state: str, nonce: str, back: str) -> str:
        """The address to which the browser is sent. From there it comes to `back`, with `state` and a `code`."""
        ...

    def finish(self, code: str, *, nonce: str, back: str, now: datetime) -> Proven:
        """Whom `code` stands for; the portal asks once. May take seconds: never call it inside a transaction.

        Raises `NotProven` unless the provider has signed an answer for this very `nonce` and `back`, just now.
        """
        ...
