"""Asks a service whether a password was in a leak, without telling it the password (`LEAKED_PASSWORDS_URL`).

Only the first five of forty digits of the SHA-1 are sent, which hundreds of passwords share; the service answers with
all that it knows of those ("k-anonymity"), and the comparison is made here.
"""

import hashlib
import logging
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.passwords import normalise_password
from notifications import peers

logger = logging.getLogger(__name__)

_TOLD: Final = 5


class LeakedValidator:
    """Refuses what the service knows. Without an answer in time the password passes: nobody is kept out by it."""

    def validate(self, password: str, user: object = None) -> None:
        if settings.LEAKED_PASSWORDS_URL and _is_leaked(normalise_password(password)):
            raise ValidationError(self.get_help_text(), code="password_leaked")

    def get_help_text(self) -> str:
        return _(
            "This password stands in a list of leaked ones, which are tried first. Take three or four words that don't "
            "belong together"
        )


def _is_leaked(password: str) -> bool:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        answer = peers.get(
            f"{settings.LEAKED_PASSWORDS_URL.rstrip('/')}/{digest[:_TOLD]}",
            # The answer has the same length for all: whoever sees it travel learns nothing.
            headers={"Add-Padding": "true", "User-Agent": "balabaqsha"},
            seconds=settings.LEAKED_PASSWORDS_SECONDS,
        )
    except peers.Unavailable as reason:
        logger.warning("No answer about leaked passwords: %s", reason)
        return False
    if answer.status != 200:
        logger.warning("No answer about leaked passwords: status %d", answer.status)
        return False
    lines = answer.body.decode("ascii", "replace").upper().split()
    counts = dict(line.split(":", 1) for line in lines if ":" in line)
    # Those that only fill the answer up are counted zero times.
    return counts.get(digest[_TOLD:], "0") != "0"
