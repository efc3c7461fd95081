"""What each app holds about a person. Apps above register their part when they are ready (`AppConfig.ready`).

Closing an account, forgetting it and exporting it ask every part in turn and know none of them.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.data.sections import Section
from accounts.models import User


class NotYet(Exception):
    """The account can't be forgotten now: something of it is still under way."""


@dataclass(frozen=True)
class ReadsAlong:
    """Something that reads a person's data without signing in, like a calendar: what, since when, and its page."""

    label: str
    made_at: datetime
    url: str


class Part:
    """One app's part. All sentences are in the language of the page."""

    # Names the part in the register.
    code: str

    def losses(self, user: User, *, now: datetime) -> list[str]:
        """What `user` loses by closing the account, said before it is confirmed."""
        return []

    def stays(self, user: User, *, now: datetime) -> list[str]:
        """What is kept all the same, and why."""
        return []

    def sections(self) -> list[Section]:
        """What of it stands in a copy of one's own data."""
        return []

    def reads_along(self, user: User) -> list[ReadsAlong]:
        """What reads something of `user` without signing in; a new password ends it by itself."""
        return []

    def sign_out(self, user: User, *, address: str | None, now: datetime) -> None:
        """End all of `reads_along`, in the transaction that ends the sessions; `address` is that of the network."""

    def close(self, user: User, *, now: datetime) -> None:
        """End what ends at once. In the transaction of closing, with the user's row locked; may lock its rows."""

    def forget(self, user: User, *, now: datetime) -> None:
        """Erase what tells whose it was. In one transaction with all parts; raises `NotYet` to put it off."""


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Add an app's part; the same code again replaces it. An app is registered after the apps that it builds on."""
    _parts[part.code] = part


def parts() -> list[Part]:
    """All parts, from the lowest app up: the order in which rows are locked."""
    return list(_parts.values())
