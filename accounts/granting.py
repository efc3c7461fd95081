"""Who may manage whose account: nobody their own, and nobody one above their own."""

from typing import Final

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from accounts.models import User
from accounts.roles import Role

# The group of those who manage accounts; only a superuser makes or changes one of them.
ADMINISTRATORS: Final = "system_administrator"


def may_manage(actor: User, whom: User) -> bool:
    """Whether `actor`, who has the right to change accounts, may change that of `whom`: roles, blocking, links.

    Nobody their own. An administrator changes no superuser and no other administrator: otherwise whoever may change
    accounts could take any right.
    """
    if whom == actor:
        return False
    if actor.is_superuser:
        return True
    return not whom.is_superuser and not whom.groups.filter(name=ADMINISTRATORS).exists()


def managed_by(actor: User, users: QuerySet[User]) -> QuerySet[User]:
    """Of these accounts those that `may_manage` lets `actor` change."""
    others = users.exclude(pk=actor.pk)
    if actor.is_superuser:
        return others
    return others.exclude(is_superuser=True).exclude(groups__name=ADMINISTRATORS)


def roles_to_give(actor: User) -> QuerySet[Group]:
    """The groups that `actor` may give to an employee: a superuser any, an administrator the roles below their own."""
    if actor.is_superuser:
        return Group.objects.order_by("name")
    return Group.objects.filter(name__in=Role.values).exclude(name=ADMINISTRATORS).order_by("name")
