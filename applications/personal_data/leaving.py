"""The applications of an account that is closed: what ends at once, and what waits for the end of the thirty days.

For a child with another guardian nothing ends. Of all others, pending bids and offered places go to other families at
once, since nobody will answer for them; the application waits at its date until its owner can't come back any more.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.data.parts import NotYet, Part, ReadsAlong
from accounts.data.sections import Section
from accounts.models import User
from applications.access.settling import settle
from applications.bidding.ending import withdraw_bid
from applications.bidding.offers import decline_offer
from applications.calendar_address import address_made_at, take_address_away
from applications.models import Alert, Application, Bid, CalendarAddress, Complaint, Offer
from applications.moves import Refused, lock_application, locking, move
from applications.personal_data.sections import SECTIONS
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState, BidState, Move, OfferState
from children.models import Guardianship
from children.personal_data import alone_with, lock_children


class Applications(Part):
    code = "applications"

    def losses(self, user: User, *, now: datetime) -> list[str]:
        said = []
        for application in _of(user):
            number = {"number": application.number}
            said.append(
                _(
                    "Application: %(number)s. It keeps its place in the queue while you may come back. After that it "
                    "is closed, and its date is lost."
                )
                % number
            )
            if application.state == ApplicationState.BID_PLACED:
                said.append(
                    _("Application: %(number)s. Its bid is withdrawn at once: another family gets the place.")
                    % number
                )
            elif Offer.objects.filter(application=application, state=OfferState.OFFERED).exists():
                said.append(
                    _("Application: %(number)s. The offered place goes to the next family at once.") % number
                )
            elif application.state == ApplicationState.REFERRED:
                said.append(
                    _(
                        "Application: %(number)s. The referral stays valid to its last day. Download it before: "
                        "without a contract by then the application goes to the stop-list, and nobody writes to you."
                    )
                    % number
                )
        return said

    def stays(self, user: User, *, now: datetime) -> list[str]:
        said = [
            _(
                "The times and moves of your applications, without names, IIN and documents: the queue of the other "
                "children is checked by them."
            )
        ]
        enrolled = Application.objects.filter(
            child__in=alone_with(user), state=ApplicationState.ENROLLED
        ).exists()
        if enrolled:
            said.append(
                _(
                    "The data of a child with a signed contract: until the year in which the child turns 8, since "
                    "the kindergarten needs it."
                )
            )
        return said

    def reads_along(self, user: User) -> list[ReadsAlong]:
        made_at = address_made_at(user)
        if made_at is None:
            return []
        return [
            ReadsAlong(
                _("The address from which a calendar reads your days"),
                made_at,
                reverse("applications:calendar"),
            )
        ]

    def sign_out(self, user: User, *, address: str | None, now: datetime) -> None:
        take_address_away(user, address=address, now=now)

    def sections(self) -> list[Section]:
        return SECTIONS

    def close(self, user: User, *, now: datetime) -> None:
        applications = list(_of(user).order_by("pk"))
        # All of them: whoever presses for one waits here, and then finds that the account is closed.
        for application in applications:
            lock_application(application.pk)
        for bid in Bid.objects.filter(application__in=applications, state=BidState.PENDING):
            _unless_refused(partial(withdraw_bid, bid, actor=user, now=now))
        for offer in Offer.objects.filter(application__in=applications, state=OfferState.OFFERED):
            _unless_refused(partial(decline_offer, offer, actor=user, now=now))
        # Whoever comes back makes a new one.
        CalendarAddress.objects.filter(user=user).delete()

    def forget(self, user: User, *, now: datetime) -> None:
        lock_children(user)
        Alert.objects.filter(user=user).delete()
        Complaint.objects.filter(user=user).update(text="", answer="")
        for application in _left_by(user).order_by("pk"):
            _take_out(application, now=now)


def _of(user: User) -> QuerySet[Application]:
    """The live applications of the children for whom nobody else is there."""
    return Application.objects.filter(child__in=alone_with(user), state__in=LIVE_STATES).select_related(
        "locality", "child"
    )


def _left_by(user: User) -> QuerySet[Application]:
    """The live applications of children whose other guardians, if any, are forgotten: who leaves may still return."""
    others = Guardianship.objects.filter(ended_at=None, user__forgotten_at=None).exclude(user=user)
    own = Guardianship.objects.filter(ended_at=None, user=user)
    return (
        Application.objects.filter(child__in=own.values("child"), state__in=LIVE_STATES)
        .exclude(child__in=others.values("child"))
        .select_related("locality", "child")
    )


def _take_out(application: Application, *, now: datetime) -> None:
    """Take an application out of the queue for good. Raises `NotYet` while it has a referral, a stop or a bid."""
    application = settle(application, now=now)
    try:
        with locking():
            application = lock_application(application.pk)
            if application.state not in LIVE_STATES:
                return
            if application.state != ApplicationState.WAITING:
                raise NotYet
            move(application, Move.ARCHIVE, actor=None, now=now, archived_at=now)
    except Refused as refused:
        raise NotYet from refused


def _unless_refused(act: Callable[[], Any]) -> None:
    """Do it unless it has ended meanwhile, or is halted by a dispute that somebody else decides."""
    try:
        act()
    except Refused as refused:
        if refused.reason == Refusal.BUSY:
            raise
