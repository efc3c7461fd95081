"""What the status page tells everybody: the parts now, pauses, and what happened in the last ninety days."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import get_language

from applications.reports.memory import remember
from balabaqsha.health.incidents import STANDS_STILL
from balabaqsha.health.line import Line, Unready
from balabaqsha.health.probes import ANSWER_SECONDS, Probe, report
from balabaqsha.models import Incident
from bulletin.incidents import TOLD_FOR, incidents_since
from bulletin.models import IncidentNote, MovedOpening, Pause


class Told(NamedTuple):
    """A text in both languages; empty (None) for the name of all localities."""

    kk: str | None
    ru: str | None

    def __str__(self) -> str:
        return (self.ru if get_language() == "ru" else self.kk) or ""


class PauseTold(NamedTuple):
    """A pause of bidding; an empty place is everywhere, and `moved` places were given a new opening by it."""

    place: Told
    notice: Told
    # Of the place; None is the portal's own.
    timezone: str | None
    started_at: datetime
    ended_at: datetime | None
    moved: int = 0


class IncidentTold(NamedTuple):
    """An incident that the portal noted itself; one without an end goes on."""

    part: Incident.Part
    started_at: datetime
    ended_at: datetime | None


class NoteTold(NamedTuple):
    written_at: datetime
    text: Told


class ReportTold(NamedTuple):
    """An incident or planned work, as officials tell it; the last note says whether it is over, and when it ends."""

    place: Told
    timezone: str | None
    title: Told
    broken: Told
    works: Told
    started_at: datetime
    until: datetime | None
    is_over: bool
    notes: list[NoteTold]


@dataclass(frozen=True)
class History:
    """The last ninety days, the newest first, as the database told them at `read_at`."""

    read_at: datetime
    incidents: list[IncidentTold]
    pauses: list[PauseTold]
    reports: list[ReportTold]

    @property
    def planned(self) -> list[ReportTold]:
        """What is to come, the earliest first."""
        ahead = [one for one in self.reports if not one.is_over and one.started_at > self.read_at]
        return sorted(ahead, key=lambda one: one.started_at)

    @property
    def open(self) -> list[ReportTold]:
        return [one for one in self.reports if not one.is_over and one.started_at <= self.read_at]

    @property
    def paused(self) -> list[PauseTold]:
        return [one for one in self.pauses if one.ended_at is None]

    @property
    def past(self) -> list[IncidentTold | PauseTold | ReportTold]:
        """All the rest, whoever noted it; what the portal sees standing still now, too."""
        ended = [one for one in self.pauses if one.ended_at is not None]
        over = [one for one in self.reports if one.is_over]
        rest: list[IncidentTold | PauseTold | ReportTold] = [*self.incidents, *ended, *over]
        return sorted(rest, key=lambda one: one.started_at, reverse=True)


@dataclass(frozen=True)
class Status:
    """What works: None where it is not known. `history` is that of the last time that the database answered."""

    pages: bool
    messages: bool | None
    work: bool | None
    history: History | None
    is_history_fresh: bool

    @property
    def parts_work(self) -> bool:
        return self.pages and bool(self.messages) and bool(self.work)

    @property
    def is_well(self) -> bool:
        """Whether the parts work, and no official says otherwise."""
        return self.parts_work and not (self.history and self.history.open)


_MOST: Final = 100
_PLACE: Final = ("locality__name_kk", "locality__name_ru", "locality__timezone")
_last: list[History] = []


def read_history() -> History:
    """Ask the database on a connection of its own. Raises `Silent`."""
    with Line(seconds=ANSWER_SECONDS) as line:
        now = line.read_clock()
        since = now - TOLD_FOR
        incidents = line.rows(
            Incident.objects.exclude(ended_at__lt=since)
            .order_by("-started_at")
            .values_list("part", "started_at", "ended_at")[:_MOST]
        )
        pauses = line.rows(
            Pause.objects.exclude(ended_at__lt=since)
            .order_by("-started_at")
            .values_list("pk", *_PLACE, "notice_kk", "notice_ru", "started_at", "ended_at")[:_MOST]
        )
        moved: dict[int, int] = {}
        for (pause,) in line.rows(
            MovedOpening.objects.filter(moved_at__gte=since).order_by().values_list("pause")
        ):
            moved[pause] = moved.get(pause, 0) + 1
        reports = _read_reports(line, since=since)
    found = History(
        now,
        [IncidentTold(Incident.Part(part), *times) for part, *times in incidents],
        [
            PauseTold(
                Told(place_kk, place_ru), Told(notice_kk, notice_ru), zone, started, ended, moved.get(pk, 0)
            )
            for pk, place_kk, place_ru, zone, notice_kk, notice_ru, started, ended in pauses
        ],
        reports,
    )
    _last[:] = [found]
    return found


def _read_reports(line: Line, *, since: datetime) -> list[ReportTold]:
    rows = incidents_since(since)[:_MOST]
    texts = [f"{name}_{language}" for name in ("title", "broken", "works") for language in ("kk", "ru")]
    reports = line.rows(rows.values_list("pk", *_PLACE, *texts, "started_at", "until", "is_over"))
    notes: dict[int, list[NoteTold]] = {pk: [] for pk, *_rest in reports}
    told = IncidentNote.objects.filter(incident__in=list(notes)).order_by("incident", "number")
    if notes:
        for pk, at, *text in line.rows(told.values_list("incident", "written_at", "text_kk", "text_ru")):
            notes[pk].append(NoteTold(at, Told(*text)))
    return [
        ReportTold(
            place=Told(*row[:2]),
            timezone=row[2],
            title=Told(*row[3:5]),
            broken=Told(*row[5:7]),
            works=Told(*row[7:9]),
            started_at=row[9],
            until=row[10],
            is_over=row[11],
            notes=notes[pk],
        )
        for pk, *row in reports
    ]


def running_incidents() -> list[str]:
    """The parts that stand still, as the portal last noted: it looks once a minute, and so does this."""
    running = Incident.objects.filter(ended_at=None)
    return remember("status:incidents", lambda: list(running.order_by("part").values_list("part", flat=True)))


def _ask() -> History | None:
    try:
        return read_history()
    except Unready:
        return None


_history: Probe[History | None] = Probe(_ask)


def status() -> Status:
    """Within two seconds, whatever hangs: everything is asked at once, and nothing is waited for longer."""
    asked = _history.start()
    words, serves = report()
    fresh = asked.result()
    return Status(
        pages=serves,
        messages=_works(Incident.Part.MESSAGES, words),
        work=_works(Incident.Part.WORK, words),
        history=fresh or (_last[0] if _last else None),
        is_history_fresh=fresh is not None,
    )


def _works(part: Incident.Part, words: dict[str, Any]) -> bool | None:
    return None if "outbox" not in words else not STANDS_STILL[part](words)
