"""Which children stand in a list: those of a kindergarten's groups, those awaited, those who ask for one vacancy.

What an employee may see is decided by whoever calls; names are shown as far as the employee may read them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext

from accounts.models import User
from applications.families.names import reads_phones, shown_name, shown_phone
from applications.models import Bid, Contract, Referral
from applications.queue.position import numbers_of
from applications.rosters.sheet import Cell, Sheet
from applications.states import BidState
from bulletin.kazakh_order import InKazakhOrder
from bulletin.models import Group, Kindergarten, Vacancy
from children.access import guardians_by_child

Rows = list[tuple[Cell, ...]]

BATCH: Final = 500


@dataclass(frozen=True)
class Roster:
    """A list that is read as far as somebody asks for it. `told` makes the rows of a few of what is `found`."""

    title: str
    headings: Sequence[str]
    zone: tzinfo
    found: QuerySet[Any]
    told: Callable[[list[Any]], Rows]

    def count(self) -> int:
        """How many rows there are. One statement."""
        return self.found.order_by().count()

    def first(self, most: int) -> Sheet:
        """The first `most` rows. Some statements, however long the list is."""
        return self.sheet(self.told(list(self.found[:most])))

    def batches(self) -> Iterator[Rows]:
        """All rows, `BATCH` at a time, read as they are asked for."""
        rows = self.found.iterator(chunk_size=BATCH)
        while some := list(islice(rows, BATCH)):
            yield self.told(some)

    def sheet(self, rows: Rows) -> Sheet:
        """These rows as a table."""
        return Sheet(title=self.title, headings=self.headings, rows=rows, zone=self.zone)


def enrolled(
    kindergarten: Kindergarten, contracts: QuerySet[Contract], *, reader: User, group: Group | None = None
) -> Roster:
    """The children with a contract that runs, group by group (or of `group` alone), in the order of their names."""
    rows = contracts.filter(
        referral__bid__vacancy__group__kindergarten=kindergarten, ended_at=None
    ).select_related("moved_to", "referral__application__child", "referral__bid__vacancy__group")
    if group is not None:
        rows = rows.annotate(in_group=_group("id")).filter(in_group=group.pk)
    whose = kindergarten.name if group is None else f"{kindergarten.name}, {group.name}"
    named = rows.order_by(
        _group("age_group"),
        InKazakhOrder(_group("name")),
        _group("id"),
        InKazakhOrder("referral__application__child__last_name"),
        InKazakhOrder("referral__application__child__first_name"),
        "pk",
    )
    return Roster(
        title=f"{whose}: {gettext('enrolled children')}",
        headings=[
            gettext("Group"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Contract"),
            gettext("Signed at"),
        ],
        found=named,
        told=lambda some: [
            (
                one.group.name,
                shown_name(one.referral.application.child, reader),
                one.referral.application.child.birth_date,
                one.number,
                one.signed_at,
            )
            for one in some
        ],
        zone=kindergarten.locality.zone,
    )


def _group(column: str) -> Coalesce:
    """A column of the group in which the child is now."""
    return Coalesce(f"moved_to__{column}", f"referral__bid__vacancy__group__{column}")


def awaited(referrals: QuerySet[Referral], *, reader: User) -> Roster:
    """The families that may still come, the earliest last day first."""

    def told(some: list[Referral]) -> Rows:
        guardians = guardians_by_child([one.application.child_id for one in some])
        return [_awaited(one, guardians[one.application.child_id], reader) for one in some]

    return Roster(
        title=gettext("Families that are expected"),
        headings=[
            gettext("Last day"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Guardians and their phones"),
            gettext("Referral"),
            gettext("Kindergarten"),
            gettext("Group"),
            gettext("Came on"),
        ],
        found=referrals.select_related(
            "application__child", "application__locality", "bid__vacancy__group__kindergarten"
        ).order_by("valid_until", "issued_at", "pk"),
        told=told,
        zone=get_default_timezone(),
    )


def _awaited(referral: Referral, guardians: Iterable[User], reader: User) -> tuple[Cell, ...]:
    child, group = referral.application.child, referral.bid.vacancy.group
    return (
        referral.application.locality.day(referral.last_moment),
        shown_name(child, reader),
        child.birth_date,
        "; ".join(_to_ring(one, reader) for one in guardians),
        referral.number,
        group.kindergarten.name,
        group.name,
        referral.came_on,
    )


def _to_ring(guardian: User, reader: User) -> str:
    """Name and phone, as on the page of the referral: the family is to come."""
    profile = getattr(guardian, "profile", None)
    name = shown_name(profile, reader) if profile else "—"
    return f"{name} {shown_phone(guardian, in_full=reads_phones(reader))}".rstrip()


def bids_of(vacancy: Vacancy, bids: QuerySet[Bid], *, reader: User, now: datetime) -> Roster:
    """Who asks for the places of a vacancy, with their numbers in the queue, in the order in which they asked."""

    def told(some: list[Bid]) -> Rows:
        numbers = numbers_of([one.application for one in some if one.state == BidState.PENDING], now=now)
        return [
            (
                one.placed_at,
                shown_name(one.application.child, reader),
                one.application.child.birth_date,
                one.application.number,
                numbers.get(one.application_id),
                one.get_state_display(),
            )
            for one in some
        ]

    return Roster(
        title=str(vacancy),
        headings=[
            gettext("Bid sent at"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Application"),
            gettext("Number in the queue"),
            gettext("State"),
        ],
        zone=vacancy.locality.zone,
        found=bids.filter(vacancy=vacancy)
        .select_related("application__child", "application__locality")
        .order_by("placed_at", "pk"),
        told=told,
    )
