"""Forgetting a child whose guardians have all left: the queue keeps its times and moves, and nothing that names it."""

from datetime import datetime
from functools import partial
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.timezone import localtime

from accounts.stored_files import delete_after_commit
from applications.models import (
    Application,
    Benefit,
    Bid,
    Contract,
    Extension,
    ExtensionDocument,
    FormerRow,
    Referral,
    UndoRequest,
)
from applications.states import LIVE_STATES, ApplicationState
from bulletin.importing.undoing import UNDOABLE_FOR
from children.models import Child
from children.personal_data import forget_child, left_behind, never_added
from notifications.sweeps import sweep

# A kindergarten needs to know who is in its groups until the child has left for school.
ENROLLED_KEPT_TO_AGE: Final = 8
# As long as a file may be undone: a child that it took out comes back.
UNCLAIMED_KEPT_FOR: Final = UNDOABLE_FOR


def children_due(*, now: datetime) -> QuerySet[Child]:
    """The children whom nobody has any more, and whom no kindergarten needs to know."""
    of_child = Application.objects.filter(child=OuterRef("pk"))
    live = of_child.filter(state__in=LIVE_STATES)
    enrolled = of_child.filter(state=ApplicationState.ENROLLED)
    last_year = localtime(now).year - ENROLLED_KEPT_TO_AGE
    return left_behind().exclude(Exists(live)).exclude(Exists(enrolled), birth_date__year__gt=last_year)


def unclaimed_due(*, now: datetime) -> QuerySet[Child]:
    """The children of the former queue whom nobody ever claimed, long enough after their last application was over."""
    of_child = Application.objects.filter(child=OuterRef("pk"))
    over = of_child.filter(former__isnull=False, archived_at__lte=now - UNCLAIMED_KEPT_FOR)
    other = of_child.exclude(archived_at__lte=now - UNCLAIMED_KEPT_FOR)
    return never_added().filter(Exists(over), ~Exists(other))


def forget_unclaimed(*, now: datetime) -> int:
    """Forget these children; returns how many. Safe to repeat."""
    return sweep(unclaimed_due(now=now), partial(_forget, now=now))


def forget_children_due(*, now: datetime) -> int:
    """Forget the children that are due; returns how many. Safe to repeat."""
    return sweep(children_due(now=now), partial(_forget, now=now))


def _forget(child: Child, *, now: datetime) -> None:
    """Events stay: they hold no names, and their texts, which employees wrote, are emptied."""
    with transaction.atomic():
        if not forget_child(child):
            return
        of_child = {"application__child": child}
        for benefit in Benefit.objects.filter(**of_child):
            delete_after_commit(benefit.document)
        Benefit.objects.filter(**of_child).update(document="", original_name="", reason="")
        documents = ExtensionDocument.objects.filter(extension__referral__application__child=child)
        for document in documents:
            delete_after_commit(document.file)
        documents.delete()
        Extension.objects.filter(referral__application__child=child).update(explanation="")
        for referral in Referral.objects.filter(**of_child):
            delete_after_commit(referral.pdf)
        Referral.objects.filter(**of_child).update(pdf="", reason="")
        Bid.objects.filter(**of_child).update(reason="")
        Contract.objects.filter(referral__application__child=child).update(end_reason="")
        UndoRequest.objects.filter(bid__application__child=child).update(reason="", decision_reason="")
        FormerRow.objects.filter(**of_child).update(
            old_number="",
            number_key="",
            filed_text="",
            guardian_iin="",
            guardian_hash=None,
            phone="",
            phone_hash=None,
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_in_events(%s)", [child.pk])
