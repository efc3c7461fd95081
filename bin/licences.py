"""The licence of every package that the portal runs on, as each package tells it: the table in docs/licences.md.

`make licences` puts what it prints into docs/licences.md.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOCK = CHECKOUT / "requirements.txt"
# Packages that tell none, and where theirs is written.
TOLD_ELSEWHERE = {"pyrage": "MIT (its repository)"}
_CLASSIFIER = "License :: OSI Approved :: "
_HEAD = """\
# Licences of what the portal is built on

What stands in `requirements.txt`, with the licence that each package tells of itself; `make licences` writes this page.
None of them asks that the portal itself be published: those of the LGPL and the MPL are used unchanged, as the packages
that they are. A developer's tools are not delivered with the portal and stand in `requirements-dev.txt`.

| Package | Licence |
|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(rows()) + "\n"


def rows() -> list[str]:
    """A line of the table for each package that is locked and installed: some are for other machines only."""
    return [f"| {name} | {licence} |" for name in locked() if (licence := licence_of(name))]


def locked() -> list[str]:
    """The names in the lock file, in its order."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE)


def licence_of(name: str) -> str | None:
    """What a package tells; None if it is not installed here. Raises LookupError if it tells nothing."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [
        one.removeprefix(_CLASSIFIER)
        for one in told.get_all("Classifier") or []
        if one.startswith(_CLASSIFIER)
    ]
    (expression, *_), (text, *_) = (
        told.get_all(field) or [""] for field in ("License-Expression", "License")
    )
    first_line = text.strip().partition("\n")[0]
    found = expression or "; ".join(classifiers) or first_line or TOLD_ELSEWHERE.get(name)
    if not found:
        raise LookupError(f"{name} tells no licence: look it up, and add it to TOLD_ELSEWHERE.")
    return found


if __name__ == "__main__":
    print(page(), end="")
