"""Taking a file that an employee brings, checking it, loading it: both by a worker, who says how far it is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Final, cast

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import get_language, override

from accounts import making
from accounts.models import User
from accounts.stored_files import delete_after_commit
from applications.city.kinds import KINDS
from applications.models import BroughtFile
from applications.models.brought_file import KEPT_FOR
from bulletin.importing.kinds import PORTION, Kind
from bulletin.importing.problems import Fault, Problem, Unreadable
from bulletin.importing.running import (
    AnotherAtWork,
    Disturbed,
    Report,
    State,
    Tell,
    own_localities,
    run_import,
)
from bulletin.models import ImportBatch
from notifications.alone import alone
from notifications.broker import wake_on_commit
from notifications.clock import read_clock
from notifications.sweeps import sweep

LEASE: Final = timedelta(minutes=2)
# The task that also makes employees' files.
TASK: Final = "applications.tasks.make_files"
Step, Made = BroughtFile.Step, BroughtFile.State


class NotNow(Exception):
    """The file is not in the state in which it could be loaded: it is checked, was loaded, or is over."""


@transaction.atomic
def bring(user: User, kind: Kind, content: "File[bytes]", *, now: datetime) -> BroughtFile:
    """Keep a file and let a worker check it, in the language of the page. Nothing is loaded yet."""
    name = PurePath(content.name or "").name[:200] or "—"
    brought = BroughtFile(user=user, kind=kind.name, name=name, language=get_language() or "kk", asked_at=now)
    brought.file.save(f"{brought.pk.hex}.table", content, save=False)
    brought.save(force_insert=True)
    wake_on_commit(TASK)
    return brought


@transaction.atomic
def load(brought: BroughtFile, *, skip_bad: bool, take_absent: bool = False, now: datetime) -> None:
    """Let a worker load what was checked; with `skip_bad` bad rows are left out, with `take_absent` as in `Run`.

    Raises `NotNow`. Locks the row.
    """
    locked = BroughtFile.objects.select_for_update().get(pk=brought.pk)
    if not is_loadable(locked, now=now):
        raise NotNow
    locked.step, locked.skip_bad, locked.state = Step.LOAD, skip_bad, Made.WAITING
    locked.take_absent = take_absent
    locked.attempts, locked.done = 0, 0
    locked.save(update_fields=["step", "skip_bad", "take_absent", "state", "attempts", "done"])
    wake_on_commit(TASK)


def is_loadable(brought: BroughtFile, *, now: datetime) -> bool:
    """Whether it was checked and can be loaded now: something would change, as far as its report says."""
    if brought.step != Step.CHECK or brought.state != Made.READY or brought.report is None:
        return False
    counts = brought.report["counts"]
    changes = counts["added"] + counts["changed"] + absent_from(brought)
    return now < brought.asked_at + KEPT_FOR and changes > 0


def absent_from(brought: BroughtFile) -> int:
    """How many a checked file can take out of those whom earlier ones brought in and it does not have.

    Nobody has claimed them, and no official has decided about them.
    """
    notes = [Fault.of_json(note) for note in (brought.report or {}).get("notes", ())]
    values = {note.problem: note.values for note in notes}
    if (absent := values.get(Problem.ABSENT)) is None:
        return 0
    decided = values.get(Problem.ABSENT_DECIDED, {"count": 0})["count"]
    return int(absent["count"] - absent["claimed"] - decided)


def take_links(brought: BroughtFile) -> str:
    """The one-time links of the employees it added, this once; empty when they were taken. Locks the row."""
    with transaction.atomic():
        locked = BroughtFile.objects.select_for_update().get(pk=brought.pk)
        links, locked.links = locked.links, ""
        locked.save(update_fields=["links"])
    return cast(str, links)


def work_off(*, now: datetime) -> int:
    """Check and load the files that wait; returns how many were looked at. One tried three times is given up.

    Of all workers one at a time: a file takes minutes, and the others are for what has its hour.
    """
    rows = BroughtFile.objects.select_related("user").order_by("asked_at")
    with alone("files of the city") as is_ours:
        waiting = making.to_make(rows, now=now, lease=LEASE)[:20] if is_ours else rows.none()
        return sweep(list(waiting), work)


def work(brought: BroughtFile) -> bool:
    """Do the step of one file unless another worker does; whether it is done. Call it outside of a transaction."""
    now = read_clock()
    if not making.take(brought, now=now, lease=LEASE):
        return False
    kind = KINDS.get(brought.kind)
    if kind is None or not kind.may_be_loaded_by(brought.user):
        making.held(brought).update(state=Made.FAILED)
        return False
    try:
        with override(brought.language), telling(brought) as tell, brought.file.open("rb") as content:
            report = run_import(
                kind,
                content.file,
                file_name=brought.name,
                now=now,
                by=brought.user,
                localities=own_localities(kind, brought.user),
                dry_run=brought.step == Step.CHECK,
                skip_bad=brought.skip_bad,
                take_absent=brought.take_absent,
                tell=tell,
            )
    except Unreadable as refused:
        return bool(making.held(brought).update(state=Made.READY, trouble=refused.fault.as_json()))
    except AnotherAtWork:
        # The next turn comes within a minute; this one was no attempt.
        making.held(brought).update(state=Made.WAITING, attempts=F("attempts") - 1)
        return False
    except making.TakenByAnother:
        return False
    except Disturbed:
        making.give_back(brought)
        return False
    except Exception:
        making.give_back(brought)
        raise
    return _keep(brought, report)


@contextmanager
def telling(brought: BroughtFile) -> Iterator[Tell]:
    """Says how far it is, by another connection: nobody sees what the import's transaction writes until its end."""

    def note(done: int) -> None:
        making.go_on(brought, done=done // PORTION, total=_portions(brought), now=read_clock())

    def leave() -> None:
        connection.close()

    with ThreadPoolExecutor(max_workers=1) as teller:
        try:
            yield lambda done: teller.submit(note, done).result()
        finally:
            teller.submit(leave).result()


def _portions(brought: BroughtFile) -> int:
    """How many portions the file has, once it was checked."""
    return sum(brought.report["counts"].values()) // PORTION if brought.report else 0


@transaction.atomic
def _keep(brought: BroughtFile, report: Report) -> bool:
    links = "".join(f"{one['login']}\t{one['name']}\t{one['link']}\n" for one in report.secrets)
    batch = ImportBatch.objects.filter(pk=report.batch).first() if report.batch else None
    if brought.step == Step.LOAD and report.state is State.SAME:
        # Whoever loaded it died before saying so.
        batch = ImportBatch.objects.filter(
            loaded_by=brought.user, sha256=report.sha256, loaded_at__gte=brought.asked_at
        ).first()
    kept = making.held(brought).update(
        state=Made.READY, ready_at=read_clock(), report=report.as_json(), batch=batch, links=links
    )
    if brought.step == Step.LOAD and kept:
        delete_after_commit(brought.file)
        BroughtFile.objects.filter(pk=brought.pk).update(file="")
    return bool(kept)


def over(*, now: datetime) -> QuerySet[BroughtFile]:
    """Those whose day is over, loaded or not."""
    return BroughtFile.objects.filter(asked_at__lte=now - KEPT_FOR).exclude(state=Made.WORKING)


def purge(*, now: datetime) -> int:
    """Delete those that are over, with their files and links; returns how many."""

    def delete(brought: BroughtFile) -> None:
        with transaction.atomic():
            delete_after_commit(brought.file)
            brought.delete()

    return sweep(over(now=now), delete)
