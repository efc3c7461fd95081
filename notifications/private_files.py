"""Files that hold what is nobody's business: phones, texts of SMS, statements, addresses of visitors."""

import os
from pathlib import Path
from typing import IO, Literal


def open_privately(path: Path, mode: Literal["ab", "wb"]) -> IO[bytes]:
    """Open `path` for writing so that its owner alone may read it, also where it was made when others might.

    Its folder is made where there is none. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115 - the caller's
    try:
        os.fchmod(file.fileno(), 0o600)
    except BaseException:
        file.close()
        raise
    return file
