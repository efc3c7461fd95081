"""What the department's officials are told of accounts that read families and decide about them.

An administrator makes accounts and resets them, and could use such an account: nobody else sees it happen. So every
official reads it, and whoever made an account, or reset it, is never the second pair of eyes beside it.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from accounts.models import StaffLink, User
from accounts.roles import Role
from notifications.services import enqueue

# They find any family of their places, and decide or move numbers.
READ_FAMILIES: Final = {Role.OFFICIAL, Role.CONTACT_CENTRE}
# Of whom it must be known which children are their own.
DECIDE_ABOUT_FAMILIES: Final = {Role.KINDERGARTEN, *READ_FAMILIES}
_KEPT: Final = "one_with_employee"


def tell_of_account(user: User, kind: str, *, actor: User | None, now: datetime, **context: Any) -> None:
    """Tell every official, but for the two, that the account of `user` was made or reset; nothing of other roles.

    `actor` None is a command. Call it inside that transaction, once `user` has the role.
    """
    held = [role for role in READ_FAMILIES if role.value in {group.name for group in user.groups.all()}]
    if not held:
        return
    who = {"employee": str(user), "actor": str(actor or ""), "role": min(held).label}
    officials = User.objects.filter(groups__name=Role.OFFICIAL, is_active=True, is_staff=True)
    key = f"{user.pk}:{now.isoformat()}"
    for official in officials.exclude(pk__in=[user.pk, actor.pk if actor else user.pk]):
        enqueue(official, kind, context={**who, **context}, dedupe_key=key, now=now)


def one_with(employee: User) -> set[UUID]:
    """The accounts that count as `employee` where two pairs of eyes are needed: what they began, `employee` can't end.

    Their own, those that they set up by making the link, and those of whoever made the link for theirs.
    """
    links = StaffLink.objects.filter(Q(user=employee) | Q(made_by=employee)).exclude(used_at=None)
    pairs = links.values_list("user_id", "made_by_id")
    return {employee.pk, *(pk for pair in pairs for pk in pair if pk is not None)}


def is_one_with(employee: User, *, path: str) -> Q:
    """The rows in which the account at `path` is one of `one_with`: no decision about them waits for `employee`.

    Whose they are is kept with the object, as its permissions are: for a request. A start page asks seven times.
    """
    kept = vars(employee)
    if _KEPT not in kept:
        kept[_KEPT] = one_with(employee)
    return Q(**{f"{path}__in": kept[_KEPT]})
