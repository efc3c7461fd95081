"""Whether a vacancy may be published, and if not, why: all the reasons at once."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import (
    DateField,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    PositiveSmallIntegerField,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from applications.models import Rules
from applications.places.occupancy import occupancies_of, place_day, room
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from bulletin.calendar import working_calendar
from bulletin.closings import is_closed
from bulletin.models import AgeGroup, Locality, Vacancy
from bulletin.school_years import school_year, suitable_years, year_in_words
from bulletin.workdays import NoCalendar

# A place is announced at most so long before it opens, is open for at most so long, and is free at most so long before
# or after its opening.
LONGEST_ANNOUNCED = timedelta(days=180)
LONGEST_OPEN = timedelta(days=366)
LONGEST_APART = timedelta(days=366)
# Instants beyond these years are slips of the finger that no calendar of ours reaches.
EARLIEST_YEAR, LATEST_YEAR = 2015, 2099


class Obstacle(NamedTuple):
    """One reason: the field of the vacancy that it belongs to, and a sentence that says what to do."""

    field: str
    words: str


def why_not_publish(
    vacancy: Vacancy,
    *,
    now: datetime,
    is_short_notice: bool = False,
    beside: int = 0,
    missing: Collection[str] = (),
) -> list[Obstacle]:
    """Every reason why a draft can't be published at `now`; none if it can.

    A draft is saved by the same rules, so whether anything may be published yet is asked elsewhere
    (`publication.why_nobody_publishes`). Its group is not closed. Its places fit into the group's confirmed capacity
    beside all that is taken and promised, and `beside` more places. Its birth years are those of children of the
    group's age on the day on which a place can be taken. It opens as long after `now` as the rules demand (at short
    notice: not before `now`), but not much later; it closes after that, collected bids after the same time at the
    earliest; and it is free at a time near its opening. What depends on a value that is wrong itself, or on one of the
    `missing`, is not judged.
    The draft need not be stored. Under `lock_places` the answer holds until the lock is given back.
    """
    found = [one for one in _instants_beyond_all_years(vacancy) if one.field not in missing]
    unusable = {*missing, *(one.field for one in found)}

    def judge(obstacles: Iterator[Obstacle], *needed: str) -> None:
        """The obstacles are looked for only if all that they depend on is there."""
        if not unusable & {*needed}:
            found.extend(obstacles)

    lead = timedelta(0) if "group" in missing else publication_lead(vacancy.locality, now=now)
    judge(_closed(vacancy), "group")
    judge(_too_few(vacancy), "seats_total")
    judge(_opening(vacancy, now=now, lead=timedelta(0) if is_short_notice else lead), "group", "opens_at")
    judge(_free_from(vacancy), "group", "opens_at", "vacant_from")
    judge(_closing(vacancy, lead=lead), "group", "mode", "opens_at", "closes_at")
    # Ages and school years go by the day on which a place can be taken.
    unusable |= {one.field for one in found} & {"opens_at", "vacant_from"}
    judge(_years(vacancy), "group", "birth_years", "opens_at", "vacant_from")
    judge(_places(vacancy, now=now, beside=beside), "group", "seats_total", "opens_at", "vacant_from")
    return found


def refuse_obstacles(obstacles: list[Obstacle]) -> None:
    """Raise `ValidationError` with all of them by field, if there are any."""
    errors: dict[str, list[str]] = {}
    for one in obstacles:
        errors.setdefault(one.field, []).append(one.words)
    if errors:
        raise ValidationError(errors)


def publication_lead(locality: Locality, *, now: datetime) -> timedelta:
    """How long before its opening a vacancy is published at `now` at the latest."""
    return timedelta(hours=rules_at(locality, now).publication_lead_hours)


def opening_too_soon(*, now: datetime) -> QuerySet[Vacancy]:
    """Drafts that open sooner than the rules allow, so that only an official may publish them. Asks nothing yet."""
    place = "group__kindergarten__locality"
    day = Func(
        Value(now, output_field=DateTimeField()),
        OuterRef(f"{place}__timezone"),
        template="((%(expressions)s)::date)",
        arg_joiner=" AT TIME ZONE ",
        output_field=DateField(),
    )
    # As `rules_at` chooses them.
    begun = Rules.objects.filter(Q(valid_from__lte=day) | Q(early_from__lte=now))
    in_force = begun.filter(Q(locality=None) | Q(locality=OuterRef(place))).order_by(
        F("locality").asc(nulls_last=True), "-valid_from", F("early_from").desc(nulls_last=True)
    )
    hours = Coalesce(
        Subquery(in_force.values("publication_lead_hours")[:1]),
        Value(Rules().publication_lead_hours, output_field=PositiveSmallIntegerField()),
    )
    earliest = ExpressionWrapper(
        Value(now, output_field=DateTimeField()) + hours * Value(timedelta(hours=1)),
        output_field=DateTimeField(),
    )
    return Vacancy.objects.filter(state=Vacancy.State.DRAFT, opens_at__gte=now, opens_at__lt=earliest)


def too_early(locality: Locality, *, earliest: datetime) -> str:
    """The words for an opening before `earliest`, with the first whole minute that is not."""
    whole_minute = (earliest + timedelta(seconds=60) - timedelta(microseconds=1)).replace(
        second=0, microsecond=0
    )
    words = _("Families must be able to read of a place before it opens. The earliest opening: %(earliest)s")
    return words % {"earliest": f"{localtime(whole_minute, locality.zone):%d.%m.%Y %H:%M}"}


def priority_until(vacancy: Vacancy) -> datetime | None:
    """The first instant at which the vacancy is for everyone who matches; None without a priority window.

    Raises `NoCalendar` where the calendar of working days does not reach that far.
    """
    opens = vacancy.opens_at.astimezone(vacancy.locality.zone)
    days = rules_at(vacancy.locality, opens).priority_working_days
    if days == 0:
        return None
    return datetime.combine(working_calendar().add(opens.date(), days), opens.timetz())


def _instants_beyond_all_years(vacancy: Vacancy) -> Iterator[Obstacle]:
    for name in ("opens_at", "closes_at", "vacant_from"):
        at: datetime | None = getattr(vacancy, name)
        if at is not None and not EARLIEST_YEAR < at.year < LATEST_YEAR:
            yield Obstacle(name, _("Check the year."))


def _too_few(vacancy: Vacancy) -> Iterator[Obstacle]:
    if vacancy.seats_total < 1:
        yield Obstacle("seats_total", _("There must be at least one place."))


def _places(vacancy: Vacancy, *, now: datetime, beside: int) -> Iterator[Obstacle]:
    group, year = vacancy.group, school_year(place_day(vacancy))
    if vacancy.seats_total > group.capacity:
        words = _("More places than the group has room for: %(capacity)s") % {"capacity": group.capacity}
        yield Obstacle("seats_total", words)
        return
    found = occupancies_of([group], now=now, without=vacancy)[group.pk]
    left = room(group.capacity, found, year=year) - beside
    if vacancy.seats_total > left:
        words = _(
            "Children counted, contracts, referrals, bids and published places leave less room in the group. Places "
            "left: %(left)s, school year: %(year)s. If children have left, count the group anew."
        )
        yield Obstacle("seats_total", words % {"left": max(left, 0), "year": year_in_words(year)})


def _closed(vacancy: Vacancy) -> Iterator[Obstacle]:
    if is_closed(vacancy.group):
        yield Obstacle("group", Refusal.GROUP_CLOSED.at_work)


def _years(vacancy: Vacancy) -> Iterator[Obstacle]:
    years, day = vacancy.birth_years, place_day(vacancy)
    suitable = suitable_years(vacancy.group.age_group, on=day)
    if not years:
        yield Obstacle("birth_years", _("Name at least one birth year."))
    elif len(set(years)) != len(years):
        yield Obstacle("birth_years", _("A birth year is named twice."))
    elif not set(years) <= set(suitable):
        words = _("They don't suit the age of the group: %(group)s. Birth years: %(earliest)s – %(latest)s")
        yield Obstacle(
            "birth_years",
            words
            % {
                "group": AgeGroup(vacancy.group.age_group).label,
                "earliest": suitable[0],
                "latest": suitable[-1],
            },
        )


def _opening(vacancy: Vacancy, *, now: datetime, lead: timedelta) -> Iterator[Obstacle]:
    earliest, latest = now + lead, now + LONGEST_ANNOUNCED
    if vacancy.opens_at < earliest:
        at_short_notice = _(
            "If it has to be sooner: an official may publish it at short notice, with a reason."
        )
        too_soon = too_early(vacancy.locality, earliest=earliest)
        yield Obstacle("opens_at", f"{too_soon}. {at_short_notice}" if lead else too_soon)
    elif vacancy.opens_at > latest:
        words = _("That is too far ahead. The latest opening: %(latest)s")
        yield Obstacle("opens_at", words % {"latest": _day(vacancy, latest)})
    else:
        try:
            priority_until(vacancy)
        except NoCalendar:
            yield Obstacle("opens_at", str(Refusal.CALENDAR.label))


def _free_from(vacancy: Vacancy) -> Iterator[Obstacle]:
    earliest, latest = vacancy.opens_at - LONGEST_APART, vacancy.opens_at + LONGEST_APART
    if not earliest <= vacancy.vacant_from <= latest:
        words = _("A place is free about the time at which it opens, between: %(earliest)s – %(latest)s")
        days = {"earliest": _day(vacancy, earliest), "latest": _day(vacancy, latest)}
        yield Obstacle("vacant_from", words % days)


def _closing(vacancy: Vacancy, *, lead: timedelta) -> Iterator[Obstacle]:
    is_collected = vacancy.is_collected
    if vacancy.closes_at is None:
        if is_collected:
            yield Obstacle("closes_at", _("Bids are collected until an end: name it."))
    elif vacancy.closes_at <= vacancy.opens_at:
        yield Obstacle("closes_at", _("The end must be later than the opening."))
    elif is_collected and vacancy.closes_at < vacancy.opens_at + lead:
        words = _("All who match need time to send a bid. Bids are collected for at least, hours: %(hours)s")
        yield Obstacle("closes_at", words % {"hours": int(lead / timedelta(hours=1))})
    elif vacancy.closes_at > vacancy.opens_at + LONGEST_OPEN:
        words = _("That is too far ahead. The latest end: %(latest)s")
        yield Obstacle("closes_at", words % {"latest": _day(vacancy, vacancy.opens_at + LONGEST_OPEN)})


def _day(vacancy: Vacancy, at: datetime) -> str:
    day: date = vacancy.locality.day(at)
    return f"{day:%d.%m.%Y}"
