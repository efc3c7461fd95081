"""Becomes a command that is asked to end when its parent is dead, however it died.

    python -I -S leash.py PARENT COMMAND …

A program of its own, run by its path: it must cost nothing. This works only on Linux; elsewhere the command just runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie ourselves to the parent, and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        # It may have died before the line above.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is our caller's


if __name__ == "__main__":
    main()
