"""Web processes that are alive and answer nothing: stopped, or with an interpreter that hangs. They are replaced.

A dead process is noticed by its parent, which starts another one. One that hangs is no less dead to its visitors, who
go on being handed to it. So each beats from its event loop, and the parent ends whoever beats no more.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Final

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
# So many looks in a row, one each second, without a beat. No clock counts here: a machine that slept has looked at
# nothing meanwhile. Nothing that a process does holds its event loop for as long.
LOOKS: Final = 10


@dataclass(frozen=True)
class Pulse:
    """The beats of this process: a file of its name, whose time moves on."""

    folder: Path

    @property
    def _file(self) -> Path:
        return self.folder / str(os.getpid())

    def beat(self) -> None:
        """Say that this process goes on."""
        # A disk that is full, or a folder that has gone, is no reason to stop.
        with suppress(OSError):
            self._file.touch()

    def end(self) -> None:
        """Say that this process stops in order, and is not to be watched any more."""
        self._file.unlink(missing_ok=True)


@dataclass
class Watch:
    """The parent's look at the beats of its processes."""

    folder: Path
    _seen: dict[int, tuple[int, int]] = field(default_factory=dict)

    def start(self) -> None:
        """Look once a second for as long as this process lives."""
        Thread(target=self._run, name="pulse", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            for process in self._hung():
                logger.error("A web process has hung for %s seconds and is replaced: %s", LOOKS, process)
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def _hung(self) -> list[int]:
        try:
            return list(self.look())
        except OSError:
            return []

    def look(self) -> Iterator[int]:
        """The processes that have hung; each is named once."""
        for file in self.folder.iterdir():
            with suppress(FileNotFoundError):
                process, beat = int(file.name), file.stat().st_mtime_ns
                last, looks = self._seen.get(process, (beat, -1))
                looks = looks + 1 if last == beat else 0
                self._seen[process] = beat, looks
                if looks >= LOOKS or not _is_child(process):
                    del self._seen[process]
                    file.unlink()
                    if looks >= LOOKS and _is_child(process):
                        yield process


def _is_child(process: int) -> bool:
    """Whether it is a process of ours that has not ended: a number may be somebody else's by now."""
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return state != "Z" and int(parent) == os.getpid()
