"""What guardians have to do with numbers: a dispute holds a move of a number, and the other guardians hear of it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts import audit
from accounts.models import NumberMove, User
from children.access import children_of, guardians_of, is_own_child
from children.journal_actions import Action
from children.models import Dispute, Guardianship
from notifications.services import enqueue


def hold(account: User) -> str | Promise:
    """What `accounts.numbers.concerned.Hold` asks for: no number moves while an official has yet to decide who is who.

    Disputes are raised and decided under the rows of both people, one of which the caller has locked.
    """
    is_side = Q(guardianship__user=account) | Q(raised_by=account)
    if Dispute.objects.filter(is_side, outcome="").exists():
        return _("An official has yet to decide about a guardian of your child. Until then the number stays")
    return ""


def is_of_the_family(account: User, employee: User) -> bool:
    """What `accounts.numbers.concerned.Relation` asks for: the employee's own child is a child of the account."""
    return any(is_own_child(employee, child) for child in children_of(account))


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
