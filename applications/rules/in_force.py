"""Which periods and sizes are in force."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.utils import timezone

from applications.models import Rules
from bulletin.models import Locality

_NEVER_EARLY = datetime.min.replace(tzinfo=UTC)


def rules_at(locality: Locality | None, at: datetime, *, rules: Iterable[Rules] | None = None) -> Rules:
    """The rules in force for what is promised at an instant in `locality` (None: one without rules of its own).

    One query, for the table has a few rows; none if `rules`, which are all there are, are at hand.
    """
    day = _day(locality, at)
    begun = [one for one in (Rules.objects.all() if rules is None else rules) if one.has_begun(at, day=day)]
    return _newest(begun, locality_id=locality.pk if locality else None, day=day)


def rules_of_day(locality: Locality | None, at: datetime) -> Rules:
    """The rules in force for what is counted in whole days, on the day of an instant in `locality`. One query."""
    return choose(Rules.objects.all(), locality_id=locality.pk if locality else None, day=_day(locality, at))


def choose(rules: Iterable[Rules], *, locality_id: int | None, day: date) -> Rules:
    """Those of `rules` in force in a locality (None: one without rules of its own) from the first moment of a day on.

    What is counted in whole days goes by these: those of an emergency hold for it from the day after.
    """
    return _newest([one for one in rules if one.valid_from <= day], locality_id=locality_id, day=day)


def _day(locality: Locality | None, at: datetime) -> date:
    return locality.day(at) if locality else timezone.localdate(at, timezone.get_default_timezone())


def _newest(begun: Iterable[Rules], *, locality_id: int | None, day: date) -> Rules:
    """A locality's own rules win over those for all; among them, the newest. Without any, the manual's values hold."""
    return max(
        (one for one in begun if one.locality_id in (None, locality_id)),
        key=lambda one: (one.locality_id is not None, one.valid_from, one.early_from or _NEVER_EARLY),
        default=None,
    ) or Rules(valid_from=day)
