"""Keeping files: whole or not at all, and in words where the disk is full, read-only or gone."""

import errno
import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import Any, Final

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

# With less than that the next families' papers find no room: some thirty of the largest.
SPARE_BYTES: Final = 256 * 1024 * 1024
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
# What the disk answers, and not the code.
_DISK: Final = _FULL | {errno.EROFS, errno.EIO, errno.EFBIG, errno.ENODEV, errno.ESTALE}


class NotKept(Exception):
    """A file could not be kept, and nothing is left of it; the message says why and names the folder."""


class Room(StrEnum):
    """Whether the next file can be kept."""

    OK = "ok"
    FULL = "full"
    FAILING = "failing"


class KeptFiles(FileSystemStorage):
    """Files under MEDIA_ROOT. One that has its name is whole; of one that could not be written nothing is left.

    Saving raises `NotKept`. What a killed process leaves has a name that no row names, and the sweep finds it.
    """

    def _save(self, name: str, content: "File[Any]") -> str:
        part = f"{name}.{uuid.uuid4().hex}.part"
        try:
            super()._save(part, content)  # type: ignore[misc]  # the stubs lack it
            return self._give_name(part, name)
        except OSError as error:
            self._drop(part)
            raise NotKept(f"{self.path(name)}: {error.strerror or error}") from error
        except BaseException:
            self._drop(part)
            raise

    def _give_name(self, part: str, name: str) -> str:
        """Take the name, or one like it where another process was quicker; returns it."""
        while True:
            try:
                os.close(os.open(self.path(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                os.replace(self.path(part), self.path(name))
                return name

    def _drop(self, part: str) -> None:
        with suppress(OSError):
            os.remove(self.path(part))


def is_trouble_of_the_disk(error: BaseException | None) -> bool:
    """Whether `error` says that a file can't be kept now, which passes without anybody mending the code."""
    return isinstance(error, NotKept) or (isinstance(error, OSError) and error.errno in _DISK)


def try_keeping(root: Path) -> tuple[Room, str]:
    """Whether files can be kept under `root`, tried by writing one without a name; with a reason where they can't.

    A folder that is not there yet is one that the first file makes. May hang as long as the disk does.
    """
    folder = root
    try:
        # Behind a folder that may not be entered nobody can tell what is there: that is an error of its own.
        folder = next(path for path in (root, *root.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Room.FULL if error.errno in _FULL else Room.FAILING, f"{folder}: {error.strerror}"
    if free < SPARE_BYTES:
        return Room.FULL, f"{folder}: {free // 2**20} MB are free, {SPARE_BYTES // 2**20} are needed"
    return Room.OK, ""


def try_keeping_in_time(root: Path, *, seconds: float) -> tuple[Room, str]:
    """The same, and FAILING where there is no answer within `seconds`; the thread that hangs ends with the process."""
    found: list[tuple[Room, str]] = []
    thread = Thread(target=lambda: found.append(try_keeping(root)), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else (Room.FAILING, f"{root}: no answer within {seconds:.0f} seconds")
