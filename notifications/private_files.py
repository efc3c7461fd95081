"""Files with confidential contents: phones, texts of SMS, statements, addresses of visitors."""

import os
from pathlib import Path
from typing import IO, Literal


def open_privately(path: Path, mode: Literal["ab", "wb"]) -> IO[bytes]:
    """Open `path` for writing so that only its owner may read it, even if it existed with wider rights.

    Creates its folder if needed. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115 - the caller's
    try:
        os.fchmod(file.fileno(), 0o600)
    except BaseException:
        file.close()
        raise
    return file
