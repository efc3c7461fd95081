"""Running an import: one at a time, all rows or none, recorded as a batch."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO, Final

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from psycopg2.errors import DeadlockDetected, ForeignKeyViolation, LockNotAvailable, UniqueViolation

from accounts import audit
from accounts.models import User
from bulletin.employment import places_of, works_everywhere
from bulletin.importing.columns import Row
from bulletin.importing.kinds import Kind, Loader, Outcome, Run, Taken
from bulletin.importing.problems import Fault, Problem, Unreadable
from bulletin.importing.table import read_table
from bulletin.journal_actions import Action
from bulletin.models import ImportBatch
from notifications.clock import read_clock
from notifications.patience import with_time

# How many rows a report names; it counts all of them.
MOST_FAULTS: Final = 10_000
# How many rows may have cells that say nothing: with more of them nobody corrects row by row.
MOST_UNREADABLE: Final = 10_000
SAMPLES: Final = 5
# Held by whoever imports or undoes, until the end of the transaction.
LOCK: Final = 0x696D706F
# How long a row that somebody else has locked is waited for.
_PATIENCE: Final = "5s"

# What the database says where somebody else changes the same rows. Whatever else it says is a fault of ours.
_COLLISIONS: Final = (LockNotAvailable, DeadlockDetected, UniqueViolation, ForeignKeyViolation)

# How many rows were taken so far.
Tell = Callable[[int], None]


class AnotherAtWork(Exception):
    """An import or its undoing is under way; `since` when, where that can be told."""

    def __init__(self, since: datetime | None) -> None:
        super().__init__()
        self.since = since


class Disturbed(Exception):
    """Somebody changed the same rows meanwhile, or holds them. Nothing was loaded; it may be tried again."""


class State(StrEnum):
    """`CHECKED`: by a trial. `REFUSED`: rows are bad, and nothing was loaded. `SAME`: there was nothing to change."""

    CHECKED = "checked"
    LOADED = "loaded"
    SAME = "same"
    REFUSED = "refused"


@dataclass
class Report:
    """What an import did, or would do."""

    kind: str
    file_name: str
    sha256: str = ""
    state: State = State.CHECKED
    batch: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    notes: Sequence[Fault] = ()
    faults: list[Fault] = field(default_factory=list)
    # Of each outcome the first rows, by their number and what they are about.
    samples: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    secrets: Sequence[Mapping[str, str]] = ()

    @property
    def bad(self) -> int:
        return self.counts[Outcome.LEFT_OUT]

    @property
    def total(self) -> int:
        return self.counts.total()

    def add(self, taken: Taken) -> None:
        self.counts[taken.outcome] += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults += taken.faults
        some = self.samples.setdefault(taken.outcome, [])
        if len(some) < SAMPLES:
            some.append((taken.line, taken.label))

    def as_json(self) -> dict[str, Any]:
        """What is kept of it, and given to programs; secrets are not in it. `of_json` reads it."""
        return {
            "kind": self.kind,
            "file": self.file_name,
            "sha256": self.sha256,
            "state": self.state.value,
            "batch": self.batch,
            "counts": {outcome.value: self.counts[outcome] for outcome in Outcome},
            "notes": [fault.as_json() for fault in self.notes],
            "faults": [fault.as_json() for fault in self.faults],
            "samples": self.samples,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Report":
        return cls(
            kind=kept["kind"],
            file_name=kept["file"],
            sha256=kept["sha256"],
            state=State(kept["state"]),
            batch=kept["batch"],
            counts=Counter(kept["counts"]),
            notes=[Fault.of_json(one) for one in kept["notes"]],
            faults=[Fault.of_json(one) for one in kept["faults"]],
            samples={
                outcome: [(line, label) for line, label in some] for outcome, some in kept["samples"].items()
            },
        )


def _nobody(done: int) -> None:
    """Hears how far an import is, where nobody asked."""


def run_import(
    kind: Kind,
    file: BinaryIO,
    *,
    file_name: str,
    now: datetime,
    by: User | None = None,
    localities: Iterable[int] | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    take_absent: bool = False,
    tell: Tell = _nobody,
) -> Report:
    """Load a file, or with `dry_run` do everything and keep nothing, so that the report is what a run would say.

    With a bad row nothing is loaded, unless `skip_bad`. What is loaded is recorded as a batch, with an entry in the
    audit. `by` None is a command; `localities` (None: all) are those in which rows may be taken. `take_absent` as
    in `Run`. `tell` hears after each portion how many rows were taken.

    All in one transaction: whoever is killed has loaded nothing. Raises `ValueError` where the kind names whoever
    decided it (`needs_employee`) and nobody does, `problems.Unreadable`, `AnotherAtWork` and
    `Disturbed`; then nothing was loaded either.
    """
    if kind.needs_employee and by is None:
        raise ValueError("an employee answers for what the file says")
    report = Report(kind.name, file_name[:200], _sha256(file))
    table = read_table(file, kind.columns)
    report.notes = table.notes
    with alone():
        batch = ImportBatch.objects.create(
            kind=kind.name, file_name=report.file_name, sha256=report.sha256, loaded_at=now, loaded_by=by
        )
        places = None if localities is None else frozenset(localities)
        run = Run(batch, by, places, now, is_trial=dry_run, take_absent=take_absent)
        loader = kind.loader(run)
        unreadable = 0
        for portion in _portions(table.rows, loader.portion):
            unreadable += sum(bool(row.faults) for row in portion)
            if unreadable > MOST_UNREADABLE:
                raise Unreadable(Problem.TOO_MANY_BAD, most=MOST_UNREADABLE)
            _take(portion, loader, report)
            tell(report.total)
        for taken in loader.rest():
            report.add(taken)
        report.notes = [*table.notes, *loader.notes]
        report.state = _state(report, dry_run=dry_run, skip_bad=skip_bad)
        if report.state is State.LOADED:
            loader.finish()
            run.flush()
            _keep(batch, report, run)
        else:
            transaction.set_rollback(True)
    report.secrets = run.secrets if report.state is State.LOADED else ()
    return report


def own_localities(kind: Kind, user: User) -> list[int] | None:
    """The keys of the localities in which `user` may load such rows today; None: in all."""
    if kind.is_for_everywhere or works_everywhere(user):
        return None
    return places_of(user, today=timezone.localdate(read_clock())).localities


@contextmanager
def alone() -> Iterator[None]:
    """One transaction in which nobody else imports or undoes. Raises `AnotherAtWork` and `Disturbed`."""
    try:
        with with_time(), transaction.atomic():
            demand_alone()
            yield
    except DatabaseError as error:
        if isinstance(error.__cause__, _COLLISIONS):
            raise Disturbed from error
        raise


def demand_alone() -> None:
    """Let nobody else import or undo until this transaction ends. Raises `AnotherAtWork`. In a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AnotherAtWork(_since(cursor))
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])


def _since(cursor: Any) -> datetime | None:
    """When the transaction began that holds the lock. A server keeps that from roles other than the holder's."""
    cursor.execute(
        "SELECT a.xact_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s AND l.classid = 0 AND l.database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
        [LOCK],
    )
    row = cursor.fetchone()
    return row[0] if row else None


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    whole = hashlib.sha256()
    while chunk := file.read(1 << 20):
        whole.update(chunk)
    return whole.hexdigest()


def _portions(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while portion := list(islice(rows, size)):
        yield portion


def _take(portion: Sequence[Row], loader: Loader, report: Report) -> None:
    bad = [row for row in portion if row.faults]
    for row in bad:
        loader.leave_out(row, row.faults)
    taken = [Taken(row.line, Outcome.LEFT_OUT, "", row.faults) for row in bad]
    taken += loader.take([row for row in portion if not row.faults])
    for one in sorted(taken, key=lambda one: one.line):
        report.add(one)


def _state(report: Report, *, dry_run: bool, skip_bad: bool) -> State:
    if dry_run:
        return State.CHECKED
    if report.bad and not skip_bad:
        return State.REFUSED
    return State.LOADED if report.counts[Outcome.ADDED] + report.counts[Outcome.CHANGED] else State.SAME


def _keep(batch: ImportBatch, report: Report, run: Run) -> None:
    for outcome in Outcome:
        setattr(batch, outcome.value, report.counts[outcome])
    batch.places = sorted(run.places)
    batch.save()
    report.batch = batch.pk
    audit.record(
        Action.FILE_LOADED,
        actor=run.by,
        target=f"{batch.file_name} · {batch.kind}",
        about=batch,
        reason=f"+{batch.added} ~{batch.changed} ={batch.unchanged} -{batch.left_out}",
        now=run.now,
    )
