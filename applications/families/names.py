"""A family's names and phones as an employee may read them."""

import json
from collections.abc import Iterable
from typing import Final, Protocol
from uuid import UUID

from accounts.masks import mask_name, mask_phone
from accounts.models import Profile, User
from applications.models import FormerLine
from applications.states import ApplicationState
from children.models import Child, Guardianship
from notifications.kinds import READS_NAMES

NAMES = READS_NAMES
# In these a kindergarten has to do with the family, and may have to call it.
EXPECTED: Final = frozenset({ApplicationState.REFERRED, ApplicationState.ENROLLED})


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


def names_by_person(people: Iterable[UUID | None]) -> dict[UUID, set[str]]:
    """What may name the family of each of these guardians in a text: their own names, and those of their children.

    Also of children of whom they are a guardian no longer. Two statements.
    """
    keys = {pk for pk in people if pk is not None}
    found: dict[UUID, set[str]] = {pk: set() for pk in keys}
    parts = ("last_name", "first_name", "middle_name")
    for pk, *names in Profile.objects.filter(user__in=keys).values_list("user", *parts):
        found[pk].update(names)
    of_children = Guardianship.objects.filter(user__in=keys).order_by()
    for pk, *names in of_children.values_list("user", *(f"child__{part}" for part in parts)):
        found[pk].update(names)
    return found


def names_around(child: Child) -> set[str]:
    """What may name a child in a text, its guardians, and their other children. Three statements."""
    guardians = Guardianship.objects.filter(child=child).order_by().values_list("user", flat=True)
    around = names_by_person(list(guardians)).values()
    return {child.last_name, child.first_name, child.middle_name}.union(*around)


def names_by_line(lines: Iterable[int]) -> dict[int, set[str]]:
    """What may name the child of each of these lines of a former queue in a text; nothing of one that was erased."""
    parts = ("last_name", "first_name", "middle_name")
    kept = FormerLine.objects.filter(pk__in=set(lines)).exclude(cells="").values_list("pk", "cells")
    return {pk: {json.loads(cells).get(part, "") for part in parts} for pk, cells in kept}


def shown_name(person: Named, employee: User) -> str:
    """The whole name, or its initials for whoever reads no names."""
    return person.full_name if employee.has_perm(NAMES) else mask_name(person.last_name, person.first_name)


def reads_phones(employee: User) -> bool:
    """Whether an employee reads the whole phone of an `EXPECTED` family: who reads its referral and names."""
    return employee.has_perm(NAMES) and employee.has_perm("applications.view_referral")


def shown_phone(guardian: User, *, in_full: bool) -> str:
    """The phone of a guardian, "" for none: whole for who `reads_phones` of an expected family, otherwise masked."""
    if not guardian.phone:
        return ""
    return str(guardian.phone.as_international) if in_full else mask_phone(guardian.phone)
