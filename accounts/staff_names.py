"""The names by which employees sign in, and what they are called."""

import re
from typing import Final

LONGEST: Final = 60
# A name that could be a phone would take that number from the parent to whom it belongs; one in two alphabets could
# pass for another's.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._@-]*")
# Letters of any alphabet; what stands in names between and after them.
_CALLED: Final = re.compile(r"[^\W\d_]+(?:[ .'’ʼ-]+[^\W\d_]+)*\.?")
# In a position numbers and quotes, too; nothing that a spreadsheet or a browser would read as more than words.
_POSITION: Final = re.compile(r"[^\W_][\w .,:;()/№«»\"'’ʼ–—-]*")


def is_name(text: str) -> bool:
    """Whether somebody may be called so: letters, with spaces, hyphens, apostrophes and dots between them. Pure."""
    return _CALLED.fullmatch(text.strip()) is not None


def is_position(text: str) -> bool:
    """Whether it may be what somebody does: words and numbers, with the signs that stand between words. Pure."""
    return _POSITION.fullmatch(text.strip()) is not None


def why_not(name: str) -> str:
    """Why an employee can't have `name`, as the end of a sentence for operators; empty if they can."""
    if not name.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"has more than {LONGEST} signs"
    if not _NAME.fullmatch(name):
        return "must begin with a Latin letter and hold only Latin letters, digits and . _ @ -"
    return ""
