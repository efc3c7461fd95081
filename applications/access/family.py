"""The only way from a signed-in parent to the family's applications: a stranger finds nothing."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from applications.access.settling import settle
from applications.models import CLAIMED, Application, Benefit, Bid, Referral
from applications.states import ApplicationState, BidState
from children.disputes import Standing, standings_of


class Withheld(Exception):
    """Where `application` stands is withheld from the asker, whom a proven guardian does not know."""

    def __init__(self, application: Application) -> None:
        super().__init__(application.pk)
        self.application = application


def applications_of(user: User) -> QuerySet[Application]:
    """The claimed applications of all children whose guardian the user is now."""
    return Application.objects.filter(
        CLAIMED, child__guardianships__user=user, child__guardianships__ended_at=None
    ).select_related("child", "locality")


def application_for(user: User, pk: UUID, *, now: datetime) -> Application:
    """One application of the family, brought up to `now`. Raises `Http404` for strangers and unknown ids alike."""
    application = applications_of(user).filter(pk=pk).first()
    if application is None:
        raise Http404
    return settled_for(user, [application], now=now)[0]


def settled_for(user: User, applications: Iterable[Application], *, now: datetime) -> list[Application]:
    """Applications of the family brought up to `now`, each with what a disputed guardian means for `user`."""
    return with_standing(user, [settle(application, now=now) for application in applications])


def with_standing(user: User, applications: list[Application]) -> list[Application]:
    """The same applications, each with what a disputed guardian means for `user`."""
    standings = standings_of(user) if applications else {}
    for application in applications:
        standing = standings.get(application.child_id, Standing())
        application.asker_side, application.asker_is_bound = standing.side, standing.is_bound
    return applications


def referral_for(application: Application) -> Referral | None:
    """The newest referral of an application that was reached through `application_for`."""
    return (
        application.referrals.select_related("bid__vacancy__group__kindergarten__locality")
        .order_by("-issued_at")
        .first()
    )


def benefit_for(application: Application, pk: UUID) -> Benefit:
    """One benefit of an application that was reached through `application_for`. Raises `Http404`."""
    benefit = application.benefits.select_related("category", "application__locality").filter(pk=pk).first()
    if benefit is None:
        raise Http404
    return benefit


def newest_bid(application: Application) -> Bid | None:
    """The newest bid of an application, whatever happened to it, with the referral that came of it."""
    return newest_bids([application]).get(application.pk)


def newest_bids(applications: Iterable[Application]) -> dict[UUID, Bid]:
    """`newest_bid` of each of these applications that has one. One statement."""
    known = {one.pk: one for one in applications}
    rows = Bid.objects.filter(application__in=known).select_related(
        "vacancy__group__kindergarten__locality",
        "referral__application__locality",
        "referral__contract__moved_to",
        "referral__extension",
    )
    found = {
        bid.application_id: bid
        for bid in rows.order_by("application_id", "-placed_at").distinct("application_id")
    }
    for pk, bid in found.items():
        bid.application = known[pk]
    return found


def pending_bid(application: Application) -> Bid | None:
    """The bid that waits for the kindergarten's answer, if any."""
    bid = newest_bid(application)
    return bid if bid is not None and bid.state == BidState.PENDING else None


def collected_among(applications: Iterable[Application]) -> set[UUID]:
    """The ids of those whose bid is collected and holds no place yet. One query, none if nobody has a bid."""
    pending = [one.pk for one in applications if one.state == ApplicationState.BID_PLACED]
    if not pending:
        return set()
    collected = Bid.objects.filter(application__in=pending, state=BidState.PENDING, holds_seat=False)
    return set(collected.values_list("application_id", flat=True))
