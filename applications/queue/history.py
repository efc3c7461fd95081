"""Why a number changed: the append-only events, from the point of view of one application."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain, groupby
from typing import cast

from django.db.models import Max, Q, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from applications.models import Application, Event, Rules
from applications.queue.replay import NumberMove, Standing, Step, Watch
from applications.rules.in_force import choose
from applications.states import FIRST_MOVES, MOVES, QUEUED_STATES, ApplicationState, Move, Tier
from bulletin.models import Locality
from bulletin.workdays import start_of_day

# What other families' moves mean for those behind; a family's own moves keep their own names.
CAUSES = {
    Move.IMPORT: _("The former queue was brought in"),
    Move.TAKE_IMPORT_BACK: _("Applications of the former queue were taken out: brought in by mistake"),
    Move.CHANGE_IMPORT: _("A newer file of the former queue says something else of an application"),
    Move.STOP_IMPORT: _("An application of the former queue went to the stop-list by a newer file"),
    Move.DROP_IMPORT: _("A newer file of the former queue has an application no more"),
    Move.RETURN_IMPORT: _("A newer file of the former queue was undone: an application is back"),
    Move.FILE: _("New applications in the queue: the turn of the tiers shifted"),
    Move.SIGN_CONTRACT: _("A child ahead in the queue was enrolled"),
    Move.ARCHIVE: _("An application ahead in the queue was withdrawn"),
    Move.RESTORE: _("An application ahead in the queue was restored in time"),
    Move.EXPIRE_REFERRAL: _("An application ahead in the queue went to the stop-list"),
    Move.LIFT_STOP: _("An application ahead in the queue came back from the stop-list"),
    Move.CONFIRM_COMING: _("An application ahead in the queue came back from the stop-list"),
    Move.RETURN_TO_QUEUE: _("The group of a child ahead in the queue closed: it is in the queue again"),
    Move.UNDO_LEAVING: _("A child ahead in the queue was enrolled"),
    Move.UNDO_CONTRACT: _("The contract of a child ahead in the queue was undone"),
    Move.VERIFY_BENEFIT: _("A benefit of another child was verified"),
    Move.END_BENEFIT: _("A benefit of another child no longer counts"),
    Move.LAPSE: _("An application ahead in the queue lapsed: interest was not confirmed"),
    Move.CONFIRM_INTEREST: _("A lapsed application ahead in the queue was confirmed in time"),
    Move.AGE_OUT: _("A child ahead in the queue reached school age"),
    Move.CHANGE_LOCALITY: _("A family moved to another locality or from one"),
    Move.CORRECT: _("Correction by an official decision"),
}
RULES_CAUSE = _("The rules for the turn of the tiers changed")


@dataclass(frozen=True)
class Row:
    """One line of the explanation: how the number changed on one day, for one reason."""

    day: date
    cause: str
    times: int
    before: int | None
    after: int | None
    forward: int

    @property
    def backward(self) -> int:
        return -self.forward


@dataclass(frozen=True)
class Explanation:
    """How a number got from `old` to `new`; if both exist, the sum adds up: old - new = Σ forward."""

    since: datetime
    until: datetime
    old: int | None
    new: int | None
    rows: list[Row]

    @property
    def forward(self) -> int:
        return sum(row.forward for row in self.rows)

    @property
    def closes(self) -> bool:
        """Whether there is a number at both ends, so that the sum can be shown."""
        return self.old is not None and self.new is not None

    @property
    def sum(self) -> str:
        """The sum written out, as a family can check it, with the signs of the rows: a smaller number is a minus."""
        old, new, moved = (
            number_format(number, force_grouping=True)
            for number in (self.old or 0, self.new or 0, abs(self.forward))
        )
        sign = "−" if self.forward > 0 else "+" if self.forward < 0 else ""
        return f"{new} − {old} = {sign}{moved}"


def explain(application: Application, *, since: datetime, until: datetime) -> Explanation:
    """Every change of the application's number after `since` and up to `until` (instants), by day and reason.

    Computed from events alone, in one snapshot; `until` may be the present. What was before `since` is not replayed: of
    it everybody's last event is read, and the number by these is the old one.
    """
    watch = Watch(application.pk, ratio_at=_ratios())
    moves: list[NumberMove] = []
    old = new = None
    events = _events_of_its_queues(application).filter(at__lte=until)
    first = _first_replayed(events, application, since=since)
    turns = _turns(until=until)
    if first is not None:
        earlier = events.filter(pk__lt=first).order_by().values("application")
        last = earlier.annotate(last=Max("id")).values("last")
        events = events.filter(Q(pk__gte=first) | Q(pk__in=last))
        turns = [turn for turn in turns if turn > since]
    steps = _steps(events)
    if first is not None:
        before, steps = _parted(steps, at=first)
        standings = {step.application: step.after for step in before if step.after is not None}
        old = new = watch.begin(standings, now=since)
    for move in _moves(watch, (step for _key, step in steps), turns):
        if move.at <= since:
            old = move.after
        else:
            moves.append(move)
        new = move.after
    return Explanation(since=since, until=until, old=old, new=new, rows=list(by_day(moves, application)))


def by_day(moves: Iterable[NumberMove], application: Application) -> Iterator[Row]:
    """Consecutive changes of one local day with one reason, merged into one row."""
    zone = application.locality.zone

    def key(move: NumberMove) -> tuple[date, str]:
        return move.at.astimezone(zone).date(), cause_of(move)

    for (day, cause), group in groupby(moves, key=key):
        same = list(group)
        yield Row(
            day=day,
            cause=cause,
            times=len(same),
            before=same[0].before,
            after=same[-1].after,
            forward=sum(move.forward for move in same),
        )


def cause_of(move: NumberMove) -> str:
    """The reason for a change in words, in the language of the page."""
    if move.cause is None:
        return str(RULES_CAUSE)
    cause = str(move.cause.label if move.own else CAUSES[move.cause])
    return f"{cause}: № {move.note}" if move.note else cause


def differences() -> Iterator[str]:
    """Replay every event and name each disagreement with the applications as they are.

    An application must stand where its last event left it, and its events must form a chain of allowed moves from
    filing onwards. Nothing is yielded when all is well.
    """
    last: dict[object, Event] = {}
    for event in Event.objects.order_by("id").iterator(chunk_size=5000):
        before = last.get(event.application_id)
        if problem := _broken_link(before, event):
            yield f"event {event.pk} of application {event.application_id}: {problem}"
        last[event.application_id] = event
    for application in Application.objects.order_by("sequence").iterator(chunk_size=5000):
        final = last.get(application.pk)
        if final is None:
            yield f"application {application.number}: no event"
        elif _facts(final, final.to_state) != _facts(application, application.state):
            yield f"application {application.number}: does not stand where its last event left it"


def _broken_link(before: Event | None, event: Event) -> str:
    if before is None:
        return "" if event.move in FIRST_MOVES else f"begins with {event.move}"
    if event.move in FIRST_MOVES:
        return f"{event.move}, but it was there before"
    if event.from_state != before.to_state:
        return f"comes from {event.from_state}, but the event before led to {before.to_state}"
    allowed, target = MOVES[Move(event.move)]
    if event.from_state not in allowed or event.to_state != (target or event.from_state):
        return f"{event.move} does not lead from {event.from_state} to {event.to_state}"
    return ""


def _facts(row: Event | Application, state: str) -> tuple[object, ...]:
    return (state, row.locality_id, row.birth_year, row.tier, row.filed_at)


def _moves(watch: Watch, steps: Iterable[Step], turns: Iterable[datetime]) -> Iterator[NumberMove]:
    left = deque(turns)
    for step in steps:
        while left and left[0] <= step.at:
            yield from watch.tick(left.popleft())
        yield from watch.run([step])
    for turn in left:
        yield from watch.tick(turn)


def _parted(keyed: Iterator[tuple[int, Step]], *, at: int) -> tuple[list[Step], Iterator[tuple[int, Step]]]:
    """The steps before a key, and the others; they come in the order of their keys."""
    before: list[Step] = []
    for key, step in keyed:
        if key >= at:
            return before, chain([(key, step)], keyed)
        before.append(step)
    return before, keyed


def _first_replayed(events: QuerySet[Event], application: Application, *, since: datetime) -> int | None:
    """The key of the event from which a replay from `since` begins; None for the very first one.

    That is where the application held no number at that instant but had held one: which it left, only a replay tells.
    """
    # By keys, the order of the replay: two events of one moment may stand in the other order of their times.
    newest = events.order_by("-id").values_list("id", flat=True).first() or 0
    first = events.filter(at__gt=since).values_list("id", flat=True).first() or newest + 1
    own = events.filter(application=application, pk__lt=first).values_list("to_state", flat=True)
    was_queued = [ApplicationState(state) in QUEUED_STATES for state in own]
    return None if any(was_queued) and not was_queued[-1] else first


def _turns(*, until: datetime) -> list[datetime]:
    """The instants up to `until` at which the ratio of the tiers may change: rules begin with a day of the place."""
    places = list(Locality.objects.all())
    begins = {
        start_of_day(rules.valid_from, place.zone)
        for rules in Rules.objects.all()
        for place in places
        if rules.locality_id in (None, place.pk)
    }
    return sorted(at for at in begins if at <= until)


def _events_of_its_queues(application: Application) -> QuerySet[Event]:
    """All events of all applications that ever stood in a queue in which this one stood."""
    queues = Event.objects.filter(application=application).values("locality", "birth_year").distinct()
    everyone = Event.objects.none()
    for queue in queues:
        everyone |= Event.objects.filter(**queue)
    return Event.objects.filter(application__in=everyone.values("application")).order_by("id")


def _steps(events: QuerySet[Event]) -> Iterator[tuple[int, Step]]:
    """Each event with its key."""
    columns = ("id", "application", "at", "move", "to_state", "locality", "birth_year", "tier", "filed_at")
    rows = events.values_list(*columns, "application__sequence", "data__document_number")
    for key, pk, at, move, state, locality, year, tier, filed_at, sequence, order in rows.iterator(
        chunk_size=5000
    ):
        standing = Standing((locality, year), Tier(tier), filed_at, sequence)
        after = standing if ApplicationState(state) in QUEUED_STATES else None
        yield key, Step(application=pk, at=at, move=Move(move), after=after, note=order or "")


def _ratios() -> Callable[[Hashable, datetime], int]:
    """The ratio of the tiers in a queue at an instant, from one reading of all `Rules`."""
    everywhere = list(Rules.objects.all())
    localities = Locality.objects.in_bulk()

    @cache
    def on_day(locality: int, day: date) -> int:
        return choose(everywhere, locality_id=locality, day=day).general_per_priority

    def ratio_at(queue: Hashable, at: datetime) -> int:
        locality, _birth_year = cast(tuple[int, int], queue)
        return on_day(locality, localities[locality].day(at))

    return ratio_at
