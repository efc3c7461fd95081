"""The processes of portals that run from this folder, found through the kernel's own records."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RUNNER: Final = "balabaqsha.runner"


@dataclass(frozen=True)
class Found:
    """A process of a portal: its id, its words, and whether it is the one that started the others."""

    pid: int
    words: Sequence[str]

    @property
    def is_runner(self) -> bool:
        """Whether it is `make run`, and not one of its services."""
        return self.words[1:] == ["-m", _RUNNER]

    @property
    def port(self) -> str:
        """The port given to a web server; empty for others."""
        return self.words[self.words.index("--port") + 1] if "--port" in self.words[:-1] else ""


def running(checkout: Path) -> list[Found]:
    """The living runners and services of `checkout`, except this process."""
    return [found for found in _processes(checkout) if _is_ours(found) and found.pid != os.getpid()]


def end(checkout: Path, *, seconds: float) -> list[Found]:
    """Ask every portal of `checkout` to stop: its runner, or the services whose runner is dead.

    Returns those that are still there after so many seconds.
    """
    asked = running(checkout)
    runners = [found for found in asked if found.is_runner]
    for found in runners or asked:
        _ask(found)
    deadline = time.monotonic() + seconds
    while (left := running(checkout)) and time.monotonic() < deadline:
        if not any(found.is_runner for found in left):
            # Those left by a dead runner, in addition to what the living one has ended.
            for found in left:
                _ask(found)
        time.sleep(0.2)
    return left


def _ask(found: Found) -> None:
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)


def _is_ours(found: Found) -> bool:
    words = found.words
    if found.is_runner:
        return True
    is_web = words[1:3] == ["-m", "balabaqsha.serving"]
    is_celery = words[1:5] == ["-m", "celery", "-A", "balabaqsha"]
    return is_web or is_celery


def _processes(checkout: Path) -> Iterator[Found]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_here = folder.joinpath("cwd").resolve(strict=True) == checkout
            words = folder.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
        if is_here and len(words) > 2:
            yield Found(pid=int(folder.name), words=words)
