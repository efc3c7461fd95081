"""The reconciliation of a file as an employee may read it: which files and lines, and each line in words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from accounts.models import User
from applications.city.deciding import row_of
from applications.city.queue_file import Queue
from applications.city.reconciling import Compared, Reason, Reconciled, lines_of, reconcile
from applications.models import Application, Event, FormerDecision, FormerLine
from applications.models.former import number_key
from applications.reports.memory import remember
from applications.states import LIVE_STATES, ApplicationState, Move
from bulletin.importing.running import own_localities
from bulletin.models import ImportBatch

READ: Final = "applications.view_formerline"
# The keys of the localities whose lines somebody reads; None: all, and those that name no locality.
Places = Collection[int] | None


@dataclass(frozen=True)
class Kept:
    """A reconciliation of at most a minute ago: every line, and the instant at which the numbers were those."""

    found: Reconciled
    at: datetime


@dataclass(frozen=True)
class LineInWords:
    """A line as pages and files show it. `locality` and `birth_year` are those of its queue in the file."""

    key: int
    line: int
    old_number: str
    locality: str
    birth_year: int | None
    compared: Compared
    reasons: Sequence[str]
    # The family's child, where the line is in the queue or was.
    child: UUID | None
    is_left_out: bool


@dataclass(frozen=True)
class AbsentInWords:
    """A child of earlier files whom a file does not have, as pages and files show it."""

    old_number: str
    locality: str
    birth_year: int
    number: str
    child: UUID
    became: str


def may_read(user: User) -> bool:
    """Whether an employee may read reconciliations: who may load the former queue."""
    return Queue().may_be_loaded_by(user) and user.has_perm(READ)


def own_batches(user: User) -> QuerySet[ImportBatch]:
    """The loaded files of the former queue with lines where `user` works, the newest first."""
    batches = ImportBatch.objects.filter(kind=Queue.name)
    places = own_localities(Queue(), user)
    if places is not None:
        batches = batches.filter(former_lines__locality__in=places).distinct()
    return batches.order_by("-loaded_at", "-pk")


def places_in(batch: ImportBatch, user: User) -> Places:
    """The localities of the file whose lines `user` may read; None for who works in every one of them."""
    places = own_localities(Queue(), user)
    if places is None:
        return None
    foreign = FormerLine.objects.filter(batch=batch).exclude(locality=None).exclude(locality__in=places)
    return places if foreign.exists() else None


def reconciled(batch: ImportBatch, places: Places, *, now: datetime) -> Kept:
    """What became of these lines: worked out once a minute, and anew once a decision was made.

    A file of 50,000 lines takes 1.2 s of processor time; what is kept of it, 2 MB, is read in 0.2 s.
    """
    decided = FormerDecision.objects.filter(line__batch=batch).aggregate(
        made=Count("pk"), ended=Count("ended_at")
    )
    of = "all" if places is None else "-".join(map(str, sorted(places)))
    key = f"reconciled:{batch.pk}:{of}:{decided['made']}:{decided['ended']}:{batch.undone_at is None:d}"
    return remember(key, lambda: Kept(reconcile(batch, now=now, localities=places), now))


def chosen(
    batch: ImportBatch,
    kept: Kept,
    *,
    outcome: str = "",
    reason: str = "",
    locality: str = "",
    number: str = "",
) -> list[Compared]:
    """The lines of a reconciliation with this outcome, reason, locality (its key) and old number, in the file's order.

    An empty value asks for nothing. A number is found however it is typed.
    """
    numbered = _lines_numbered(batch, number) if number else None
    found = (
        one
        for (place, _birth_year), lines in kept.found.queues.items()
        if not locality or str(place) == locality
        for one in lines
        if (not outcome or one.outcome == outcome)
        and (not reason or reason in one.reasons)
        and (numbered is None or one.line in numbered)
    )
    return sorted(found, key=lambda one: one.line)


def in_words(batch: ImportBatch, lines: Sequence[Compared]) -> list[LineInWords]:
    """These lines in words, in their order. One statement."""
    asked = lines_of(batch).filter(line__in=[one.line for one in lines])
    rows = {one.line: one for one in asked.select_related("locality", "application__former")}
    return [_in_words(rows[one.line], one) for one in lines if one.line in rows]


def absent_from(batch: ImportBatch, places: Places) -> QuerySet[Application]:
    """Whom earlier files brought into its localities and it does not have: who stays, and who was taken out with it."""
    named = lines_of(batch, places).exclude(application=None)
    taken_out = Event.objects.filter(move=Move.DROP_IMPORT, data__batch=batch.pk).values("application")
    earlier = Application.objects.filter(
        Q(state__in=LIVE_STATES) | Q(pk__in=taken_out),
        locality__in=named.values("locality"),
        former__batch__lt=batch,
    )
    absent = earlier.exclude(pk__in=named.values("application")).select_related("former", "locality")
    return absent.order_by("former__number_key", "pk")


def absent_in_words(applications: Iterable[Application]) -> list[AbsentInWords]:
    """These children of `absent_from` in words."""
    return [
        AbsentInWords(
            old_number=one.former.old_number,
            locality=one.locality.name,
            birth_year=one.birth_year,
            number=one.number,
            child=one.child_id,
            became=_became(one),
        )
        for one in applications
    ]


def _became(application: Application) -> str:
    if application.is_claimed:
        return gettext("stays: the family has claimed it")
    if application.state == ApplicationState.ARCHIVED:
        return gettext("taken out of the queue with this file")
    return gettext("stays in the queue")


def why(compared: Compared) -> list[str]:
    """Each reason, and how many children more or fewer stand ahead by it."""
    if compared.new is None:
        return [str(reason.label) for reason in compared.reasons]
    return [_counted(reason, by) for reason, by in compared.reasons.items()]


def _counted(reason: Reason, by: int) -> str:
    words = (
        gettext("children fewer ahead: %(count)s") if by > 0 else gettext("children more ahead: %(count)s")
    )
    return f"{reason.label}; {words % {'count': abs(by)}}"


def _in_words(row: FormerLine, compared: Compared) -> LineInWords:
    application = row.application
    former = getattr(application, "former", None)
    return LineInWords(
        key=row.pk,
        line=row.line,
        old_number=former.old_number if former else row_of(row).cells.get("old_number", ""),
        locality=row.locality.name if row.locality else "",
        birth_year=row.birth_year,
        compared=compared,
        reasons=[
            *([gettext("a bad row: what the portal has stayed")] if compared.is_kept else []),
            *why(compared),
        ],
        child=application.child_id if application else None,
        is_left_out=bool(row.problem),
    )


def _lines_numbered(batch: ImportBatch, number: str) -> set[int]:
    """The lines with this old number. What stands in those that were left out is encrypted: each is looked into."""
    key = number_key(number)
    if not key:
        return set()
    lines = lines_of(batch)
    taken = set(lines.filter(application__former__number_key=key).values_list("line", flat=True))
    left_out: Iterable[FormerLine] = lines.exclude(cells="").only("line", "cells")
    return taken | {
        one.line for one in left_out if number_key(row_of(one).cells.get("old_number", "")) == key
    }
