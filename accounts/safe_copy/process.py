"""Starts the process that decodes, and trusts nothing it says.

Every file gets a new process: a fork of the web server's process would inherit its threads' locks and all its secrets.
The start takes a tenth of a second (docs/adr/0012-uploads.md).
"""

import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Final

from accounts.safe_copy import BEGINNINGS, MOST_KEPT, Cause, Copy, FileType, Kind, Part, Refused

logger = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).resolve().parents[2]
# How many files one web process may decode at once, whatever its lanes of threads allow, and how long a request waits
# for its turn, once for all its files.
AT_ONCE: Final = 1
TURN_SECONDS: Final = 3.0
# From the first file to the last answer of one request, turns included.
REQUEST_SECONDS: Final = 30.0
LONGEST_HEAD: Final = 2000
# Of a picture, in pixels: no kept one is longer, and a small column holds it.
MOST_SIDE: Final = 32_767
# -s: nothing from a home folder.
PROGRAM: Final = ["-s", "-W", "ignore", "-m", "accounts.safe_copy"]

_turns = BoundedSemaphore(AT_ONCE)


class Turn:
    """One request's turn to have its files decoded; `left` says for how long."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds left, never less than 0."""
        return max(0.0, self._end - time.monotonic())


@contextmanager
def turn(*, seconds: float = REQUEST_SECONDS) -> Iterator[Turn]:
    """Wait for a turn and keep it; `seconds` are for both. Raises `Refused(BUSY)` where none comes in time.

    Safe to call from any thread, and not within a turn.
    """
    taken = Turn(seconds)
    if not _turns.acquire(timeout=min(TURN_SECONDS, seconds)):
        raise Refused(Cause.BUSY)
    try:
        yield taken
    finally:
        _turns.release()


def safe_copy(content: bytes, *, kind: Kind, most_pixels: int, turn: Turn) -> Copy:
    """A copy made by a process of its own, within the turn. Raises `Refused` and nothing else, whatever happens.

    If the process ends abnormally, the log says how.
    """
    try:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
            given.write(content)
            given.seek(0)
            _run(given, made, arguments=[kind, str(most_pixels)], seconds=turn.left)
            made.seek(0)
            return _believed(made.readline(LONGEST_HEAD), made.read(MOST_KEPT + 1))
    except OSError:
        logger.exception("no process can be started for an upload, or there is no room for it")
        raise Refused(Cause.BUSY) from None


def _run(given: IO[bytes], made: IO[bytes], *, arguments: list[str], seconds: float) -> None:
    with subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, *PROGRAM, *arguments],
        cwd=FOLDER,
        # An empty environment holds no secret and can't make Python load anything else.
        env={},
        stdin=given,
        stdout=made,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        finally:
            process.kill()
    if code:
        logger.warning("the copy of an upload ended with code %s", code)
        # How the kernel kills a process that takes too much time or memory.
        killed = code in (-signal.SIGKILL, -signal.SIGXCPU)
        raise Refused(Cause.TOO_COMPLEX if killed else Cause.DAMAGED)


def _believed(head: bytes, content: bytes) -> Copy:
    try:
        answer = json.loads(head)
        if "refused" in answer:
            cause = Cause(answer["refused"])
            logger.info("an upload is refused: %s, %r", cause, answer.get("because"))
            raise Refused(cause)
        file_type = FileType(answer["copy"])
        left_out = frozenset(map(Part, answer["left_out"]))
        width, height = (int(side) for side in answer["size"])
    except (ValueError, TypeError, KeyError, RecursionError):
        logger.warning("the copy of an upload came with nonsense")
        raise Refused(Cause.DAMAGED) from None
    if not (0 <= width <= MOST_SIDE and 0 <= height <= MOST_SIDE):
        logger.warning("the copy of an upload came with nonsense")
        raise Refused(Cause.DAMAGED)
    if len(content) > MOST_KEPT or not content.startswith(BEGINNINGS[file_type]):
        logger.warning("the copy of an upload is not what it is called")
        raise Refused(Cause.DAMAGED)
    return Copy(content=content, file_type=file_type, left_out=left_out, size=(width, height))
