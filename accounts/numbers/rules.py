"""How long a move of a number waits, and how long a number or an account may be silent. No database."""

from datetime import datetime, timedelta
from typing import Final

# In which the owner can stop what others asked for.
WAIT: Final = timedelta(hours=72)
# An account that was used in this time keeps its number until an official decides.
IN_USE_FOR: Final = timedelta(days=90)
# A number that nobody entered a code of in this time is asked to be confirmed.
SILENT_FROM: Final = timedelta(days=365)
# Whoever an official refused a number does not claim it again for so long.
REFUSED_FOR: Final = timedelta(days=90)
# How long a move is kept once it is over: its owner may complain about it.
KEPT_FOR: Final = timedelta(days=365)


def is_in_use(last_used: datetime, *, now: datetime) -> bool:
    """Whether an account last used then still counts as used: for 90 days, and not at their end."""
    return now < last_used + IN_USE_FOR


def is_silent(proven_at: datetime, *, now: datetime) -> bool:
    """Whether a number whose last code was entered then is to be confirmed: from the end of 365 days on."""
    return now >= proven_at + SILENT_FROM
