"""What each report counts, by slice: computed in the database, a few numbers for each row.

Each function answers with the rows of the slice by their keys, and with all together under None.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, ExtractDay

from applications.models import BETWEEN_QUEUES, ENTERS_OR_LEAVES, Application, Event
from applications.reports.asked import Asked, Slice
from applications.reports.facts import (
    ANSWERS,
    BENEFITS,
    CORRECTIONS,
    GROUPS,
    PUBLISHED,
    REFERRALS,
    SIGNED,
    Facts,
    Key,
    month_of,
)
from applications.reports.figures import median_of, percent, slow_of
from applications.states import (
    QUEUED_STATES,
    BenefitState,
    BidState,
    CorrectionState,
    Move,
    ReferralState,
)

Values = Mapping[str, int | None]
Counts = Mapping[Key, Values]

_IS_IN, _WAS_IN = Q(to_state__in=QUEUED_STATES), Q(from_state__in=QUEUED_STATES)
_QUEUED: Final = Facts(
    lambda: Application.objects.filter(state__in=QUEUED_STATES),
    "",
    {Slice.LOCALITY: "locality", Slice.YEAR: "birth_year", Slice.LANGUAGE: "languages"},
)
_EVENTS: Final = Facts(
    lambda: Event.objects.filter(ENTERS_OR_LEAVES),
    "at",
    {Slice.LOCALITY: "locality", Slice.YEAR: "birth_year", Slice.LANGUAGE: "application__languages"},
)


_STILL: Final[Values] = {"came": 0, "left": 0, "enrolled": 0}


def queue(asked: Asked, slice_: Slice | None) -> Counts:
    """Who waits, who came into a queue and who left one; by month, who waited at its end."""
    if slice_ is Slice.MONTH:
        return _by_month(asked)
    moved = _moved(asked, slice_)
    waiting = _QUEUED.by(asked, slice_, waiting=Count("pk"))
    return {key: {**waiting.get(key, {"waiting": 0}), **moved.get(key, _STILL)} for key in {*waiting, *moved}}


def _by_month(asked: Asked) -> Counts:
    """The months that are asked for; those after a single one are counted, too, to go back from who waits now."""
    waiting = _QUEUED.by(asked, None, waiting=Count("pk"))[None]["waiting"]
    moved = _moved(replace(asked, until_now=True), Slice.MONTH)
    months = replace(asked, until_now=True).months
    ends = waiting_at_ends(waiting, [_net(moved.get(month, _STILL)) for month in months])
    found: Counts = {
        month: {"waiting": end, **moved.get(month, _STILL)}
        for month, end in zip(months, ends, strict=True)
        if month in asked.months
    }
    told = {name: sum(row[name] or 0 for row in found.values()) for name in _STILL}
    return {**found, None: {"waiting": waiting, **told}}


def _net(moved: Values) -> int:
    return (moved["came"] or 0) - (moved["left"] or 0)


def waiting_at_ends(now: int, changes: Sequence[int]) -> list[int]:
    """How many waited at the end of each of successive months, the last of which ends now. Pure."""
    ends = [now]
    for change in reversed(changes[1:]):
        ends.append(ends[-1] - change)
    return ends[::-1] if changes else []


def _moved(asked: Asked, slice_: Slice | None) -> Counts:
    """Who came and left, from and to other queues, too; between two of one row nothing came or left."""
    counted = _EVENTS.by(
        asked,
        slice_,
        came=Count("pk", filter=_IS_IN),
        # Of those who come or leave, whoever does not come.
        left=Count("pk") - Count("pk", filter=_IS_IN),
        enrolled=Count("pk", filter=Q(move=Move.SIGN_CONTRACT)),
    )
    moved: dict[Key, Counter[str]] = defaultdict(Counter, {key: Counter(row) for key, row in counted.items()})
    for one in _transfers(asked):
        came, left = asked.holds(*one.new), asked.holds(*one.old)
        to, away = (_rows_of(slice_, queue, one.besides(slice_)) for queue in (one.new, one.old))
        if came and left and to == away:
            continue
        for key in to if came else ():
            moved[key]["came"] += one.number
        for key in away if left else ():
            moved[key]["left"] += one.number
        if came != left:
            moved[None]["came" if came else "left"] += one.number
    return {key: {name: row[name] for name in _STILL} for key, row in moved.items()}


@dataclass(frozen=True)
class _Transfer:
    """How many went from one queue (locality, birth year) to another, in which month, with which languages."""

    old: tuple[int, int]
    new: tuple[int, int]
    month: Key
    languages: list[Key]
    number: int

    def besides(self, slice_: Slice | None) -> list[Key]:
        """The rows of the slice to which both queues belong alike."""
        return self.languages if slice_ is Slice.LANGUAGE else [self.month]


def _transfers(asked: Asked) -> list[_Transfer]:
    """All of them, wherever they are, in the months that are asked for. One statement for all asked together."""
    if asked.together is None:
        return _all_transfers(asked)
    read = ("transfers", *asked.beginnings)
    if read not in asked.together:
        asked.together[read] = _all_transfers(asked)
    found: list[_Transfer] = asked.together[read]
    return found


def _all_transfers(asked: Asked) -> list[_Transfer]:
    before = Event.objects.filter(application=OuterRef("application"), pk__lt=OuterRef("pk")).order_by("-pk")
    events: QuerySet[Any] = Event.objects.filter(
        _IS_IN & _WAS_IN, move__in=BETWEEN_QUEUES, at__gte=asked.begins, at__lt=asked.ends
    ).order_by()
    if asked.language:
        events = events.filter(application__languages__contains=[asked.language])
    rows = events.annotate(
        old_locality=Subquery(before.values("locality")[:1]),
        old_year=Subquery(before.values("birth_year")[:1]),
        month=month_of("at", asked),
        languages=F("application__languages"),
    )
    counted = rows.values_list(
        "old_locality", "old_year", "locality", "birth_year", "month", "languages"
    ).annotate(Count("pk"))
    return [
        _Transfer((old_locality, old_year), (locality, year), month, languages, number)
        for old_locality, old_year, locality, year, month, languages, number in counted
        if (old_locality, old_year) != (locality, year)
    ]


def _rows_of(slice_: Slice | None, queue: tuple[int, int], besides: list[Key]) -> list[Key]:
    """The rows of the report in which one of that queue stands."""
    locality, year = queue
    rows = {Slice.LOCALITY: [locality], Slice.YEAR: [year], Slice.MONTH: besides, Slice.LANGUAGE: besides}
    return rows[slice_] if slice_ else []


def places(asked: Asked, slice_: Slice | None) -> Counts:
    """Groups and their capacity as they are, places published and contracts signed in the months."""
    counted: dict[Key, dict[str, int]] = defaultdict(dict)
    if not untold_of_places(asked, slice_):
        merge(counted, GROUPS.by(asked, slice_, groups=Count("pk"), capacity=Sum("capacity")))
    merge(counted, PUBLISHED.by(asked, slice_, published=Sum("seats_total")))
    merge(counted, SIGNED.by(asked, slice_, signed=Count("pk")))
    return {key: {"published": 0, "signed": 0, **row} for key, row in counted.items()}


def untold_of_places(asked: Asked, slice_: Slice | None) -> Sequence[str]:
    """The columns of `places` that can't be told: a group has neither a birth year nor a month. Pure."""
    is_of_groups = slice_ not in (Slice.YEAR, Slice.MONTH) and asked.birth_year is None
    return () if is_of_groups else ("groups", "capacity")


def merge(into: dict[Key, dict[str, int]], rows: Mapping[Key, dict[str, int]]) -> None:
    """Add the values of each key to those that it has."""
    for key, row in rows.items():
        into[key] |= row


def waits(asked: Asked, slice_: Slice | None) -> Counts:
    """Whole days from filing to referral, of the referrals issued in the months."""
    # As an array they would come as PostgreSQL extracts them: numbers with a fraction.
    waited = Cast(ExtractDay(F("issued_at") - F("application__filed_at")), IntegerField())
    found: dict[Key, list[int]] = defaultdict(list, {None: []})
    for keys, row in REFERRALS.cells(asked, slice_, days=ArrayAgg(waited)):
        for key in (*keys, None):
            found[key] += row["days"] or []
    return {key: _told(Counter(days)) for key, days in found.items()}


def _told(days: Mapping[int, int]) -> Values:
    return {"referrals": sum(days.values()), "median": median_of(days), "slow": slow_of(days)}


def answers(asked: Asked, slice_: Slice | None) -> Counts:
    """Bids sent in the months to which a kindergarten owed an answer: what it was, and whether it was late."""
    late = Q(decided_at__gte=F("answer_due"))
    overdue = Q(state=BidState.PENDING, answer_due__lte=asked.now)
    counted = ANSWERS.by(
        asked,
        slice_,
        bids=Count("pk"),
        accepted=Count("pk", filter=Q(state=BidState.ACTIVATED)),
        refused=Count("pk", filter=Q(state=BidState.REJECTED)),
        waiting=Count("pk", filter=Q(state=BidState.PENDING)),
        late=Count("pk", filter=late),
        overdue=Count("pk", filter=overdue),
        stood_in=Count("pk", filter=~Q(stand_in="")),
    )
    return {
        key: row
        | {
            "unanswered": row["bids"] - row["accepted"] - row["refused"] - row["waiting"],
            "refused_percent": percent(row["refused"], row["accepted"] + row["refused"]),
            "late_in_all": row["late"] + row["overdue"],
        }
        for key, row in counted.items()
    }


def no_shows(asked: Asked, slice_: Slice | None) -> Counts:
    """Referrals issued in the months, by how they ended."""
    counted = REFERRALS.by(
        asked,
        slice_,
        referrals=Count("pk"),
        **{state.value: Count("pk", filter=Q(state=state)) for state in ReferralState},
    )
    return {
        key: row | {"expired_percent": percent(row["expired"], row["referrals"] - row["issued"])}
        for key, row in counted.items()
    }


def benefits(asked: Asked, slice_: Slice | None) -> Counts:
    """Benefits claimed in the months, by what became of them."""
    states = {state.value: Count("pk", filter=Q(state=state)) for state in BenefitState}
    return BENEFITS.by(asked, slice_, claims=Count("pk"), **states)


def corrections(asked: Asked, slice_: Slice | None) -> Counts:
    """Corrections of the queue proposed in the months, by what became of them, by whom and of what they are."""
    states = {state.value: Count("pk", filter=Q(state=state)) for state in CorrectionState}
    return CORRECTIONS.by(
        asked,
        slice_,
        corrections=Count("pk"),
        **states,
        of_registry=Count("pk", filter=Q(proposed_by=None)),
        of_date=Count("pk", filter=Q(new_filed_at__isnull=False)),
        of_year=Count("pk", filter=Q(new_birth_year__isnull=False)),
    )
