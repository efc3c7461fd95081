"""What a kind of import has to do: say its columns, take rows, and take a batch back."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from django.db.models import Model
from django.utils.functional import Promise

from accounts.models import User
from bulletin.importing.columns import Column, Row
from bulletin.importing.kept_rows import TakingBack, plain
from bulletin.importing.problems import Fault, Problem
from bulletin.models import ImportBatch, ImportedRow

LOAD_FILES: Final = "bulletin.load_files"
# How many rows are taken at once.
PORTION: Final = 500


class Outcome(StrEnum):
    """What came of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left_out"


class LeftOut(Exception):
    """A row can't be taken; the faults say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults


class Later(Exception):
    """What comes of a row is known only when all of the file were taken: `Loader.rest` says it."""


@dataclass(frozen=True)
class Taken:
    """A row that was taken, and what it is about, as a report may name it."""

    line: int
    outcome: Outcome
    label: str = ""
    faults: Sequence[Fault] = ()


@dataclass
class Run:
    """One import under way: for whom, where they may act, and what it has made and changed so far.

    `localities`: the keys of those in which rows may be taken; None: in all. `is_trial`: everything is rolled back in
    the end, so nothing may leave the database.
    """

    batch: ImportBatch
    by: User | None
    localities: frozenset[int] | None
    now: datetime
    is_trial: bool
    # Whether those are taken back whom earlier files brought in and this one does not have.
    take_absent: bool = False
    places: set[int] = field(default_factory=set)
    # What only whoever imports may read, once: the links of invitations. Never logged, never stored.
    secrets: list[Mapping[str, str]] = field(default_factory=list)
    _rows: list[ImportedRow] = field(default_factory=list)

    def may_act_in(self, locality: int) -> bool:
        return self.localities is None or locality in self.localities

    def note(
        self, obj: Model, *, line: int, before: Mapping[str, Any] | None, after: Mapping[str, Any]
    ) -> None:
        """Record that a row made `obj` (`before` is None), or changed these values of it. The object is saved."""
        self._rows.append(
            ImportedRow(
                batch=self.batch,
                line=line,
                model=obj._meta.label_lower,
                key=str(obj.pk),
                before=None if before is None else dict(before),
                after=dict(after),
            )
        )

    def flush(self) -> None:
        """Write what was recorded."""
        ImportedRow.objects.bulk_create(self._rows, batch_size=1000)
        self._rows.clear()


class Loader(ABC):
    """Takes the rows of one file, in one transaction, which is rolled back unless all is good or bad rows may be left.

    A kind that writes in bulk checks and collects in `take`, and writes in `finish`. `portion`: how many rows are taken
    at once.
    """

    portion: ClassVar[int] = PORTION

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lines: dict[Any, int] = {}

    def take(self, rows: Sequence[Row]) -> Iterator[Taken]:
        """What comes of each of these rows, in their order, unless `rest` says it; they have no faults of their own."""
        self.prepare(rows)
        for row in rows:
            try:
                outcome = self.take_row(row)
            except Later:
                continue
            except LeftOut as left_out:
                self.leave_out(row, left_out.faults)
                yield Taken(row.line, Outcome.LEFT_OUT, self.label(row), left_out.faults)
            else:
                yield Taken(row.line, outcome, self.label(row))
        self.run.flush()

    def prepare(self, rows: Sequence[Row]) -> None:  # noqa: B027 - most kinds look nothing up in advance
        """Look up, in a few statements, what the rows are about."""

    @abstractmethod
    def take_row(self, row: Row) -> Outcome:
        """Add or change what the row says. Raises `LeftOut`, `Later`."""

    def leave_out(self, row: Row, faults: Sequence[Fault]) -> None:  # noqa: B027 - most kinds keep none
        """Note a row that can't be taken because of these faults, of its cells or of what it says."""

    @abstractmethod
    def label(self, row: Row) -> str:
        """What the row is about, as a report may name it: no IIN."""

    def rest(self) -> Iterator[Taken]:
        """What comes of rows of which that is known only now: all of the file were taken."""
        yield from ()

    @property
    def notes(self) -> Sequence[Fault]:
        """What is worth saying of the file as a whole, once all of it was taken; nothing is refused for it."""
        return ()

    def finish(self) -> None:  # noqa: B027 - most kinds have written everything by then
        """What the rows say stays: whatever was only collected is written now."""

    def demand_once(self, row: Row, column: str, key: Any) -> None:
        """Refuse a row about the same thing as an earlier one of the file."""
        if (earlier := self._lines.setdefault(key, row.line)) != row.line:
            raise LeftOut(row.fault(column, Problem.REPEATED, earlier=earlier))


class Kind:
    """A kind of import: `name` is that of its command (`import_NAME`) and its address.

    `permissions`: what an employee needs besides `LOAD_FILES`.
    """

    name: ClassVar[str]
    title: ClassVar[str | Promise]
    about: ClassVar[str | Promise]
    permissions: ClassVar[Sequence[str]]
    columns: ClassVar[Sequence[Column]]
    loader: ClassVar[type[Loader]]
    # How a batch of it is undone.
    taking_back: ClassVar[type[TakingBack]] = TakingBack
    # Whether whoever has the permission may load rows of any locality.
    is_for_everywhere: ClassVar[bool] = False
    # Whether what it writes names the employee who decided it.
    needs_employee: ClassVar[bool] = False

    def may_be_loaded_by(self, user: User) -> bool:
        """Whether an employee may load files of this kind, by a page or by a command."""
        return user.is_staff and user.is_active and user.has_perms((LOAD_FILES, *self.permissions))


def store(run: Run, row: Row, obj: Model, values: Mapping[str, Any], *, is_new: bool) -> Outcome:
    """Save `obj` with these values unless it has them all, and record what changed. A new one is not saved yet."""
    before = {name: plain(obj, name) for name in values}
    for name, value in values.items():
        setattr(obj, name, value)
    after = {name: plain(obj, name) for name in values}
    if is_new:
        obj.save(force_insert=True)
        run.note(obj, line=row.line, before=None, after=after)
        return Outcome.ADDED
    differing = [name for name in values if before[name] != after[name]]
    if not differing:
        return Outcome.UNCHANGED
    obj.save()
    run.note(
        obj,
        line=row.line,
        before={name: before[name] for name in differing},
        after={name: after[name] for name in differing},
    )
    return Outcome.CHANGED
