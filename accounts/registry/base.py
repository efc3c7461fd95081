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

    UNKNOWN if the base does not know the number; UNASKED if the gateway does not offer the question, or if there is no
    IIN to ask about.
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    UNASKED = "unasked"

    @property
    def shows_whole(self) -> bool:
        """Whether the phone's holder may read the whole name behind an IIN before anybody else is told."""
        return self in (PhoneTie.YES, PhoneTie.UNASKED)


class PersonNotFound(LookupError):
    """There is no such person, or none that the asker may know about: the registry never says which."""


class RegistryUnavailable(RuntimeError):
    """The registry gives no usable answer now; the same question may be asked again later."""


class UnusableAnswer(RegistryUnavailable):
    """The registry answered, and its answer makes no sense: asking about somebody else may well go right."""


class PersonRegistry(Protocol):
    """Implementations may be slow (seconds): never call them inside a transaction."""

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        """The adult with this IIN or document number (exactly one is given).

        Raises `PersonNotFound`, `RegistryUnavailable`.
        """
        ...

    def find_ward(self, *, guardian_iin: str = "", guardian_document: str = "", child_iin: str) -> Person:
        """The child with `child_iin`, if the person named by IIN or document is its guardian.

        Raises `PersonNotFound` both for an unknown child and for another family's, `RegistryUnavailable`.
        """
        ...

    def find_wards(self, *, guardian_iin: str) -> list[Person]:
        """Every child whose guardian the person with this IIN is; none from a gateway that does not offer the question.

        Ask only for somebody whom the registry knows by phone, or where the answer is shown to nobody: it names
        children that nobody has named.
        Raises `RegistryUnavailable`.
        """
        ...

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        """Whether `phone` (E.164) is registered to the person with `iin`.

        Raises `RegistryUnavailable` if the question is offered but gets no usable answer now.
        """
        ...
