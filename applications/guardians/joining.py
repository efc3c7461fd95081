"""The IIN that a child got later is joined to the child that came by its certificate: one child, one application."""

from datetime import datetime

from django.db import IntegrityError
from django.db.models import Q

from accounts import audit
from accounts.identity import iin_hashes
from accounts.models import Objection, User
from accounts.registry import Person
from applications.journal_actions import Action
from applications.models import Application
from applications.moves import Refused, lock_application, locking, refuse_stranger
from applications.refusals import Refusal
from applications.states import LIVE_STATES
from children.disputes import is_barred, lock_people, undecided
from children.known import children_with
from children.models import Child, GuardianClaim, Guardianship
from children.services import (
    ChildAlreadyAdded,
    ChildBusy,
    ChildRefused,
    GuardianshipBarred,
    add_child,
    ask_registry,
    tell_the_others,
)
from notifications.services import follow


def join_iin(child: Child, iin: str, *, actor: User, address: str | None, now: datetime) -> Child:
    """Give `child`, which has none, the IIN that the registry knows it by; the child that it is then.

    The registry has to know `actor` as its guardian, and the same birth date and sex. Where another guardian has added
    the child by this IIN, the two become one: guardians, who are told of each other, applications and what was told of
    it. Raises `Refused` (IIN_NOT_OF_CHILD, HAS_IIN, TWO_APPLICATIONS if both have a live one: `actor` is then a
    guardian of the other, too, and can move either to the bin; GUARDIAN_BARRED if an official has yet to decide about a
    guardian of one of them, or has barred one from the other; BUSY if somebody else adds the child at this moment),
    `accounts.registry.RegistryUnavailable`. Asks the registry, so never call it inside a transaction. Locks the people,
    the children, then the applications.
    """
    try:
        person = ask_registry(actor, iin=iin)
    except ChildRefused:
        raise Refused(Refusal.IIN_NOT_OF_CHILD) from None
    if (person.birth_date, person.sex) != (child.birth_date, child.sex):
        raise Refused(Refusal.IIN_NOT_OF_CHILD)
    try:
        with locking():
            child, present = _lock(child, iin)
            refuse_stranger(child, actor)
            if child.iin:
                raise Refused(Refusal.HAS_IIN)
            if present is not None:
                _merge(child, into=present, now=now)
                child = present
            else:
                _name(child, person, iin)
            audit.record(
                Action.IIN_JOINED,
                actor=actor,
                subject=actor,
                target=child.full_name,
                address=address,
                now=now,
            )
    except Refused as refused:
        if refused.reason == Refusal.TWO_APPLICATIONS:
            _add_the_other(child, iin, actor=actor, now=now)
        raise
    except IntegrityError as error:
        # Added by this IIN since it was looked for: the next press finds that child.
        raise Refused(Refusal.BUSY) from error
    return child


def _add_the_other(child: Child, iin: str, *, actor: User, now: datetime) -> None:
    """The registry knows `actor` as a guardian of the child with `iin`; whoever has added it is told of them."""
    try:
        add_child(actor, iin=iin, beside=child, now=now)
    except ChildAlreadyAdded:
        return
    except GuardianshipBarred:
        raise Refused(Refusal.GUARDIAN_BARRED) from None
    except ChildBusy:
        raise Refused(Refusal.BUSY) from None
    except ChildRefused:
        raise Refused(Refusal.IIN_NOT_OF_CHILD) from None


def _lock(child: Child, iin: str) -> tuple[Child, Child | None]:
    """`child` and the one that has `iin` already, their rows and those of their guardians locked."""
    present = children_with(iin=iin).exclude(pk=child.pk).first()
    pks = [child.pk, *([present.pk] if present else [])]
    live = Guardianship.objects.filter(child__in=pks, ended_at=None).select_related("user")
    people = {one.user for one in live}
    lock_people(*people)
    locked = {one.pk: one for one in Child.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
    if child.pk not in locked:
        # Another guardian entered the IIN at the same moment, and it has become the one that had it.
        raise Refused(Refusal.HAS_IIN)
    if not {one.user for one in live.all()} <= people:
        raise Refused(Refusal.BUSY)
    return locked[child.pk], locked[present.pk] if present else None


def _name(child: Child, person: Person, iin: str) -> None:
    child.iin, child.iin_hash = iin, iin_hashes(iin)[0]
    child.last_name, child.first_name, child.middle_name = (
        person.last_name,
        person.first_name,
        person.middle_name,
    )
    child.save(update_fields=["iin", "iin_hash", "last_name", "first_name", "middle_name"])


def _merge(child: Child, *, into: Child, now: datetime) -> None:
    """Make one child of two locked ones."""
    _refuse_barred(child, into)
    both = Application.objects.filter(child__in=[child, into], state__in=LIVE_STATES).order_by("pk")
    live = [lock_application(pk) for pk in both.values_list("pk", flat=True)]
    if len(live) > 1:
        raise Refused(Refusal.TWO_APPLICATIONS)
    moved = _move_guardians(child, into=into)
    Application.objects.filter(child=child).update(child=into)
    GuardianClaim.objects.filter(child=child).update(child=into)
    _move_what_was_told(child, into=into)
    for guardianship in moved:
        tell_the_others(guardianship, known=[one.user for one in moved], now=now)


def _move_what_was_told(child: Child, *, into: Child) -> None:
    """Messages, journals and objections go with the child, whose row ends here.

    So does the certificate, which makes no other child; where `into` has one, its approved claims keep this one found
    (`children_with`).
    """
    gone, number, hashed = child.pk, child.paper_number, child.paper_hash
    child.delete()
    if not into.paper_number:
        into.paper_number, into.paper_hash = number, hashed
        into.save(update_fields=["paper_number", "paper_hash"])
    people = list(User.objects.filter(guardianships__child=into).distinct())
    Objection.objects.filter(child=gone).update(child=into.pk)
    follow(gone, into=into.pk, recipients=[one.pk for one in people])
    audit.follow(gone, into=into.pk, people=people)


def _refuse_barred(child: Child, into: Child) -> None:
    """Nobody becomes a guardian by it whom an official has barred, and nothing escapes a decision that is to come."""
    both = Q(guardianship__child__in=[child, into])
    if undecided().filter(both).exists():
        raise Refused(Refusal.GUARDIAN_BARRED)
    for one, other in ((child, into), (into, child)):
        there = Child.objects.filter(pk=other.pk)
        people = [guardianship.user for guardianship in one.guardianships.filter(ended_at=None)]
        if any(is_barred(person, there) for person in people):
            raise Refused(Refusal.GUARDIAN_BARRED)


def _move_guardians(child: Child, *, into: Child) -> list[Guardianship]:
    """The guardianships in force that `into` got by it."""
    present = {one.user_id: one for one in into.guardianships.filter(ended_at=None)}
    moved = []
    for guardianship in child.guardianships.select_related("user__profile"):
        twice = present.get(guardianship.user_id) if guardianship.ended_at is None else None
        if twice is not None:
            # They added the child a second time, by its IIN: what an official approved stays.
            twice.source = guardianship.source
            twice.save(update_fields=["source"])
            guardianship.ended_at = guardianship.added_at
        elif guardianship.ended_at is None:
            moved.append(guardianship)
        guardianship.child = into
        guardianship.save(update_fields=["child", "ended_at"])
    return moved
