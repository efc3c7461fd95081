"""A newer file of the former queue: what it says otherwise of applications that nobody has claimed.

What a file says of an application is a handful of plain values, `Said`: by them two files are compared, and by them a
change is made and taken back. A claimed application is its family's, and no file changes it.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from accounts.identity import iin_hash, phone_hash
from accounts.models import User
from applications.models import (
    Application,
    Benefit,
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
from applications.states import (
    LIVE_STATES,
    ApplicationState,
    BenefitState,
    LineDecision,
    Move,
    Tier,
    state_after,
)
from applications.waiting.bringing_in import PORTION, OldRow, take_out
from bulletin.models import ImportBatch

# The values of a file by their names; instants in ISO 8601, a locality and a benefit by their keys.
Said = dict[str, Any]

_OF_ROW: Final = ("old_number", "filed_text", "guardian_iin", "phone")


@dataclass(frozen=True)
class Change:
    """What a line of a newer file says otherwise of one application: the values before and after. 0: no line has it."""

    application: UUID
    line: int
    before: Said
    after: Said


class ChangedMeanwhile(Exception):
    """An application that is to be changed was claimed, or has left, since the file was compared with it."""


def said_by(row: OldRow) -> Said:
    """What a row of a file says."""
    return {
        "locality": row.locality.pk,
        "filed_at": _text(row.filed_at),
        "filed_text": row.filed_text,
        "old_number": row.old_number,
        "languages": list(row.languages),
        "guardian_iin": row.guardian_iin,
        "phone": row.phone,
        "benefit": row.benefit.pk if row.benefit else None,
        "benefit_until": _text(row.benefit_until),
        "stopped_until": _text(row.stopped_until),
        "interest_confirmed_at": _text(row.interest_confirmed_at),
    }


def said_of(application: Application, *, now: datetime) -> Said:
    """What the portal has of it at `now`, in the words of a file. Prefetch `former`, `benefits` and `stops`."""
    row = application.former
    benefit = next((one for one in application.benefits.all() if one.counts(now=now)), None)
    stop = next((one for one in application.stops.all() if one.lifted_at is None), None)
    return {
        "locality": application.locality_id,
        "filed_at": _text(application.filed_at),
        "filed_text": row.filed_text,
        "old_number": row.old_number,
        "languages": list(application.languages),
        "guardian_iin": row.guardian_iin,
        "phone": row.phone,
        "benefit": benefit.category_id if benefit else None,
        "benefit_until": _text(benefit.valid_until) if benefit else None,
        "stopped_until": _text(stop.until) if stop else None,
        "interest_confirmed_at": _text(application.interest_confirmed_at),
    }


def difference(old: Said, new: Said, *, names: Collection[str]) -> tuple[Said, Said]:
    """The values of `names` that differ: as they are, and as they would be. Pure.

    How a date was written is no difference by itself, nor is the order of languages. That a file does not say when
    interest was confirmed leaves what an earlier one said.
    """
    differing = {
        name
        for name in names
        if name != "filed_text" and _comparable(name, old[name]) != _comparable(name, new[name])
    }
    if new["interest_confirmed_at"] is None:
        differing.discard("interest_confirmed_at")
    if "filed_at" in differing:
        differing.add("filed_text")
    return {name: old[name] for name in sorted(differing)}, {name: new[name] for name in sorted(differing)}


def decided_here(applications: Iterable[Application]) -> set[UUID]:
    """Those of which somebody here has decided something that a file must not undo. Two queries."""
    asked = [one.pk for one in applications]
    decided = Event.objects.filter(application__in=asked, actor__isnull=False)
    taken_in = FormerDecision.objects.filter(application__in=asked, kind=LineDecision.TAKEN_IN, ended_at=None)
    # What a file did names its batch.
    by_event = decided.exclude(data__has_key="batch").values_list("application", flat=True)
    return {*by_event, *taken_in.values_list("application", flat=True)}


def change(changes: Sequence[Change], *, batch: ImportBatch, actor: User | None, now: datetime) -> None:
    """Let these applications be as the newer file `batch` says, each with its event; nobody is told.

    What was there is kept for as long as the file can be undone. Raises `ChangedMeanwhile`, with nothing done. In a
    transaction; locks the applications.
    """
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
    for start in range(0, len(changes), PORTION):
        _change(changes[start : start + PORTION], batch=batch, actor=actor, now=now)
    fold_buckets()


def drop(applications: Collection[UUID], *, batch: ImportBatch, actor: User | None, now: datetime) -> None:
    """Take those out of the queue whom the newer file `batch` has no more. As `change` does it."""
    found = _locked(applications)
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


def changes_of(batch: ImportBatch) -> dict[UUID, tuple[FormerChange, Application]]:
    """What a file changed and may still be taken back, with the applications as they are now, locked."""
    kept = {one.application_id: one for one in FormerChange.objects.filter(batch=batch)}
    rows = Application.objects.filter(pk__in=kept).select_for_update(of=("self",), no_key=True)
    found = rows.select_related("former__batch", "locality").prefetch_related("benefits", "stops")
    return {one.pk: (kept[one.pk], one) for one in found.order_by("pk")}


def why_not_back(kept: FormerChange, application: Application, *, now: datetime) -> list[str]:
    """The values that are no longer those that the file gave it; empty where they can be taken back."""
    if kept.is_dropped:
        again = Application.objects.filter(child=application.child_id, state__in=LIVE_STATES)
        return ["state"] if again.exists() or application.state != ApplicationState.ARCHIVED else []
    present, after = said_of(application, now=now), json.loads(kept.after)
    return [
        name for name, value in after.items() if _comparable(name, present[name]) != _comparable(name, value)
    ]


def take_changes_back(
    found: Iterable[tuple[FormerChange, Application]],
    *,
    batch: ImportBatch,
    actor: User | None,
    now: datetime,
) -> None:
    """Give these locked applications back what the file changed; the caller has asked `why_not_back`."""
    changed, returned = [], []
    for kept, application in found:
        before = json.loads(kept.before)
        if kept.is_dropped and application.former.batch.undone_at is not None:
            continue
        if kept.is_dropped:
            returned.append(application)
            changed.append(Change(application.pk, 0, {}, before))
        elif application.state in LIVE_STATES:
            changed.append(Change(application.pk, 0, json.loads(kept.after), before))
    _return(returned, batch=batch, actor=actor, now=now)
    for start in range(0, len(changed), PORTION):
        _change(changed[start : start + PORTION], batch=batch, actor=actor, now=now)
    FormerChange.objects.filter(batch=batch).delete()
    fold_buckets()


def _return(
    applications: Sequence[Application], *, batch: ImportBatch, actor: User | None, now: datetime
) -> None:
    for application in applications:
        application.state, application.archived_at = ApplicationState.WAITING, None
    Application.objects.bulk_update(applications, ["state", "archived_at"], batch_size=PORTION)
    Event.objects.bulk_create(
        event_of(
            one,
            Move.RETURN_IMPORT,
            before=ApplicationState.ARCHIVED,
            actor=actor,
            now=now,
            data={"batch": batch.pk},
        )
        for one in applications
    )


def _locked(applications: Collection[UUID]) -> list[Application]:
    """The applications as they are now, locked. Raises `ChangedMeanwhile` for one that no file may change any more."""
    rows = Application.objects.filter(pk__in=applications).select_for_update(of=("self",), no_key=True)
    found = list(
        rows.select_related("former", "locality").prefetch_related("benefits", "stops").order_by("pk")
    )
    states = (ApplicationState.WAITING, ApplicationState.STOP_LISTED)
    if any(one.is_claimed or one.state not in states for one in found):
        raise ChangedMeanwhile
    return found


def _change(changes: Sequence[Change], *, batch: ImportBatch, actor: User | None, now: datetime) -> None:
    of = {one.application: one for one in changes}
    found = _locked(of)
    events = [_apply(one, of[one.pk], batch=batch, actor=actor, now=now) for one in found]
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
        application.runs_out_at = first_end(application, now=now, rules=rules)
    Application.objects.bulk_update(anew, ["runs_out_at"])


def _apply(
    application: Application, change: Change, *, batch: ImportBatch, actor: User | None, now: datetime
) -> Event:
    """Set the values of one application, and write its benefits and stops; the event is not saved yet."""
    said, before = change.after, application.state
    step = (
        _stop(application, said["stopped_until"], actor=actor, now=now) if "stopped_until" in said else None
    )
    if "locality" in said:
        application.locality_id = application.former.locality_id = said["locality"]
    for name in ("filed_at", "interest_confirmed_at"):
        if name in said:
            setattr(application, name, _instant(said[name]))
    application.languages = said.get("languages", application.languages)
    if {"benefit", "benefit_until"} & said.keys():
        whole = said_of(application, now=now) | said
        application.tier = _benefit(
            application, whole["benefit"], _instant(whole["benefit_until"]), batch=batch, actor=actor, now=now
        )
    _set_row(application.former, said)
    data = {"batch": batch.pk, "line": change.line, "changed": sorted(said)}
    return event_of(application, step or Move.CHANGE_IMPORT, before=before, actor=actor, now=now, data=data)


def _set_row(row: FormerRow, said: Said) -> None:
    for name in _OF_ROW:
        setattr(row, name, said.get(name, getattr(row, name)))
    row.number_key = number_key(row.old_number)
    row.guardian_hash, row.phone_hash = iin_hash(row.guardian_iin), phone_hash(row.phone)
    if "phone" in said:
        row.invited_at = None


def _stop(application: Application, until: str | None, *, actor: User | None, now: datetime) -> Move | None:
    """Let the application wait outside of the queue until then, or no more; by which move."""
    running = application.stops.filter(lifted_at=None).first()
    end = _instant(until)
    if end is None or end <= now:
        if running is None:
            return None
        running.lifted_at, running.lifted_by = now, actor
        running.save(update_fields=["lifted_at", "lifted_by"])
        step = Move.LIFT_STOP
    elif running is not None:
        running.until = end
        running.save(update_fields=["until"])
        return None
    else:
        StopListEntry.objects.create(application=application, starts_at=now, until=end)
        step = Move.STOP_IMPORT
    application.state = state_after(step, application.state)
    return step


def _benefit(
    application: Application,
    category: int | None,
    until: datetime | None,
    *,
    batch: ImportBatch,
    actor: User | None,
    now: datetime,
) -> Tier:
    """Let this benefit of the former queue count and no other; the part of the queue that follows."""
    counting = application.benefits.filter(state=BenefitState.VERIFIED)
    counting.exclude(category=category).update(state=BenefitState.EXPIRED, valid_until=now)
    if category is None:
        return Tier.GENERAL
    verified_by = actor or batch.loaded_by
    assert verified_by is not None
    benefit, _made = Benefit.objects.update_or_create(
        application=application,
        category_id=category,
        state=BenefitState.VERIFIED,
        defaults={"valid_until": until},
        create_defaults={
            "valid_until": until,
            "claimed_at": now,
            "claimed_by": verified_by,
            "decided_at": now,
            "decided_by": verified_by,
        },
    )
    return Tier(benefit.category.tier) if benefit.counts(now=now) else Tier.GENERAL


def _comparable(name: str, value: Any) -> Any:
    return sorted(value) if name == "languages" else value


def _kept(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
