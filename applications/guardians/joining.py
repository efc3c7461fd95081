"""The IIN that a child got later is joined to the child that came by its certificate: one child, one application."""

from datetime import datetime

from accounts import audit
from accounts.identity import iin_hashes
from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application
from applications.moves import Refused, lock_application, locking, refuse_stranger
from applications.refusals import Refusal
from applications.states import LIVE_STATES
from children.models import Child, GuardianClaim
from children.services import ChildRefused, ask_registry
from notifications.models import Message, Notice


def join_iin(child: Child, iin: str, *, actor: User, address: str | None, now: datetime) -> Child:
    """Give `child`, which has none, the IIN that the registry knows it by; the child that it is then.

    The registry has to know `actor` as its guardian, and the same birth date and sex. Where another guardian has added
    the child by this IIN, the two become one: guardians, applications and what was told of it. Raises `Refused`
    (IIN_NOT_OF_CHILD, HAS_IIN, TWO_APPLICATIONS if both have a live one), `accounts.registry.RegistryUnavailable`. Asks
    the registry, so never call it inside a transaction. Locks the children, then the applications.
    """
    try:
        person = ask_registry(actor, iin=iin)
    except ChildRefused:
        raise Refused(Refusal.IIN_NOT_OF_CHILD) from None
    if (person.birth_date, person.sex) != (child.birth_date, child.sex):
        raise Refused(Refusal.IIN_NOT_OF_CHILD)
    hashes = iin_hashes(iin)
    with locking():
        present = Child.objects.filter(iin_hash__in=hashes).exclude(pk=child.pk).first()
        pks = sorted([child.pk, *([present.pk] if present else [])])
        locked = {one.pk: one for one in Child.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
        child = locked[child.pk]
        refuse_stranger(child, actor)
        if child.iin:
            raise Refused(Refusal.HAS_IIN)
        if present is not None:
            _merge(child, into=locked[present.pk])
            child = locked[present.pk]
        else:
            child.iin, child.iin_hash = iin, hashes[0]
            child.last_name, child.first_name = person.last_name, person.first_name
            child.middle_name = person.middle_name
            child.save(update_fields=["iin", "iin_hash", "last_name", "first_name", "middle_name"])
        audit.record(
            Action.IIN_JOINED, actor=actor, subject=actor, target=child.full_name, address=address, now=now
        )
    return child


def _merge(child: Child, *, into: Child) -> None:
    """Make one child of two locked ones. The certificate goes with it, so that it makes no other child."""
    both = Application.objects.filter(child__in=[child, into], state__in=LIVE_STATES).order_by("pk")
    live = [lock_application(pk) for pk in both.values_list("pk", flat=True)]
    if len(live) > 1:
        raise Refused(Refusal.TWO_APPLICATIONS)
    guardians = set(into.guardianships.filter(ended_at=None).values_list("user", flat=True))
    for guardianship in child.guardianships.all():
        if guardianship.ended_at is None and guardianship.user_id in guardians:
            # They added the child a second time, by its IIN: what an official approved stays.
            into.guardianships.filter(user=guardianship.user_id, ended_at=None).update(
                source=guardianship.source
            )
            guardianship.ended_at = guardianship.added_at
        guardianship.child = into
        guardianship.save(update_fields=["child", "ended_at"])
    Application.objects.filter(child=child).update(child=into)
    GuardianClaim.objects.filter(child=child).update(child=into)
    for told in (Notice, Message):
        told.objects.filter(about=child.pk).update(about=into.pk)
    number, hashed = child.paper_number, child.paper_hash
    child.delete()
    into.paper_number, into.paper_hash = number, hashed
    into.save(update_fields=["paper_number", "paper_hash"])
