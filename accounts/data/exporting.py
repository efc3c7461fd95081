"""A copy of one's own data: asked for once a day, made by a worker, kept for 24 hours."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import override

from accounts import audit, making
from accounts.data.parts import parts
from accounts.data.sections import Section, path_of, written
from accounts.journal_actions import Action
from accounts.models import DataExport, User
from accounts.stored_files import delete_after_commit
from notifications.broker import wake_on_commit
from notifications.services import enqueue
from notifications.sweeps import sweep

ONE_IN: Final = timedelta(days=1)
KEPT_FOR: Final = timedelta(hours=24)
# A worker that has not finished by then is dead.
_LEASE: Final = timedelta(minutes=15)
TASK: Final = "accounts.tasks.make_exports"
State = DataExport.State


class TooSoon(Exception):
    """A copy was asked for already; the next one may be from `free_at` on."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__()
        self.free_at = free_at


def newest_of(user: User) -> DataExport | None:
    """The copy that `user` asked for last, unless it is deleted."""
    return DataExport.objects.filter(user=user).first()


def is_downloadable(export: DataExport, *, now: datetime) -> bool:
    """Whether it can be downloaded: for 24 hours since it was ready."""
    return export.state == State.READY and export.ready_at is not None and now < export.ready_at + KEPT_FOR


def free_at(export: DataExport | None) -> datetime | None:
    """The first instant at which another copy may be asked for; None: at once. One that failed does not count."""
    return export.asked_at + ONE_IN if export is not None and export.state != State.FAILED else None


def ask(user: User, *, address: str | None, now: datetime) -> DataExport:
    """Let a worker make a copy for `user`, who has confirmed it with the password. Raises `TooSoon`.

    Locks the user's row: of two presses one counts.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        free = free_at(newest_of(user))
        if free is not None and now < free:
            raise TooSoon(free)
        export = DataExport.objects.create(user=user, asked_at=now, total=len(sections()))
        audit.record(Action.DATA_ASKED_FOR, actor=user, subject=user, address=address, now=now)
        wake_on_commit(TASK)
    return export


def note_download(user: User, *, address: str | None, now: datetime) -> None:
    """Enter into the journal that `user` took the copy."""
    audit.record(Action.DATA_DOWNLOADED, actor=user, subject=user, address=address, now=now)


def to_make(*, now: datetime) -> QuerySet[DataExport]:
    """The copies that wait for a worker, or whose worker died."""
    rows = DataExport.objects.select_related("user").order_by("asked_at")
    return making.to_make(rows, now=now, lease=_LEASE)


def make_due(*, now: datetime) -> int:
    """Make the copies that wait; returns how many were looked at. One that failed three times is given up."""
    return sweep(list(to_make(now=now)[:20]), lambda export: make(export, now=now))


def make(export: DataExport, *, now: datetime) -> bool:
    """Make one copy unless another worker has taken it; whether it is ready. Call it outside of a transaction."""
    if not making.take(export, now=now, lease=_LEASE):
        return False
    try:
        with tempfile.TemporaryFile() as packed:
            _pack(export, packed, now=now)
            packed.seek(0)
            export.file.save(f"{export.pk.hex}.zip", File(packed), save=False)
    except Exception:
        making.give_back(export)
        raise
    with transaction.atomic():
        kept = (
            making.held(export)
            .filter(user__leaving_since=None)
            .update(state=State.READY, ready_at=now, file=export.file.name)
        )
        if not kept:
            delete_after_commit(export.file)
            return False
        with override(settings.LANGUAGE_CODE):
            link = reverse("accounts:export")
        enqueue(export.user, "export_ready", context={}, dedupe_key=f"export:{export.pk}", now=now, link=link)
    return True


def over(*, now: datetime) -> QuerySet[DataExport]:
    """The copies whose 24 hours are over, and those that were never made."""
    unmade = Q(ready_at=None, asked_at__lte=now - 2 * KEPT_FOR)
    return DataExport.objects.filter(Q(ready_at__lte=now - KEPT_FOR) | unmade)


def purge(*, now: datetime) -> int:
    """Delete the copies that are over, with their files; returns how many."""

    def delete(export: DataExport) -> None:
        with transaction.atomic():
            delete_after_commit(export.file)
            export.delete()

    return sweep(over(now=now), delete)


def sections() -> list[Section]:
    """What a copy consists of: every part's tables, from the lowest app up."""
    return [section for part in parts() for section in part.sections()]


def _pack(export: DataExport, packed: BinaryIO, *, now: datetime) -> None:
    """Write the copy as a zip: `data.json`, and the files that the person sent or got."""
    content: dict[str, Any] = {"made_at": now.isoformat(), "data_policy": settings.DATA_POLICY_VERSION}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, section in enumerate(sections(), start=1):
            rows = list(section.rows(export.user))
            content[section.name] = [written(section, row, reader=export.user) for row in rows]
            for path, stored in _files(section, rows, reader=export.user):
                try:
                    with stored.open("rb") as file:
                        archive.writestr(path, file.read())
                except FileNotFoundError:
                    # Its period ended meanwhile.
                    continue
            DataExport.objects.filter(pk=export.pk).update(done=number)
        archive.writestr("data.json", json.dumps(content, ensure_ascii=False, indent=1))


def _files(section: Section, rows: list[Any], *, reader: User) -> Iterator[tuple[str, Any]]:
    for row in rows:
        hidden = section.hide(reader, row)
        for name in section.files:
            if getattr(row, name) and name not in hidden:
                yield path_of(section, row, name), getattr(row, name)
