"""No employee looks at a family without saying why: what the audit holds of it is what opens the card."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import AuditEntry, User
from applications.families.scope import children_seen, guardians_seen, seen_through
from applications.journal_actions import Action
from children.models import Child, Guardianship

# How long a reason holds for one employee and one family.
LASTS: Final = timedelta(minutes=30)
# A family with more is shown in part.
MOST: Final = 10

# Each is an action of the journal, so that the family reads it in its own language.
REASONS: Final = {
    Action.LOOKED_ON_CALL: _("The family calls"),
    Action.LOOKED_FOR_LETTER: _("A letter or a visit of the family"),
    Action.LOOKED_FOR_CHECK: _("A check"),
    Action.LOOKED_OTHERWISE: _("Another reason"),
}


@dataclass(frozen=True)
class Family:
    """The people on one card: `child` or `guardian` is who was looked for.

    `children` are those of the same guardians at whom the employee may look, whoever was looked for first.
    """

    children: list[Child]
    guardianships: list[Guardianship]
    child: Child | None = None
    guardian: User | None = None

    @property
    def guardians(self) -> list[User]:
        """Everybody who may act for one of the children now; whoever was looked for first."""
        first = [self.guardian] if self.guardian else []
        return list(dict.fromkeys([*first, *(one.user for one in self.guardianships)]))

    @property
    def anchor(self) -> Child | User:
        anchor = self.child or self.guardian
        assert anchor is not None
        return anchor


def family_of_child(pk: UUID, *, employee: User, now: datetime) -> Family | None:
    """The child's family, if `employee` may look at it; None is no answer to whether there is such a child."""
    child = children_seen(employee, now=now).filter(pk=pk).first()
    if child is None:
        return None
    guardians = Guardianship.objects.filter(child=child, ended_at=None).values("user")
    theirs = _guardianships(guardians, employee, now=now)
    siblings = sorted({one.child for one in theirs} - {child}, key=lambda one: (one.birth_date, one.pk))
    return _family([child, *siblings], theirs, child=child)


def family_of_guardian(pk: UUID, *, employee: User, now: datetime) -> Family | None:
    """The same by a guardian, who may have no child here yet."""
    guardian = guardians_seen(employee, now=now).filter(pk=pk).first()
    if guardian is None:
        return None
    theirs = _guardianships([guardian], employee, now=now)
    children = sorted({one.child for one in theirs}, key=lambda one: (one.birth_date, one.pk))
    return _family(children, theirs, guardian=guardian)


def is_open(family: Family, *, employee: User, now: datetime) -> bool:
    """Whether `employee` said lately why they look at each child of the family."""
    keys = _keys(family)
    said = AuditEntry.objects.filter(
        actor=employee, action__in=REASONS, about__in=keys, at__gt=now - LASTS
    ).values_list("about", flat=True)
    return keys <= set(said)


def say_why(
    family: Family, reason: Action, *, words: str, employee: User, address: str | None, now: datetime
) -> None:
    """Enter into the audit, and the journals of all guardians, that `employee` looks at the family, and why."""
    with transaction.atomic():
        for child in family.children:
            guardians: list[User | None] = [
                one.user for one in family.guardianships if one.child_id == child.pk
            ]
            for subject in guardians or [None]:
                audit.record(
                    reason,
                    actor=employee,
                    subject=subject,
                    # Names of those nobody reads of are kept nowhere.
                    target=child.full_name if subject else "",
                    reason=words,
                    address=address,
                    about=child,
                    child=child.pk,
                    now=now,
                )
        if not family.children:
            audit.record(
                reason,
                actor=employee,
                subject=family.guardian,
                reason=words,
                address=address,
                about=family.guardian,
                now=now,
            )


def _keys(family: Family) -> set[str]:
    return {audit.key_of(one) for one in family.children} or {audit.key_of(family.anchor)}


def _guardianships(guardians: Any, employee: User, *, now: datetime) -> list[Guardianship]:
    """Who may act now for any child of these guardians at whom `employee` may look."""
    theirs = Guardianship.objects.filter(user__in=guardians, ended_at=None).values("child")
    living = Guardianship.objects.filter(
        seen_through(employee, child="child_id", now=now),
        child__in=theirs,
        ended_at=None,
        user__profile__isnull=False,
    )
    return list(living.select_related("child", "user__profile").order_by("verified_at", "pk")[: MOST * MOST])


def _family(children: list[Child], guardianships: list[Guardianship], **anchor: Any) -> Family:
    shown = children[:MOST]
    return Family(shown, [one for one in guardianships if one.child in shown], **anchor)
