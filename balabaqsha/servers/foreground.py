"""A command that runs while the servers do."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType


def end_orderly(number: int, frame: FrameType | None) -> None:
    """Signal handler: leave through every `with` and `finally`, so that no server stays behind."""
    sys.exit(128 + number)


def run_in_foreground(command: Sequence[str], *, environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code as a shell would; we outlive it, whatever the signals."""
    # Before the start, so that no signal arrives in between; the terminal sends Ctrl-C to the child too.
    signal.signal(signal.SIGINT, lambda *_: None)
    child = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - the user's command
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code
