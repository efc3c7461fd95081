"""What an employee works on: their own kindergartens, and what is to be done today."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Count, Min, Model, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate

from accounts import first_sign_in
from accounts.models import User
from accounts.numbers import assisted, claims
from accounts.officials import is_one_with
from applications.benefits.claims import claims_to_check
from applications.bidding.obstacles import opening_too_soon
from applications.bidding.publication import SHORTEN_LEAD
from applications.bidding.stand_ins import ANSWER, STAND_IN
from applications.complaints.whose import to_answer as complaints_to_answer
from applications.decisions.former import protocols_to_sign, undecided_lines
from applications.guardians.claims import claims_to_decide
from applications.models import (
    Bid,
    CityExport,
    GroupProposal,
    Headcount,
    ProfileProposal,
    Referral,
    RulesProposal,
)
from applications.objections import to_answer
from applications.own_rows import has_every_locality, own_rows
from applications.places.with_room import groups_with_room
from applications.queue.corrections import DECIDE, corrections_to_decide
from applications.referrals import due
from applications.states import BidState, ProposalState
from applications.undoing.requests import DECIDE as DECIDE_UNDO
from applications.undoing.requests import undo_to_decide
from bulletin.calendar import MUST_REACH, reaches
from bulletin.employment import places_of, works_everywhere
from bulletin.incidents import overdue_incidents
from bulletin.kazakh_order import InKazakhOrder
from bulletin.models import Closing, Group, Kindergarten, Locality, Photo, Review, Vacancy
from bulletin.moderation import ANSWER as ANSWER_REVIEWS
from bulletin.selectors import unanswered_reviews
from children.disputes import to_decide
from children.models import Child
from notifications.kinds import READS_NAMES
from notifications.models import Mail, Message
from notifications.selectors import undelivered

M = TypeVar("M", bound=Model)
T = TypeVar("T")

# How many rows of each list the start page shows; the rest is one link away.
SHOWN = 10
# As far as the start page counts: nobody acts on the difference between a hundred and a thousand that wait, and to tell
# it the database reads all of them.
MOST_COUNTED: Final = 100
# What is counted in the order of its last moment: the first hundred are read from an index, and how many of them are
# late is told in the same breath.
_DUE: Final = {
    "bids": "answer_due",
    "ending": "valid_until",
    "awaited": "valid_until",
    "disputes": "due_at",
    "guardian_claims": "due_at",
    "objections": "due_at",
    "complaints": "due_at",
}
# What is counted for `Numbers`, among everything that a start page counts.
_NUMBER: Final = "number_"


class Counted(NamedTuple):
    """How many there are, as far as the start page counts, and how many of them are past their last moment."""

    total: int
    late: int = 0


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The head of a list, and the length of the whole list as `count_all` tells it."""

    total: int
    shown: Sequence[T]


@dataclass(frozen=True)
class Late:
    """A kindergarten that owes answers whose time is over: how many, and since when the oldest."""

    kindergarten: Kindergarten
    bids: int
    since: datetime


@dataclass(frozen=True)
class Today:
    """The start page of the workplace."""

    bids: Listed[Bid]
    overdue: int
    # For officials, who may decide in the place of these kindergartens; None for everybody else.
    late: Listed[Late] | None
    ending: Listed[Referral]
    awaited: Listed[Referral]
    vacancies: Listed[Vacancy]
    # Benefits to check, and disputed guardianships to decide; None for employees without the right.
    claims: int | None
    disputes: Counted | None
    # Guardians by papers that wait for this official; None without the right.
    guardian_claims: Counted | None
    # Objections to wrong data that nobody has answered; None without the right.
    objections: Counted | None
    # Complaints that wait for this official's answer; None without the right.
    complaints: Counted | None
    # Corrections of the queue that wait for an official who did not propose them.
    corrections: int | None
    # What waits for an official: rules (of others), groups, counts of children; None without the right.
    rules: int | None
    # Requests for an export of the city (of others), for who works everywhere.
    exports: int | None
    former_lines: int | None
    protocols: int | None
    groups: int | None
    headcounts: int | None
    profiles: int | None
    photos: int | None
    # What employees asked to undo, for an official who did not ask.
    undoing: int | None
    # Reviews to publish or refuse; None without the right.
    reviews: int | None
    # Published reviews without an answer, for who answers for a kindergarten.
    unanswered: int | None
    # Groups below capacity for which nothing is in the bulletin, for who writes vacancies in a kindergarten.
    groups_with_room: int | None
    # Drafts that open so soon that only an official may publish them; None without the right.
    too_soon: int | None
    # What is closed now, of who works in a kindergarten; None without the right, and for who works everywhere.
    closed: int | None


@dataclass(frozen=True)
class Numbers:
    """What waits for an employee besides the places: numbers of accounts, papers instead of them, messages that did
    not arrive, the calendar, incidents. None without the right.
    """

    claims: int | None
    assisted: int | None
    papers: int | None
    # Given up lately, for who may send them again or call the family.
    messages: int | None
    mails: int | None
    # Whether the calendar of working days is known for long enough (1 or 0), for who may change it.
    calendar: int | None
    # Incidents that should be over by what was told, for who may tell how they go on.
    incidents: int | None


def ask_for_numbers(user: User, *, now: datetime) -> dict[str, QuerySet[Any] | None]:
    """What `numbers` is told of, for `count_all`: nothing but None for who has none of it."""

    def of(permission: str, rows: Callable[[User], QuerySet[Any]]) -> QuerySet[Any] | None:
        return own_rows(rows(user), user=user, now=now) if user.has_perm(permission) else None

    asked = {
        "incidents": of("bulletin.change_reportedincident", lambda _user: overdue_incidents(now=now)),
        "claims": of("accounts.change_numbermove", claims.to_decide),
        "assisted": of("accounts.change_assistedmove", assisted.to_approve),
        "papers": of("accounts.change_firstsignin", first_sign_in.to_print),
        "messages": _undelivered(Message, user, now=now),
        "mails": _undelivered(Mail, user, now=now),
        "calendar": reaches(localdate(now) + MUST_REACH) if _keeps_calendar(user, now=now) else None,
    }
    return {f"{_NUMBER}{name}": _many(rows) for name, rows in asked.items()}


def numbers(counted: Mapping[str, Counted | None]) -> Numbers | None:
    """For officials, administrators and the contact centre; None for who has none of it."""
    found = {
        name.removeprefix(_NUMBER): one and one.total for name, one in counted.items() if _NUMBER in name
    }
    return Numbers(**found) if any(number is not None for number in found.values()) else None


def today(
    user: User, *, besides: Mapping[str, QuerySet[Any] | None], now: datetime
) -> tuple[Today, dict[str, Counted | None]]:
    """What waits for `user` now: bids to answer, families about to come, their own vacancies.

    However much there is to count, it costs one statement, and one for each list. `besides` is counted in the same.
    """

    def mine(rows: QuerySet[M]) -> QuerySet[M]:
        return own_rows(rows, user=user, now=now)

    def of(permission: str, rows: Callable[[User], QuerySet[M]]) -> QuerySet[M] | None:
        return mine(rows(user)) if user.has_perm(permission) else None

    bids, referrals, vacancies = (
        mine(bids_to_answer()),
        mine(valid_referrals(now=now)),
        mine(running_vacancies()),
    )
    localities = places_of(user, today=localdate(now)).all_localities
    soon = due.ends_by_tomorrow(localities, now=now)
    asked = {
        "bids": bids,
        "ending": referrals.filter(soon),
        "awaited": referrals.exclude(soon),
        "vacancies": vacancies,
        "claims": of("applications.change_benefit", lambda _user: claims_to_check()),
        "disputes": of("children.change_dispute", to_decide),
        "guardian_claims": of("children.change_guardianclaim", claims_to_decide),
        "objections": of("accounts.change_objection", to_answer),
        "complaints": of("applications.change_complaint", partial(complaints_to_answer, now=now)),
        "corrections": of(DECIDE, corrections_to_decide),
        "rules": of("applications.change_rules", partial(rules_to_decide, now=now)),
        "exports": of("applications.change_cityexport", exports_to_decide),
        "former_lines": of("applications.change_formerline", lambda _user: undecided_lines()),
        "protocols": of("applications.change_formerprotocol", protocols_to_sign),
        "groups": of(
            "applications.change_groupproposal", lambda _user: _proposed(GroupProposal.objects.all())
        ),
        "headcounts": of("applications.change_headcount", lambda _user: _proposed(Headcount.objects.all())),
        "profiles": of(
            "applications.change_profileproposal", lambda _user: _proposed(ProfileProposal.objects.all())
        ),
        "photos": of("bulletin.change_photo", lambda _user: Photo.objects.filter(state=Photo.State.PENDING)),
        "undoing": of(DECIDE_UNDO, undo_to_decide),
        "reviews": of(
            "bulletin.change_review", lambda _user: Review.objects.filter(state=Review.State.PENDING)
        ),
        "unanswered": mine(unanswered_reviews())
        if user.has_perm(ANSWER_REVIEWS) and not works_everywhere(user)
        else None,
        "groups_with_room": room_to_publish(user, now=now)
        if user.has_perm("bulletin.add_vacancy") and not works_everywhere(user)
        else None,
        "closed": mine(Closing.objects.filter(state=Closing.State.RUNNING))
        if user.has_perm("bulletin.view_closing") and not works_everywhere(user)
        else None,
        "too_soon": of(SHORTEN_LEAD, lambda _user: opening_too_soon(now=now)),
    }
    bounded = {name: _many(rows, due=_DUE.get(name)) for name, rows in asked.items()}
    counted = count_all({**besides, **bounded}, now=now)
    others = {name: counted.pop(name) for name in besides}
    figures: dict[str, Any] = {
        name: one if name in _DUE else one and one.total for name, one in counted.items()
    }
    owed, ends_soon, awaited = (figures.pop(name) for name in ("bids", "ending", "awaited"))
    soon_ending, later = _both_heads(referrals, soon)
    _name_localities([*soon_ending, *later], localities)
    late = late_kindergartens(user, now=now) if owed.late and user.has_perm(STAND_IN) else []
    heads: dict[str, Any] = {
        # Whoever does not answer them reads how many there are, and finds them in their list.
        "bids": Listed(owed.total, _head(bids) if user.has_perm(ANSWER) else []),
        "overdue": owed.late,
        "ending": Listed(ends_soon.total, soon_ending),
        "awaited": Listed(awaited.total, later),
        "vacancies": Listed(figures.pop("vacancies"), _head(vacancies)),
        "late": Listed(len(late), late[:SHOWN]) if user.has_perm(STAND_IN) else None,
    }
    return Today(**heads, **figures), others


def count_all(asked: Mapping[str, QuerySet[Any] | None], *, now: datetime) -> dict[str, Counted | None]:
    """How many rows each of these has; None for None. One statement, none if there is nothing to count.

    Late are those whose only value, by which `_DUE` has them read, is not after `now`.
    """
    counts: dict[str, Counted | None] = dict.fromkeys(asked)
    parts: list[str] = []
    parameters: list[Any] = []
    for name, rows in asked.items():
        if rows is None:
            continue
        counts[name] = Counted(0)
        late = f"count(*) FILTER (WHERE counted.{_DUE[name]} <= %s)" if name in _DUE else "0"
        plain = rows if rows.query.is_sliced else _keys(rows)
        with suppress(EmptyResultSet):
            sql, given = plain.query.sql_with_params()
            parts.append(f"SELECT %s, count(*), {late} FROM ({sql}) AS counted")  # noqa: S608 - Django's SQL
            parameters += [name, *([now] if name in _DUE else []), *given]
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            counts |= {name: Counted(*numbers) for name, *numbers in cursor.fetchall()}
    return counts


def room_to_publish(user: User, *, now: datetime) -> QuerySet[Group]:
    """The groups of the employee's kindergartens with room and without a vacancy."""
    places = places_of(user, today=localdate(now))
    own = None if works_everywhere(user) else places.all_kindergartens
    return groups_with_room(own, now=now)


def _undelivered(model: type[M], user: User, *, now: datetime) -> QuerySet[M] | None:
    """Own families' messages that did not arrive, for who may send them again or may call the family."""
    name = model._meta.model_name
    may_act = user.has_perm(f"notifications.change_{name}") or user.has_perm(READS_NAMES)
    if not (may_act and user.has_perm(f"notifications.view_{name}")):
        return None
    rows: QuerySet[Any] = model._default_manager.all()
    return own_rows(undelivered(rows, now=now), user=user, now=now)


def _keeps_calendar(user: User, *, now: datetime) -> bool:
    return user.has_perm("bulletin.change_holiday") and has_every_locality(user, now=now)


def rules_to_decide(user: User, *, now: datetime) -> QuerySet[RulesProposal]:
    """The proposals that `user` did not make; those for every locality only for who works in each."""
    waiting = RulesProposal.objects.filter(state=ProposalState.PROPOSED)
    others = waiting.exclude(is_one_with(user, path="proposed_by"))
    return others if has_every_locality(user, now=now) else others.exclude(locality=None)


def exports_to_decide(user: User) -> QuerySet[CityExport]:
    """The requests for an export of the city that `user` did not make."""
    return _proposed(CityExport.objects.all()).exclude(is_one_with(user, path="proposed_by"))


def bids_to_answer() -> QuerySet[Bid]:
    """Pending bids that hold a place, the most urgent first."""
    return (
        Bid.objects.filter(_is_to_answer())
        .select_related("application__child", "application__locality", "vacancy__group__kindergarten")
        .order_by("answer_due", "placed_at")
    )


def late_kindergartens(user: User, *, now: datetime) -> list[Late]:
    """The first of the employee's kindergartens that owe answers whose time is over, the most overdue first.

    One more than is shown, if there are so many.
    """
    path = "groups__vacancies__bids"
    # One filter, so that the same bids are counted: by their keys the database would read every bid of the city.
    owing = Kindergarten.objects.filter(_is_to_answer(f"{path}__"), **{f"{path}__answer_due__lte": now})
    counted = own_rows(owing, user=user, now=now).annotate(
        bids=Count(path), late_since=Min(f"{path}__answer_due")
    )
    first = counted.select_related("locality").order_by("late_since", "pk")[: SHOWN + 1]
    return [Late(one, bids=one.bids, since=one.late_since) for one in first]


def _is_to_answer(path: str = "") -> Q:
    """A bid that holds a place until it is answered, by the lookup to it."""
    return Q(**{f"{path}state": BidState.PENDING, f"{path}holds_seat": True})


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals that a family may still use, the earliest last day first, and those of one day by the child's name."""
    return (
        due.valid_referrals(now=now)
        .select_related("application__child", "bid__vacancy__group__kindergarten")
        .order_by(
            "valid_until",
            InKazakhOrder("application__child__last_name"),
            InKazakhOrder("application__child__first_name"),
            "pk",
        )
    )


def _name_localities(referrals: Iterable[Referral], localities: Iterable[Locality]) -> None:
    """Give the referrals' applications their localities, which the page has read.

    With this join, one more than it tries in every order, the database takes three times as long to plan.
    """
    known = {place.pk: place for place in localities}
    for referral in referrals:
        application = referral.application
        if application.locality_id in known:
            application.locality = known[application.locality_id]


def running_vacancies() -> QuerySet[Vacancy]:
    """Drafts and published vacancies with `pending`, the number of bids waiting for an answer."""
    running = Vacancy.objects.filter(state__in=[Vacancy.State.DRAFT, Vacancy.State.PUBLISHED])
    return with_pending(running.select_related("group__kindergarten__locality")).order_by("-opens_at", "pk")


def with_pending(vacancies: QuerySet[Vacancy]) -> QuerySet[Any]:
    """The same with `pending`, the number of bids that wait for an answer: counted for the rows that are read."""
    pending = Bid.objects.filter(vacancy=OuterRef("pk"), state=BidState.PENDING).order_by().values("vacancy")
    number = Subquery(pending.annotate(number=Count("pk")).values("number"))
    return vacancies.annotate(pending=Coalesce(number, 0))


def short_name(child: Child) -> str:
    """The last name with initials: enough to recognise a child in a list, without opening the family's data."""
    initials = [f"{name[0]}." for name in (child.first_name, child.middle_name) if name]
    return " ".join([child.last_name, *initials])


def _proposed(proposals: QuerySet[M]) -> QuerySet[M]:
    return proposals.filter(state=ProposalState.PROPOSED)


def _many(rows: QuerySet[Any] | None, *, due: str | None = None) -> QuerySet[Any] | None:
    """As many of the rows as are counted, and one more where there are others; those first whose `due` is first."""
    if rows is None:
        return None
    wanted = rows.order_by(due).values(due) if due else _keys(rows)
    return wanted[: MOST_COUNTED + 1]


def _keys(rows: QuerySet[Any]) -> QuerySet[Any]:
    """What tells one row from another, in no order."""
    return rows.order_by() if rows.query.values_select else rows.order_by().values("pk")


def _head(rows: QuerySet[M]) -> list[M]:
    return list(rows[:SHOWN])


def _both_heads(rows: QuerySet[M], condition: Q) -> tuple[list[M], list[M]]:
    """The first of the rows that meet the condition, and the first of the others; one statement."""
    marked = rows.annotate(is_of_the_first=Case(When(condition, then=True), default=False))
    found = marked.filter(condition)[:SHOWN].union(marked.exclude(condition)[:SHOWN], all=True)
    heads: tuple[list[M], list[M]] = [], []
    for row in found:
        heads[0 if row.is_of_the_first else 1].append(row)  # type: ignore[attr-defined]
    return heads
