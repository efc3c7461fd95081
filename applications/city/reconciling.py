"""The former queue beside the portal's: for each line of a file its place there, its number here, and why they differ.

The place there is the rank of the line in the file, among the lines of its locality and birth year. What stands between
the two is counted by reason, and the sum of the reasons is the difference, to the last child (`compare` is pure).
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from applications.decisions.former import decided_lines
from applications.models import Application, Event, FormerLine
from applications.queue.position import by_number
from applications.states import LIVE_STATES, ApplicationState, LineDecision, Move
from bulletin.importing.problems import Problem
from bulletin.models import ImportBatch, Locality
from notifications.snapshot import one_moment


class Outcome(TextChoices):
    """What became of a line; each has exactly one."""

    SAME = "same", _("the same place")
    MOVED = "moved", _("another place")
    AWAY = "away", _("taken in, and stands in this queue no more")
    LEFT_OUT = "left_out", _("left out")


class Reason(TextChoices):
    """Why a place differs, by who stood ahead in the file or stands ahead now; and why a line has none."""

    BENEFIT = "benefit", _("benefits: other parts of the queue are ahead or behind")
    DATE = "date", _("the order of the file is not that of the dates")
    DUPLICATE = "duplicate", _("a second line for a child, or a second number")
    WRONG_DATE = "wrong_date", _("a date that can't be")
    SCHOOL_AGE = "school_age", _("school age")
    ENROLLED = "enrolled", _("has a place already")
    IN_PORTAL = "in_portal", _("the family had filed in the portal")
    LINKED = "linked", _("an official found the same child in the portal")
    OTHER_FAULT = "other_fault", _("another fault of the line")
    STOPPED = "stopped", _("on the stop-list, or a referral of before")
    GONE = "gone", _("has left this queue since")
    NEW = "new", _("is not in this queue of the file: filed in the portal, or came from elsewhere")
    ABSENT = "absent", _("an earlier file had it, this one has it no more")


_REASONS: Final[Mapping[str, Reason]] = {
    Problem.REPEATED: Reason.DUPLICATE,
    Problem.IN_FUTURE: Reason.WRONG_DATE,
    Problem.BEFORE_2000: Reason.WRONG_DATE,
    Problem.BEFORE_BIRTH: Reason.WRONG_DATE,
    Problem.TOO_OLD: Reason.SCHOOL_AGE,
    Problem.ENROLLED: Reason.ENROLLED,
    Problem.IN_QUEUE: Reason.IN_PORTAL,
}


@dataclass(frozen=True)
class Standing:
    """A line of the file in its order. `reason` is why it has no number where it has none."""

    line: int
    application: Hashable | None
    reason: Reason


@dataclass(frozen=True)
class Compared:
    """A line, its place in the file and its number now; `old - new` is the sum of `reasons`.

    `old` is empty where the line does not say in which queue it stands, `new` where it holds no number there.
    `is_changed`: the file said something else of it than an earlier one, and changed it. `is_kept`: the row is bad, and
    stands for a child of an earlier file, of whom the portal keeps what it has.
    """

    line: int
    outcome: Outcome
    old: int | None
    new: int | None = None
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    is_changed: bool = False
    is_kept: bool = False


# The queue in which the file has a line: the key of its locality and the birth year, where the line says them.
Queue = tuple[int | None, int | None]


@dataclass
class Reconciled:
    """All lines of a file by their queues, and how many came to what.

    `decisions`: how many of its lines were decided about, and how.
    `absent`: the numbers of the applications that earlier files brought into its localities, which nobody has claimed
    and it does not have.
    """

    queues: Mapping[Queue, Sequence[Compared]]
    absent: Sequence[str] = ()
    decisions: Mapping[LineDecision, int] = field(default_factory=dict)

    @property
    def lines(self) -> list[Compared]:
        """In the order of the file."""
        return sorted((one for some in self.queues.values() for one in some), key=lambda one: one.line)

    @property
    def changed(self) -> int:
        """How many lines changed what an earlier file had said."""
        return sum(one.is_changed for some in self.queues.values() for one in some)

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(one.outcome for some in self.queues.values() for one in some)

    @property
    def reasons(self) -> Counter[Reason]:
        """Why lines hold no number in their queue, and how many were moved by each reason at all."""
        return Counter(reason for some in self.queues.values() for one in some for reason in one.reasons)


def compare(
    file: Sequence[Standing],
    queue: Sequence[tuple[Hashable, int]],
    *,
    absent: Collection[Hashable] = frozenset(),
) -> list[Compared]:
    """Each line of one queue of the file beside the queue as it stands now. Pure.

    `file` in its order; `queue` by number, each application with its part of the queue; `absent` are those of it that
    an earlier file brought in. Reads both once.
    """
    of_file = {one.application for one in file if one.application is not None}
    new_rank, new_in_tier, ahead_of = {}, {}, {}
    seen, others = Counter[int](), Counter[Reason]()
    for key, tier in queue:
        if key not in of_file:
            others[Reason.ABSENT if key in absent else Reason.NEW] -= 1
            continue
        new_rank[key], new_in_tier[key], ahead_of[key] = seen.total(), (tier, seen[tier]), dict(others)
        seen[tier] += 1
    compared, left, present = [], Counter[Reason](), Counter[int]()
    for old, one in enumerate(file, start=1):
        key = one.application
        if key not in new_rank:
            outcome = Outcome.LEFT_OUT if key is None else Outcome.AWAY
            compared.append(Compared(one.line, outcome, old, None, {one.reason: 1}))
            left[one.reason] += 1
            continue
        tier, rank_in_tier = new_in_tier[key]
        by_date = present[tier] - rank_in_tier
        by_all = present.total() - new_rank[key]
        reasons = {Reason.DATE: by_date, Reason.BENEFIT: by_all - by_date, **ahead_of[key], **left}
        new = 1 + new_rank[key] - sum(ahead_of[key].values())
        outcome = Outcome.SAME if old == new else Outcome.MOVED
        named = {reason: by for reason, by in reasons.items() if by}
        compared.append(Compared(one.line, outcome, old, new, named))
        present[tier] += 1
    return compared


def reconcile(batch: ImportBatch, *, now: datetime, localities: Collection[int] | None = None) -> Reconciled:
    """What became of every line of a file that was loaded, in one snapshot. Call it outside of a transaction.

    With `localities`, by their keys, of the lines there alone.
    """
    with one_moment():
        absent = _absent(batch, localities)
        return Reconciled(
            dict(_compared(batch, now, localities, absent)),
            sorted(absent.values()),
            {
                kind: decided_lines(kind).filter(pk__in=lines_of(batch, localities)).count()
                for kind in LineDecision
            },
        )


def lines_of(batch: ImportBatch, localities: Collection[int] | None = None) -> QuerySet[FormerLine]:
    """The lines of a file; with `localities` those that stand there."""
    lines = FormerLine.objects.filter(batch=batch)
    return lines if localities is None else lines.filter(locality__in=localities)


def _absent(batch: ImportBatch, localities: Collection[int] | None) -> dict[UUID, str]:
    """Whom earlier files brought into its localities and it does not have, unclaimed: their keys and numbers."""
    named = lines_of(batch, localities).exclude(application=None)
    earlier = Application.objects.filter(
        locality__in=named.values("locality"), filed_by=None, state__in=LIVE_STATES, former__batch__lt=batch
    )
    return dict(earlier.exclude(pk__in=named.values("application")).values_list("pk", "number"))


def _changed(batch: ImportBatch) -> set[int]:
    """The lines of a file that changed what an earlier one had said."""
    said = Event.objects.filter(application=OuterRef("application"), data__batch=batch.pk)
    lines = FormerLine.objects.filter(Exists(said.exclude(move=Move.IMPORT)), batch=batch)
    return set(lines.values_list("line", flat=True))


def _decided(batch: ImportBatch, kind: LineDecision) -> set[int]:
    """The lines of a file about which it was decided so."""
    return set(decided_lines(kind).filter(batch=batch).values_list("line", flat=True))


def _kept(batch: ImportBatch) -> set[int]:
    """The bad lines of a file that stand for children of earlier ones."""
    bad = FormerLine.objects.filter(batch=batch, application__isnull=False).exclude(problem="")
    return set(bad.values_list("line", flat=True)) - _decided(batch, LineDecision.TAKEN_IN)


def _compared(
    batch: ImportBatch, now: datetime, localities: Collection[int] | None, absent: Collection[Hashable]
) -> Iterator[tuple[Queue, list[Compared]]]:
    rows = (
        lines_of(batch, localities)
        .order_by("locality", "birth_year", "line")
        .values_list("locality", "birth_year", "line", "application", "application__state", "problem")
    )
    linked, kept = _decided(batch, LineDecision.LINKED), _kept(batch)
    changed, places = _changed(batch), Locality.objects.in_bulk()
    for queue, some in groupby(rows.iterator(), key=lambda row: row[:2]):
        file = [
            Standing(line, key, Reason.LINKED if line in linked else _reason(key, state, problem))
            for *_, line, key, state, problem in some
        ]
        place, birth_year = queue
        if place is None or birth_year is None:
            yield (
                queue,
                [Compared(one.line, Outcome.LEFT_OUT, None, None, {one.reason: 1}) for one in file],
            )
        else:
            numbered = by_number(locality=places[place], birth_year=birth_year, now=now)
            compared = compare(file, numbered, absent=absent)
            yield (
                queue,
                [replace(one, is_changed=one.line in changed, is_kept=one.line in kept) for one in compared],
            )


def _reason(key: Hashable | None, state: str | None, problem: str) -> Reason:
    if key is None:
        return _REASONS.get(problem, Reason.OTHER_FAULT)
    return Reason.STOPPED if state == ApplicationState.STOP_LISTED else Reason.GONE
