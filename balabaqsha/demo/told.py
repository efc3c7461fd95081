"""What the desk's families were told of their applications' past: by the portal's own texts, and it has arrived."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from applications.models import Application, Benefit, Bid, Event, Referral, StopListEntry
from applications.moves import remind
from applications.queue.history import explain
from applications.rules.in_force import rules_at
from applications.states import Move
from applications.waiting.filing import undo_until
from balabaqsha.demo import desk
from notifications import retention
from notifications.models import Message, Notice

Context = dict[str, Any]
# They open their inbox some hours later; of the last day nothing is read yet.
READ_AFTER: Final = timedelta(hours=3)
UNREAD: Final = timedelta(days=1)


def is_told() -> bool:
    """Whether every family of the desk has its notices."""
    families = [family.application for family in desk.families()]
    children = set(Application.objects.filter(pk__in=families).values_list("child", flat=True))
    told = Notice.objects.filter(about__in=children).values_list("about", flat=True)
    return children == set(told)


def tell(*, now: datetime) -> None:
    """Write what each event of their applications made the portal say, and let it have arrived when it was due."""
    families = [family.application for family in desk.families()]
    applications = Application.objects.filter(pk__in=families).select_related("locality", "child")
    for application in applications:
        for event in application.events.select_related("actor").order_by("id"):
            move = Move(event.move)
            if move in _TOLD:
                kind, context_of = _TOLD[move]
                event.application = application
                remind(
                    application,
                    kind,
                    key=event.data.get("bid", str(event.pk)),
                    now=event.at,
                    pressed_by=event.actor,
                    **context_of(event),
                )
    children = [application.child_id for application in applications]
    read = Notice.objects.filter(about__in=children, created_at__lt=now - UNREAD, read_at=None)
    read.update(read_at=F("created_at") + READ_AFTER)
    sent = Message.objects.filter(about__in=children, created_at__lt=now, next_attempt_at__lte=now)
    sent.filter(state=Message.State.QUEUED).update(
        state=Message.State.SENT,
        attempts=1,
        sent_at=F("next_attempt_at"),
        segments=1,
        provider_id=Concat(Value("file:"), Cast("id", CharField())),
    )
    retention.purge_texts(now=now)
    retention.purge_messages(now=now)


def _number(event: Event) -> int | None:
    """The number in the queue that the application had right after `event`."""
    return explain(event.application, since=event.at - timedelta.resolution, until=event.at).new


def _bid(event: Event) -> Bid:
    return Bid.objects.select_related("vacancy__group__kindergarten").get(pk=event.data["bid"])


def _referral(event: Event) -> Referral:
    related = "bid__vacancy__group__kindergarten", "application__locality", "application__child"
    return Referral.objects.select_related(*related).get(pk=event.data["referral"])


def _numbered(event: Event) -> Context:
    return {"number": _number(event)}


def _placed(event: Event) -> Context:
    bid = _bid(event)
    last_day = event.application.locality.last_day(bid.answer_due) if bid.answer_due else None
    return {"vacancy": bid.vacancy, "last_day": last_day}


def _ended(event: Event) -> Context:
    return {
        "vacancy": _bid(event).vacancy,
        "reason": event.reason,
        "stand_in": "",
        "recalled": "kindergarten",
    }


def _issued(event: Event) -> Context:
    referral, rules = _referral(event), rules_at(event.application.locality, event.at)
    extension = getattr(referral, "extension", None)
    valid_until = extension.previous_valid_until if extension else referral.valid_until
    return {
        "referral": referral,
        "vacancy": referral.bid.vacancy,
        "stand_in": "",
        "days": rules.referral_working_days,
        "stop_days": rules.stop_working_days,
        "last_day": event.application.locality.last_day(valid_until),
    }


def _extended(event: Event) -> Context:
    referral = _referral(event)
    return {"referral": referral, "last_day": event.application.locality.last_day(referral.valid_until)}


def _revoked(event: Event) -> Context:
    return {"vacancy": _referral(event).bid.vacancy, "reason": event.reason}


def _signed(event: Event) -> Context:
    referral = _referral(event)
    group = referral.bid.vacancy.group
    return {
        "child": event.application.child,
        "kindergarten": group.kindergarten,
        "group": group,
        "contract": referral.contract,
    }


def _stopped(event: Event) -> Context:
    stop, place = StopListEntry.objects.get(referral=event.data["referral"]), event.application.locality
    return {"days": rules_at(place, event.at).stop_working_days, "last_day": place.last_day(stop.until)}


def _verified(event: Event) -> Context:
    benefit, place = Benefit.objects.get(pk=event.data["benefit"]), event.application.locality
    until = benefit.valid_until
    last_day = place.last_day(until) if until else None
    return {"category": benefit.category, "last_day": last_day} | _numbered(event)


def _lapsed(event: Event) -> Context:
    until = datetime.fromisoformat(event.data["restorable_until"])
    return {"last_day": event.application.locality.last_day(until)}


def _archived(event: Event) -> Context:
    return {"undo_until": undo_until(event.application.locality, archived_at=event.at)}


def _nothing_else(event: Event) -> Context:
    return {}


# By what happened to the city's applications (`demo.lives`): the kind that the portal tells it by, and what its text
# needs. A contract is ended by the portal itself, which has told it.
_TOLD: Final[Mapping[Move, tuple[str, Callable[[Event], Context]]]] = {
    Move.FILE: ("application_filed", _numbered),
    Move.PLACE_BID: ("bid_placed", _placed),
    Move.WITHDRAW_BID: ("bid_withdrawn", _ended),
    Move.REJECT_BID: ("bid_rejected", _ended),
    Move.VOID_BID: ("bid_void", _ended),
    Move.ISSUE_REFERRAL: ("referral_issued", _issued),
    Move.EXTEND_REFERRAL: ("referral_extended", _extended),
    Move.REVOKE_REFERRAL: ("referral_revoked", _revoked),
    Move.EXPIRE_REFERRAL: ("stop_started", _stopped),
    Move.LIFT_STOP: ("stop_lifted", _numbered),
    Move.SIGN_CONTRACT: ("contract_signed", _signed),
    Move.VERIFY_BENEFIT: ("benefit_verified", _verified),
    Move.LAPSE: ("interest_lapsed", _lapsed),
    Move.END_LAPSED: ("interest_ended", _nothing_else),
    Move.ARCHIVE: ("application_archived", _archived),
}
