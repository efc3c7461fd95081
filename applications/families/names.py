"""A family's names as an employee may read them."""

from typing import Protocol

from accounts.masks import mask_name
from accounts.models import User
from notifications.kinds import READS_NAMES

NAMES = READS_NAMES


class Named(Protocol):
    """A child, or the profile of a guardian."""

    last_name: str
    first_name: str

    @property
    def full_name(self) -> str: ...


def without_names(target: str) -> str:
    """What a family's journal calls an object, for whoever reads no names: its number, or the initials of each child.

    A file's own name, which stands behind either, is left out.
    """
    object_, _sign, _file = target.partition(": ")
    if not any(sign.isalpha() for sign in object_):
        return object_
    people = (person.split() for person in object_.split(", "))
    return ", ".join(mask_name(words[0], "".join(words[1:2])) for words in people if words)


def shown_name(person: Named, employee: User) -> str:
    """The whole name, or its initials for whoever reads no names."""
    return person.full_name if employee.has_perm(NAMES) else mask_name(person.last_name, person.first_name)
