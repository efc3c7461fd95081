"""Python loads this first where `PYTHONPATH` names this folder: the clock of the machine is ahead as a file says.

The file (`WRONG_CLOCK`) holds seconds, and may change meanwhile: then the clock is set. Counters that only count on
(`time.monotonic`) stay right, as they do on a machine whose clock is set.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

_FILE = Path(os.environ["WRONG_CLOCK"])
_right, _began = datetime.now(UTC), time.monotonic()


def _read() -> int:
    return int(_FILE.read_text())


def _shown(ahead: int) -> datetime:
    return _right + timedelta(seconds=time.monotonic() - _began + ahead)


def _follow(clock: time_machine.Traveller, ahead: int) -> None:
    while True:
        time.sleep(0.5)
        if _read() != ahead:
            ahead = _read()
            clock.move_to(_shown(ahead))


_ahead = _read()
threading.Thread(
    target=_follow, args=[time_machine.travel(_shown(_ahead)).start(), _ahead], daemon=True
).start()
