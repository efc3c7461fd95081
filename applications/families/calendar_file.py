"""Entries for calendars, as a file of theirs (iCalendar, RFC 5545). Pure.

The same entries make the same bytes, so that a calendar which asks again is told that nothing has changed: nothing in
them is of the moment at which they are made. No name and no IIN stands in them: calendars lie with other companies.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from icalendar import Alarm, Calendar, Event, Timezone, vDuration

from applications.families.due import Due, DueKind

# How often a subscribed calendar is asked to look again. Days move by decisions of officials, so within hours.
LOOKS_EVERY: Final = timedelta(hours=6)

# From the midnight with which a day begins: nine in the morning of the day itself, of the day before, of a week before.
_SAME_DAY, _DAY_BEFORE, _WEEK_BEFORE = (timedelta(hours=9) - timedelta(days=days) for days in (0, 1, 7))
# From an instant: there is time to come to a computer or to take the phone out.
_AN_HOUR, _TEN_MINUTES = timedelta(hours=-1), timedelta(minutes=-10)

ALARMS: Final[dict[DueKind, tuple[timedelta, ...]]] = {
    DueKind.REFERRAL: (_DAY_BEFORE, _SAME_DAY),
    DueKind.OFFER: (_DAY_BEFORE, _SAME_DAY),
    DueKind.INTEREST: (_WEEK_BEFORE, _DAY_BEFORE, _SAME_DAY),
    DueKind.COMING_BACK: (_WEEK_BEFORE, _DAY_BEFORE),
    DueKind.BENEFIT: (_WEEK_BEFORE,),
    DueKind.SCHOOL_AGE: (_WEEK_BEFORE,),
    DueKind.OPENING: (_AN_HOUR, _TEN_MINUTES),
    DueKind.WINDOW: (_AN_HOUR,),
    DueKind.AWARD: (_AN_HOUR,),
    # There is nothing to do on these days.
    DueKind.STOP: (),
    DueKind.ANSWER: (),
}


@dataclass(frozen=True)
class History:
    """How often an application has changed, and when last: newer entries take the place of older ones by it."""

    changes: int
    changed_at: datetime


def calendar_file(
    dues: Iterable[Due],
    *,
    histories: Mapping[UUID, History],
    name: str,
    zone: ZoneInfo,
    whole: Callable[[str], str],
) -> bytes:
    """The file with these entries, in the language of the page.

    `histories` holds each application of theirs, `whole` makes a path an address. `zone` is only named, where there is
    no entry: a file must hold something.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//BALABAQSHA//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for heading in ("name", "x-wr-calname"):
        calendar.add(heading, name)
    calendar.add("refresh-interval", LOOKS_EVERY, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(LOOKS_EVERY))
    entries = [
        _entry(due, histories[due.application], whole=whole)
        for due in sorted(dues, key=lambda one: (one.when.isoformat(), one.kind, one.about))
    ]
    calendar.subcomponents = [*entries] or [Timezone.from_tzinfo(zone)]
    return bytes(calendar.to_ical())


def _entry(due: Due, history: History, *, whole: Callable[[str], str]) -> Event:
    title = f"{due.kind.label}. №\u00a0…{due.digits}. BALABAQSHA"
    entry = Event()
    entry.add("uid", str(uuid5(due.about, due.kind)))
    # That of an entry without a date of its own is the time of its last change.
    for stamp in ("dtstamp", "last-modified"):
        entry.add(stamp, history.changed_at)
    entry.add("sequence", history.changes)
    entry.add("summary", title, parameters={"language": get_language() or ""})
    entry.add("dtstart", due.when)
    if due.is_day:
        entry.add("dtend", due.when + timedelta(days=1))
    if due.kindergarten:
        entry.add("location", due.kindergarten)
    # Nobody is away from other things on the day.
    entry.add("transp", "TRANSPARENT")
    entry.add("url", whole(due.path))
    for before in ALARMS[due.kind]:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", before)
        alarm.add("description", title)
        entry.add_component(alarm)
    return entry
