"""Whether two builds of the last commit give the same files: catalogues, fonts and static files.

Each is built in a folder of its own from what is committed, by another clock and in another order of sets, so that what
differs between two machines would differ here.

    python bin/reproducible.py       ends with 0: the same; 1: which files differ
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
STEPS = (("compile_catalogues",), ("build_fonts",), ("collectstatic", "--noinput"))
BUILT = ("locale/**/*.mo", "var/fonts/*", "var/static/**/*")
SURROUNDINGS: Sequence[Mapping[str, str]] = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Almaty", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            build(Path(folder) / str(number), around) for number, around in enumerate(SURROUNDINGS)
        )
    wrong = differing(first, second)
    print("\n".join(wrong) if wrong else f"{len(first)} files, the same in both builds.")
    return 1 if wrong or not first else 0


def build(folder: Path, surroundings: Mapping[str, str]) -> dict[str, str]:
    """The fingerprints of what the commit is built into, by their paths."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    # Whatever this machine's own portal is set to stays out of it.
    environment = {"PATH": os.environ["PATH"], "DEBUG": "1", **surroundings}
    for step in STEPS:
        command = [sys.executable, "manage.py", *step]
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    found = {path for pattern in BUILT for path in folder.glob(pattern) if path.is_file()}
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def differing(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The files that only one build made, or that each made otherwise, in order."""
    return sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))


if __name__ == "__main__":
    sys.exit(main())
