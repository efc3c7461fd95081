"""Incidents and planned work as officials tell them: to everybody at once, a note after the other."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from bulletin.journal_actions import Action
from bulletin.models import IncidentNote, Locality, ReportedIncident

# So long after its end everybody can read of an incident; as far back one may begin, and as far ahead be planned.
TOLD_FOR: Final = timedelta(days=90)


def incidents_since(since: datetime) -> QuerySet[Any]:
    """Those that were not over at `since`, as told now, the newest first. One that was called off stays as long."""
    told = Q(is_over=False) | Q(until__gte=since) | Q(until=None, told_at__gte=since)
    return ReportedIncident.objects.as_told().filter(told).order_by("-started_at", "-pk")


def open_incidents(locality: Locality | None = None, *, now: datetime) -> QuerySet[Any]:
    """Those that have begun and are not over: all, or those that concern one locality."""
    found = ReportedIncident.objects.as_told().filter(is_over=False, started_at__lte=now)
    if locality is not None:
        found = found.filter(Q(locality=None) | Q(locality=locality))
    return found.select_related("locality").order_by(
        F("locality__order").asc(nulls_first=True), "-started_at", "pk"
    )


def overdue_incidents(*, now: datetime) -> QuerySet[Any]:
    """Those that should be over by what was told, and of which nobody has said so."""
    return ReportedIncident.objects.as_told().filter(is_over=False, until__lte=now)


@transaction.atomic
def report_incident(
    *,
    locality: Locality | None,
    title: tuple[str, str],
    broken: tuple[str, str],
    works: tuple[str, str],
    done: tuple[str, str],
    started_at: datetime,
    until: datetime | None,
    is_over: bool,
    actor: User,
    now: datetime,
) -> ReportedIncident:
    """Tell everybody of an incident, or of planned work. Texts are pairs: Kazakh, Russian.

    `until`: when it ended (`is_over`), or is expected to. Raises ValidationError for times that can't be, and for the
    same title and beginning once more.
    """
    refuse_times(started_at=started_at, until=until, is_over=is_over, now=now)
    try:
        with transaction.atomic():
            incident = ReportedIncident.objects.create(
                locality=locality,
                **_both("title", title),
                **_both("broken", broken),
                **_both("works", works),
                started_at=started_at,
            )
    except IntegrityError as error:
        raise ValidationError(_("This is told already, with the same title and beginning.")) from error
    _append(
        incident, 1, done, until=until, is_over=is_over, action=Action.INCIDENT_TOLD, actor=actor, now=now
    )
    return incident


@transaction.atomic
def add_note(
    incident: ReportedIncident,
    *,
    after: int,
    text: tuple[str, str],
    until: datetime | None,
    is_over: bool,
    actor: User,
    now: datetime,
) -> None:
    """Tell how an incident goes on. `after` is the number of the last note that was read.

    Raises ValidationError for times that can't be, and if somebody wrote since: then that is to be read first.
    """
    refuse_times(started_at=incident.started_at, until=until, is_over=is_over, now=now)
    try:
        with transaction.atomic():
            _append(
                incident,
                after + 1,
                text,
                until=until,
                is_over=is_over,
                action=Action.INCIDENT_TOLD_FURTHER,
                actor=actor,
                now=now,
            )
    except IntegrityError as error:
        raise ValidationError(
            _("Somebody else has written about it meanwhile. Read their note, then send yours again.")
        ) from error


def refuse_times(*, started_at: datetime, until: datetime | None, is_over: bool, now: datetime) -> None:
    """Raise ValidationError, with the name of the field, for times that contradict each other, or can't be told."""
    if not now - TOLD_FOR <= started_at <= now + TOLD_FOR:
        _refuse("started_at", _("Choose a time within so many days of now: %(days)s"))
    if until is not None and until <= started_at:
        _refuse("until", _("The end comes after the beginning."))
    if until is not None and until > now + TOLD_FOR:
        _refuse("until", _("Choose a time within so many days of now: %(days)s"))
    if is_over and started_at > now and until is not None:
        _refuse("until", _("It has not begun: to call it off, leave the end empty."))
    if is_over and started_at <= now and until is None:
        _refuse("until", _("Say when it ended."))
    if is_over and until is not None and until > now:
        _refuse("until", _("This is still to come: what is over has ended before now."))
    if not is_over and until is not None and until <= now:
        _refuse("until", _("This is past: tick that it is over, or name a later time."))


def _refuse(field: str, words: str) -> None:
    raise ValidationError({field: ValidationError(words, params={"days": TOLD_FOR.days})})


def _both(name: str, texts: tuple[str, str]) -> dict[str, Any]:
    return {f"{name}_kk": texts[0].strip(), f"{name}_ru": texts[1].strip()}


def _append(
    incident: ReportedIncident,
    number: int,
    text: tuple[str, str],
    *,
    until: datetime | None,
    is_over: bool,
    action: Action,
    actor: User,
    now: datetime,
) -> None:
    note = IncidentNote.objects.create(
        incident=incident,
        number=number,
        **_both("text", text),
        until=until,
        is_over=is_over,
        written_at=now,
        written_by=actor,
    )
    audit.record(
        action,
        actor=actor,
        target=f"{incident.scope}: {incident.title_kk}",
        reason=note.text_kk,
        about=incident,
        now=now,
    )
