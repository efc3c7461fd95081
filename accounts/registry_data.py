"""What the person registry says of a parent, kept up to date: the name, the document, an IIN that came later."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import override

from accounts import audit
from accounts.identity import document_hash, document_hashes, iin_hash, iin_hashes
from accounts.journal_actions import Action
from accounts.models import Profile, User
from accounts.registry import Person, PersonNotFound, RegistryUnavailable, get_registry
from accounts.services import refuse_taken
from notifications.services import enqueue

# How long an answer of the registry is taken for what it still says.
FRESH_FOR: Final = timedelta(days=30)


class Refreshed(StrEnum):
    """What came of asking the registry about a parent."""

    SAME = "same"
    CHANGED = "changed"
    # It knows nobody with this IIN or document any more; the data stays as it is.
    NOT_FOUND = "not_found"
    # It gave no usable answer now.
    UNANSWERED = "unanswered"
    # It says something that another account holds already, or speaks of somebody else: a person has to look.
    CONTRADICTS = "contradicts"


class NotYourDocument(Exception):
    """The registry doesn't know this document as the parent's own; whether it is another's, nobody is told."""


class SameDocument(Exception):
    """The document that the account holds already."""


class _Anothers(Exception):
    """Another account holds this IIN or document."""


def is_due(profile: Profile, *, now: datetime) -> bool:
    """Whether the registry was last asked about this parent too long ago."""
    return profile.registry_asked_at is None or now >= profile.registry_asked_at + FRESH_FOR


def refresh_person(user: User, *, now: datetime) -> Refreshed:
    """Bring the profile of `user` up to date with the registry, found by the IIN or, without one, by the document.

    What changed is entered in the journal and told in the inbox. May take seconds: never call it inside a transaction.
    """
    profile = user.profile
    question = {"iin": profile.iin} if profile.iin else {"document_number": profile.document_number}
    try:
        person = get_registry().find_person(**question)
    except PersonNotFound:
        Profile.objects.filter(pk=profile.pk).update(registry_asked_at=now)
        return Refreshed.NOT_FOUND
    except RegistryUnavailable:
        return Refreshed.UNANSWERED
    return _store(user, person, asked=question, now=now)


def renew_document(user: User, number: str, *, address: str | None, now: datetime) -> Profile:
    """Enter a new document of `user`, which the registry proves to be theirs; their children stay theirs.

    It is theirs if the registry gives the IIN of the account for it or, where the account has none, the same name,
    birth date and sex. The owner is told by SMS and inbox. Raises `NotYourDocument`, `SameDocument` if nothing is new,
    `accounts.registry.RegistryUnavailable`. May take seconds: never call it inside a transaction.
    """
    try:
        person = get_registry().find_person(document_number=number)
    except PersonNotFound:
        raise NotYourDocument from None
    try:
        with transaction.atomic():
            profile = Profile.locked(user)
            if not _is_same(profile, person):
                raise NotYourDocument
            if not _take_over(profile, person, now=now):
                raise SameDocument
            refuse_taken(profile, besides=profile)
            profile.save()
            audit.record(Action.DOCUMENT_RENEWED, actor=user, subject=user, address=address, now=now)
            _tell(user, "document_renewed", now=now)
    except (IntegrityError, _Anothers):
        raise NotYourDocument from None
    return profile


def _is_same(profile: Profile, person: Person) -> bool:
    if profile.iin:
        return bool(person.iin == profile.iin)
    return _facts_of_birth(profile) == _facts_of_birth(person)


def _facts_of_birth(one: Profile | Person) -> tuple[Any, ...]:
    names = (one.last_name, one.first_name, one.middle_name)
    return (*(name.casefold().strip() for name in names), one.birth_date, str(one.sex))


def _store(user: User, person: Person, *, asked: dict[str, str], now: datetime) -> Refreshed:
    try:
        with transaction.atomic():
            profile = Profile.locked(user)
            present = {"iin": profile.iin} if profile.iin else {"document_number": profile.document_number}
            if present != asked:
                # A new document was entered while the registry answered about the old one.
                return Refreshed.SAME
            changed = _take_over(profile, person, now=now)
            refuse_taken(profile, besides=profile)
            profile.save()
            if changed:
                audit.record(Action.REGISTRY_DATA_CHANGED, actor=None, subject=user, now=now)
                _tell(user, "registry_data_changed", now=now)
    except (IntegrityError, _Anothers):
        Profile.objects.filter(user=user).update(registry_asked_at=now)
        return Refreshed.CONTRADICTS
    return Refreshed.CHANGED if changed else Refreshed.SAME


def _take_over(profile: Profile, person: Person, *, now: datetime) -> bool:
    """Write what the registry says into a locked profile, unsaved; whether anything differs.

    An empty IIN or document number of an answer takes nothing away. Raises `_Anothers`.
    """
    said: dict[str, Any] = {
        "last_name": person.last_name,
        "first_name": person.first_name,
        "middle_name": person.middle_name,
        "birth_date": person.birth_date,
        "sex": person.sex,
        "iin": person.iin or profile.iin,
        "document_number": person.document_number or profile.document_number,
    }
    # Under the key of before the same number has another hash: the unique columns alone don't see it.
    same = Q(iin_hash__in=iin_hashes(said["iin"])) | Q(
        document_hash__in=document_hashes(said["document_number"])
    )
    if Profile.objects.filter(same).exclude(pk=profile.pk).exists():
        raise _Anothers
    changed = any(getattr(profile, name) != value for name, value in said.items())
    for name, value in said.items():
        setattr(profile, name, value)
    profile.iin_hash, profile.document_hash = iin_hash(profile.iin), document_hash(profile.document_number)
    profile.registry_asked_at, profile.is_typed = now, False
    return changed


def _tell(user: User, kind: str, *, now: datetime) -> None:
    with override(settings.LANGUAGE_CODE):
        link = reverse("accounts:profile")
    enqueue(user, kind, context={}, dedupe_key=f"{kind}:{now.isoformat()}", now=now, link=link)
