"""One search for families, by whatever a caller can read out. What is not the employee's is not there for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from accounts import audit, limits
from accounts.identity import iin_hashes, paper_hashes
from accounts.journal_actions import Action
from accounts.models import Profile, User
from accounts.name_search import NAME, FoldedName, first_called
from applications.families.asked import Asked
from applications.families.names import shown_name
from applications.families.scope import children_seen, guardians_seen
from applications.journal_actions import Action as FamilyAction
from applications.models import Application
from children.access import guardians_of
from children.models import Child, Guardianship

M = TypeVar("M", Child, User)

# So many families are listed; whoever finds more says more.
SHOWN: Final = 20


@dataclass(frozen=True)
class Found:
    """Whom a search found: children, and guardians none of whose children was found; `more`: not all of them."""

    children: list[UUID] = field(default_factory=list)
    guardians: list[UUID] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class ListedChild:
    """A child in the list of a search, with its newest application."""

    child: Child
    name: str
    guardians: list[str]
    application: Application | None


@dataclass(frozen=True)
class ListedGuardian:
    user: User
    name: str


class TooManySearches(Exception):
    """No further search now; `retry_at` is None while the counter does not answer."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__()
        self.retry_at = retry_at


def search(asked: Asked, *, employee: User, address: str | None, now: datetime) -> Found:
    """Look for families, count the search, and enter it in the audit: of which kind it was, with its words masked.

    Who is found by their IIN or document reads it in their journal. Raises `TooManySearches`: then nothing was looked
    for.
    """
    counted = [(limits.SEARCH_PER_EMPLOYEE, str(employee.pk))]
    if asked.is_of_a_person:
        counted.append((limits.LOOK_UP_PER_EMPLOYEE, str(employee.pk)))
    allowed = limits.allow_all(counted, now=now)
    if not allowed.ok:
        raise TooManySearches(allowed.retry_at)
    with transaction.atomic():
        target = asked.entered_as
        audit.record(Action.SEARCHED, actor=employee, target=target, address=address, now=now)
        found = find(asked, employee=employee, now=now)
        _note_found(found, target=target, employee=employee, address=address, now=now)
        if asked.identity:
            for subject, name in _looked_up(found):
                audit.record(
                    Action.LOOKED_UP, actor=employee, subject=subject, target=name, address=address, now=now
                )
    return found


def _note_found(found: Found, *, target: str, employee: User, address: str | None, now: datetime) -> None:
    """Enter whom the search found and listed, at most `SHOWN`; it stands in nobody's journal."""
    found_there: list[Child | User] = [
        *Child.objects.filter(pk__in=found.children),
        *User.objects.filter(pk__in=found.guardians),
    ]
    for one in found_there:
        audit.record(
            FamilyAction.FOUND_FAMILY, actor=employee, target=target, address=address, about=one, now=now
        )


def find(asked: Asked, *, employee: User, now: datetime) -> Found:
    """The families that `asked` finds among those at which `employee` may look, in the order of their names."""
    children = _children(asked, children_seen(employee, now=now))
    guardians = _guardians(asked, guardians_seen(employee, now=now))
    # A family is found once, by its child where that was found.
    theirs = Guardianship.objects.filter(child__in=children, user__in=guardians, ended_at=None)
    covered = set(theirs.values_list("user_id", flat=True)) if children and guardians else set()
    alone = [pk for pk in guardians if pk not in covered]
    return Found(
        children=children[:SHOWN],
        guardians=alone[: max(0, SHOWN - len(children))],
        more=len(children) + len(alone) > SHOWN,
    )


def listed_children(pks: Iterable[UUID], *, employee: User, now: datetime) -> list[ListedChild]:
    """These children as a list shows them; none that is not the employee's to see."""
    newest = Application.objects.select_related("locality").order_by("-filed_at", "-sequence")
    present = Guardianship.objects.filter(ended_at=None, user__profile__isnull=False)
    living = present.select_related("user__profile").order_by("pk")
    rows = children_seen(employee, now=now).prefetch_related(
        Prefetch("applications", queryset=newest), Prefetch("guardianships", queryset=living)
    )
    return [
        ListedChild(
            child=one,
            name=shown_name(one, employee),
            guardians=[shown_name(of.user.profile, employee) for of in one.guardianships.all()],
            application=next(iter(one.applications.all()), None),
        )
        for one in _in_order(pks, rows)
    ]


def listed_guardians(pks: Iterable[UUID], *, employee: User, now: datetime) -> list[ListedGuardian]:
    """These guardians as a list shows them."""
    rows = _in_order(pks, guardians_seen(employee, now=now))
    return [ListedGuardian(one, shown_name(one.profile, employee)) for one in rows]


def _children(asked: Asked, seen: QuerySet[Child]) -> list[UUID]:
    """Whom it is about by their own name or number, or by that of an application or a referral; one more than shown."""
    found: list[UUID] = []
    if asked.application:
        found += _keys(seen.filter(applications__number=asked.application))
    if asked.referral:
        found += _keys(seen.filter(applications__referrals__number=asked.referral))
    if asked.identity and asked.identity.iin:
        found += _keys(seen.filter(iin_hash__in=iin_hashes(asked.identity.iin)))
    elif asked.identity:
        found += _keys(seen.filter(paper_hash__in=paper_hashes(asked.identity.document_number)))
    found += _by_name(seen, asked.words, FoldedName(*NAME))
    return list(dict.fromkeys(found))


def _guardians(asked: Asked, seen: QuerySet[User]) -> list[UUID]:
    found: list[UUID] = []
    if asked.phone:
        second = Profile.objects.filter(second_phone=asked.phone).values_list("user_id", flat=True)[
            : SHOWN + 1
        ]
        found += _keys(seen.filter(Q(phone=asked.phone) | Q(pk__in=list(second))).order_by("pk"))
    if asked.login:
        found += _keys(seen.filter(username=asked.login))
    if asked.identity:
        of_number = Profile.objects.filter(
            Q(iin_hash__in=asked.identity.hashes) | Q(document_hash__in=asked.identity.hashes)
        )
        found += _keys(seen.filter(pk__in=list(of_number.values_list("user_id", flat=True))))
    found += _by_name(seen, asked.words, FoldedName(*(f"profile__{column}" for column in NAME)))
    return list(dict.fromkeys(found))


def _by_name(
    rows: "QuerySet[Child] | QuerySet[User]", words: Sequence[str], folded: FoldedName
) -> list[UUID]:
    """In the order of their names. That is put in here: the database would have to fold everybody called alike."""
    called = first_called(rows, words, "folded", "pk", folded=folded, most=SHOWN + 1)
    return [pk for _folded, pk in sorted(called)]


def _keys(rows: "QuerySet[Child] | QuerySet[User]") -> list[UUID]:
    return list(rows.values_list("pk", flat=True)[: SHOWN + 1])


def _in_order(pks: Iterable[UUID], rows: QuerySet[M]) -> list[M]:
    wanted = list(pks)
    by_key = rows.in_bulk(wanted) if wanted else {}
    return [by_key[pk] for pk in wanted if pk in by_key]


def _looked_up(found: Found) -> list[tuple[User, str]]:
    """Whose journals show the look-up, with the name of the number's owner."""
    children = Child.objects.filter(pk__in=found.children)
    owners = User.objects.filter(pk__in=found.guardians).select_related("profile")
    return [
        *((guardian, child.full_name) for child in children for guardian in guardians_of(child)),
        *((owner, owner.profile.full_name) for owner in owners),
    ]
