"""Lines that a file of the former queue left out, one by one: an official takes each in, leaves it out, or links it.

Each decision locks the file's batch, then its line: of two officials at once one wins. It can be taken back until a
protocol with it is signed; after that a line that is not taken in may be decided anew, for a new protocol.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import F, Q, Value
from django.db.models.functions import Least

from accounts import audit
from accounts.identity import iin_hashes
from accounts.models import User
from applications.city.former_numbers import Known
from applications.city.queue_columns import COLUMNS, FormerState
from applications.city.queue_file import Queue, Reader
from applications.decisions.proposals import require
from applications.families.asked import read
from applications.journal_actions import Action
from applications.models import (
    Application,
    FormerChange,
    FormerDecision,
    FormerLine,
    FormerProtocol,
    FormerRow,
    StopListEntry,
)
from applications.moves import Refused, lock_application, locking, move, refuse_own_child
from applications.own_rows import demand_own, own_rows
from applications.refusals import Refusal
from applications.states import HERE, LineDecision, Move, ProposalState, is_allowed
from applications.waiting.bringing_in import InQueueAlready, OldRow, applications_here, bring_in
from bulletin.importing.columns import Row, by_name, read_row, tidy
from bulletin.importing.kinds import LeftOut, Run
from bulletin.importing.problems import Problem
from bulletin.importing.running import own_localities
from bulletin.models import ImportBatch
from children.known import children_with

DECIDE: Final = "applications.change_formerline"
_ACTIONS: Final = {
    LineDecision.TAKEN_IN: Action.LINE_TAKEN_IN,
    LineDecision.LEFT_OUT: Action.LINE_LEFT_OUT,
    LineDecision.LINKED: Action.LINE_LINKED,
}


def decision_about(line: FormerLine) -> FormerDecision | None:
    """The decision that counts, if there is one."""
    return line.decisions.filter(ended_at=None).select_related("decided_by", "application").first()


def is_signed(decision: FormerDecision) -> bool:
    """Whether a signed protocol holds the decision."""
    return FormerProtocol.objects.filter(
        batch__former_lines=decision.line_id,
        state=ProposalState.APPROVED,
        decided_at__gte=decision.decided_at,
    ).exists()


def may_be_decided(line: FormerLine) -> bool:
    """Whether a decision about the line may be made now: there is none, or only one of a signed protocol."""
    if not line.problem or line.batch.undone_at is not None:
        return False
    decision = decision_about(line)
    return decision is None or _may_be_followed(decision)


def may_be_taken_back(line: FormerLine) -> bool:
    """Whether there is a decision about the line that no signed protocol holds."""
    decision = decision_about(line)
    return decision is not None and line.batch.undone_at is None and not is_signed(decision)


def row_of(line: FormerLine, values: Mapping[str, str] | None = None) -> Row:
    """What stands in a line, with `values` in place of some of its cells; empty once it was erased."""
    cells = json.loads(line.cells) if line.cells else {}
    changed = {name: tidy(text) for name, text in (values or {}).items()}
    return read_row(line.line, {**cells, **changed}, by_name(COLUMNS))


def corrected_in(decision: FormerDecision, line: FormerLine) -> list[tuple[str, str, str]]:
    """What was typed in place of cells of the line: column, former value, new value. Nothing once they were erased."""
    before = row_of(line).cells
    after = json.loads(decision.values) if decision.values else {}
    return [(name, before.get(name, ""), text) for name, text in after.items()]


def meaning_of(line: FormerLine, values: Mapping[str, str], *, by: User | None, now: datetime) -> OldRow:
    """What the line means with these values, by the check of the file itself. Raises `LeftOut` with every fault.

    `by` None may act in every locality.
    """
    row = row_of(line, values)
    if row.faults:
        raise LeftOut(*row.faults)
    localities = own_localities(Queue(), by) if by else None
    places = None if localities is None else frozenset(localities)
    old = Reader(Run(line.batch, by, places, now, is_trial=True)).read(row)
    if row.values.get("state") == FormerState.LEFT:
        raise LeftOut(row.fault("state", Problem.LEFT))
    same = FormerRow.objects.filter(batch=line.batch, locality=old.locality, old_number=old.old_number)
    if (earlier := same.exclude(line=line.line).first()) is not None:
        raise LeftOut(row.fault("old_number", Problem.REPEATED, earlier=earlier.line))
    known = Known([row], new=[row])
    if same_child := known.same_child(row, old):
        raise LeftOut(
            row.fault("child_iin" if old.iin else "certificate", Problem.SAME_CHILD, what=same_child[1])
        )
    if known.holders(old):
        raise LeftOut(row.fault("old_number", Problem.NUMBER_TAKEN))
    return old


def take_in(
    line: FormerLine, *, values: Mapping[str, str], reason: str, actor: User, now: datetime
) -> FormerDecision:
    """Bring the line in at its old date, with `values` in place of the cells that were wrong.

    Raises `PermissionDenied`; `ValidationError` with the faults that are left; `Refused`: REASON_MISSING, FILE_UNDONE,
    LINE_NOT_LEFT_OUT, LINE_ERASED, ALREADY_DECIDED, CHANGED_MEANWHILE, CHILD_HERE, OWN_CHILD, BUSY.
    """
    with locking():
        line = _begin(line, actor=actor, reason=reason, now=now)
        if not line.cells:
            raise Refused(Refusal.LINE_ERASED)
        try:
            old = meaning_of(line, values, by=actor, now=now)
        except LeftOut as left_out:
            raise ValidationError([f"{one.sentence} {one.remedy}" for one in left_out.faults]) from left_out
        if applications_here([(old.iin, old.paper_number)]):
            raise Refused(Refusal.CHILD_HERE)
        try:
            bring_in([old], batch=line.batch, actor=actor, now=now)
        except InQueueAlready as error:
            raise Refused(Refusal.CHILD_HERE) from error
        application = Application.objects.select_related("child").get(
            former__batch=line.batch, former__line=line.line
        )
        refuse_own_child(application.child, actor)
        line.application, line.locality, line.birth_year = application, old.locality, application.birth_year
        line.save(update_fields=["application", "locality", "birth_year"])
        if old.locality.pk not in line.batch.places:
            line.batch.places = sorted([*line.batch.places, old.locality.pk])
            line.batch.save(update_fields=["places"])
        return _decide(
            line, LineDecision.TAKEN_IN, application, values=values, actor=actor, reason=reason, now=now
        )


def leave_out(line: FormerLine, *, reason: str, actor: User, now: datetime) -> FormerDecision:
    """Leave the line out for good. Raises like `take_in`."""
    with locking():
        line = _begin(line, actor=actor, reason=reason, now=now)
        return _decide(line, LineDecision.LEFT_OUT, None, actor=actor, reason=reason, now=now)


def link(
    line: FormerLine, application: Application, *, reason: str, actor: User, now: datetime
) -> FormerDecision:
    """Say that the line is the same child as `application`, which stays as it is. Raises like `take_in`."""
    with locking():
        line = _begin(line, actor=actor, reason=reason, now=now)
        refuse_own_child(application.child, actor)
        return _decide(line, LineDecision.LINKED, application, actor=actor, reason=reason, now=now)


def application_numbered(text: str, *, actor: User, now: datetime) -> Application:
    """The live application, or the one with a place, with this number, however it is typed, where `actor` works.

    Raises `Refused(NO_SUCH_APPLICATION)`.
    """
    numbers = {read(text).application, text.strip()} - {""}
    there = Application.objects.filter(number__in=numbers, state__in=HERE).select_related("child", "locality")
    found = own_rows(there, user=actor, now=now).first()
    if found is None:
        raise Refused(Refusal.NO_SUCH_APPLICATION)
    return found


def take_back(line: FormerLine, *, reason: str, actor: User, now: datetime) -> None:
    """Let the line be undecided again; what it was brought in as leaves the queue.

    Not once its family has claimed it, or a newer file has changed it.

    Raises `PermissionDenied`, `Refused`: REASON_MISSING, FILE_UNDONE, LINE_UNDECIDED, DECISION_SIGNED,
    CHANGED_MEANWHILE, GONE_ON, LINE_ERASED, BUSY.
    """
    with locking():
        line = _lock(line, actor=actor, reason=reason, now=now)
        decision = decision_about(line)
        if decision is None:
            raise Refused(Refusal.LINE_UNDECIDED)
        if is_signed(decision):
            raise Refused(Refusal.DECISION_SIGNED)
        if decision.kind == LineDecision.TAKEN_IN:
            _take_out(line, actor=actor, reason=reason, now=now)
        _end(decision, actor=actor, now=now)
        _record(Action.LINE_TAKEN_BACK, line, actor=actor, reason=reason, now=now)


def _lock(line: FormerLine, *, actor: User, reason: str, now: datetime) -> FormerLine:
    """The line as it is now, its file locked: nobody else decides, signs or undoes until the transaction ends."""
    require(actor, DECIDE)
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    batch = ImportBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=line.batch_id)
    if batch.undone_at is not None:
        raise Refused(Refusal.FILE_UNDONE)
    # Whoever waited for the lock would be told of as if a later protocol held it.
    later = Q(proposed_at__gt=now) | Q(decided_at__gt=now)
    if FormerProtocol.objects.filter(later, batch=batch).exists():
        raise Refused(Refusal.CHANGED_MEANWHILE)
    locked = FormerLine.objects.select_related("locality").get(pk=line.pk)
    locked.batch = batch
    _refuse_own(locked, actor)
    demand_own(locked, user=actor, now=now)
    return locked


def _begin(line: FormerLine, *, actor: User, reason: str, now: datetime) -> FormerLine:
    """`_lock`, where a decision may be made. Ends the one of a signed protocol that this one follows."""
    line = _lock(line, actor=actor, reason=reason, now=now)
    if not line.problem:
        raise Refused(Refusal.LINE_NOT_LEFT_OUT)
    former = decision_about(line)
    if former is not None:
        if not _may_be_followed(former):
            raise Refused(Refusal.ALREADY_DECIDED)
        _end(former, actor=actor, now=now)
    return line


def _may_be_followed(decision: FormerDecision) -> bool:
    """Whether another decision may follow this one: it is signed, and the line is not in the queue."""
    return decision.kind != LineDecision.TAKEN_IN and is_signed(decision)


def _refuse_own(line: FormerLine, actor: User) -> None:
    """Nobody decides about a line that names them as guardian, or their child."""
    values = row_of(line).values
    if actor.staff_iin_hashes & set(iin_hashes(values.get("guardian_iin", ""))):
        raise Refused(Refusal.OWN_CHILD)
    iin, certificate = values.get("child_iin", ""), values.get("certificate", "")
    for child in children_with(iin=iin, paper_number=certificate) if iin or certificate else ():
        refuse_own_child(child, actor)


def _decide(
    line: FormerLine,
    kind: LineDecision,
    application: Application | None,
    *,
    values: Mapping[str, str] | None = None,
    actor: User,
    reason: str,
    now: datetime,
) -> FormerDecision:
    before, after = row_of(line).cells, row_of(line, values).cells
    corrected = {name: text for name, text in after.items() if text != before.get(name, "")}
    decision = FormerDecision.objects.create(
        line=line,
        kind=kind,
        application=application,
        values=json.dumps(corrected, ensure_ascii=False) if corrected else "",
        reason=reason.strip(),
        decided_at=now,
        decided_by=actor,
    )
    _record(_ACTIONS[kind], line, actor=actor, reason=reason, now=now)
    return decision


def _end(decision: FormerDecision, *, actor: User, now: datetime) -> None:
    decision.ended_at, decision.ended_by = now, actor
    decision.save(update_fields=["ended_at", "ended_by"])


def _take_out(line: FormerLine, *, actor: User, reason: str, now: datetime) -> None:
    """Take what the line was brought in as out of the queue; the line is left out as before."""
    if not line.cells:
        raise Refused(Refusal.LINE_ERASED)
    assert line.application_id is not None
    application = lock_application(line.application_id)
    # A newer file gives back what it changed when it is undone, so what it changed has to be there.
    is_changed = FormerChange.objects.filter(application=application, batch__undone_at=None).exists()
    if application.is_claimed or is_changed or not is_allowed(Move.TAKE_IMPORT_BACK, application.state):
        raise Refused(Refusal.GONE_ON)
    StopListEntry.objects.filter(application=application, lifted_at=None).update(
        lifted_at=Least(F("until"), Value(now))
    )
    move(application, Move.TAKE_IMPORT_BACK, actor=actor, now=now, reason=reason, archived_at=now)
    # What the file said of it stands in the line, which may be taken in once more.
    FormerRow.objects.filter(application=application).delete()
    row = row_of(line)
    reader = Reader(Run(line.batch, actor, None, now, is_trial=True))
    line.application = None
    line.locality, line.birth_year = reader.queue_of(row)
    line.save(update_fields=["application", "locality", "birth_year"])


def _record(action: Action, line: FormerLine, *, actor: User, reason: str, now: datetime) -> None:
    target = f"{line.batch.file_name} · {line.line}"
    audit.record(action, actor=actor, target=target, reason=reason.strip(), about=line, now=now)
