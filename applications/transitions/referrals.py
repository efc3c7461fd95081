"""From an activated bid to the contract, or to the stop-list and back."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.core.files import File

from accounts.audit_actions import Action
from accounts.models import User
from accounts.stored_files import delete_after_commit
from accounts.uploads import random_name, type_of
from applications.benefits.claims import expire_benefits_of
from applications.bidding.ending import release_seat
from applications.models import (
    Application,
    Bid,
    Contract,
    Extension,
    ExtensionDocument,
    Referral,
    StopListEntry,
)
from applications.moves import (
    Refused,
    lock_application,
    locking,
    move,
    refuse_while_halted,
    remind,
    tell,
    trace,
)
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.in_force import rules_for
from applications.selectors import overdue_referrals
from applications.states import HAS_PAPER, LIVE_STATES, ApplicationState, BidState, Move, ReferralState
from applications.waiting.campaigns import is_beyond_grace, missed_campaign
from applications.waiting.confirming import end_lapsed, lapse
from bulletin.calendar import CalendarEmpty, working_calendar
from bulletin.workdays import CalendarEnds, end_of_day
from children.disputes import is_halted
from notifications.broker import wake_on_commit

# Far more than are ever drawn, so that none is met by trying.
NUMBERS_A_YEAR: Final = 10**8

PDF_TASK = "applications.tasks.render_referral_pdf"


def activate_bid(bid: Bid, *, actor: User, now: datetime) -> Referral:
    """Accept a pending bid for the kindergarten: the family gets a referral.

    Valid to the end of the fifth working day after today (`Rules.referral_working_days`, the locality's zone, the day
    of issue not counted). Raises `Refused` (BID_ENDED, NOT_AWARDED_YET while bids are being collected).
    """
    with locking():
        application = lock_application(bid.application_id)
        bid = _bid(bid)
        if bid.state != BidState.PENDING:
            raise Refused(Refusal.BID_ENDED)
        if not bid.holds_seat:
            raise Refused(Refusal.NOT_AWARDED_YET)
        zone = application.locality.zone
        today = now.astimezone(zone).date()
        rules = rules_for(application.locality, day=today)
        last_day = working_calendar().add(today, rules.referral_working_days)
        bid.state, bid.decided_at = BidState.ACTIVATED, now
        bid.save()
        referral = Referral.objects.create(
            number=_fresh_number(today),
            application=application,
            bid=bid,
            issued_at=now,
            issued_by=actor,
            valid_until=end_of_day(last_day, zone),
        )
        event = move(
            application, Move.ISSUE_REFERRAL, actor=actor, now=now, data={"referral": str(referral.pk)}
        )
        tell(
            application,
            "referral_issued",
            event=event,
            now=now,
            referral=referral,
            vacancy=bid.vacancy,
            days=rules.referral_working_days,
            stop_days=rules.stop_working_days,
            last_day=last_day,
        )
        trace(application, Action.BID_ACTIVATED, actor=actor, now=now)
        if is_halted(application.child):
            hold_referral(application, now=now)
            referral.refresh_from_db(fields=["held_since"])
        wake_on_commit(PDF_TASK, str(referral.pk))
    return referral


def referral_number(day: date, draw: int) -> str:
    """The number of a referral issued on a day: its year and eight digits drawn by chance. Pure.

    It says nothing of the application, so that the public register leads from no application to its kindergarten.
    """
    return f"{day:%y}-{draw // 10_000:04}-{draw % 10_000:04}"


def _fresh_number(day: date) -> str:
    while True:
        number = referral_number(day, secrets.randbelow(NUMBERS_A_YEAR))
        if not Referral.objects.filter(number=number).exists():
            return number


def last_day_of(referral: Referral) -> date:
    """The last day on which the family may come, in the locality's zone."""
    return referral.last_moment.astimezone(referral.application.locality.zone).date()


def longest_extension(referral: Referral) -> date:
    """The latest day to which a referral may be extended: 30 calendar days after its last day (`Rules`).

    By the rules of the day of issue, or of its last day where these give more.
    """
    locality, last_day = referral.application.locality, last_day_of(referral)
    issued = referral.issued_at.astimezone(locality.zone).date()
    days = max(rules_for(locality, day=day).extension_calendar_days for day in (issued, last_day))
    return last_day + timedelta(days=days)


def stop_days_of(referral: Referral) -> int:
    """How many working days the stop after this referral lasts.

    What the family was told at the issue, or less where the rules of its last day are kinder.
    """
    locality = referral.application.locality
    issued = referral.issued_at.astimezone(locality.zone).date()
    return min(rules_for(locality, day=day).stop_working_days for day in (issued, last_day_of(referral)))


def extend_referral(
    referral: Referral,
    *,
    actor: User,
    until: date,
    reason: str,
    documents: "Sequence[tuple[str, File[bytes]]]",
    explanation: str = "",
    now: datetime,
) -> Extension:
    """Extend a valid referral once, to the end of the day `until`, with supporting documents.

    Allowed up to the end of its last day, by the instant at which the papers began to come. `documents` are checked
    files (`accounts.uploads`) with their names. Raises `Refused` (REFERRAL_ENDED, HALTED, ALREADY_EXTENDED,
    EXTENSION_DATE, DOCUMENTS_MISSING).
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = _referral(referral)
        if not referral.is_extendable(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        # Before any file is stored.
        refuse_while_halted(application)
        if Extension.objects.filter(referral=referral).exists():
            raise Refused(Refusal.ALREADY_EXTENDED)
        if not last_day_of(referral) < until <= longest_extension(referral):
            raise Refused(Refusal.EXTENSION_DATE)
        if not documents:
            raise Refused(Refusal.DOCUMENTS_MISSING)
        extension = Extension.objects.create(
            referral=referral,
            reason=Extension.Reason(reason),
            explanation=explanation,
            previous_valid_until=referral.valid_until,
            made_at=referral.handed_in(now=now),
            made_by=actor,
        )
        for original_name, file in documents:
            _store_document(extension, original_name, file)
        referral.valid_until = end_of_day(until, application.locality.zone)
        # The old paper names the old day: it is made anew.
        _take_paper_away(referral)
        referral.save(update_fields=["valid_until", "pdf"])
        event = move(
            application, Move.EXTEND_REFERRAL, actor=actor, now=now, data={"referral": str(referral.pk)}
        )
        tell(application, "referral_extended", event=event, now=now, referral=referral, last_day=until)
        trace(application, Action.REFERRAL_EXTENDED, actor=actor, now=now)
        wake_on_commit(PDF_TASK, str(referral.pk))
    return extension


def sign_contract(referral: Referral, *, actor: User, contract_number: str = "", now: datetime) -> Contract:
    """The family came with its papers in time: the child is enrolled. Raises `Refused(REFERRAL_ENDED)`."""
    with locking():
        application = lock_application(referral.application_id)
        referral = _referral(referral)
        if not referral.is_valid(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        _end_referral(referral, ReferralState.SIGNED, at=now)
        contract = Contract.objects.create(
            referral=referral,
            number=contract_number.strip() or referral.number,
            signed_at=now,
            signed_by=actor,
        )
        event = move(
            application, Move.SIGN_CONTRACT, actor=actor, now=now, data={"referral": str(referral.pk)}
        )
        group = referral.bid.vacancy.group
        tell(
            application,
            "contract_signed",
            event=event,
            now=now,
            child=application.child,
            kindergarten=group.kindergarten,
            group=group,
            contract=contract,
        )
        trace(application, Action.CONTRACT_SIGNED, actor=actor, now=now)
    return contract


def revoke_referral(referral: Referral, *, actor: User, reason: str, now: datetime) -> Application:
    """Take a valid referral back for the kindergarten: the family waits at its original date, without a penalty."""
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(referral.application_id)
        referral = _referral(referral)
        if not referral.is_valid(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        _end_referral(referral, ReferralState.REVOKED, at=now, reason=reason.strip())
        release_seat(referral.bid)
        event = move(
            application,
            Move.REVOKE_REFERRAL,
            actor=actor,
            now=now,
            reason=reason.strip(),
            data={"referral": str(referral.pk)},
        )
        tell(
            application,
            "referral_revoked",
            event=event,
            now=now,
            vacancy=referral.bid.vacancy,
            reason=reason.strip(),
        )
        trace(application, Action.REFERRAL_REVOKED, actor=actor, now=now, reason=reason.strip())
    return application


def expire_referral(referral: Referral, *, now: datetime) -> Application:
    """End a referral whose last day is over: the place is free, the application is in the stop-list.

    The stop runs from the end of the referral, not from the moment of this call, to the end of the tenth working day
    after the referral's last day (`stop_days_of`). Does nothing while it is valid or held, while papers that were
    handed in in time are still on their way, or after it ended.
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = _referral(referral)
        if referral.state != ReferralState.ISSUED or referral.is_extendable(now=now):
            return application
        last_day = last_day_of(referral)
        days = stop_days_of(referral)
        last_stop_day = working_calendar().add(last_day, days)
        _end_referral(referral, ReferralState.EXPIRED, at=referral.valid_until)
        release_seat(referral.bid)
        StopListEntry.objects.create(
            application=application,
            referral=referral,
            starts_at=referral.valid_until,
            until=end_of_day(last_stop_day, application.locality.zone),
        )
        event = move(
            application, Move.EXPIRE_REFERRAL, actor=None, now=now, data={"referral": str(referral.pk)}
        )
        tell(application, "stop_started", event=event, now=now, days=days, last_day=last_stop_day)
        trace(application, Action.REFERRAL_EXPIRED, actor=None, now=now)
        trace(application, Action.STOP_STARTED, actor=None, now=now)
    return application


def lift_stop(
    stop: StopListEntry, *, actor: User | None = None, reason: str = "", now: datetime
) -> Application:
    """Return an application from the stop-list to its original date.

    Without an `actor` only once the stop is over; an official may do it earlier, with a reason. Does nothing where the
    stop was lifted before.
    """
    if actor is not None and not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(stop.application_id)
        stop = StopListEntry.objects.get(pk=stop.pk)
        if stop.lifted_at is not None or (actor is None and now < stop.until):
            return application
        stop.lifted_at, stop.lifted_by, stop.reason = min(now, stop.until), actor, reason.strip()
        stop.save()
        event = move(application, Move.LIFT_STOP, actor=actor, now=now, reason=reason.strip())
        place = position(application, now=now)
        tell(application, "stop_lifted", event=event, now=now, number=place.number if place else None)
        trace(application, Action.STOP_LIFTED, actor=actor, now=now, reason=reason.strip())
    return application


def settle(application: Application, *, now: datetime) -> Application:
    """Bring an application up to `now`: what ran out (a referral, a stop, interest, a benefit) has ended.

    The jobs do the same every minute; this keeps the rule at read time too, when they are late. Returns the
    application as it is afterwards.
    """
    if application.state == ApplicationState.REFERRED:
        overdue = overdue_referrals(now=now).filter(application=application).first()
        application = expire_referral(overdue, now=now) if overdue else application
    if application.state == ApplicationState.STOP_LISTED:
        ended = application.stops.filter(lifted_at=None, until__lte=now).first()
        application = lift_stop(ended, now=now) if ended else application
    if missed_campaign(application, now=now):
        application = lapse(application, now=now)
    if is_beyond_grace(application, now=now):
        application = end_lapsed(application, now=now)
    if application.state in LIVE_STATES:
        application = expire_benefits_of(application, now=now)
    return application


def hold_referral(application: Application, *, now: datetime) -> None:
    """Let the last day of the running referral of a locked application stand still while its extension is halted.

    One that was extended already runs on: nothing that it needs is halted.
    """
    extendable = application.referrals.filter(state=ReferralState.ISSUED, held_since=None, extension=None)
    referral = extendable.first()
    if referral is not None and referral.is_extendable(now=now):
        extendable.update(held_since=now)
        trace(application, Action.REFERRAL_HELD, actor=None, now=now)


def resume_referral(application: Application, *, now: datetime) -> None:
    """Let the held last day of a locked application's referral count again; nothing where none is held.

    The family has as many working days as were left when it was held, at least one, and never less than its paper
    says. A day that moved is told to the family, and the paper is made anew.
    """
    referral = application.referrals.filter(held_since__isnull=False).first()
    if referral is None:
        return
    referral = _referral(referral)
    before, last_day = last_day_of(referral), _day_after_standstill(referral, now=now)
    referral.held_since = None
    if last_day > before:
        referral.valid_until = end_of_day(last_day, application.locality.zone)
        _take_paper_away(referral)
        wake_on_commit(PDF_TASK, str(referral.pk))
        key = f"{referral.pk}:{now.isoformat()}"
        remind(application, "referral_moved", key=key, now=now, referral=referral, last_day=last_day)
    referral.save(update_fields=["held_since", "valid_until", "pdf"])
    trace(application, Action.REFERRAL_RESUMED, actor=None, now=now)


def _day_after_standstill(referral: Referral, *, now: datetime) -> date:
    zone = referral.application.locality.zone
    assert referral.held_since is not None
    held_on, today = (at.astimezone(zone).date() for at in (referral.held_since, now))
    last_day = last_day_of(referral)
    try:
        calendar = working_calendar()
        return calendar.add(today, max(1, calendar.working_days_left(held_on, last_day)))
    except (CalendarEmpty, CalendarEnds):
        # Nobody loses a day because the calendar was not loaded.
        return today + max(timedelta(days=1), last_day - held_on)


def _end_referral(referral: Referral, state: ReferralState, *, at: datetime, reason: str = "") -> None:
    referral.state, referral.ended_at, referral.reason, referral.held_since = state, at, reason, None
    if state not in HAS_PAPER:
        _take_paper_away(referral)
    referral.save(update_fields=["state", "ended_at", "reason", "held_since", "pdf"])


def _take_paper_away(referral: Referral) -> None:
    """It holds a child's name and is good for nothing any more. The caller saves `pdf`."""
    delete_after_commit(referral.pdf)
    referral.pdf = ""


def _store_document(extension: Extension, original_name: str, file: "File[bytes]") -> None:
    document = ExtensionDocument(extension=extension, original_name=original_name)
    document.file.save(random_name(type_of(file.name or "")), file)


def _bid(bid: Bid) -> Bid:
    return Bid.objects.select_related("vacancy__group__kindergarten__locality").get(pk=bid.pk)


def _referral(referral: Referral) -> Referral:
    """The referral as it is now, its row locked: its paper may be on its way."""
    return (
        Referral.objects.select_for_update(of=("self",), no_key=True)
        .select_related("application__locality", "bid__vacancy__group__kindergarten__locality")
        .get(pk=referral.pk)
    )
