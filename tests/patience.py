"""How long tests wait for what threads, processes and servers do."""

import time
from collections.abc import Callable

# Far longer than any of it takes, as the machine may be busy with other things: who waits in vain fails late.
PATIENCE = 240  # seconds


def until(seen: Callable[[], object], told: Callable[[], object] = str) -> None:
    """Return once `seen()` is true; the test fails where it never is, with what `told()` says then."""
    give_up = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < give_up, told()
        time.sleep(0.02)
