"""A newer file of the former queue: what it says otherwise of applications that nobody has claimed.

A claimed application is its family's, and no file changes it.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Final
from uuid import UUID

from accounts.identity import iin_hash, phone_hash
from accounts.models import User
from applications.models import (
    Application,
    Benefit,
    BenefitCategory,
    Event,
    FormerChange,
    FormerDecision,
    FormerRow,
    Rules,
    StopListEntry,
)
from applications.models.former import number_key
from applications.moves import event_of
from applications.queue.buckets import fold_buckets
from applications.rules.running_out import PREFETCH, first_end
from applications.states import ApplicationState, BenefitState, LineDecision, Move, Tier, state_after
from applications.waiting.bringing_in import PORTION, take_out
from applications.waiting.former_values import Said, differing_names, instant, left_of, said_of
from bulletin.models import ImportBatch

_OF_ROW: Final = ("old_number", "filed_text", "guardian_iin", "phone")


@dataclass(frozen=True)
class Change:
    """What a line of a newer file says otherwise of one application: the values before and after. 0: no line has it."""

    application: UUID
    line: int
    before: Said
    after: Said

    @property
    def names(self) -> list[str]:
        """The values that a reader is told of."""
        return differing_names(self.after, self.before)


class ChangedMeanwhile(Exception):
    """Since the file was compared with it an application was claimed, has left, or officials decided about it."""


def decided_here(applications: Iterable[UUID]) -> set[UUID]:
    """Those of which somebody here has decided something that a file must not undo. Two queries a portion."""
    asked, found = iter(applications), set[UUID]()
    while portion := list(islice(asked, PORTION)):
        decided = Event.objects.filter(application__in=portion, actor__isnull=False)
        # What a file did names its batch.
        found.update(decided.exclude(data__has_key="batch").values_list("application", flat=True))
        taken_in = FormerDecision.objects.filter(application__in=portion, kind=LineDecision.TAKEN_IN)
        found.update(taken_in.filter(ended_at=None).values_list("application", flat=True))
    return found


def bring_anew(
    changes: Sequence[Change],
    dropped: Collection[UUID],
    *,
    batch: ImportBatch,
    actor: User | None,
    now: datetime,
) -> None:
    """Let these applications be as the newer file `batch` says, and the dropped ones leave; nobody is told.

    Each gets its event, and what was there is kept for as long as the file can be undone. Raises `ChangedMeanwhile`,
    with nothing done; `ValueError` where nobody answers for a benefit. In a transaction; locks the applications.
    """
    _hold([*(one.application for one in changes), *dropped])
    if changes:
        _change_and_keep(changes, batch=batch, actor=actor, now=now)
    if dropped:
        _drop(dropped, batch=batch, actor=actor, now=now)


def write_changes(
    changes: Sequence[Change], *, batch: ImportBatch, actor: User | None, now: datetime
) -> None:
    """Give these locked applications the values of their changes, each with its event. Raises `ValueError` as above."""
    for start in range(0, len(changes), PORTION):
        _write(changes[start : start + PORTION], _Writing(batch, actor, now))


def _hold(applications: Collection[UUID]) -> None:
    """Lock all of them before any is changed, in the order of their keys: of a claim and a file one comes first."""
    rows = Application.objects.filter(pk__in=applications).select_for_update(no_key=True).order_by("pk")
    states = (ApplicationState.WAITING, ApplicationState.STOP_LISTED)
    for claimant, state in rows.values_list("filed_by", "state"):
        if claimant is not None or state not in states:
            raise ChangedMeanwhile
    if decided_here(applications):
        raise ChangedMeanwhile


def _change_and_keep(
    changes: Sequence[Change], *, batch: ImportBatch, actor: User | None, now: datetime
) -> None:
    FormerChange.objects.bulk_create(
        (
            FormerChange(
                batch=batch,
                line=one.line,
                application_id=one.application,
                before=_kept(one.before),
                after=_kept(one.after),
            )
            for one in changes
        ),
        batch_size=PORTION,
    )
    write_changes(changes, batch=batch, actor=actor, now=now)
    fold_buckets()


def _drop(applications: Collection[UUID], *, batch: ImportBatch, actor: User | None, now: datetime) -> None:
    found = _read(applications)
    FormerChange.objects.bulk_create(
        (
            FormerChange(
                batch=batch, line=0, application=one, before=_kept(said_of(one, now=now)), is_dropped=True
            )
            for one in found
        ),
        batch_size=PORTION,
    )
    take_out(found, Move.DROP_IMPORT, actor=actor, now=now, data={"batch": batch.pk})


def _read(applications: Collection[UUID]) -> list[Application]:
    rows = Application.objects.filter(pk__in=applications).select_related("former", "locality")
    return list(rows.prefetch_related("benefits", "stops").order_by("pk"))


@dataclass
class _Writing:
    """A portion of changes under way: who answers for it, and the stops and benefits that are written at once."""

    batch: ImportBatch
    actor: User | None
    now: datetime
    new_stops: list[StopListEntry] = field(default_factory=list)
    stops: list[StopListEntry] = field(default_factory=list)
    new_benefits: list[Benefit] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)

    def save(self) -> None:
        # What ends makes room for what begins.
        StopListEntry.objects.bulk_update(self.stops, ["until", "lifted_at", "lifted_by"])
        StopListEntry.objects.bulk_create(self.new_stops)
        Benefit.objects.bulk_update(self.benefits, ["state", "valid_until"])
        Benefit.objects.bulk_create(self.new_benefits)

    def stop(self, application: Application, until: datetime | None) -> Move | None:
        """Let the application wait outside of the queue until then, or no more; by which move."""
        running = next((one for one in application.stops.all() if one.lifted_at is None), None)
        if running is not None:
            self.stops.append(running)
        if running is not None and until is not None:
            running.until = until
            return None
        if running is not None:
            running.lifted_at, running.lifted_by = min(self.now, running.until), self.actor
            step = Move.LIFT_STOP
        elif until is not None:
            self.new_stops.append(StopListEntry(application=application, starts_at=self.now, until=until))
            step = Move.STOP_IMPORT
        else:
            return None
        application.state = state_after(step, application.state)
        return step

    def benefit(self, application: Application, category: int | None, until: datetime | None) -> None:
        """Let this benefit of the former queue count and no other, and the part of the queue follow."""
        verified = [one for one in application.benefits.all() if one.state == BenefitState.VERIFIED]
        for one in verified:
            if one.category_id == category:
                one.valid_until = until
            else:
                one.state, one.valid_until = BenefitState.EXPIRED, min(one.valid_until or self.now, self.now)
        self.benefits += verified
        if category is None:
            application.tier = Tier.GENERAL
            return
        if category not in {one.category_id for one in verified}:
            self.new_benefits.append(self._benefit(application, category, until))
        application.tier = Tier(self._categories[category].tier)

    def _benefit(self, application: Application, category: int, until: datetime | None) -> Benefit:
        return Benefit(
            application=application,
            category=self._categories[category],
            state=BenefitState.VERIFIED,
            claimed_at=self.now,
            claimed_by=self._verifier,
            decided_at=self.now,
            decided_by=self._verifier,
            valid_until=until,
        )

    @cached_property
    def _categories(self) -> dict[int, BenefitCategory]:
        return BenefitCategory.objects.in_bulk()

    @cached_property
    def _verifier(self) -> User:
        verifier = self.actor or self.batch.loaded_by
        if verifier is None:
            raise ValueError("an employee answers for the benefits of the former queue")
        return verifier


def _write(changes: Sequence[Change], writing: _Writing) -> None:
    of = {one.application: one for one in changes}
    found = _read(of)
    events = [_apply(one, of[one.pk], writing) for one in found]
    writing.save()
    former = [one.former for one in found]
    FormerRow.objects.bulk_update(
        former, [*_OF_ROW, "number_key", "guardian_hash", "phone_hash", "invited_at", "locality"]
    )
    Application.objects.bulk_update(
        found, ["locality", "filed_at", "languages", "tier", "state", "interest_confirmed_at"]
    )
    Event.objects.bulk_create(events)
    # With its benefits and stops as they are now.
    rules = list(Rules.objects.all())
    anew = list(Application.objects.filter(pk__in=of).select_related("locality").prefetch_related(*PREFETCH))
    for application in anew:
        application.runs_out_at = first_end(application, now=writing.now, rules=rules)
    Application.objects.bulk_update(anew, ["runs_out_at"])


def _apply(application: Application, change: Change, writing: _Writing) -> Event:
    """Set the values of one application, its benefits and stops; neither these nor the event are saved yet."""
    said, before = left_of(change.after, now=writing.now), application.state
    step = writing.stop(application, instant(said["stopped_until"])) if "stopped_until" in said else None
    if "locality" in said:
        application.locality_id = application.former.locality_id = said["locality"]
    for name in ("filed_at", "interest_confirmed_at"):
        if name in said:
            setattr(application, name, instant(said[name]))
    application.languages = said.get("languages", application.languages)
    if "benefit" in said:
        writing.benefit(application, said["benefit"], instant(said["benefit_until"]))
    _set_row(application.former, said)
    data = {"batch": writing.batch.pk, "line": change.line, "changed": change.names}
    return event_of(
        application,
        step or Move.CHANGE_IMPORT,
        before=before,
        actor=writing.actor,
        now=writing.now,
        data=data,
    )


def _set_row(row: FormerRow, said: Said) -> None:
    for name in _OF_ROW:
        setattr(row, name, said.get(name, getattr(row, name)))
    row.number_key = number_key(row.old_number)
    row.guardian_hash, row.phone_hash = iin_hash(row.guardian_iin), phone_hash(row.phone)
    if "invited_at" in said:
        row.invited_at = instant(said["invited_at"])


def _kept(said: Said) -> str:
    return json.dumps(said, ensure_ascii=False)
