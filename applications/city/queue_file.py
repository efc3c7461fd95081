"""The former queue by file: each row becomes an application that waits at its old date until its family claims it.

Rows are checked as they are read and written when all are good, or all bad ones may be left out. Every line of the file
is kept with what became of it (`FormerLine`), so that nobody drops out unseen.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.models import Sex
from applications.city.former_numbers import Wish
from applications.city.newer_file import NewerFile
from applications.city.queue_columns import COLUMNS, HELD, FormerState
from applications.city.taking_back import QueueTakingBack
from applications.models import Application, BenefitCategory, FormerLine, FormerRow, Rules
from applications.models.former import number_key
from applications.rules.ages import oldest_birth_year, too_old_from
from applications.states import LIVE_STATES, ApplicationState
from applications.waiting.bringing_anew import ChangedMeanwhile
from applications.waiting.bringing_in import (
    InQueueAlready,
    OldRow,
    applications_here,
    bring_in,
)
from bulletin.importing.columns import Row
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, Taken
from bulletin.importing.places import Localities
from bulletin.importing.problems import Fault, Problem
from bulletin.importing.running import Disturbed
from bulletin.models import Locality
from bulletin.sorting import fold
from bulletin.workdays import end_of_day
from notifications.copied_rows import copy_rows

# Working days of a stop and calendar days of an extension come to less.
MOST_DAYS: Final = 366
# The seventh digit of an IIN: the century of birth and the sex; 0 in those of foreigners.
_SEX_OF: Final = {**dict.fromkeys("135", str(Sex.MALE)), **dict.fromkeys("246", str(Sex.FEMALE))}
_WRITTEN_AT_ONCE: Final = 2000


class Reader:
    """Reads rows of the former queue: what each means, or why it can't be taken. Writes nothing."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.localities = Localities(run)
        self._rules = list(Rules.objects.all())
        self._benefits = _benefits()
        self._oldest = cache(self._oldest_of)

    def read(self, row: Row) -> OldRow:
        """What a row without faults of its own means. Raises `LeftOut`."""
        locality = self.localities.of(row, "locality")
        values, zone = row.values, locality.zone
        self._demand_identity(row)
        self._demand_child(row, locality)
        filed_at = self._past(row, "filed_at", locality)
        assert filed_at is not None
        if locality.day(filed_at) < values["birth_date"]:
            raise LeftOut(row.fault("filed_at", Problem.BEFORE_BIRTH))
        until = self._held_until(row, locality)
        benefit = self._benefit(row)
        return OldRow(
            line=row.line,
            old_number=values["old_number"],
            iin=values.get("child_iin", ""),
            paper_number="" if values.get("child_iin") else values.get("certificate", ""),
            last_name=values["last_name"],
            first_name=values["first_name"],
            middle_name=values.get("middle_name", ""),
            birth_date=values["birth_date"],
            sex=_sex(row),
            locality=locality,
            languages=values["languages"],
            filed_at=filed_at,
            filed_text=row.cells["filed_at"][:40],
            guardian_iin=values.get("guardian_iin", ""),
            phone=values.get("phone", ""),
            benefit=benefit,
            benefit_until=self._benefit_until(row, benefit, locality),
            stopped_until=end_of_day(until, zone) if until else None,
            interest_confirmed_at=self._past(row, "interest_confirmed_at", locality),
        )

    def queue_of(self, row: Row) -> tuple[Locality | None, int | None]:
        """The locality and the birth year that the row names, as far as they can be told."""
        born = row.values.get("birth_date")
        try:
            place = self.localities.of(row, "locality") if "locality" in row.values else None
        except LeftOut:
            place = None
        return place, born.year if born else None

    def _demand_identity(self, row: Row) -> None:
        iin = row.values.get("child_iin")
        if not _sex(row) or not (iin or row.values.get("certificate")):
            raise LeftOut(row.fault("child_iin" if "child_iin" in row.columns else "", Problem.NO_IDENTITY))
        if iin and iin == row.values.get("guardian_iin"):
            raise LeftOut(row.fault("guardian_iin", Problem.SAME_PERSON))

    def _demand_child(self, row: Row, locality: Locality) -> None:
        born: date = row.values["birth_date"]
        iin = row.values.get("child_iin", "")
        if born > locality.day(self.run.now):
            raise LeftOut(row.fault("birth_date", Problem.IN_FUTURE))
        if iin and iin[:6] != f"{born:%y%m%d}":
            raise LeftOut(row.fault("birth_date", Problem.OTHER_BIRTH_DATE))
        oldest = self._oldest(locality, born.year)
        if oldest is not None:
            raise LeftOut(row.fault("birth_date", Problem.TOO_OLD, oldest=oldest))

    def _oldest_of(self, locality: Locality, birth_year: int) -> int | None:
        """The oldest birth year that may wait, where this one is too old; None where it is not."""
        now = self.run.now
        if too_old_from(birth_year, self._rules, locality=locality, now=now) > now:
            return None
        today = locality.day(now)
        return oldest_birth_year(today.year, self._rules, locality=locality, today=today)

    def _past(self, row: Row, column: str, locality: Locality) -> datetime | None:
        """An instant of the former queue, in the zone of its place."""
        if row.values.get(column) is None:
            return None
        at: datetime = row.values[column].replace(tzinfo=locality.zone)
        if at > self.run.now:
            raise LeftOut(row.fault(column, Problem.IN_FUTURE))
        if at.year < 2000:
            raise LeftOut(row.fault(column, Problem.BEFORE_2000))
        return at

    def _benefit(self, row: Row) -> BenefitCategory | None:
        name = row.values.get("benefit")
        if not name:
            if row.values.get("benefit_until"):
                raise LeftOut(row.fault("benefit_until", Problem.NO_BENEFIT))
            return None
        if fold(name) not in self._benefits:
            raise LeftOut(row.fault("benefit", Problem.UNKNOWN, first="benefit_categories"))
        return self._benefits[fold(name)]

    def _benefit_until(
        self, row: Row, benefit: BenefitCategory | None, locality: Locality
    ) -> datetime | None:
        """The file knows no date of the certificate from which the days of a category could be counted."""
        last = row.values.get("benefit_until")
        if last is None:
            if benefit is not None and benefit.valid_days is not None:
                name = "benefit_until" if "benefit_until" in row.columns else "benefit"
                raise LeftOut(row.fault(name, Problem.NO_BENEFIT_END))
            return None
        if last < locality.day(self.run.now):
            raise LeftOut(row.fault("benefit_until", Problem.BENEFIT_OVER))
        return end_of_day(last, locality.zone)

    def _held_until(self, row: Row, locality: Locality) -> date | None:
        if row.values.get("state", FormerState.WAITING) not in HELD:
            return None
        last: date | None = row.values.get("until")
        today = locality.day(self.run.now)
        if last is None:
            raise LeftOut(row.fault("until" if "until" in row.columns else "state", Problem.NO_END))
        if last < today:
            raise LeftOut(row.fault("until", Problem.END_OVER))
        if last > today + timedelta(days=MOST_DAYS):
            raise LeftOut(row.fault("until", Problem.END_TOO_FAR, most=MOST_DAYS))
        return last


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.reader = Reader(run)
        self.rows: list[OldRow] = []
        self.lines: list[FormerLine] = []
        self.here: dict[tuple[str, str], Application] = {}
        self.newer = NewerFile(run)
        # The bad ones, each with what its child is known by and the key of its number.
        self.bad: list[tuple[FormerLine, tuple[str, str], str]] = []

    def prepare(self, rows: Sequence[Row]) -> None:
        self.here = applications_here({_child(row) for row in rows} - {("", "")})
        new = [row for row in rows if _child(row) not in self.here]
        self.newer.prepare(rows, new=new, here=self.here.values())

    def leave_out(self, row: Row, faults: Sequence[Fault]) -> None:
        self.newer.miss(row, _child(row))
        self._keep_left_out(row, faults)

    def _keep_left_out(self, row: Row, faults: Sequence[Fault]) -> None:
        place, birth_year = self.reader.queue_of(row)
        line = FormerLine(
            batch=self.run.batch,
            line=row.line,
            locality=place,
            birth_year=birth_year,
            problem=faults[0].problem.value,
            faults=[fault.as_json() for fault in faults],
            cells=json.dumps(dict(row.cells), ensure_ascii=False),
        )
        self.lines.append(line)
        self.bad.append((line, _child(row), number_key(row.cells.get("old_number", ""))))

    def label(self, row: Row) -> str:
        changed = self.newer.label(row)
        return f"{row.cells['old_number']} ({changed})" if changed else row.cells["old_number"]

    def rest(self) -> Iterator[Taken]:
        for wish, is_granted in self.newer.wishes():
            yield self._granted(wish) if is_granted else self._refused(wish)
        yield from self.newer.rest()

    def _granted(self, wish: Wish) -> Taken:
        row, old = wish.row, wish.old
        if wish.change is None:
            self._add(old)
            return Taken(row.line, Outcome.ADDED, self.label(row))
        self.lines.append(self._line(row, old, wish.change.application))
        return Taken(row.line, Outcome.CHANGED, self.label(row))

    def _refused(self, wish: Wish) -> Taken:
        faults = [wish.row.fault("old_number", Problem.NUMBER_TAKEN)]
        self._keep_left_out(wish.row, faults)
        return Taken(wish.row.line, Outcome.LEFT_OUT, wish.row.cells["old_number"], faults)

    @property
    def notes(self) -> Sequence[Fault]:
        return self.newer.notes

    def finish(self) -> None:
        try:
            self.newer.finish()
            # Ties of one instant are broken by the order of the file.
            self.rows.sort(key=lambda old: old.line)
            bring_in(self.rows, batch=self.run.batch, actor=self.run.by, now=self.run.now)
        except (InQueueAlready, ChangedMeanwhile) as error:
            # Somebody filed for one of these children, or claimed one, since the row was checked.
            raise Disturbed from error
        self.rows.clear()
        self._stand_for_whom_it_has()
        brought = FormerRow.objects.filter(batch=self.run.batch)
        taken = (
            FormerLine(
                batch=self.run.batch,
                line=line,
                locality_id=place,
                birth_year=birth_year,
                application_id=key,
            )
            for line, place, birth_year, key in brought.values_list(
                "line", "locality", "application__birth_year", "application"
            ).iterator()
        )
        while portion := list(islice(taken, _WRITTEN_AT_ONCE)):
            copy_rows(portion)
        FormerLine.objects.bulk_create(self.lines, batch_size=_WRITTEN_AT_ONCE)

    def _stand_for_whom_it_has(self) -> None:
        """Let each bad line stand for what earlier files brought in of its child, unless another line does."""
        by_child = applications_here({child for _line, child, _number in self.bad} - {("", "")})
        by_number = _numbered({number for _line, child, number in self.bad if not any(child)} - {""})
        standing = {line.application_id for line in self.lines}
        for line, child, number in self.bad:
            numbered = by_number.get((line.locality_id, number), [])
            # A number alone says who it is where only one has it.
            known = by_child.get(child) or (numbered[0] if len(numbered) == 1 else None)
            if known is None or known.pk in standing or not hasattr(known, "former"):
                continue
            if known.former.batch_id != self.run.batch.pk and self.run.may_act_in(known.locality_id):
                standing.add(known.pk)
                line.application, line.birth_year = known, known.birth_year
                line.locality_id = known.locality_id

    def take_row(self, row: Row) -> Outcome:
        old = self.reader.read(row)
        self.demand_once(row, "child_iin" if old.iin else "certificate", _child(row))
        self.demand_once(row, "old_number", (old.locality.pk, old.old_number))
        self.newer.covers(old)
        here = self.here.get(_child(row))
        if here is not None:
            return self._again(row, old, here)
        if row.values.get("state") == FormerState.LEFT:
            gone = self.newer.has_left(old)
            if gone is None:
                raise LeftOut(row.fault("state", Problem.LEFT))
            return self._known(row, old, gone, Outcome.UNCHANGED)
        self.newer.take_new(row, old)
        self._add(old)
        return Outcome.ADDED

    def _add(self, old: OldRow) -> None:
        self.run.places.add(old.locality.pk)
        self.rows.append(old)

    def _again(self, row: Row, old: OldRow, here: Application) -> Outcome:
        """What comes of a row whose child is here already."""
        column = "child_iin" if old.iin else "certificate"
        if not hasattr(here, "former"):
            enrolled = here.state == ApplicationState.ENROLLED
            raise LeftOut(row.fault(column, Problem.ENROLLED if enrolled else Problem.IN_QUEUE))
        return self._known(row, old, here, self.newer.take(row, old, here))

    def _known(self, row: Row, old: OldRow, here: Application, outcome: Outcome) -> Outcome:
        """Keep the line of a row whose child earlier files brought in."""
        self.lines.append(self._line(row, old, here.pk))
        return outcome

    def _line(self, row: Row, old: OldRow, application: UUID) -> FormerLine:
        return FormerLine(
            batch=self.run.batch,
            line=row.line,
            locality=old.locality,
            birth_year=old.birth_date.year,
            application_id=application,
        )


class Queue(Kind):
    name = "queue"
    title = _("Former queue")
    about = _(
        "Brings in the queue that the city kept before. Each child waits at its old date until its family claims the "
        "application, and each line of the file is accounted for."
    )
    permissions = ("applications.change_formerline",)
    needs_employee = True
    columns = COLUMNS
    loader = _Loader
    taking_back = QueueTakingBack


def _numbered(keys: Collection[str]) -> dict[tuple[int | None, str], list[Application]]:
    """The live applications that earlier files brought in under these numbers, by locality and key. One statement."""
    found: dict[tuple[int | None, str], list[Application]] = defaultdict(list)
    rows = FormerRow.objects.filter(number_key__in=keys, application__state__in=LIVE_STATES)
    for row in rows.select_related("application"):
        found[(row.locality_id, row.number_key)].append(row.application)
    return found


def _child(row: Row) -> tuple[str, str]:
    """By what its child is known: the IIN, or without one the certificate."""
    iin = row.values.get("child_iin") or ""
    return iin, "" if iin else row.values.get("certificate") or ""


def _sex(row: Row) -> str:
    """What the row says; else what the IIN of a citizen says, until the registry is asked. Empty: neither."""
    if row.values.get("sex"):
        return str(row.values["sex"])
    return _SEX_OF.get((row.values.get("child_iin") or "")[6:7], "")


def _benefits() -> dict[str, BenefitCategory]:
    """The categories by their code and by their names, folded."""
    return {
        fold(name): one
        for one in BenefitCategory.objects.all()
        for name in (one.slug, one.name_kk, one.name_ru)
    }
