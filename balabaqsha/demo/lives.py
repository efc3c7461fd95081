"""What happened to the demo city's applications: rows as the transitions would have left them, without their messages.

The transitions themselves would send thousands of SMS and take minutes. The allowed moves are still asked of
`applications.states`, and the seats are taken through `bulletin.seats`.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import User
from applications.models import (
    Application,
    Benefit,
    Bid,
    Contract,
    Event,
    Extension,
    ExtensionDocument,
    Referral,
    Rules,
    StopListEntry,
)
from applications.referrals.issuing import NUMBERS_A_YEAR, referral_number
from applications.rules.interest import Campaign, ended_campaign
from applications.rules.running_out import PREFETCH, first_end
from applications.states import MOVES, BidState, Move, ReferralState, is_allowed
from balabaqsha.demo import moments
from bulletin import seats
from bulletin.models import Locality, Vacancy
from bulletin.workdays import Calendar, end_of_day
from children.models import Child

BATCH = 1000
SHARED_DOCUMENT = "extensions/demo.jpg"


class Fate(Enum):
    """What happens to a bid, as far as time has come."""

    PENDING = auto()
    REFERRED = auto()
    SIGNED = auto()
    EXTENDED = auto()
    EXPIRED = auto()
    REVOKED = auto()
    REJECTED = auto()
    WITHDRAWN = auto()
    VOID = auto()


REJECTIONS = (
    "Топ толық жинақталған, орын қате жарияланған.",
    "В группе уже нет мест: место опубликовано по ошибке.",
    "Санаторлық топқа қорытынды қажет.",
)
REVOCATIONS = ("Топ жөндеуге жабылды.", "Группа закрыта на ремонт.")


@dataclass
class Book:
    """Rows to be written together: each method makes one move, with its event."""

    now: datetime
    zone: ZoneInfo
    calendar: Calendar
    rules: Rules
    chance: random.Random
    filed: list[Application] = field(default_factory=list)
    touched: dict[Any, Application] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    bids: list[Bid] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    stops: list[StopListEntry] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)

    def file(
        self,
        child: Child,
        *,
        parent: User,
        locality: Locality,
        languages: list[str],
        at: datetime,
    ) -> Application:
        """A new application; its number is given by `save`, in the order of the calls."""
        application = Application(
            child=child,
            locality=locality,
            birth_year=child.birth_year,
            languages=languages,
            filed_at=at,
            filed_by=parent,
            interest_confirmed_at=at,
        )
        self.filed.append(application)
        self._write(application, Move.FILE, before="", at=at, actor=parent)
        return application

    def move(
        self,
        application: Application,
        step: Move,
        *,
        at: datetime,
        actor: User | None,
        reason: str = "",
        data: dict[str, Any] | None = None,
    ) -> None:
        """One allowed move. Raises ValueError for another."""
        if not is_allowed(step, application.state):
            raise ValueError(f"{step} from {application.state}")
        before = application.state
        application.state = MOVES[step][1] or before
        self.touched[application.pk] = application
        self._write(application, step, before=before, at=at, actor=actor, reason=reason, data=data)

    def campaign(self, application: Application) -> Campaign | None:
        """The newest campaign that is over, if the application was filed before it began."""
        ended = ended_campaign([self.rules], locality=application.locality, now=self.now)
        return ended if ended and not ended.is_confirmed(application.filed_at) else None

    def confirm(self, application: Application, campaign: Campaign) -> None:
        """The family confirmed its interest while the campaign ran."""
        at = moments.between(campaign.begins_at, campaign.ends_at, chance=self.chance)
        application.interest_confirmed_at = at
        self.move(application, Move.CONFIRM_INTEREST, at=at, actor=application.filed_by)

    def lapse(self, application: Application, campaign: Campaign) -> None:
        """The family did not confirm its interest, and where the grace is over it did not come back either."""
        data = {"campaign": campaign.year, "restorable_until": campaign.grace_ends_at.isoformat()}
        self.move(application, Move.LAPSE, at=campaign.ends_at, actor=None, data=data)
        if campaign.grace_ends_at <= self.now:
            self.move(application, Move.END_LAPSED, at=campaign.grace_ends_at, actor=None)
            application.archived_at = campaign.grace_ends_at

    def archive(self, application: Application, *, at: datetime) -> None:
        """The family took its application back."""
        self.move(application, Move.ARCHIVE, at=at, actor=application.filed_by)
        application.archived_at = at

    def bid(
        self, application: Application, vacancy: Vacancy, fate: Fate, *, placed_at: datetime, worker: User
    ) -> None:
        """A bid and all that followed from it until now. Does nothing if it was not yet placed."""
        if placed_at >= self.now:
            return
        bid = Bid(
            application=application,
            vacancy=vacancy,
            placed_at=placed_at,
            placed_by=application.filed_by,
            holds_seat=vacancy.mode == Vacancy.Mode.FIRST_COME,
            told_at=placed_at,
        )
        if bid.holds_seat:
            bid.answer_due = self._after(placed_at, self.rules.activation_working_days, vacancy=vacancy)
        self.bids.append(bid)
        self.move(
            application, Move.PLACE_BID, at=placed_at, actor=application.filed_by, data={"bid": str(bid.pk)}
        )
        answered_at = self._office_hours(
            placed_at + timedelta(hours=self.chance.randint(2, 40)), vacancy=vacancy
        )
        if fate in _ENDS_OF_BIDS:
            self._end_bid(bid, fate, at=answered_at, worker=worker)
        elif fate != Fate.PENDING and bid.holds_seat:
            self._refer(bid, fate, at=answered_at, worker=worker)

    def void(self, bid: Bid, *, at: datetime, actor: User, reason: str) -> None:
        """The place of a pending bid was recalled."""
        bid.state, bid.decided_at, bid.reason, bid.holds_seat = BidState.VOID, at, reason, False
        self.move(
            bid.application, Move.VOID_BID, at=at, actor=actor, reason=reason, data={"bid": str(bid.pk)}
        )

    def save(self) -> None:
        """Write all rows, give the applications their numbers, and take the seats that bids hold."""
        filed = {application.pk for application in self.filed}
        self._number()
        Application.objects.bulk_create(self.filed, batch_size=BATCH)
        Application.objects.bulk_update(
            [application for pk, application in self.touched.items() if pk not in filed],
            ["state", "archived_at"],
            batch_size=BATCH,
        )
        for rows in (self.bids, self.referrals, self.extensions, self.contracts, self.stops, self.benefits):
            if rows:
                type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)  # type: ignore[arg-type]
        documents = [
            ExtensionDocument(extension=extension, file=SHARED_DOCUMENT, original_name="анықтама.jpg")
            for extension in self.extensions
        ]
        ExtensionDocument.objects.bulk_create(documents)
        Event.objects.bulk_create(sorted(self.events, key=lambda event: event.at), batch_size=BATCH)
        take_seats(bid for bid in self.bids if bid.holds_seat)
        self._reckon({*filed, *self.touched})

    def _reckon(self, pks: set[Any]) -> None:
        """Store when each of these applications runs out."""
        rules = list(Rules.objects.all())
        written = Application.objects.filter(pk__in=pks).select_related("locality")
        for application in (reckoned := list(written.prefetch_related(*PREFETCH))):
            application.runs_out_at = first_end(application, now=self.now, rules=rules)
        Application.objects.bulk_update(reckoned, ["runs_out_at"], batch_size=BATCH)

    def _write(
        self,
        application: Application,
        step: Move,
        *,
        before: str,
        at: datetime,
        actor: User | None,
        reason: str = "",
        data: dict[str, Any] | None = None,
    ) -> None:
        self.events.append(
            Event(
                application=application,
                at=at,
                move=step,
                from_state=before,
                to_state=application.state,
                actor=actor,
                reason=reason,
                data=data or {},
                locality_id=application.locality_id,
                birth_year=application.birth_year,
                tier=application.tier,
                filed_at=application.filed_at,
            )
        )

    def _end_bid(self, bid: Bid, fate: Fate, *, at: datetime, worker: User) -> None:
        if at >= self.now:
            return
        state, step, by_worker = _ENDS_OF_BIDS[fate]
        bid.state, bid.decided_at, bid.holds_seat = state, at, False
        bid.reason = self.chance.choice(REJECTIONS) if by_worker else ""
        actor = worker if by_worker else bid.placed_by
        self.move(bid.application, step, at=at, actor=actor, reason=bid.reason, data={"bid": str(bid.pk)})

    def _refer(self, bid: Bid, fate: Fate, *, at: datetime, worker: User) -> None:
        if at >= self.now:
            return
        application = bid.application
        bid.state, bid.decided_at = BidState.ACTIVATED, at
        referral = Referral(
            application=application,
            bid=bid,
            issued_at=at,
            issued_by=worker,
            valid_until=self._after(at, self.rules.referral_working_days, vacancy=bid.vacancy),
            working_days=self.rules.referral_working_days,
        )
        self.referrals.append(referral)
        self._referral_move(referral, Move.ISSUE_REFERRAL, at=at, actor=worker)
        if fate == Fate.EXTENDED:
            self._extend(referral)
        if fate in (Fate.SIGNED, Fate.EXTENDED):
            self._sign(referral, worker=worker)
        elif fate == Fate.REVOKED:
            self._revoke(referral, worker=worker)
        elif fate == Fate.EXPIRED:
            self._expire(referral)

    def _extend(self, referral: Referral) -> None:
        made_at = referral.valid_until - timedelta(hours=self.chance.randint(5, 60))
        if made_at >= self.now:
            return
        extension = Extension(
            referral=referral,
            reason=self.chance.choice(Extension.Reason.values),
            previous_valid_until=referral.valid_until,
            made_at=made_at,
            made_by=referral.application.filed_by,
        )
        self.extensions.append(extension)
        place = referral.bid.vacancy.locality
        days = timedelta(days=self.chance.randint(7, self.rules.extension_calendar_days))
        last_day = self.calendar.last_working_day(place.last_day(referral.valid_until) + days)
        referral.valid_until = end_of_day(last_day, place.zone)
        referral.working_days = None
        self._referral_move(referral, Move.EXTEND_REFERRAL, at=made_at, actor=extension.made_by)

    def _sign(self, referral: Referral, *, worker: User) -> None:
        extended = [extension for extension in self.extensions if extension.referral is referral]
        first = extended[0].made_at if extended else referral.issued_at
        wanted = moments.between(
            first + timedelta(hours=20), referral.valid_until, chance=self.chance, early=1.5
        )
        signed_at = self._office_hours(wanted, vacancy=referral.bid.vacancy)
        signed_at = min(signed_at, referral.valid_until - timedelta(hours=8))
        if signed_at >= self.now:
            return
        referral.state, referral.ended_at = ReferralState.SIGNED, signed_at
        self.contracts.append(Contract(referral=referral, signed_at=signed_at, signed_by=worker))
        self._referral_move(referral, Move.SIGN_CONTRACT, at=signed_at, actor=worker)

    def _revoke(self, referral: Referral, *, worker: User) -> None:
        revoked_at = referral.issued_at + timedelta(hours=self.chance.randint(12, 40))
        if revoked_at >= self.now:
            return
        reason = self.chance.choice(REVOCATIONS)
        referral.state, referral.ended_at, referral.reason = ReferralState.REVOKED, revoked_at, reason
        referral.bid.holds_seat = False
        self._referral_move(referral, Move.REVOKE_REFERRAL, at=revoked_at, actor=worker, reason=reason)

    def _expire(self, referral: Referral) -> None:
        over = referral.valid_until
        if over >= self.now:
            return
        referral.state, referral.ended_at = ReferralState.EXPIRED, over
        referral.bid.holds_seat = False
        self._referral_move(referral, Move.EXPIRE_REFERRAL, at=over, actor=None)
        application = referral.application
        until = self._after(referral.last_moment, self.rules.stop_working_days, vacancy=referral.bid.vacancy)
        stop = StopListEntry(application=application, referral=referral, starts_at=over, until=until)
        self.stops.append(stop)
        if until < self.now:
            stop.lifted_at = until
            self.move(application, Move.LIFT_STOP, at=until, actor=None)

    def _referral_move(
        self, referral: Referral, step: Move, *, at: datetime, actor: User | None, reason: str = ""
    ) -> None:
        data = {"referral": str(referral.pk)}
        self.move(referral.application, step, at=at, actor=actor, reason=reason, data=data)

    def _after(self, moment: datetime, working_days: int, *, vacancy: Vacancy) -> datetime:
        zone = vacancy.locality.zone
        return end_of_day(self.calendar.add(moment.astimezone(zone).date(), working_days), zone)

    def _office_hours(self, moment: datetime, *, vacancy: Vacancy) -> datetime:
        """`moment` itself, or the next time at which somebody is in the office."""
        zone = vacancy.locality.zone
        local = moment.astimezone(zone)
        day = local.date()
        if self.calendar.is_working(day) and 9 <= local.hour < 18:
            return moment
        if not self.calendar.is_working(day) or local.hour >= 18:
            day = self.calendar.next_working_day(day)
        morning = moments.at(day, moments.MORNING, zone=zone)
        return morning + timedelta(minutes=self.chance.randint(2, 300))

    def _number(self) -> None:
        """Sequences, and the numbers made of them as `file_application` and `activate_bid` make them."""
        for application, sequence in zip(self.filed, next_sequences(len(self.filed)), strict=True):
            application.sequence = sequence
            local = application.filed_at.astimezone(application.locality.zone)
            application.number = f"{local:%y}-{sequence:06}"
        draws = self.chance.sample(range(NUMBERS_A_YEAR), len(self.referrals))
        for referral, draw in zip(self.referrals, draws, strict=True):
            zone = referral.application.locality.zone
            referral.number = referral_number(referral.issued_at.astimezone(zone).date(), draw)
        for contract in self.contracts:
            contract.number = contract.referral.number


_ENDS_OF_BIDS = {
    Fate.REJECTED: (BidState.REJECTED, Move.REJECT_BID, True),
    Fate.WITHDRAWN: (BidState.WITHDRAWN, Move.WITHDRAW_BID, False),
}


def next_sequences(count: int) -> list[int]:
    """`count` values of the sequence that gives the applications their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('application_sequence') FROM generate_series(1, %s)", [count])
        return [int(value) for (value,) in cursor.fetchall()]


def take_seats(bids: Iterable[Bid]) -> None:
    """Take the seat of every bid that holds one. Raises ValueError where a vacancy has too few."""
    for bid in bids:
        if not seats.take(bid.vacancy):
            raise ValueError(f"{bid.vacancy} has no seat left")
