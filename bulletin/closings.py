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


def closings_of(kindergarten: Kindergarten, group: Group | None = None) -> list[Closing]:
    """The running closings by which a kindergarten, or a group of it, is closed or will be; the whole one first."""
    own = group.pk if group else None
    return [one for one in running(kindergarten) if one.group_id in (None, own)]


def is_announced(closing: Closing, *, now: datetime) -> bool:
    """Whether the first day of a closing has yet to come; nothing is offered there all the same."""
    return closing.locality.day(now) < closing.starts_on


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


def cut_short_by(closing: Closing) -> list[Closing]:
    """The undone closings whose families were not all handled as this one was decided there, and those these cut short.

    What they have not given back comes back only with the undoing of this one.
    """
    of_kindergarten = Closing.objects.filter(kindergarten=closing.kindergarten_id, state=Closing.State.UNDONE)
    undone = list(of_kindergarten.exclude(pk=closing.pk))
    found: list[Closing] = []
    later = [closing]
    while later:
        later = [one for one in undone if one not in found and any(_is_cut_short(one, by) for by in later)]
        found += later
    return found


def _is_cut_short(earlier: Closing, later: Closing) -> bool:
    assert earlier.ended_at is not None
    is_there = None in (earlier.group_id, later.group_id) or earlier.group_id == later.group_id
    is_unfinished = earlier.finished_at is None or earlier.finished_at >= later.decided_at
    return is_there and earlier.ended_at <= later.decided_at and is_unfinished
