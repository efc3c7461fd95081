"""What is closed: a kindergarten, or one group of it."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from bulletin.models import Closing, Group, Kindergarten


def running(kindergarten: Kindergarten) -> QuerySet[Closing]:
    """The closings of a kindergarten and of its groups that nobody has ended, the whole one first."""
    found = Closing.objects.filter(kindergarten=kindergarten, state=Closing.State.RUNNING)
    return found.select_related("group", "kindergarten__locality").order_by(
        F("group").asc(nulls_first=True), "pk"
    )


def closing_of(group: Group) -> Closing | None:
    """The closing of a group, or of its kindergarten; None while it is open. From the decision on, whatever its day.

    Certain with the lock of the group (`applications.places.occupancy.lock_places`): a closing takes it.
    """
    found = Closing.objects.filter(kindergarten=group.kindergarten_id, state=Closing.State.RUNNING)
    return found.filter(Q(group=None) | Q(group=group)).order_by("decided_at", "pk").first()


def is_closed(group: Group) -> bool:
    """Whether nothing may be offered in a group, as `closing_of`."""
    return closing_of(group) is not None


def covers(closing: Closing, group: Group) -> bool:
    """Whether a group is closed by this closing, or was while it ran."""
    return closing.kindergarten_id == group.kindergarten_id and closing.group_id in (None, group.pk)


def may_be_undone(closing: Closing, *, now: datetime) -> bool:
    """Whether a closing can still be taken for a mistake: up to the end of its first day. Later it is reopened."""
    return closing.state == Closing.State.RUNNING and closing.locality.day(now) <= closing.starts_on
