"""The lists as an employee may have them: of own kindergartens, by the employee's permissions."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.timezone import localdate

from accounts.models import User
from applications.models import Bid, Contract, Referral
from applications.own_rows import own_rows
from applications.referrals import due
from applications.rosters import rosters
from applications.rosters.rosters import Roster
from bulletin.employment import kindergartens_of
from bulletin.models import Group, Kindergarten, Vacancy

ENROLLED: Final = "enrolled"
AWAITED: Final = "awaited"
BIDS: Final = "bids"
ENROLLED_IN: Final = "enrolled_in"
# What an employee must be allowed to look at, to have the list.
PERMISSIONS: Final[Mapping[str, str]] = {
    ENROLLED: "applications.view_contract",
    ENROLLED_IN: "applications.view_contract",
    AWAITED: "applications.view_referral",
    BIDS: "applications.view_bid",
}


def own_kindergartens(user: User, now: datetime) -> set[int]:
    """The keys of the kindergartens whose lists an employee may have."""
    return set(kindergartens_of(user, today=localdate(now)).order_by().values_list("pk", flat=True))


def enrolled(pk: int | str, *, reader: User, now: datetime) -> Roster:
    """The children enrolled in a kindergarten. Raises `Kindergarten.DoesNotExist` for one that is not the reader's."""
    kindergarten = own_rows(Kindergarten.objects.select_related("locality"), user=reader, now=now).get(pk=pk)
    return rosters.enrolled(
        kindergarten, own_rows(Contract.objects.all(), user=reader, now=now), reader=reader
    )


def enrolled_in(pk: int | str, *, reader: User, now: datetime) -> Roster:
    """The children enrolled in one group. Raises `Group.DoesNotExist` for one that is not the reader's."""
    group = own_rows(Group.objects.select_related("kindergarten__locality"), user=reader, now=now).get(pk=pk)
    return rosters.enrolled(
        group.kindergarten,
        own_rows(Contract.objects.all(), user=reader, now=now),
        reader=reader,
        group=group,
    )


def awaited(*, reader: User, now: datetime, kindergartens: Collection[int] | None = None) -> Roster:
    """The families that may still come to sign, of these own kindergartens (None: of all)."""
    referrals: QuerySet[Referral] = own_rows(due.valid_referrals(now=now), user=reader, now=now)
    if kindergartens is not None:
        referrals = referrals.filter(bid__vacancy__group__kindergarten__in=kindergartens)
    return rosters.awaited(referrals, reader=reader)


def bids_of(pk: UUID | str, *, reader: User, now: datetime) -> Roster:
    """Who asks for the places of a vacancy. Raises `Vacancy.DoesNotExist` for one that is not the reader's."""
    vacancies = Vacancy.objects.select_related("group__kindergarten__locality")
    vacancy = own_rows(vacancies, user=reader, now=now).get(pk=pk)
    return rosters.bids_of(vacancy, own_rows(Bid.objects.all(), user=reader, now=now), reader=reader, now=now)
