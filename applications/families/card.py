"""What a family's card tells: where each child stands, and everything that a call is about.

Each section holds its newest rows, and costs the same however many there are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.actors import who_did
from accounts.journal import institutions_of, names_of
from accounts.journal_actions import Action as AccountAction
from accounts.masks import mask_phone
from accounts.models import AuditEntry, NumberMove, User
from applications.access.settling import settle
from applications.families.looks import REASONS, Family
from applications.families.messages import Sent, messages_to
from applications.families.names import EXPECTED, NAMES, reads_phones, shown_name, shown_phone
from applications.families.scope import bids_seen
from applications.families.situation import Deadline, Situation, situations_of
from applications.models import Application, Benefit, Bid, Referral, StopListEntry
from applications.states import ApplicationState
from bulletin.employment import works_everywhere
from bulletin.models import Locality
from children.models import Child

T = TypeVar("T")

# How many rows of a section are shown, and how many of the one that is asked for whole.
SHOWN: Final = 5
WHOLE: Final = 100
# Of so many applications it is told in full where they stand; of the others their state.
IN_FULL: Final = 3
# Of each child with several applications the newest come first; a family with more is shown in part.
APPLICATIONS: Final = 20

WHOLE_CARD: Final = "children.read_whole_card_of_family"
# In these a family has to do with one kindergarten.
BOUND_STATES: Final = (ApplicationState.BID_PLACED, ApplicationState.REFERRED, ApplicationState.ENROLLED)
SECTIONS: Final = ("bids", "referrals", "stops", "benefits", "messages", "journal")


@dataclass(frozen=True)
class Section(Generic[T]):
    """The newest rows of one kind; `more`: there are others."""

    name: str
    rows: Sequence[T]
    more: bool = False

    @property
    def template(self) -> str:
        return f"admin/family/sections/{self.name}.html"


@dataclass(frozen=True)
class OfChild:
    """A child on the card, its guardians, and its applications: the present one first."""

    child: Child
    name: str
    guardians: list[str]
    applications: list[Application]
    # Where the present application stands, in the words of the family's own page.
    situation: Situation | None
    # Whether the employee may read for which place its bid is, and what that kindergarten said.
    may_see_place: bool

    @property
    def is_expected(self) -> bool:
        """Whether a kindergarten of which the employee may read has to do with the child."""
        return self.may_see_place and self.situation is not None and self.situation.state in EXPECTED

    @property
    def deadline(self) -> Deadline | None:
        """The day that matters now; of a bid or a referral it is nobody's who may not read where that is."""
        if self.situation is None:
            return None
        is_between_others = self.situation.state in BOUND_STATES and not self.may_see_place
        return None if is_between_others else self.situation.deadline


@dataclass(frozen=True)
class OfGuardian:
    """A guardian, and the move of their number that is under way."""

    user: User
    name: str
    phone: str
    move: NumberMove | None

    @property
    def second_phone(self) -> str:
        second = self.user.profile.second_phone
        return mask_phone(second) if second else ""

    @property
    def language(self) -> str:
        return str(dict(settings.LANGUAGES).get(self.user.language, self.user.language))


@dataclass(frozen=True)
class JournalRow:
    """`who`: of employees the role and the institution; empty for guardians. `why`: what is said of it in words."""

    entry: AuditEntry
    who: str
    target: str
    why: str


@dataclass(frozen=True)
class Card:
    """`sections` are those that the employee may read, by their names."""

    family: Family
    children: list[OfChild]
    guardians: list[OfGuardian]
    sections: dict[str, Section[Any]]

    @property
    def applications(self) -> list[Application]:
        return [one for child in self.children for one in child.applications]

    @property
    def locality(self) -> Locality | None:
        """Where the family waits, or waited last."""
        return next((one.locality for one in self.applications), None)


def card_of(family: Family, *, employee: User, whole: str = "", now: datetime) -> Card:
    """The card for this `employee`, brought up to `now`; of the section `whole` all rows, within reason.

    May settle applications, as their pages do: raises `Refused(BUSY)`.
    """
    applications = _applications(family, now=now)
    seen = bids_seen(employee, now=now)
    bids = (
        Bid.objects.filter(seen, application__in=applications)
        .select_related("application", "vacancy__group__kindergarten__locality")
        .order_by("-placed_at", "-id")
    )
    of_bids = Referral.objects.filter(bid__in=bids.order_by().values("pk"))
    readers: dict[str, Callable[[int], Section[Any]]] = {
        "bids": lambda most: _section("bids", bids, most),
        "referrals": lambda most: _section("referrals", _referrals(of_bids), most),
        "stops": lambda most: _section("stops", _stops(applications), most),
        "benefits": lambda most: _section("benefits", _benefits(applications), most),
        "messages": lambda most: _messages(family.guardians, employee, most),
        "journal": lambda most: _journal(family, applications, employee, most),
    }
    readable = [name for name in SECTIONS if may_read(employee, name)]
    sections = {name: readers[name](WHOLE if name == whole else SHOWN) for name in readable}
    situations = _situations(family, applications, now=now)
    listed = {row.pk for row in sections["bids"].rows} if "bids" in sections else set()
    places = _places(situations, employee, seen, listed=listed)
    children = _children(family, applications, situations, employee, places=places)
    return Card(
        family=family,
        children=children,
        guardians=_guardians(family, children, employee),
        sections=sections,
    )


def may_read(employee: User, section: str) -> bool:
    """Whether `employee` reads this section of families' cards: as their lists, or because they read whole cards."""
    needed = {
        "bids": "applications.view_bid",
        "referrals": "applications.view_referral",
        "stops": "applications.view_stoplistentry",
        "benefits": "applications.view_benefit",
        "messages": "notifications.view_message",
        "journal": "accounts.view_auditentry",
    }
    return employee.has_perm(WHOLE_CARD) or employee.has_perm(needed[section])


def _applications(family: Family, *, now: datetime) -> list[Application]:
    """Those of all children, the newest first, each as it stands now."""
    rows = Application.objects.filter(child__in=family.children).select_related("child", "locality")
    return [settle(one, now=now) for one in rows.order_by("-filed_at", "-sequence")[:APPLICATIONS]]


def _situations(
    family: Family, applications: Iterable[Application], *, now: datetime
) -> dict[Any, Situation]:
    """By their child, the situations of the present applications, whoever was looked for first: those in no archive."""
    present: dict[Any, Application] = {}
    for one in applications:
        if one.state != ApplicationState.ARCHIVED:
            present.setdefault(one.child_id, one)
    told = [child.pk for child in family.children if child.pk in present][:IN_FULL]
    found = situations_of([present[pk] for pk in told], now=now)
    return {one.child_id: found[one.pk] for one in (present[pk] for pk in told)}


def _places(situations: dict[Any, Situation], employee: User, seen: Q, *, listed: set[Any]) -> set[Any]:
    """The keys of the bids of these situations of which the employee may read where they are.

    `listed` are known to be such: usually that is all of them, and nothing is asked.
    """
    bids = {one.bid.pk for one in situations.values() if one.bid}
    if bids <= listed or works_everywhere(employee):
        return bids
    return set(Bid.objects.filter(seen, pk__in=bids).values_list("pk", flat=True))


def _children(
    family: Family,
    applications: list[Application],
    situations: dict[Any, Situation],
    employee: User,
    *,
    places: set[Any],
) -> list[OfChild]:
    rows = []
    for child in family.children:
        situation = situations.get(child.pk)
        profiles = [one.user.profile for one in family.guardianships if one.child_id == child.pk]
        bid = situation.bid if situation else None
        rows.append(
            OfChild(
                child=child,
                name=shown_name(child, employee),
                guardians=[shown_name(profile, employee) for profile in profiles],
                applications=[one for one in applications if one.child_id == child.pk],
                situation=situation,
                may_see_place=bid is not None and bid.pk in places,
            )
        )
    return rows


def _guardians(family: Family, children: list[OfChild], employee: User) -> list[OfGuardian]:
    under_way = NumberMove.objects.filter(account__in=family.guardians, stopped_at=None, done_at=None)
    of_account = {move.account_id: move for move in under_way}
    expected = {row.child.pk for row in children if row.is_expected and reads_phones(employee)}
    in_full = {one.user_id for one in family.guardianships if one.child_id in expected}
    return [
        OfGuardian(
            user,
            shown_name(user.profile, employee),
            shown_phone(user, in_full=user.pk in in_full),
            of_account.get(user.pk),
        )
        for user in family.guardians
    ]


def _section(name: str, rows: QuerySet[Any], most: int) -> Section[Any]:
    found = list(rows[: most + 1])
    return Section(name, found[:most], more=len(found) > most)


def _referrals(rows: QuerySet[Referral]) -> QuerySet[Referral]:
    return rows.select_related(
        "application__locality", "bid__vacancy__group__kindergarten", "contract__moved_to", "extension"
    ).order_by("-issued_at", "-id")


def _stops(applications: list[Application]) -> QuerySet[StopListEntry]:
    stops = StopListEntry.objects.filter(application__in=applications)
    return stops.select_related("application__locality").order_by("-starts_at")


def _benefits(applications: list[Application]) -> QuerySet[Benefit]:
    benefits = Benefit.objects.filter(application__in=applications)
    return benefits.select_related("application__locality", "category").order_by("-claimed_at", "-id")


def _messages(guardians: list[User], employee: User, most: int) -> Section[Sent]:
    names = {one: shown_name(one.profile, employee) for one in guardians}
    found = messages_to(names, most=most + 1)
    return Section("messages", found[:most], more=len(found) > most)


def _journal(
    family: Family, applications: list[Application], employee: User, most: int
) -> Section[JournalRow]:
    """What the guardians read in their journals, without what is theirs alone, whoever calls in their name.

    And without the looks of `employee`, who knows of them.
    """
    entries = AuditEntry.objects.filter(subject__in=family.guardians).select_related("actor")
    entries = entries.exclude(actor=employee, action__in=REASONS)
    if not employee.has_perm("accounts.view_auditentry"):
        entries = entries.exclude(action=AccountAction.OWNER_SHUT_OUT)
    found = list(entries.prefetch_related("actor__groups").order_by("-at", "-id")[: most + 1])
    acts = {(one.actor.pk, one.at) for one in found if one.actor is not None and one.actor.is_staff}
    institutions, names = institutions_of(acts), names_of(one.about for one in found if one.about)
    reads_names = employee.has_perm(NAMES)
    masked = _called_without_names(family, applications, employee)
    rows = [
        JournalRow(
            one,
            who=who_did(one, institutions=institutions),
            # Both may name people.
            target=names.get(one.about, one.target)
            if reads_names
            else masked.get(one.target) or masked.get(one.child, ""),
            why=one.reason if reads_names else "",
        )
        for one in found
    ]
    return Section("journal", rows[:most], more=len(rows) > most)


def _called_without_names(family: Family, applications: list[Application], employee: User) -> dict[Any, str]:
    """What tells the children of the card apart for whoever reads no names, by their keys and their numbers."""
    called: dict[Any, str] = {one.number: one.number for one in applications}
    for child in family.children:
        numbers = [one.number for one in applications if one.child_id == child.pk]
        told = numbers[0] if numbers else str(child.birth_date.year)
        called[child.pk] = f"{shown_name(child, employee)}, {told}"
    return called
