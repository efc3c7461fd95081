"""What a worried parent can stop at once, by phone and code, without a password: the page is `/stop/`.

The page does not know what is stopped. Apps above register it when they are ready (`AppConfig.ready`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from accounts.models import User


class NotStopped(Exception):
    """It can't be stopped; `str()` is a sentence for the reader."""


@dataclass(frozen=True)
class Choice:
    """One thing that was done lately. `key` names it within its kind and comes back from a form: never trust it.

    `rows` are what the component `summary_list` takes. `state` says why it can't be stopped (any more); empty if it
    can be.
    """

    key: str
    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    state: str = ""
    # What its stop means beside what that of every one of the kind does.
    consequences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Advice:
    """What to do besides stopping: a sentence, and where, as addresses with their labels."""

    said: str
    links: list[tuple[str, str]] = field(default_factory=list)


class Stoppable(Protocol):
    """One kind of thing that can be stopped. All texts are in the reader's language."""

    # The name of the kind in forms.
    code: str

    @property
    def heading(self) -> str: ...

    @property
    def what(self) -> str:
        """What can be stopped, for whoever has only heard of the page."""
        ...

    @property
    def nothing(self) -> str:
        """The text for when there is nothing to choose; without one the kind is not named then."""
        ...

    @property
    def claim(self) -> str:
        """The label of a choice's button, in the reader's own words."""
        ...

    @property
    def consequences(self) -> list[str]:
        """What stopping does, said before it is confirmed."""
        ...

    def choices(self, user: User, *, now: datetime) -> list[Choice]:
        """What was done lately that concerns `user`, the newest first."""
        ...

    def advice(self, user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
        """What to do after `user` has just stopped one; None if nothing was stopped, or nothing is left to do."""
        ...

    def stop(self, user: User, key: str, *, address: str | None, now: datetime) -> str:
        """Stop it, in a transaction of its own, and say what happens now. Raises `NotStopped`. May take seconds."""
        ...


_kinds: dict[str, Stoppable] = {}


def register(kind: Stoppable) -> None:
    """Put `kind` on the page, below those that were registered before; the same code again replaces it."""
    _kinds[kind.code] = kind


def kinds() -> list[Stoppable]:
    return list(_kinds.values())


def kind_of(code: str) -> Stoppable | None:
    return _kinds.get(code)
