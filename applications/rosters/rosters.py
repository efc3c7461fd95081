"""Which children stand in a list: those of a kindergarten's groups, those awaited, those who ask for one vacancy.

What an employee may see is decided by whoever calls; names are shown as far as the employee may read them.
"""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext

from accounts.models import User
from applications.families.names import shown_name
from applications.models import Bid, Contract, Referral
from applications.queue.position import numbers_of
from applications.rosters.sheet import Cell, Sheet
from applications.states import BidState
from bulletin.models import Kindergarten, Vacancy


def enrolled(kindergarten: Kindergarten, contracts: QuerySet[Contract], *, reader: User) -> Sheet:
    """The children with a contract that runs, group by group, in the order of their names."""
    rows = contracts.filter(
        referral__bid__vacancy__group__kindergarten=kindergarten, ended_at=None
    ).select_related("referral__application__child", "referral__bid__vacancy__group")
    named = rows.order_by(
        "referral__bid__vacancy__group__age_group",
        "referral__bid__vacancy__group__name",
        "referral__bid__vacancy__group",
        "referral__application__child__last_name",
        "referral__application__child__first_name",
        "pk",
    )
    return Sheet(
        title=f"{kindergarten.name}: {gettext('enrolled children')}",
        headings=[
            gettext("Group"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Contract"),
            gettext("Signed at"),
        ],
        rows=[
            (
                one.referral.bid.vacancy.group.name,
                shown_name(one.referral.application.child, reader),
                one.referral.application.child.birth_date,
                one.number,
                one.signed_at,
            )
            for one in named
        ],
        zone=kindergarten.locality.zone,
    )


def awaited(referrals: QuerySet[Referral], *, reader: User) -> Sheet:
    """The families that may still come, the earliest last day first."""
    rows = list(
        referrals.select_related(
            "application__child", "application__locality", "bid__vacancy__group__kindergarten"
        ).order_by("valid_until", "issued_at")
    )
    return Sheet(
        title=gettext("Families that are expected"),
        headings=[
            gettext("Last day"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Referral"),
            gettext("Kindergarten"),
            gettext("Group"),
            gettext("Came on"),
        ],
        rows=[_awaited(one, reader) for one in rows],
        zone=get_default_timezone(),
    )


def _awaited(referral: Referral, reader: User) -> tuple[Cell, ...]:
    child, group = referral.application.child, referral.bid.vacancy.group
    return (
        referral.application.locality.day(referral.last_moment),
        shown_name(child, reader),
        child.birth_date,
        referral.number,
        group.kindergarten.name,
        group.name,
        referral.came_on,
    )


def bids_of(vacancy: Vacancy, bids: QuerySet[Bid], *, reader: User, now: datetime) -> Sheet:
    """Who asks for the places of a vacancy, with their numbers in the queue, in the order in which they asked."""
    rows = list(
        bids.filter(vacancy=vacancy)
        .select_related("application__child", "application__locality")
        .order_by("placed_at", "pk")
    )
    numbers = numbers_of([one.application for one in rows if one.state == BidState.PENDING], now=now)
    return Sheet(
        title=str(vacancy),
        headings=[
            gettext("Bid sent at"),
            gettext("Child"),
            gettext("Date of birth"),
            gettext("Application"),
            gettext("Number in the queue"),
            gettext("State"),
        ],
        rows=[
            (
                one.placed_at,
                shown_name(one.application.child, reader),
                one.application.child.birth_date,
                one.application.number,
                numbers.get(one.application_id),
                one.get_state_display(),
            )
            for one in rows
        ],
        zone=vacancy.locality.zone,
    )
