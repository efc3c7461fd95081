"""What the portal asks of the state's person registry, whoever answers."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Person:
    """A person as the registry knows them. `iin` or `document_number` may be empty, not both; `sex` is m or f."""

    iin: str
    document_number: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: str

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))


class PhoneTie(StrEnum):
    """Whether a phone belongs to a person, by the state base of mobile citizens.

    UNKNOWN where the base knows nothing of the number; UNASKED where the gateway does not offer the question, or where
    there is no IIN to ask about.
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    UNASKED = "unasked"

    @property
    def shows_whole(self) -> bool:
        """Whether whoever holds the phone may read the whole name that belongs to an IIN before anybody knows of it."""
        return self in (PhoneTie.YES, PhoneTie.UNASKED)


class PersonNotFound(LookupError):
    """Nobody, or nobody whom the asker may know of: the registry never says which."""


class RegistryUnavailable(RuntimeError):
    """The registry gives no usable answer now; the same question may be asked again later."""


class PersonRegistry(Protocol):
    """Implementations may be slow (seconds): never call them inside a transaction."""

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        """The adult with this IIN or document number (exactly one is given).

        Raises `PersonNotFound`, `RegistryUnavailable`.
        """
        ...

    def find_ward(self, *, guardian_iin: str = "", guardian_document: str = "", child_iin: str) -> Person:
        """The child with `child_iin`, if the person named by IIN or document is its guardian.

        Raises `PersonNotFound` for an unknown child and for somebody else's alike, `RegistryUnavailable`.
        """
        ...

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        """Whether `phone` (E.164) is registered to the person with `iin`.

        Raises `RegistryUnavailable` where the question is offered and gets no usable answer now.
        """
        ...
