"""Whether the state registry knows an employee as family of somebody, who need not be a parent here."""

import time
from collections.abc import Iterable

from django.conf import settings

from accounts.models import User
from accounts.registry import PersonNotFound, RegistryUnavailable, get_registry


def is_kin(employee: User, *, iin: str, document_number: str, children: Iterable[str]) -> bool:
    """Whether `employee` is a guardian of one of `children` (IINs), or of another child of the person named.

    The person is named by IIN or, without one, by document. What the registry answers is shown to nobody. False for an
    employee whose IIN nobody has entered. Raises `accounts.registry.RegistryUnavailable`, also where a slow registry
    would be asked on after the time for one question is over. Never call it inside a transaction.
    """
    own = employee.kept_iin
    if not own:
        return False
    until = time.monotonic() + settings.PERSON_REGISTRY_SECONDS
    wards = {ward.iin for ward in get_registry().find_wards(guardian_iin=own)}
    # A registry that lists no wards still knows whose child this one is.
    if any(child in wards or _is_ward(child, until=until, guardian_iin=own) for child in children):
        return True
    person = {"guardian_iin": iin} if iin else {"guardian_document": document_number}
    return any(_is_ward(ward, until=until, **person) for ward in wards)


def _is_ward(child: str, *, until: float, **guardian: str) -> bool:
    if time.monotonic() >= until:
        raise RegistryUnavailable
    try:
        get_registry().find_ward(**guardian, child_iin=child)
    except PersonNotFound:
        return False
    return True
