"""Whether a locked package has a known vulnerability, by the database behind PyPI.

`pip-audit` says "No known vulnerabilities found" also where the index knows none of the packages, as a mirror may, and
prints a stack of traces where it can't be reached. Here both are one sentence, and neither counts as checked.

    python bin/audit.py       ends with 0: all checked, none known; 1: some are known; 2: not all could be checked
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
# It holds the packages of the portal whole.
LOCK = "requirements-dev.txt"
COMMAND = (
    sys.executable, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes", "--disable-pip",
    "--format", "json", "--progress-spinner", "off",
)  # fmt: skip
NONE_KNOWN, KNOWN, UNCHECKED = 0, 1, 2


def main() -> int:
    done = subprocess.run(COMMAND, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    code, lines = verdict(done.stdout, done.stderr)
    print("\n".join(lines))
    return code


def verdict(found: str, said: str) -> tuple[int, Sequence[str]]:
    """What to end with and what to print, from what pip-audit printed and what it said on its error stream."""
    try:
        packages: list[dict[str, Any]] = json.loads(found)["dependencies"]
    except ValueError:
        last = said.strip().rpartition("\n")[2][:300]
        return UNCHECKED, [f"Nothing was checked: the database can't be reached. It said: {last}"]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    if holes:
        return KNOWN, holes
    if skipped and len(skipped) == len(packages):
        return UNCHECKED, [
            "Nothing was checked: the database can't be reached; the index in use knows none of the packages."
        ]
    if skipped:
        return UNCHECKED, [f"Not checked, since the database does not know them: {', '.join(skipped)}"]
    return NONE_KNOWN, [f"{len(packages)} packages checked: no vulnerability is known."]


if __name__ == "__main__":
    sys.exit(main())
