"""What guardians have to do with numbers: a dispute holds a move of a number, and the other guardians hear of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts import audit
from accounts.models import NumberMove, User
from accounts.numbers.concerned import Held
from children.access import children_of, guardians_of, keys_of_own_children
from children.journal_actions import Action
from children.models import Dispute, Guardianship
from notifications.services import enqueue


def hold(account: User) -> Held | None:
    """What `accounts.numbers.concerned.Hold` asks for: no number moves while an official has yet to decide who is who.

    Disputes are raised and decided under the rows of both people, one of which the caller has locked.
    """
    is_side = Q(guardianship__user=account) | Q(raised_by=account)
    if Dispute.objects.filter(is_side, outcome="").exists():
        return Held(
            _("An official has yet to decide about a guardian of your child. Until then the number stays"),
            _(
                "An official has yet to decide about a guardian of a child of this account. Until then neither its "
                "number nor its paper changes"
            ),
        )
    return None


def held() -> Iterable[QuerySet[Any, Any]]:
    """The keys of both sides of every dispute that an official has yet to decide."""
    undecided = Dispute.objects.filter(outcome="").order_by()
    raised = undecided.exclude(raised_by=None)
    return [undecided.values_list("guardianship__user_id"), raised.values_list("raised_by_id")]


def family(employee: User) -> Collection[UUID]:
    """What `accounts.numbers.concerned.Family` asks for: whoever is a guardian of a child of the employee's."""
    children = keys_of_own_children(employee)
    if not children:
        return ()
    shared = Guardianship.objects.filter(child__in=children, ended_at=None)
    return set(shared.values_list("user_id", flat=True))


def circle(account: User) -> Iterable[UUID]:
    """What `accounts.numbers.concerned.Circle` asks for: the other guardians of the account's children."""
    shared = Guardianship.objects.filter(child__in=children_of(account), ended_at=None)
    return shared.exclude(user=account).values_list("user_id", flat=True)


def tell_guardians(move: NumberMove, now: datetime) -> None:
    """Tell every other guardian of the children once, and enter it into their journals."""
    account = move.account
    others: dict[User, list[str]] = {}
    for child in children_of(account):
        for guardian in guardians_of(child):
            if guardian != account:
                others.setdefault(guardian, []).append(child.full_name)
    with override(settings.LANGUAGE_CODE):
        link = reverse("children:list")
    for guardian, children in others.items():
        enqueue(
            guardian,
            "guardian_moved",
            context={
                "children": children,
                "guardian": account.profile.masked_name,
                "has_number": move.new_phone is not None,
            },
            dedupe_key=f"number-move:{move.pk}",
            now=now,
            link=link,
        )
        audit.record(Action.GUARDIAN_MOVED, actor=None, subject=guardian, target=", ".join(children), now=now)
