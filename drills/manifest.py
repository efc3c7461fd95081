"""Compare a base backup with its manifest, where pg_verifybackup can't: that of the wheel crashes.

python -m drills.manifest FOLDER: ends with 1 and names what differs.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path


def differing(folder: Path) -> list[str]:
    """The files that are not there, or not as the manifest says (`--manifest-checksums=SHA256`)."""
    files = json.loads((folder / "backup_manifest").read_text())["Files"]
    if not files:
        return ["backup_manifest"]
    return [one["Path"] for one in files if not _is_same(folder / one["Path"], one["Checksum"])]


def _is_same(file: Path, checksum: str) -> bool:
    return file.is_file() and sha256(file.read_bytes()).hexdigest() == checksum


if __name__ == "__main__":
    found = differing(Path(sys.argv[1]))
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
