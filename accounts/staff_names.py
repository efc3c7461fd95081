"""The names by which employees sign in."""

import re
from typing import Final

LONGEST: Final = 60
# A name that could be a phone would take that number from the parent to whom it belongs; one in two alphabets could
# pass for another's.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._@-]*")


def why_not(name: str) -> str:
    """Why an employee can't have `name`, as the end of a sentence for operators; empty if they can."""
    if not name.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"has more than {LONGEST} signs"
    if not _NAME.fullmatch(name):
        return "must begin with a Latin letter and hold only Latin letters, digits and . _ @ -"
    return ""
