"""What an employee works on: their own kindergartens, and what is to be done today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Count, Min, Model, Q, QuerySet

from accounts import first_sign_in
from accounts.models import User
from accounts.numbers import assisted, claims
from applications.benefits.claims import claims_to_check
from applications.bidding.stand_ins import STAND_IN
from applications.guardians.claims import claims_to_decide
from applications.models import Bid, GroupProposal, Headcount, Referral, RulesProposal
from applications.objections import to_answer
from applications.own_rows import has_every_locality, own_rows
from applications.queue.corrections import DECIDE, corrections_to_decide
from applications.referrals import due
from applications.states import BidState, ProposalState
from applications.undoing.requests import DECIDE as DECIDE_UNDO
from applications.undoing.requests import undo_to_decide
from bulletin.models import Kindergarten, Review, Vacancy
from children.disputes import to_decide
from children.models import Child

M = TypeVar("M", bound=Model)
T = TypeVar("T")

# How many rows of each list the start page shows; the rest is one link away.
SHOWN = 15


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The head of a list, and the length of the whole list."""

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
    disputes: int | None
    late_disputes: int | None
    # Guardians by papers that wait for this official; None without the right.
    guardian_claims: int | None
    late_guardian_claims: int | None
    # Objections to wrong data that nobody has answered, and those past their last day; None without the right.
    objections: int | None
    late_objections: int | None
    # Corrections of the queue that wait for an official who did not propose them.
    corrections: int | None
    # What waits for an official: rules (of others), groups, counts of children; None without the right.
    rules: int | None
    groups: int | None
    headcounts: int | None
    # What employees asked to undo, for an official who did not ask.
    undoing: int | None
    # Reviews to publish or refuse; None without the right.
    reviews: int | None


@dataclass(frozen=True)
class Numbers:
    """What waits for an employee about numbers of accounts, and papers instead of them; None without the right."""

    claims: int | None
    assisted: int | None
    papers: int | None


def numbers(user: User, *, now: datetime) -> Numbers | None:
    """For officials and the contact centre, who answers no bids; None for everybody else."""

    def count(rows: QuerySet[Any], permission: str) -> int | None:
        return own_rows(rows, user=user, now=now).count() if user.has_perm(permission) else None

    found = Numbers(
        claims=count(claims.to_decide(user), "accounts.change_numbermove"),
        assisted=count(assisted.to_approve(user), "accounts.change_assistedmove"),
        papers=count(first_sign_in.to_print(user), "accounts.change_firstsignin"),
    )
    return None if found == Numbers(None, None, None) else found


def today(user: User, *, now: datetime) -> Today:
    """What waits for `user` now: bids to answer, families about to come, their own vacancies."""

    def mine(rows: QuerySet[M]) -> QuerySet[M]:
        return own_rows(rows, user=user, now=now)

    may_decide, disputes = user.has_perm("children.change_dispute"), mine(to_decide(user))
    may_answer, objections = user.has_perm("accounts.change_objection"), mine(to_answer(user))
    may_check, papers = user.has_perm("children.change_guardianclaim"), mine(claims_to_decide(user))
    bids = mine(bids_to_answer())
    referrals = mine(valid_referrals(now=now))
    soon = due.ends_by_tomorrow(now=now)
    vacancies = mine(running_vacancies())
    reviews = mine(Review.objects.filter(state=Review.State.PENDING))
    return Today(
        bids=_listed(bids),
        overdue=bids.filter(answer_due__lte=now).count(),
        late=late_kindergartens(bids, now=now) if user.has_perm(STAND_IN) else None,
        ending=_listed(referrals.filter(soon)),
        awaited=_listed(referrals.exclude(soon)),
        vacancies=_listed(vacancies),
        claims=mine(claims_to_check()).count() if user.has_perm("applications.change_benefit") else None,
        disputes=disputes.count() if may_decide else None,
        late_disputes=disputes.filter(due_at__lte=now).count() if may_decide else None,
        guardian_claims=papers.count() if may_check else None,
        late_guardian_claims=papers.filter(due_at__lte=now).count() if may_check else None,
        objections=objections.count() if may_answer else None,
        late_objections=objections.filter(due_at__lte=now).count() if may_answer else None,
        corrections=mine(corrections_to_decide(user)).count() if user.has_perm(DECIDE) else None,
        rules=_proposed(mine(rules_to_decide(user, now=now)), user, "applications.change_rules"),
        groups=_proposed(mine(GroupProposal.objects.all()), user, "applications.change_groupproposal"),
        headcounts=_proposed(mine(Headcount.objects.all()), user, "applications.change_headcount"),
        undoing=mine(undo_to_decide(user)).count() if user.has_perm(DECIDE_UNDO) else None,
        reviews=reviews.count() if user.has_perm("bulletin.change_review") else None,
    )


def rules_to_decide(user: User, *, now: datetime) -> QuerySet[RulesProposal]:
    """The proposals that `user` did not make; those for every locality only for who works in each."""
    others = RulesProposal.objects.filter(state=ProposalState.PROPOSED).exclude(proposed_by=user)
    return others if has_every_locality(user, now=now) else others.exclude(locality=None)


def bids_to_answer() -> QuerySet[Bid]:
    """Pending bids that hold a place, the most urgent first."""
    return (
        Bid.objects.filter(state=BidState.PENDING, holds_seat=True)
        .select_related("application__child", "application__locality", "vacancy__group__kindergarten")
        .order_by("answer_due", "placed_at")
    )


def late_kindergartens(bids: QuerySet[Bid], *, now: datetime) -> Listed[Late]:
    """Whose answers to these pending bids are overdue, the most overdue kindergarten first."""
    path = "vacancy__group__kindergarten"
    late = bids.filter(answer_due__lte=now).order_by().values(path)
    rows = late.annotate(bids=Count("pk"), since=Min("answer_due")).order_by("since", path)
    shown = list(rows[:SHOWN])
    named = Kindergarten.objects.select_related("locality").in_bulk([row[path] for row in shown])
    return Listed(
        total=rows.count(), shown=[Late(named[row[path]], row["bids"], row["since"]) for row in shown]
    )


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals that a family may still use, the earliest last day first."""
    return (
        due.valid_referrals(now=now)
        .select_related("application__child", "application__locality", "bid__vacancy__group__kindergarten")
        .order_by("valid_until", "issued_at")
    )


def running_vacancies() -> QuerySet[Vacancy]:
    """Drafts and published vacancies with `pending`, the number of bids waiting for an answer."""
    return (
        Vacancy.objects.filter(state__in=[Vacancy.State.DRAFT, Vacancy.State.PUBLISHED])
        .select_related("group__kindergarten__locality")
        .annotate(pending=Count("bids", filter=Q(bids__state=BidState.PENDING)))
        .order_by("-opens_at", "pk")
    )


def short_name(child: Child) -> str:
    """The last name with initials: enough to recognise a child in a list, without opening the family's data."""
    initials = [f"{name[0]}." for name in (child.first_name, child.middle_name) if name]
    return " ".join([child.last_name, *initials])


def _proposed(proposals: QuerySet[Any], user: User, permission: str) -> int | None:
    """How many proposals wait for the user's decision; None if it is not theirs to decide."""
    return proposals.filter(state=ProposalState.PROPOSED).count() if user.has_perm(permission) else None


def _listed(rows: QuerySet[Any]) -> Listed[Any]:
    return Listed(total=rows.count(), shown=list(rows[:SHOWN]))
