"""What the status page tells everybody: the parts now, pauses, and what happened in the last ninety days."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import get_language

from applications.reports.memory import remember
from balabaqsha.health.incidents import KEPT_FOR, STANDS_STILL
from balabaqsha.health.line import Line, Unready
from balabaqsha.health.probes import ANSWER_SECONDS, Probe, report
from balabaqsha.models import Incident
from bulletin.models import MovedOpening, Pause


class PauseTold(NamedTuple):
    """A pause of bidding; an empty place is everywhere, and `moved` places were given a new opening by it."""

    place_kk: str | None
    place_ru: str | None
    notice_kk: str
    notice_ru: str
    started_at: datetime
    ended_at: datetime | None
    moved: int = 0

    @property
    def place(self) -> str | None:
        return self.place_ru if get_language() == "ru" else self.place_kk

    @property
    def notice(self) -> str:
        return self.notice_ru if get_language() == "ru" else self.notice_kk


class IncidentTold(NamedTuple):
    """An incident; one without an end goes on."""

    part: Incident.Part
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class History:
    """The last ninety days, the newest first, as the database told them at `read_at`."""

    read_at: datetime
    incidents: list[IncidentTold]
    pauses: list[PauseTold]


@dataclass(frozen=True)
class Status:
    """What works: None where it is not known. `history` is that of the last time that the database answered."""

    pages: bool
    messages: bool | None
    work: bool | None
    history: History | None
    is_history_fresh: bool

    @property
    def is_well(self) -> bool:
        return self.pages and bool(self.messages) and bool(self.work)


_MOST: Final = 100
_last: list[History] = []


def read_history() -> History:
    """Ask the database on a connection of its own. Raises `Silent`."""
    with Line(seconds=ANSWER_SECONDS) as line:
        now = line.read_clock()
        since = now - KEPT_FOR
        incidents = line.rows(
            Incident.objects.exclude(ended_at__lt=since)
            .order_by("-started_at")
            .values_list("part", "started_at", "ended_at")[:_MOST]
        )
        pauses = line.rows(
            Pause.objects.exclude(ended_at__lt=since)
            .order_by("-started_at")
            .values_list(
                "pk",
                "locality__name_kk",
                "locality__name_ru",
                "notice_kk",
                "notice_ru",
                "started_at",
                "ended_at",
            )[:_MOST]
        )
        moved: dict[int, int] = {}
        for (pause,) in line.rows(
            MovedOpening.objects.filter(moved_at__gte=since).order_by().values_list("pause")
        ):
            moved[pause] = moved.get(pause, 0) + 1
    found = History(
        now,
        [IncidentTold(Incident.Part(part), *times) for part, *times in incidents],
        [PauseTold._make([*told, moved.get(pk, 0)]) for pk, *told in pauses],
    )
    _last[:] = [found]
    return found


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
