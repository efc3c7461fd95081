"""The former queue of a city comes in: each row becomes an application that waits at its old date, unclaimed.

Everything is one transaction. Half of a queue would show every family a wrong number, and a run that breaks off leaves
nothing behind. It locks nothing that a bid, a referral or a publication needs: rows are only added. Whoever files for,
or adds, a child of this very file waits for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Least

from accounts.identity import hashes_of_child, iin_hash, paper_hash, phone_hash
from accounts.models import User
from applications.models import Application, Benefit, BenefitCategory, FormerRow, Rules, StopListEntry
from applications.models.former import number_key
from applications.moves import event_of
from applications.queue.buckets import fold_buckets
from applications.rules.ages import too_old_from
from applications.states import HERE, MOVES, ApplicationState, BenefitState, Move, Tier, state_after
from bulletin.models import ImportBatch, Locality
from children.known import children_by_certificate, children_with
from children.models import Child
from notifications.copied_rows import copy_rows

# Enough for the database to be busy, and little memory.
PORTION: Final = 1000


@dataclass(frozen=True, slots=True)
class OldRow:
    """A checked row of the former queue; the rows come in the order of the file, which breaks ties of `filed_at`.

    The child has an IIN of twelve digits or the number of its certificate. `phone` is E.164. `filed_text` is the date
    as the file wrote it. The former queue has verified the `benefit`, if there is one, until `benefit_until` (None: no
    end). Until `stopped_until` the child waits outside of the queue, as after a stop. Both are first instants at which
    it no longer holds. `interest_confirmed_at` ends nothing before the application is claimed.
    """

    line: int
    old_number: str
    iin: str
    paper_number: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: str
    locality: Locality
    languages: Sequence[str]
    filed_at: datetime
    filed_text: str = ""
    guardian_iin: str = ""
    phone: str = ""
    benefit: BenefitCategory | None = None
    benefit_until: datetime | None = None
    stopped_until: datetime | None = None
    interest_confirmed_at: datetime | None = None

    @property
    def ends(self) -> list[datetime]:
        """What of it ends at an instant that the former queue promised."""
        return [end for end in (self.benefit_until, self.stopped_until) if end is not None]

    @property
    def child_hashes(self) -> list[str]:
        """Every hash by which the child may be here already (`Child.iin_hash`), that under the present key first."""
        return hashes_of_child(iin=self.iin, paper_number=self.paper_number)


class InQueueAlready(Exception):
    """Children of the file have an application or a place here, or are twice in it; `lines` says which rows."""

    def __init__(self, lines: list[int]) -> None:
        super().__init__(lines)
        self.lines = lines


def bring_in(rows: Iterable[OldRow], *, batch: ImportBatch, actor: User | None, now: datetime) -> int:
    """Put each row into its queue at its old date; returns how many. Reads `rows` as a stream.

    Numbers change for everybody at once, when the last row is in: the history calls it one cause. Who is named in the
    file is told nothing. `actor` answers for the benefits, and may be None where there are none. Raises
    `InQueueAlready`, with nothing brought in.
    """
    rules = list(Rules.objects.all())
    # Thousands of rows share a locality and a birth year.
    too_old = cache(lambda place, birth_year: too_old_from(birth_year, rules, locality=place, now=now))
    stream, brought = iter(rows), 0
    portion: list[OldRow] = []
    try:
        with transaction.atomic():
            while portion := list(islice(stream, PORTION)):
                _bring_in(portion, too_old, batch=batch, actor=actor, now=now)
                brought += len(portion)
    except IntegrityError as error:
        # Somebody filed for one of these children at this moment.
        if lines := there_already(portion):
            raise InQueueAlready(lines) from error
        raise
    # One addend for each row otherwise, until the next sweep.
    fold_buckets()
    return brought


def take_back(batch: ImportBatch, *, actor: User | None, reason: str, now: datetime) -> int:
    """Take the applications of an import out of the queue that nobody has claimed; returns how many.

    Claimed ones stay: they are their families'. What the file said of guardians is erased with it. One transaction,
    like the import; who claims one of these at this moment waits, or was quicker and keeps it.
    """
    there = MOVES[Move.TAKE_IMPORT_BACK][0]
    waiting = Application.objects.filter(former__batch=batch, state__in=there, filed_by=None)
    with transaction.atomic():
        taken = list(waiting.select_for_update(of=("self",), no_key=True).order_by("pk"))
        take_out(taken, Move.TAKE_IMPORT_BACK, actor=actor, now=now, reason=reason)
    fold_buckets()
    return len(taken)


def take_out(
    applications: Sequence[Application],
    step: Move,
    *,
    actor: User | None,
    now: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Archive these locked, unclaimed applications by `step`, and erase what the file said of their guardians."""
    before = {one.pk: one.state for one in applications}
    for application in applications:
        application.state = state_after(step, application.state)
        application.archived_at, application.runs_out_at = now, None
    running = StopListEntry.objects.filter(application__in=applications, lifted_at=None)
    running.update(lifted_at=Least(F("until"), Value(now)))
    Application.objects.bulk_update(applications, ["state", "archived_at", "runs_out_at"], batch_size=PORTION)
    copy_rows(
        event_of(one, step, before=before[one.pk], actor=actor, now=now, reason=reason, data=data)
        for one in applications
    )
    rows = FormerRow.objects.filter(application__in=applications)
    rows.update(guardian_iin="", guardian_hash=None, phone="", phone_hash=None)


def applications_here(children: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Application]:
    """The live application of each child, or the one with which it has a place; by its IIN and its certificate.

    A fixed number of statements.
    """
    asked = {child: hashes_of_child(iin=child[0], paper_number=child[1]) for child in children}
    of_hash = {hashed: child for child, hashes in asked.items() for hashed in hashes}
    rows = Child.objects.filter(iin_hash__in=of_hash).values_list("pk", "iin_hash")
    found = {pk: of_hash[hashed] for pk, hashed in rows}
    by_paper = children_by_certificate(paper_number for iin, paper_number in asked if not iin)
    found |= {pk: ("", paper_number) for pk, paper_number in by_paper.items()}
    there = Application.objects.filter(child__in=found, state__in=HERE)
    return {
        found[one.child_id]: one
        for one in there.select_related("former").prefetch_related("stops", "benefits")
    }


def there_already(rows: Sequence[OldRow]) -> list[int]:
    """The lines of those rows whose child has an application or a place here, or is twice among them."""
    children = {hashed: child.pk for child, hashed in _known(rows)}
    return _not_to_come(rows, [_child_of(row, children) or row.child_hashes[0] for row in rows])


def _not_to_come(rows: Sequence[OldRow], children: Sequence[UUID | str]) -> list[int]:
    """`there_already` of rows whose children are known: the key of each, or a hash of one that is not here."""
    here = {child for child in children if isinstance(child, UUID)}
    have_one = Application.objects.filter(child__in=here, state__in=HERE)
    there, often = set(have_one.values_list("child", flat=True)), Counter(children)
    return [row.line for row, child in zip(rows, children, strict=True) if child in there or often[child] > 1]


def _bring_in(
    rows: Sequence[OldRow],
    too_old: Callable[[Locality, int], datetime],
    *,
    batch: ImportBatch,
    actor: User | None,
    now: datetime,
) -> None:
    children = _children(rows, now=now)
    if lines := _not_to_come(rows, children):
        raise InQueueAlready(lines)
    numbers = _sequences(len(rows))
    made = [
        Application(
            number=f"{row.locality.day(now):%y}-{sequence:06}",
            child_id=child,
            locality=row.locality,
            birth_year=row.birth_date.year,
            languages=list(row.languages),
            tier=row.benefit.tier if row.benefit else Tier.GENERAL,
            filed_at=row.filed_at,
            sequence=sequence,
            filed_by=None,
            state=ApplicationState.STOP_LISTED if row.stopped_until else ApplicationState.WAITING,
            interest_confirmed_at=row.interest_confirmed_at or now,
        )
        for row, child, sequence in zip(rows, children, numbers, strict=True)
    ]
    for row, application in zip(rows, made, strict=True):
        # What `first_end` gives: nothing else of an application that nobody has claimed ends by itself.
        application.runs_out_at = min([too_old(row.locality, row.birth_date.year), *row.ends])
    copy_rows(made)
    copy_rows(
        StopListEntry(application=one, starts_at=now, until=row.stopped_until)
        for row, one in zip(rows, made, strict=True)
        if row.stopped_until
    )
    copy_rows(_benefits(rows, made, actor=actor, now=now))
    copy_rows(
        event_of(
            one, Move.IMPORT, before="", actor=actor, now=now, data={"batch": batch.pk, "line": row.line}
        )
        for row, one in zip(rows, made, strict=True)
    )
    copy_rows(
        FormerRow(
            application=application,
            batch=batch,
            line=row.line,
            locality=row.locality,
            old_number=row.old_number,
            number_key=number_key(row.old_number),
            filed_text=row.filed_text,
            guardian_iin=row.guardian_iin,
            guardian_hash=iin_hash(row.guardian_iin),
            phone=row.phone,
            phone_hash=phone_hash(row.phone),
        )
        for row, application in zip(rows, made, strict=True)
    )


def _benefits(
    rows: Sequence[OldRow], made: Sequence[Application], *, actor: User | None, now: datetime
) -> Iterator[Benefit]:
    for row, application in zip(rows, made, strict=True):
        if row.benefit is not None:
            assert actor is not None
            yield Benefit(
                application=application,
                category=row.benefit,
                state=BenefitState.VERIFIED,
                claimed_at=now,
                claimed_by=actor,
                decided_at=now,
                decided_by=actor,
                valid_until=row.benefit_until,
            )


def _children(rows: Sequence[OldRow], *, now: datetime) -> list[UUID]:
    """The child of each row, made where nobody has added it; what is known of a child here stays as it is."""
    known = {hashed: child.pk for child, hashed in _known(rows)}
    new = [row for row in rows if _child_of(row, known) is None]
    # Somebody may add one of them at this moment: theirs is found below.
    Child.objects.bulk_create((_new_child(row, now=now) for row in new), ignore_conflicts=True)
    known |= {hashed: child.pk for child, hashed in _known(new)}
    return [child for row in rows if (child := _child_of(row, known)) is not None]


def _known(rows: Iterable[OldRow]) -> Iterator[tuple[Child, str]]:
    """The children that are here already, each with a hash by which a row finds it."""
    asked = {hashed for row in rows for hashed in row.child_hashes}
    for child in Child.objects.filter(iin_hash__in=asked).only("pk", "iin_hash"):
        yield child, child.iin_hash
    # A certificate stays the child's own after its IIN came.
    for row in rows:
        if not row.iin:
            for child in children_with(paper_number=row.paper_number):
                yield child, row.child_hashes[0]


def _child_of(row: OldRow, children: dict[str, UUID]) -> UUID | None:
    return next((children[hashed] for hashed in row.child_hashes if hashed in children), None)


def _new_child(row: OldRow, *, now: datetime) -> Child:
    return Child(
        iin=row.iin,
        iin_hash=row.child_hashes[0],
        paper_number="" if row.iin else row.paper_number,
        paper_hash=None if row.iin else paper_hash(row.paper_number),
        last_name=row.last_name,
        first_name=row.first_name,
        middle_name=row.middle_name,
        birth_date=row.birth_date,
        sex=row.sex,
        created_at=now,
    )


def _sequences(count: int) -> list[int]:
    """So many numbers of the order of filing, the smallest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('application_sequence') FROM generate_series(1, %s)", [count])
        return sorted(row[0] for row in cursor.fetchall())
