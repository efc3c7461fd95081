"""Until which day a referral is valid; which are valid, or without their paper."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from applications.models import Referral
from applications.states import ReferralState
from bulletin.models import Locality
from bulletin.workdays import end_of_day


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals that a family may still use (`Referral.is_valid`)."""
    return Referral.objects.filter(
        Q(valid_until__gt=now) | Q(held_since__isnull=False), state=ReferralState.ISSUED
    )


def ends_by_tomorrow(localities: Iterable[Locality], *, now: datetime) -> Q:
    """Whether a referral's last day is tomorrow at the latest, by the calendar of its place; `localities` are all.

    Where tomorrow ends everywhere at one instant, the place is not asked for.
    """
    ends: dict[datetime, list[int]] = defaultdict(list)
    for place in localities:
        ends[end_of_day(place.day(now) + timedelta(days=1), place.zone)].append(place.pk)
    soon = [
        Q(valid_until__lte=end)
        if len(ends) == 1
        else Q(application__locality__in=there, valid_until__lte=end)
        for end, there in ends.items()
    ]
    return reduce(or_, soon, Q(pk__in=[]))


def referrals_without_pdf() -> QuerySet[Referral]:
    """Valid referrals whose paper has not been made yet."""
    return Referral.objects.filter(state=ReferralState.ISSUED, pdf="")


def last_day_of(referral: Referral) -> date:
    """The last day on which the family may come, in the locality's zone."""
    return referral.application.locality.last_day(referral.valid_until)
