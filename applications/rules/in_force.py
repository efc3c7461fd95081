"""Which periods and sizes are in force."""

from collections.abc import Iterable
from datetime import date, datetime

from applications.models import Rules
from bulletin.models import Locality


def rules_at(locality: Locality, at: datetime) -> Rules:
    """The rules in force in `locality` on the day of an instant there. One query; the table has a few rows."""
    return choose(Rules.objects.all(), locality_id=locality.pk, day=locality.day(at))


def choose(rules: Iterable[Rules], *, locality_id: int | None, day: date) -> Rules:
    """Those of `rules` in force in a locality (None: one without rules of its own) on a day.

    A locality's own rules win over those for all; among them, the newest that have begun. If none have, the manual's
    values hold.
    """
    begun = [one for one in rules if one.valid_from <= day and one.locality_id in (None, locality_id)]
    return max(
        begun, key=lambda one: (one.locality_id is not None, one.valid_from), default=Rules(valid_from=day)
    )
