"""A newer file of the former queue is undone: what it changed gets its former values, whom it dropped returns."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.models import User
from applications.models import Application, Event, FormerChange
from applications.moves import event_of
from applications.queue.buckets import fold_buckets
from applications.states import HERE, LIVE_STATES, ApplicationState, Move
from applications.waiting.bringing_anew import Change, write_changes
from applications.waiting.bringing_in import PORTION
from applications.waiting.former_values import differing_names, instant, left_of, said_of
from bulletin.models import ImportBatch
from children.models import Child


def changes_of(batch: ImportBatch) -> dict[UUID, tuple[FormerChange, Application]]:
    """What a file changed and may still be taken back, with the applications as they are now.

    Locks the children of those that it dropped, so that nobody files for one meanwhile, then the applications.
    """
    kept = {one.application_id: one for one in FormerChange.objects.filter(batch=batch)}
    dropped = Application.objects.filter(pk__in=[key for key, one in kept.items() if one.is_dropped])
    children = Child.objects.filter(pk__in=dropped.values("child"))
    list(children.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    others = Application.objects.filter(child=OuterRef("child"), state__in=HERE).exclude(pk=OuterRef("pk"))
    drops = FormerChange.objects.filter(application=OuterRef("pk"), is_dropped=True).exclude(batch=batch)
    rows = Application.objects.filter(pk__in=kept).select_for_update(of=("self",), no_key=True)
    found = rows.select_related("former__batch", "locality").prefetch_related("benefits", "stops")
    found = found.annotate(is_here_again=Exists(others), is_dropped_by_another=Exists(drops))
    return {one.pk: (kept[one.pk], one) for one in found.order_by("pk")}


def why_not_back(kept: FormerChange, application: Application, *, now: datetime) -> list[str]:
    """The values that are no longer those that the file gave it; empty where they can be taken back.

    What ended by itself is no change: a stop, a benefit, the time until school. `application` is one of `changes_of`.
    """
    if _is_out_with_its_file(application):
        return []
    is_over = application.state == ApplicationState.ARCHIVED
    if kept.is_dropped:
        return [] if is_over and not application.is_here_again else ["state"]  # type: ignore[attr-defined]
    if is_over:
        return ["state"] if application.is_dropped_by_another else []  # type: ignore[attr-defined]
    after = json.loads(kept.after)
    differing = differing_names(left_of(after, now=now), said_of(application, now=now))
    if "stopped_until" not in differing and _was_lifted(application, instant(after.get("stopped_until"))):
        differing.append("stopped_until")
    return differing


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
        if _is_out_with_its_file(application):
            continue
        before = json.loads(kept.before)
        if kept.is_dropped:
            returned.append(application)
            changed.append(Change(application.pk, 0, {}, before))
        elif application.state in LIVE_STATES:
            changed.append(Change(application.pk, 0, json.loads(kept.after), before))
    _return(returned, batch=batch, actor=actor, now=now)
    write_changes(changed, batch=batch, actor=actor, now=now)
    FormerChange.objects.filter(batch=batch).delete()
    fold_buckets()


def _is_out_with_its_file(application: Application) -> bool:
    """Whether the file that brought it in was undone: then nothing of it is left to be given back."""
    return application.former.batch.undone_at is not None


def _was_lifted(application: Application, until: datetime | None) -> bool:
    """Whether the stop until then ended before its time, by somebody's decision or another file."""
    return any(
        one.until == until and one.lifted_at is not None and one.lifted_at < one.until
        for one in application.stops.all()
    )


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
