"""«Stop» for guardians: whom a parent may stop, and «I don't know this person»."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.registry import PhoneTie
from accounts.services import refresh_phone_tie
from accounts.stops import Advice, Choice, NotStopped
from applications.disputes.guardianships import stop_guardian, zone_of
from applications.moves import Refused
from applications.waiting.claiming import claimants
from children.access import others_with
from children.disputes import stoppable
from children.models import Dispute, Guardianship


class UnknownGuardian:
    """What `accounts.stops.Stoppable` asks for, by `transitions.stop_guardian`."""

    code = "guardian"

    @property
    def heading(self) -> str:
        return _("Which of the child's representatives you can stop")

    @property
    def what(self) -> str:
        return _("A representative of your child whom you don't know")

    @property
    def nothing(self) -> str:
        return _(
            "Nobody was added after you in the last 30 days. Who was there before you can be stopped here for 30 days, "
            "too. For that the state must know your phone as your own, and theirs not as theirs. Otherwise call the "
            "contact centre."
        )

    @property
    def claim(self) -> str:
        return _("I don't know this person")

    @property
    def consequences(self) -> list[str]:
        return [
            _(
                "An official of the education department decides within two working days. You need not do anything."
            ),
            _(
                "Until then this person can't move the application to the bin or to another locality, nor withdraw a "
                "bid or a benefit. Nor can you, unless the state knows your phone as your own. Nobody can extend a "
                "referral: its last day stands still."
            ),
            _(
                "This person can't send bids or change the languages until then. You can, if the state knows your "
                "phone as your own; otherwise neither of you can."
            ),
            _(
                "If the state knows the phone of this person as their own, nothing is halted; an official decides all "
                "the same."
            ),
            _(
                "The person is told. It stands in the journals of both of you. This can be done once for a person. "
                "Pressed by mistake? You can't take it back yourself, but an official can decide at once that the "
                "person stays: call the contact centre."
            ),
        ]

    def stoppable_by(self, user: User, *, now: datetime) -> QuerySet[Guardianship]:
        """Whose guardianships `user` may stop."""
        return stoppable(user, now=now)

    def choices(self, user: User, *, now: datetime) -> list[Choice]:
        _ask_whose_phone(user)
        added = sorted(self.stoppable_by(user, now=now), key=lambda one: str(one.user_id))
        grouped = [list(some) for _user, some in groupby(added, key=lambda one: one.user_id)]
        newest_first = sorted(grouped, key=lambda some: max(one.added_at for one in some), reverse=True)
        return [_choice(some, now=now) for some in newest_first]

    def advice(self, user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
        """What else can be done about another guardian who can't be stopped here; of who was stopped, nothing."""
        if self.stoppable_by(user, now=now).exists() or not others_with(user).exists():
            return None
        report = (reverse("applications:objections"), _("Report wrong data"))
        said = _("You can also write that the child has a wrong representative: an official answers you.")
        return Advice(
            f"{self.nothing} {said}" if is_signed_in else self.nothing, [report] if is_signed_in else []
        )

    def stop(self, user: User, key: str, *, address: str | None, now: datetime) -> str:
        # Before the transaction: the registry may be slow. Much depends on whose phones these are.
        _ask_whose_phone(user)
        open_to = self.stoppable_by(user, now=now)
        newcomer = next((one.user for one in open_to if str(one.user_id) == key), None)
        if newcomer is None:
            raise NotStopped(_("This person can't be stopped here any more. Call the contact centre."))
        is_tied = refresh_phone_tie(newcomer) is PhoneTie.YES
        try:
            disputes = stop_guardian(
                newcomer, by=user, is_tied=is_tied, address=address, among=open_to, now=now
            )
        except Refused as refused:
            raise NotStopped(str(refused)) from None
        day = max(_last_day(dispute) for dispute in disputes)
        return self.said_of(disputes) % {"day": _shown(day)}

    def said_of(self, disputes: list[Dispute]) -> str:
        """What the presser reads of what they have just stopped, with the `day` of the decision."""
        if any(dispute.is_mutual for dispute in disputes):
            return _(
                "Stopped. Until an official decides, costly acts are halted and neither of you can send bids: the "
                "state knows neither phone as its owner's. By the end of the day: %(day)s"
            )
        if any(dispute.is_halting for dispute in disputes):
            return _stopped()
        return _(
            "Written down. The state knows the phone of this person as their own, so nothing is halted. An official "
            "decides by the end of the day: %(day)s"
        )


class UnknownClaimant(UnknownGuardian):
    """The same for who claimed an application of the former queue that names the reader's phone."""

    code = "claimant"

    @property
    def heading(self) -> str:
        return _("Who claimed an application of the former queue that names your number")

    @property
    def what(self) -> str:
        return _("A claim on an application of the former queue that you don't know")

    @property
    def nothing(self) -> str:
        """Nothing: hardly anybody has one."""
        return ""

    @property
    def consequences(self) -> list[str]:
        """The presser need be no guardian: nothing of the child is shown to them, and nothing of theirs is halted."""
        return [
            _(
                "An official of the education department decides within two working days. You need not do anything."
            ),
            _(
                "Until then this person can't move the application to the bin or to another locality, withdraw a bid "
                "or a benefit, send bids or change the languages. Nobody can extend a referral: its last day stands "
                "still."
            ),
            _(
                "If the state knows the phone of this person as their own, nothing is halted; an official decides all "
                "the same."
            ),
            _(
                "The person and the child's guardians are told. It stands in your journal, and you read in your "
                "messages what was decided, without the child's name. The application does not become yours by it: if "
                "it is, come to the education department with your identity card and the child's birth certificate."
            ),
            _(
                "This can be done once for a person. Pressed by mistake? You can't take it back yourself, but an "
                "official can decide at once that the person stays: call the contact centre."
            ),
        ]

    def said_of(self, disputes: list[Dispute]) -> str:
        is_halting = any(dispute.is_halting for dispute in disputes)
        return _stopped() if is_halting else super().said_of(disputes)

    def stoppable_by(self, user: User, *, now: datetime) -> QuerySet[Guardianship]:
        return claimants(user, now=now)

    def advice(self, user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
        """The official decides; nothing is left to do."""
        return None


def _stopped() -> str:
    return _("Stopped. Costly acts are halted until an official decides. By the end of the day: %(day)s")


def _ask_whose_phone(user: User) -> None:
    """Only a parent known to the state may stop an earlier guardian; without other guardians nothing is asked."""
    if others_with(user).exists():
        refresh_phone_tie(user)


def _choice(some: Iterable[Guardianship], *, now: datetime) -> Choice:
    """One other guardian of one or more children of the reader."""
    added = sorted(some, key=lambda one: one.added_at)
    rows: list[dict[str, Any]] = []
    for one in added:
        rows.append({"label": _("Child"), "value": one.child.first_name})
        rows.append({"label": _("Added at"), "at": one.added_at})
    disputes = [one.dispute for one in added if hasattr(one, "dispute")]
    open_for_stop = len(disputes) < len(added)
    state = "" if open_for_stop else _state(max(disputes, key=lambda one: one.due_at), now=now)
    return Choice(key=str(added[0].user_id), title=added[0].user.profile.masked_name, rows=rows, state=state)


def _state(dispute: Dispute, *, now: datetime) -> str:
    if dispute.outcome:
        return _(
            "An official has decided: the guardianship stands. If you disagree, call the contact centre."
        )
    day = {"day": _shown(_last_day(dispute))}
    if not dispute.is_halting:
        if now >= dispute.due_at:
            return _("Written down, nothing is halted. The decision is late: call the contact centre.")
        return (
            _(
                "Written down. The state knows the phone of this person as their own, so nothing is halted. An "
                "official decides by the end of the day: %(day)s"
            )
            % day
        )
    if now >= dispute.due_at:
        return _("Stopped. The decision is late: call the contact centre.")
    return _("Stopped. An official decides by the end of the day: %(day)s") % day


def _last_day(dispute: Dispute) -> date:
    return localtime(dispute.last_moment, zone_of(dispute.guardianship.child)).date()


def _shown(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")
