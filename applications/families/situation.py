"""Where an application stands, in words: the number, the next step, the deadline and the four steps of the manual."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from applications.access.family import newest_bids
from applications.bidding.board import suiting_places
from applications.bidding.offers import live_offers
from applications.bidding.recalls import recall_title
from applications.disputes.halts import disputes_among, may_now
from applications.families.due import Due, DueKind
from applications.models import Application, Bid, Complaint, Event, Extension, Offer, Referral, StopListEntry
from applications.preview import is_preview, preview_words
from applications.queue.position import Position, positions, unclaimed_ahead
from applications.referrals.due import last_day_of
from applications.referrals.extending import longest_extension
from applications.referrals.stops import stop_days_of
from applications.refusals import Refusal
from applications.rules.interest import Campaign
from applications.rules.running_out import restorable_until
from applications.states import ApplicationState, BidState, Move, ReferralState, StandIn, label_of
from applications.undoing.coming import has_lost_its_place
from applications.waiting.campaigns import campaigns_asking
from bulletin.calendar import working_calendar
from bulletin.models import Group, Vacancy
from bulletin.workdays import NoCalendar
from children.disputes import Undecided

State = ApplicationState
# In these no stop runs: nobody asks for one.
_UNSTOPPED: Final = (State.WAITING, State.BID_PLACED, State.REFERRED, State.ENROLLED)


@dataclass(frozen=True)
class Deadline:
    """A last day as the component `deadline` shows it, with one of the two counts of days left, or none."""

    label: str
    last_day: date
    working_days: int | None = None
    calendar_days: int | None = None
    passed: bool = False
    text: str = ""
    # For the family's calendar; a day that stands still or is over is nothing for one.
    due: Due | None = None


@dataclass(frozen=True)
class Step:
    """One of the four steps, as the component `tracker_step` shows it."""

    number: int
    title: str
    state: str
    text: str
    url: str = ""
    action: str = ""
    action_icon: str = ""
    url2: str = ""
    action2: str = ""


@dataclass(frozen=True)
class Situation:
    """An application at one instant, with everything its page shows."""

    application: Application
    now: datetime
    position: Position | None
    bid: Bid | None
    referral: Referral | None
    extension: Extension | None
    stop: StopListEntry | None
    # The dispute about a guardian of the child that an official has yet to decide.
    dispute: Undecided | None = None
    # The campaign in which the waiting family has yet to confirm its interest.
    campaign: Campaign | None = None
    # Until when a lapsed application can come back; None if no end was promised.
    restorable_until: datetime | None = None
    # The place that is offered to the family, which has yet to answer.
    offer: Offer | None = None

    @property
    def state(self) -> ApplicationState:
        return ApplicationState(self.application.state)

    @property
    def group(self) -> Group | None:
        """The group in which an enrolled child is; otherwise that of its bid."""
        if self.state == State.ENROLLED and self.referral is not None:
            return self.referral.contract.group
        return self.vacancy.group if self.vacancy else None

    @property
    def vacancy(self) -> Vacancy | None:
        """The place that the newest bid is for."""
        return self.bid.vacancy if self.bid else None

    @property
    def halt(self) -> Undecided | None:
        """The dispute, if it halts costly acts."""
        return self.dispute if self.dispute and self.dispute.is_halting else None

    @property
    def is_pending(self) -> bool:
        return self.state == State.BID_PLACED

    @property
    def is_collected(self) -> bool:
        """Whether the bid waits for the closing time, after which the place goes by queue number."""
        return self.is_pending and self.bid is not None and not self.bid.holds_seat

    @property
    def state_label(self) -> str:
        return label_of(self.state, is_collected=self.is_collected)

    @property
    def is_referred(self) -> bool:
        return self.state == State.REFERRED

    @property
    def may_extend(self) -> bool:
        may_ask = may_now(self.application, Move.EXTEND_REFERRAL)
        return may_ask and self.extension is None and self.halt is None

    @property
    def longest_extension(self) -> date | None:
        return longest_extension(self.referral) if self.referral and self.may_extend else None

    @property
    def setback(self) -> Bid | Referral | None:
        """The refusal, recall or revocation after which the family waits again: it carries the reason."""
        if self.state != State.WAITING or self.bid is None or self.offer:
            return None
        if self.bid.state in (BidState.REJECTED, BidState.VOID, BidState.LOST):
            return self.bid
        return self.referral if self.referral and self._is_lost(self.referral, self.bid) else None

    @staticmethod
    def _is_lost(referral: Referral, bid: Bid) -> bool:
        """Whether the family waits again because of the kindergarten: it came in time, or the referral was revoked."""
        if referral.bid_id != bid.pk or referral.state not in (ReferralState.REVOKED, ReferralState.EXPIRED):
            return False
        if referral.state == ReferralState.REVOKED:
            return True
        return referral.came_on is not None and has_lost_its_place(referral)

    @property
    def complaint_about(self) -> str:
        """What a family would complain of first as things stand; empty for nothing in particular."""
        if isinstance(self.setback, Bid):
            return Complaint.About.BID
        if self.setback is not None or self.state == State.STOP_LISTED:
            return Complaint.About.REFERRAL
        is_late = self.is_pending and self.bid and self.bid.answer_due and self.now >= self.bid.answer_due
        return Complaint.About.LATE if is_late else ""

    @property
    def setback_title(self) -> str:
        if isinstance(self.setback, Bid) and self.setback.stand_in:
            return _("The education department refused your bid")
        if self.setback is not None and _is_of_a_closing(self.setback):
            return _("The kindergarten or the group closes: you wait again with your number")
        if isinstance(self.setback, Bid) and self.setback.state == BidState.VOID:
            return recall_title(self.setback.vacancy)
        titles = {
            BidState.REJECTED: _("The kindergarten refused your bid"),
            BidState.LOST: _("The place went to another child by queue number"),
            ReferralState.REVOKED: _("The kindergarten revoked the referral"),
            ReferralState.EXPIRED: _("You came in time, but the place is not free any more"),
        }
        return titles[self.setback.state] if self.setback else ""  # type: ignore[index]

    @property
    def setback_text(self) -> str:
        """The reason that was given, or what a lost bid means."""
        if isinstance(self.setback, Referral) and self.setback.state == ReferralState.EXPIRED:
            assert self.setback.came_on is not None
            return _("The kindergarten noted that you came on: %(day)s. The stop-list has ended.") % {
                "day": f"{self.setback.came_on:%d.%m.%Y}"
            }
        if self.setback and self.setback.reason:
            reason = _("Reason: %(reason)s") % {"reason": self.setback.reason}
            if isinstance(self.setback, Bid) and self.setback.stand_in == StandIn.LATE:
                return (
                    _("It decided in place of the kindergarten, which had not answered in time.")
                    + f" {reason}"
                )
            return reason
        return _("There were fewer places than applications.") if self.setback else ""

    @property
    def number_facts(self) -> list[dict[str, object]]:
        return facts_of(self.position, self.application)

    @property
    def interest(self) -> str:
        return interest_of(self.application, self.campaign)

    @property
    def may_change_languages(self) -> bool:
        return may_now(self.application, Move.CHANGE_LANGUAGES)

    @property
    def may_move(self) -> bool:
        """Whether the family may choose another locality."""
        return may_now(self.application, Move.CHANGE_LOCALITY)

    @property
    def may_bid(self) -> bool:
        """Whether the page leads its reader to places for which they may bid; one that is offered comes first."""
        return may_now(self.application, Move.PLACE_BID) and self.offer is None

    @cached_property
    def suiting(self) -> int:
        """For how many places the reader may bid now; none are looked for while one is offered."""
        return len(suiting_places(self.application, now=self.now)) if self.may_bid else 0

    @property
    def suiting_url(self) -> str:
        """Where those places are; empty for a reader whom the page does not lead there."""
        return matching_bulletin_url() if self.may_bid else ""

    @property
    def number_in_passing(self) -> int | None:
        """The number while something else matters more; a waiting family reads it in large letters."""
        return self.position.number if self.position and self.state != State.WAITING else None

    @property
    def stop_days(self) -> int:
        """How many working days the stop-list would last if the referral ran out."""
        assert self.referral is not None
        return stop_days_of(self.referral)

    @property
    def step_number(self) -> int:
        """Which of the four steps the family is at."""
        return min(_STEPS_DONE[self.state] + 1, len(step_titles()))

    @property
    def step_title(self) -> str:
        return step_titles()[self.step_number - 1]

    @property
    def next_step(self) -> str:
        """What the family should do now, in one sentence or two."""
        if self.state == State.WAITING and is_preview():
            return preview_words(today=self._today)
        if self.state == State.WAITING and not self.application.is_claimed:
            return _("Register, add the child and claim the application of the former queue.")
        if self.offer:
            return _(
                "A place that was given back is offered to your child by queue number. Accept it or decline it."
            )
        if self.state == State.WAITING and not self.may_bid:
            return _(
                "Wait for the official's decision about your guardianship. Until then the other guardians can send "
                "bids."
            )
        if self.is_collected:
            return _("Wait: bids are collected until the closing time, then the place goes by queue number.")
        return {
            State.WAITING: _("Look at the places that suit you and send an application for one of them."),
            State.BID_PLACED: _("Wait: an employee of the kindergarten activates your application."),
            State.REFERRED: _(
                "Download the referral, print it and bring it to the kindergarten with the documents."
            ),
            State.ENROLLED: _("The contract is signed. There is nothing more to do here."),
            State.STOP_LISTED: _(
                "Wait until the stop-list ends: the application returns to the queue by itself."
            ),
            State.LAPSED: _(
                "Confirm that you still want a place: the application returns to its date in the queue."
            ),
            State.ARCHIVED: _("The application is in the archive and has no number in the queue."),
        }[self.state]

    @property
    def deadline(self) -> Deadline | None:
        """The nearest day that matters now."""
        if self.is_referred and self.referral:
            return self._referral_deadline(self.referral)
        if self.offer and self.offer.until:
            last_day = self.application.locality.last_day(self.offer.until)
            label = _("Accept or decline the place by")
            if self.offer.held_since is not None:
                return Deadline(
                    label=label,
                    last_day=last_day,
                    text=_(
                        "This day stands still until an official has decided about the guardian. Then as many working "
                        "days are left as there were, at least one."
                    ),
                )
            return Deadline(
                label=label,
                last_day=last_day,
                working_days=self._working_days(last_day),
                due=self.due(DueKind.OFFER, self.offer.pk, last_day),
            )
        if self.campaign:
            last_day = self.campaign.last_day
            return Deadline(
                label=_("Confirm your interest by"),
                last_day=last_day,
                calendar_days=(last_day - self._today).days,
                due=self.due(DueKind.INTEREST, self.application.pk, last_day),
            )
        if self.restorable_until:
            last_day = self._local_date(self.restorable_until - timedelta(microseconds=1))
            return Deadline(
                label=_("Come back to the queue by"),
                last_day=last_day,
                calendar_days=(last_day - self._today).days,
                due=self.due(DueKind.COMING_BACK, self.application.pk, last_day),
            )
        if self.state == State.STOP_LISTED and self.stop:
            last_day = self.application.locality.last_day(self.stop.until)
            return Deadline(
                label=_("Last day of the stop-list"),
                last_day=last_day,
                working_days=self._working_days(last_day),
                due=self.due(DueKind.STOP, self.application.pk, last_day),
            )
        if self.is_pending and self.bid and self.bid.answer_due:
            last_day = self._local_date(self.bid.answer_due - timedelta(microseconds=1))
            passed = self.now >= self.bid.answer_due
            text = _(
                "If the kindergarten does not answer by the end of this day, the education department can decide in "
                "its place."
            )
            if passed:
                text = _(
                    "The kindergarten has not answered in time. It is late since: %(day)s. From that day on the "
                    "education department, too, can decide in its place. The place is still held for your child, and "
                    "you hear of the decision at once. Questions: call the kindergarten or the contact centre."
                ) % {"day": f"{self._local_date(self.bid.answer_due):%d.%m.%Y}"}
            elif self.halt:
                text = _("This day does not stand still: the kindergarten answers meanwhile as always.")
            return Deadline(
                label=_("The kindergarten answers by"),
                last_day=last_day,
                working_days=None if passed else self._working_days(last_day),
                passed=passed,
                text=text,
                due=None if passed else self.due(DueKind.ANSWER, self.bid.pk, last_day),
            )
        return None

    @property
    def award(self) -> Due | None:
        """When the place of a collected bid is given by queue number; while bidding is paused nobody knows."""
        if not self.is_collected or self.bid is None:
            return None
        ends = self.bid.vacancy.closes_at
        if ends is None or ends <= self.now or self.bid.vacancy.paused_since is not None:
            return None
        return self.due(DueKind.AWARD, self.bid.pk, ends)

    def due(
        self, kind: DueKind, about: UUID, when: date | datetime, *, opening: Vacancy | None = None
    ) -> Due:
        """An entry for the family's calendar. It leads to the application, or to the place whose `opening` it is."""
        return Due(
            kind=kind,
            about=about,
            when=when,
            application=self.application.pk,
            digits=self.application.number[-4:],
            path=(opening or self.application).get_absolute_url(),
            zone=self.application.locality.zone,
            kindergarten=opening.group.kindergarten.name if opening else "",
        )

    def steps(self) -> list[Step]:
        """The four steps, each with its text and buttons, as in the manual."""
        texts = [self._queue_text(), self._bid_text(), self._referral_text(), self._result_text()]
        states = steps(self.application)
        buttons: list[dict[str, str]] = [{}, self._bid_buttons(), self._referral_buttons(), {}]
        return [
            Step(
                number=number,
                title=title,
                state=state,
                text=texts[number - 1],
                **buttons[number - 1],
            )
            for number, (title, state) in enumerate(zip(step_titles(), states, strict=True), start=1)
        ]

    def _queue_text(self) -> str:
        if self.position:
            number = number_format(self.position.number, force_grouping=True)
            return _("You filed an application. Your number in the queue: %(number)s") % {"number": number}
        return {
            State.STOP_LISTED: _("The application is on the stop-list. Your date in the queue is kept."),
            State.LAPSED: _("Interest in a place was not confirmed. Your date in the queue is kept."),
            State.ARCHIVED: _("The application is in the archive."),
        }.get(self.state, _("You filed an application."))

    def _bid_text(self) -> str:
        if self.state == State.WAITING and is_preview():
            return str(Refusal.PREVIEW.label)
        if self.step_number > 2:
            return _("You sent an application to the bulletin.")
        if self.offer:
            return self.next_step
        return _("Look at the bulletins that suit you and send an application.")

    def _bid_buttons(self) -> dict[str, str]:
        if self.step_number > 2 and self.vacancy:
            return {"url2": self.vacancy.get_absolute_url(), "action2": _("View")}
        if self.may_bid:
            return {"url": matching_bulletin_url(), "action": _("View"), "action_icon": "search"}
        return {}

    def _referral_text(self) -> str:
        if self.is_collected:
            return _(
                "If your child gets the place, the kindergarten activates the bid, and a referral is issued."
            )
        if self.state not in (State.REFERRED, State.ENROLLED) or self.referral is None:
            return _(
                "Wait until the kindergarten activates your application. After the activation you can download the "
                "referral here."
            )
        return _(
            "You need to download the referral, print it and hand it to the kindergarten to sign the contract."
        )

    def _referral_buttons(self) -> dict[str, str]:
        """The paper of a signed contract; a family that still needs it finds it at the top of the page."""
        if self.state != State.ENROLLED:
            return {}
        paper = reverse("applications:referral_pdf", args=[self.application.pk])
        return {"url2": paper, "action2": _("Download the referral")}

    def _result_text(self) -> str:
        if self.state == State.ENROLLED and self.vacancy:
            return _(
                "The contract is signed. Your child is enrolled. Kindergarten: %(kindergarten)s. Group: %(group)s"
            ) % {
                "kindergarten": self.vacancy.group.kindergarten.name,
                "group": self.group.name if self.group else "",
            }
        return _("Signing the contract to admit the child")

    def _referral_deadline(self, referral: Referral) -> Deadline:
        last_day = last_day_of(referral)
        label = _("The referral is valid up to and including")
        if referral.held_since is not None:
            return Deadline(
                label=label,
                last_day=last_day,
                text=_(
                    "This day stands still until an official has decided about the guardian. Then as many working "
                    "days are left as there were, at least one. The contract can be signed meanwhile."
                ),
            )
        due = self.due(DueKind.REFERRAL, referral.pk, last_day)
        if self.extension:
            days = (last_day - self._today).days
            return Deadline(label=label, last_day=last_day, calendar_days=days, due=due)
        return Deadline(label=label, last_day=last_day, working_days=self._working_days(last_day), due=due)

    @property
    def _today(self) -> date:
        return self._local_date(self.now)

    def _local_date(self, instant: datetime) -> date:
        return self.application.locality.day(instant)

    def _working_days(self, last_day: date) -> int | None:
        try:
            return working_calendar().working_days_left(self._today, last_day)
        except NoCalendar:
            # The date was promised when the calendar was loaded; without it only the count of days is missing.
            return None


def situation_of(application: Application, *, now: datetime) -> Situation:
    """Where `application` (settled up to `now`) stands."""
    return situations_of([application], now=now)[application.pk]


def situations_of(applications: Sequence[Application], *, now: datetime) -> dict[UUID, Situation]:
    """Where each of these applications (settled up to `now`) stands, by its key.

    Some statements, however many they are; each that has lapsed costs two more.
    """
    places = positions(applications, now=now)
    bids = newest_bids(applications)
    stops = _stops([one for one in applications if one.state not in _UNSTOPPED])
    disputes = disputes_among(applications, now=now)
    campaigns = campaigns_asking(applications, now=now)
    offers = live_offers([one for one in applications if one.state == State.WAITING])

    def told(one: Application) -> Situation:
        bid = bids.get(one.pk)
        referral = getattr(bid, "referral", None)
        return Situation(
            application=one,
            now=now,
            position=places.get(one.pk),
            bid=bid,
            referral=referral,
            extension=getattr(referral, "extension", None),
            stop=stops.get(one.pk),
            dispute=disputes.get(one.pk),
            campaign=campaigns.get(one.pk),
            offer=offers.get(one.pk),
            restorable_until=restorable_until(one, now=now) if one.state == State.LAPSED else None,
        )

    found = {one.pk: told(one) for one in applications}
    prefetch_related_objects([one.application for one in found.values() if one.may_bid], "bids")
    return found


def _stops(applications: Iterable[Application]) -> dict[UUID, StopListEntry]:
    """The stop under way of each of these applications that has one."""
    asked = {one.pk: one for one in applications}
    rows = StopListEntry.objects.filter(application__in=asked, lifted_at=None)
    return {stop.application_id: stop for stop in rows}


def _is_of_a_closing(setback: Bid | Referral) -> bool:
    """Whether a closing ended it: then it was no decision of the kindergarten."""
    name, move = ("bid", Move.VOID_BID) if isinstance(setback, Bid) else ("referral", Move.REVOKE_REFERRAL)
    if setback.state not in (BidState.VOID, ReferralState.REVOKED):
        return False
    events = Event.objects.filter(application=setback.application_id, move=move)
    last = events.filter(**{f"data__{name}": str(setback.pk)}).order_by("id").last()
    return last is not None and "closing" in last.data


def facts_of(place: Position | None, application: Application) -> list[dict[str, object]]:
    """What a number is made up of, under the big number: how many wait, and how many of each part are ahead.

    Where some of them are not claimed yet, also how many are in the portal already. A statement then.
    """
    if place is None:
        return []
    ahead = [
        f"{tier.label}: {number_format(count, force_grouping=True)}"
        for tier, count in place.ahead.items()
        if count
    ]
    facts: list[dict[str, object]] = [
        {"label": _("Waiting in this queue in all"), "value": place.total},
        {
            "label": _("Ahead of you"),
            # As employees read it, who are not the family.
            "at_work": _("Ahead of the child"),
            "value": " · ".join(ahead) or "0",
        },
    ]
    if place.unclaimed:
        # Two snapshots: somebody may have left in between.
        claimed_ahead = max(sum(place.ahead.values()) - unclaimed_ahead(application, place), 0)
        facts.insert(1, {"label": _("Of them in the portal already"), "value": place.claimed})
        facts.append({"label": _("Of those ahead in the portal already"), "value": claimed_ahead})
    return facts


def interest_of(application: Application, campaign: Campaign | None) -> str:
    """The state of «Мүдделілікті растау» in words; `campaign` is the one now asking this family."""
    if campaign is not None:
        return _("Confirm by: %(day)s") % {"day": f"{campaign.last_day:%d.%m.%Y}"}
    return _("Interested") if application.is_interested else _("Not confirmed")


def step_titles() -> list[str]:
    """The names of the four steps, as the manual writes them."""
    return [
        _("Queue"),
        _("Sending an application to the bulletin"),
        _("Getting the referral"),
        _("Results"),
    ]


def matching_bulletin_url() -> str:
    """The address of the bulletin with only the places for which the family may bid now."""
    return reverse("applications:bulletin") + "?status=me"


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"


# How many of the manual's four steps the family has completed in each state: queue, bid, referral, result.
_STEPS_DONE = {
    ApplicationState.STOP_LISTED: 0,
    ApplicationState.LAPSED: 0,
    ApplicationState.WAITING: 1,
    ApplicationState.BID_PLACED: 2,
    ApplicationState.REFERRED: 2,
    ApplicationState.ENROLLED: 4,
    ApplicationState.ARCHIVED: 0,
}


def steps(application: Application) -> list[StepState]:
    """The state of each of the four steps of the manual, in their order."""
    done = _STEPS_DONE[ApplicationState(application.state)]
    return [
        StepState.DONE if number < done else StepState.CURRENT if number == done else StepState.AHEAD
        for number in range(4)
    ]
