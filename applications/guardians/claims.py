"""A guardian whom the registry can't prove hands in papers; one official checks them, a second one approves.

docs/disputes.md says what counts from when. A «Stop» never reaches whom two officials have approved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.core.files import File
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts import audit
from accounts.identity import hashes_of_child, paper_hash
from accounts.models import User
from accounts.officials import is_one_with, one_with
from accounts.uploads import random_name, type_of
from applications.answer_days import last_day, portals_zone
from applications.journal_actions import Action
from applications.moves import Refused, locking, refuse_closed
from applications.refusals import Refusal
from applications.waiting.filing import file_by
from bulletin.workdays import end_of_day
from children.access import keys_of_own_children, read_own_children
from children.disputes import is_barred, lock_people
from children.known import children_with
from children.models import Child, ClaimPaper, GuardianClaim, Guardianship
from children.services import tell_the_others
from notifications.services import enqueue

# To the end of the last of them both officials have decided; the family's page says it.
DECISION_WORKING_DAYS: Final = 10
# Where the calendar is not loaded: at least as long.
WITHOUT_CALENDAR: Final = timedelta(days=16)
# More wait for nobody: a family has fewer children without an IIN than this.
MOST_OPEN: Final = 3


@dataclass(frozen=True)
class ChildOnPaper:
    """The child as its papers name it: with an IIN, or else with the number of its certificate."""

    iin: str
    paper_number: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: str

    @property
    def child_hash(self) -> str:
        """What finds the child here (`Child.iin_hash`): the same certificate makes no second child."""
        return hashes_of_child(iin=self.iin, paper_number=self.paper_number)[0]


def hand_in(
    user: User,
    child: ChildOnPaper,
    *,
    documents: "Sequence[tuple[str, File[bytes]]]",
    address: str | None,
    now: datetime,
) -> GuardianClaim:
    """Ask to become a guardian of `child` by papers. `documents` are checked files (`accounts.uploads`) with names.

    The same child asked for twice at once makes one claim. Raises `Refused` (CLAIM_WAITS, TOO_MANY_GUARDIAN_CLAIMS,
    ALREADY_GUARDIAN, GUARDIAN_BARRED, DOCUMENTS_MISSING, ACCOUNT_CLOSED).
    """
    if not documents:
        raise Refused(Refusal.DOCUMENTS_MISSING)
    try:
        with locking():
            lock_people(user)
            refuse_closed(user)
            _refuse_if_there(user, child)
            claim = GuardianClaim.objects.create(
                user=user,
                ground=GuardianClaim.Ground.NOT_IN_REGISTRY if child.iin else GuardianClaim.Ground.NO_IIN,
                iin=child.iin,
                paper_number=child.paper_number,
                child_hash=child.child_hash,
                last_name=child.last_name,
                first_name=child.first_name,
                middle_name=child.middle_name,
                birth_date=child.birth_date,
                sex=child.sex,
                made_at=now,
                due_at=end_of_day(last_day_of(now), portals_zone()),
            )
            for name, file in documents:
                ClaimPaper(claim=claim, original_name=name).file.save(
                    random_name(type_of(file.name or "")), file
                )
            audit.record(
                Action.CLAIM_HANDED_IN,
                actor=user,
                subject=user,
                target=claim.full_name,
                address=address,
                about=claim,
                now=now,
            )
    except IntegrityError as error:
        raise Refused(Refusal.CLAIM_WAITS) from error
    return claim


def last_day_of(now: datetime) -> date:
    """The last day for the decision about papers that are handed in at `now`."""
    return last_day(
        now, portals_zone(), working_days=DECISION_WORKING_DAYS, without_calendar=WITHOUT_CALENDAR
    )


def _refuse_if_there(user: User, child: ChildOnPaper) -> None:
    waiting = GuardianClaim.objects.filter(user=user, state__in=GuardianClaim.OPEN)
    hashes = hashes_of_child(iin=child.iin, paper_number=child.paper_number)
    if waiting.filter(child_hash__in=hashes).exists():
        raise Refused(Refusal.CLAIM_WAITS)
    if waiting.count() >= MOST_OPEN:
        raise Refused(Refusal.TOO_MANY_GUARDIAN_CLAIMS)
    known = children_with(iin=child.iin, paper_number=child.paper_number)
    if Guardianship.objects.filter(user=user, child__in=known, ended_at=None).exists():
        raise Refused(Refusal.ALREADY_GUARDIAN)
    if is_barred(user, known):
        raise Refused(Refusal.GUARDIAN_BARRED)


def check_claim(claim: GuardianClaim, *, actor: User, reason: str, now: datetime) -> GuardianClaim:
    """The first official has seen that the papers prove it, and says by what. It counts for nothing yet.

    Raises `Refused` (REASON_MISSING, ALREADY_DECIDED, OWN_CHILD).
    """
    with locking():
        claim = _lock(claim, actor=actor, reason=reason)
        if claim.state != GuardianClaim.State.HANDED_IN:
            raise Refused(Refusal.ALREADY_DECIDED)
        claim.state, claim.note = GuardianClaim.State.CHECKED, reason.strip()
        claim.checked_at, claim.checked_by = now, actor
        claim.save(update_fields=["state", "note", "checked_at", "checked_by"])
        _record(claim, Action.CLAIM_CHECKED, actor=actor, reason="", now=now)
    return claim


def approve_claim(claim: GuardianClaim, *, actor: User, now: datetime) -> GuardianClaim:
    """The second official approves: the guardian is one from now on, and whoever was there before is told.

    The child is made, unless it is here already with this IIN or certificate. Raises `Refused` (ALREADY_DECIDED,
    NOT_CHECKED_YET, NOT_BY_THE_SAME if `actor` was the first, OWN_CHILD, ACCOUNT_CLOSED, GUARDIAN_BARRED while a
    dispute bars them, CLAIM_DIFFERS if the child here was born on another day). Locks the person, then the child.
    """
    with locking():
        lock_people(claim.user)
        claim = _lock(claim, actor=actor, reason="-")
        if claim.state == GuardianClaim.State.HANDED_IN:
            raise Refused(Refusal.NOT_CHECKED_YET)
        if claim.state != GuardianClaim.State.CHECKED:
            raise Refused(Refusal.ALREADY_DECIDED)
        if claim.checked_by_id in one_with(actor):
            raise Refused(Refusal.NOT_BY_THE_SAME)
        refuse_closed(claim.user)
        child = _child_of(claim, now=now)
        # Of the locked row: by then it may have got its IIN, or have become one with another.
        if is_barred(claim.user, Child.objects.filter(pk=child.pk)):
            raise Refused(Refusal.GUARDIAN_BARRED)
        if child.birth_date != claim.birth_date:
            raise Refused(Refusal.CLAIM_DIFFERS)
        guardianship, is_new = Guardianship.objects.get_or_create(
            child=child,
            user=claim.user,
            ended_at=None,
            defaults={"source": Guardianship.Source.OFFICIAL, "added_at": now, "verified_at": now},
        )
        claim.state, claim.child = GuardianClaim.State.APPROVED, child
        claim.decided_at, claim.decided_by = now, actor
        claim.save(update_fields=["state", "child", "decided_at", "decided_by"])
        _record(claim, Action.CLAIM_APPROVED, actor=actor, reason="", now=now)
        _tell(claim, "claim_approved", now=now, file_by=file_by(claim))
        if is_new:
            tell_the_others(guardianship, now=now)
        else:
            # They added the child meanwhile, since the registry knew them: two officials have proven more.
            guardianship.source = Guardianship.Source.OFFICIAL
            guardianship.save(update_fields=["source"])
    return claim


def refuse_claim(claim: GuardianClaim, *, actor: User, reason: str, now: datetime) -> GuardianClaim:
    """Refuse it, with a reason that the family reads; they may hand in other papers.

    Raises `Refused` (REASON_MISSING, ALREADY_DECIDED, OWN_CHILD).
    """
    with locking():
        claim = _lock(claim, actor=actor, reason=reason)
        if not claim.is_open:
            raise Refused(Refusal.ALREADY_DECIDED)
        claim.state, claim.reason = GuardianClaim.State.REFUSED, reason.strip()
        claim.decided_at, claim.decided_by = now, actor
        claim.save(update_fields=["state", "reason", "decided_at", "decided_by"])
        _record(claim, Action.CLAIM_REFUSED, actor=actor, reason=claim.reason, now=now)
        _tell(claim, "claim_refused", now=now)
    return claim


def _lock(claim: GuardianClaim, *, actor: User, reason: str) -> GuardianClaim:
    """The claim as it is now, its row locked; nobody decides about a child of their own, nor without a reason."""
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    claim = (
        GuardianClaim.objects.select_for_update(of=("self",)).select_related("user__profile").get(pk=claim.pk)
    )
    if is_about_own(claim, actor):
        raise Refused(Refusal.OWN_CHILD)
    return claim


def is_about_own(claim: GuardianClaim, actor: User) -> bool:
    """Whether the employee `actor` is the person of the claim, or a guardian of the child it is about."""
    if actor.is_same_person(claim.user):
        return True
    known = children_with(iin=claim.iin, paper_number=claim.paper_number)
    present = Guardianship.objects.filter(child__in=known, ended_at=None)
    return any(actor.is_same_person(one.user) for one in present.select_related("user__profile"))


def _child_of(claim: GuardianClaim, *, now: datetime) -> Child:
    """The locked row of the child, made if nobody has added it: of two claims at once the second finds it."""
    number = claim.paper_number
    known = children_with(iin=claim.iin, paper_number=number)
    # Under the hash key of before the constraint can't see it.
    if not known.exists():
        child = Child(
            iin=claim.iin,
            iin_hash=hashes_of_child(iin=claim.iin, paper_number=number)[0],
            paper_number=number,
            paper_hash=paper_hash(number),
            last_name=claim.last_name,
            first_name=claim.first_name,
            middle_name=claim.middle_name,
            birth_date=claim.birth_date,
            sex=claim.sex,
            created_at=now,
        )
        Child.objects.bulk_create([child], ignore_conflicts=True)
    return known.select_for_update().get()


def _record(claim: GuardianClaim, action: Action, *, actor: User, reason: str, now: datetime) -> None:
    audit.record(
        action, actor=actor, subject=claim.user, target=claim.full_name, reason=reason, about=claim, now=now
    )


def _tell(claim: GuardianClaim, kind: str, *, now: datetime, **context: datetime | None) -> None:
    """Who has closed their account is told nothing; the page says it, should they open it again."""
    if claim.user.leaving_since is not None:
        return
    enqueue(
        claim.user,
        kind,
        context={"claim": claim, **context},
        dedupe_key=str(claim.pk),
        now=now,
        link=reverse("applications:guardian_claim", args=[claim.pk]),
    )


def claims_to_decide(user: User) -> QuerySet[GuardianClaim]:
    """The open claims that `user` may take the next step of, the oldest first.

    Of those checked, the ones that somebody else checked; none of their own, nor about a child of theirs.
    """
    waiting = GuardianClaim.objects.filter(state__in=GuardianClaim.OPEN).order_by("made_at", "pk")
    own = Q(user__in=user.own_accounts)
    if read_own_children(user):
        of_own = GuardianClaim.objects.filter(child__in=keys_of_own_children(user)).order_by()
        own |= Q(child_hash__in=of_own.values("child_hash")) | Q(child_hash__in=_hashes_of_own_children(user))
    checked_by_one = Q(state=GuardianClaim.State.CHECKED) & is_one_with(user, path="checked_by")
    return waiting.exclude(checked_by_one).exclude(own)


def _hashes_of_own_children(user: User) -> list[str]:
    """Every hash that a claim about a child of `user` may have by what is known of the child now: IIN, certificate."""
    hashes: set[str] = set()
    for child in read_own_children(user):
        # A certificate stays the child's own after its IIN came.
        for iin, paper in ((child.iin, ""), ("", child.paper_number)):
            if iin or paper:
                hashes |= set(hashes_of_child(iin=iin, paper_number=paper))
    return sorted(hashes)
