"""Adding a child to a family, and keeping the proof that it is theirs."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import Action
from accounts.crypto import keyed_hash
from accounts.models import User
from accounts.registry import Person, PersonNotFound, get_registry
from children.access import children_of, guardians_of
from children.models import Child, Guardianship
from notifications.services import enqueue


class ChildRefused(Exception):
    """The child can't be added; `str()` is a sentence for the parent.

    The same sentence for an unknown IIN and for somebody else's child: it must tell nothing about either.
    """

    def __str__(self) -> str:
        return _("No data was found, or your connection with the child was not confirmed")


class ChildAlreadyAdded(ChildRefused):
    """The parent has added this very child before: `child`."""

    def __init__(self, child: Child) -> None:
        super().__init__()
        self.child = child

    def __str__(self) -> str:
        return _("This child is already on your list")


def find_child(user: User, *, iin: str) -> Person:
    """What the registry says of the child with `iin` (12 digits) if `user` is its guardian.

    Raises `ChildAlreadyAdded`, `ChildRefused`, `accounts.registry.RegistryUnavailable`. May take seconds: never call
    it inside a transaction.
    """
    added = children_of(user).filter(iin_hash=_iin_hash(iin)).first()
    if added is not None:
        raise ChildAlreadyAdded(added)
    return _ask_registry(user, iin=iin)


def add_child(user: User, *, iin: str, nationality: str = "", now: datetime) -> Child:
    """Add the child with `iin` (12 digits) to the family of `user` and return it.

    The registry is asked anew, so nobody can add a child by skipping a page. A child that another guardian has added
    stays one row, which both may act for; its data is brought up to date. Every guardian whom the child has already is
    told at once, by inbox and SMS, and reads it in the journal. Raises what `find_child` raises; asks the registry, so
    never call it inside a transaction. Locks the child's row.
    """
    person = find_child(user, iin=iin)
    with transaction.atomic():
        child = _stored_child(person, nationality=nationality, now=now)
        guardianship, created = Guardianship.objects.get_or_create(
            child=child,
            user=user,
            ended_at=None,
            defaults={"source": Guardianship.Source.REGISTRY, "verified_at": now},
        )
        if not created:
            raise ChildAlreadyAdded(child)
        audit.record(Action.CHILD_ADDED, actor=user, subject=user, target=child.full_name, now=now)
        _tell_the_others(guardianship, now=now)
    return child


def recheck_guardianship(guardianship: Guardianship, *, now: datetime, dry_run: bool = False) -> bool:
    """Ask the registry whether `guardianship` still holds; end it if not. True if it holds.

    Where it holds, the child's data is brought up to date with the registry's. A guardianship that an official
    confirmed is not the registry's to end. Raises `accounts.registry.RegistryUnavailable`, and then changes nothing.
    With `dry_run` it only looks.
    """
    if guardianship.source == Guardianship.Source.OFFICIAL:
        return True
    live = Guardianship.objects.filter(pk=guardianship.pk, ended_at=None)
    try:
        person = _ask_registry(guardianship.user, iin=guardianship.child.iin)
    except ChildRefused:
        if not dry_run:
            live.update(ended_at=now)
        return False
    if not dry_run:
        live.update(verified_at=now)
        Child.objects.filter(pk=guardianship.child_id).update(**_facts(person))
    return True


def _ask_registry(user: User, *, iin: str) -> Person:
    profile = user.profile
    known_by = (
        {"guardian_iin": profile.iin} if profile.iin else {"guardian_document": profile.document_number}
    )
    try:
        return get_registry().find_ward(**known_by, child_iin=iin)
    except PersonNotFound:
        raise ChildRefused from None


def _tell_the_others(guardianship: Guardianship, *, now: datetime) -> None:
    """Nobody becomes a guardian behind the back of those who are; the child's row is locked, so none is missed."""
    child, newcomer = guardianship.child, guardianship.user
    for guardian in guardians_of(child):
        if guardian == newcomer:
            continue
        audit.record(Action.GUARDIAN_ADDED, actor=newcomer, subject=guardian, target=child.full_name, now=now)
        enqueue(
            guardian,
            "guardian_added",
            context={"child": child, "guardian": newcomer.profile.masked_name},
            dedupe_key=str(guardianship.pk),
            now=now,
            link=reverse("children:child", args=[child.pk]),
        )


def _stored_child(person: Person, *, nationality: str, now: datetime) -> Child:
    """The locked row of this child, made or brought up to date."""
    facts = _facts(person)
    iin_hash = _iin_hash(person.iin)
    Child.objects.bulk_create(
        [Child(iin=person.iin, iin_hash=iin_hash, nationality=nationality, created_at=now, **facts)],
        ignore_conflicts=True,
    )
    child = Child.objects.select_for_update().get(iin_hash=iin_hash)
    for name, value in facts.items():
        setattr(child, name, value)
    child.nationality = nationality or child.nationality
    child.save(update_fields=[*facts, "nationality"])
    return child


def _facts(person: Person) -> dict[str, Any]:
    """What the registry alone says of a child, by the names of the model's fields."""
    return {
        name: getattr(person, name)
        for name in ("last_name", "first_name", "middle_name", "birth_date", "sex")
    }


def _iin_hash(iin: str) -> str:
    return keyed_hash("iin", iin)
