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


def shown_name(person: Named, employee: User) -> str:
    """The whole name, or its initials for whoever reads no names."""
    return person.full_name if employee.has_perm(NAMES) else mask_name(person.last_name, person.first_name)
