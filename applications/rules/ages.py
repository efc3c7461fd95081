"""Up to which age, by birth year, an application may wait. Pure.

At the turn of the year nothing changes inside a queue: its key is the birth year. Only the oldest birth year leaves, in
the first moments of January. Families are told a month before, so the rules of that day decide: a lower age set later
closes nobody's application before the January after next, a higher one counts at once.
"""

from collections.abc import Iterable
from datetime import date, datetime

from applications.models import Rules
from applications.rules.in_force import choose
from bulletin.models import Locality
from bulletin.workdays import start_of_day

NOTICE_MONTH = 12


def oldest_birth_year(year: int, rules: Iterable[Rules], *, locality: Locality, today: date) -> int:
    """The oldest birth year that may wait during `year`; `rules` are all there are."""
    known = list(rules)
    told = choose(known, locality_id=locality.pk, day=date(year - 1, NOTICE_MONTH, 1))
    in_force = choose(known, locality_id=locality.pk, day=max(today, date(year, 1, 1)))
    return year - max(told.oldest_age, in_force.oldest_age)


def too_old_from(birth_year: int, rules: Iterable[Rules], *, locality: Locality, now: datetime) -> datetime:
    """The first instant, as the rules stand, at which a birth year is too old to wait in `locality`.

    The beginning of today (local) if it is too old already.
    """
    known, today = list(rules), now.astimezone(locality.zone).date()
    highest = max(one.oldest_age for one in (*known, Rules(valid_from=today)))
    last = date(max(today.year, birth_year + highest) + 1, 1, 1)
    turns = {date(year, 1, 1) for year in range(today.year + 1, last.year)}
    changes = {one.valid_from for one in known if today < one.valid_from < last}
    for day in sorted({today, *turns, *changes}):
        if birth_year < oldest_birth_year(day.year, known, locality=locality, today=day):
            return start_of_day(day, locality.zone)
    return start_of_day(last, locality.zone)


def year_to_announce(locality: Locality, *, now: datetime) -> int | None:
    """In December, the year at whose beginning the oldest leave; None in the other months."""
    today = locality.day(now)
    return today.year + 1 if today.month == NOTICE_MONTH else None
