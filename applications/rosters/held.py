"""Which lists of children held a child, told from what is known of the child: no list keeps who stood in it.

A list that was taken is entered under what it was a list of. A child stood in the lists of its vacancy since its bid,
in those of its kindergarten from the referral on, and in those of the enrolled while its contract ran.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from accounts.audit_search import Span
from accounts.models import User
from applications.models import Bid, Event
from applications.models.made_file import KEPT_FOR
from applications.rosters import own
from applications.states import Move
from bulletin.employment import places_of, works_everywhere
from bulletin.models import Kindergarten
from children.models import Child

# Of so many bids the lists are told, the newest: a family has a few.
MOST: Final = 200
_EVERYWHERE: Final = "roster.awaited:city"


def enrolled_in(kindergarten: int) -> list[str]:
    """Under what the list of a kindergarten's enrolled children is entered."""
    return [f"roster.enrolled:{kindergarten}"]


def enrolled_in_group(group: int) -> list[str]:
    """Under what the list of one group's enrolled children is entered."""
    return [f"roster.enrolled_in:{group}"]


def awaited_at(kindergarten: int) -> list[str]:
    """Under what a list of the families is entered that one kindergarten expects."""
    return [f"roster.awaited:{kindergarten}"]


def bids_for(vacancy: UUID) -> list[str]:
    """Under what the list of a vacancy's bids is entered."""
    return [f"roster.bids:{vacancy}"]


def awaited_by(employee: User, *, now: datetime) -> list[str]:
    """Under what the list of the families is entered that `employee` expects: each place whose families it holds."""
    if works_everywhere(employee):
        return [_EVERYWHERE]
    places = places_of(employee, today=localtime(now).date())
    # Those of whole localities are held with them.
    others = places.kindergartens
    if others and places.localities:
        apart = Kindergarten.objects.filter(pk__in=others).exclude(locality__in=places.localities)
        others = list(apart.order_by("pk").values_list("pk", flat=True))
    return [
        *(f"roster.awaited:locality-{pk}" for pk in places.localities),
        *(key for pk in others for key in awaited_at(pk)),
    ]


def in_file(what: str, query: str, *, employee: User, now: datetime) -> list[str]:
    """The same for a file of a list that a worker made (`MadeFile.what` and `query`)."""
    name = what.partition(":")[2]
    if name == own.AWAITED:
        return awaited_by(employee, now=now)
    return [f"roster.{name}:{query.partition('pk=')[2]}"]


def lists_of(children: Iterable[Child]) -> list[Span]:
    """The lists that held one of `children`, each for as long as it may have; three statements.

    Somewhat too long rather than too short where something was undone meanwhile, or the child was moved to another
    group.
    """
    bids = list(
        Bid.objects.filter(application__child__in=list(children))
        .select_related("referral__contract", "vacancy__group__kindergarten", "application")
        .prefetch_related("referral__contract__transfers")
        .order_by("-placed_at", "-id")[:MOST]
    )
    undone = Event.objects.filter(
        application__in={bid.application_id for bid in bids}, move=Move.UNDO_CONTRACT
    )
    gone = {event.data["referral"]: event for event in undone}
    return [span for bid in bids for span in _lists_of(bid, gone)]


def _lists_of(bid: Bid, gone: dict[str, Event]) -> list[Span]:
    kindergarten = bid.vacancy.group.kindergarten
    spans = [Span(one, bid.placed_at) for one in bids_for(bid.vacancy_id)]
    referral = getattr(bid, "referral", None)
    if referral is None:
        return spans
    awaited = (
        _EVERYWHERE,
        f"roster.awaited:locality-{kindergarten.locality_id}",
        *awaited_at(kindergarten.pk),
    )
    spans += [_span(one, referral.issued_at, referral.ended_at) for one in awaited]
    contract, undone = getattr(referral, "contract", None), gone.get(str(referral.pk))
    enrolled = [*enrolled_in(kindergarten.pk), *enrolled_in_group(bid.vacancy.group_id)]
    if contract is not None:
        groups = {one.target_id for one in contract.transfers.all()} - {bid.vacancy.group_id}
        lists = [*enrolled, *(key for group in groups for key in enrolled_in_group(group))]
        spans += [_span(one, contract.signed_at, contract.ended_at) for one in lists]
    if undone is not None:
        signed_at = parse_datetime(undone.data["signed_at"])
        spans += [_span(one, signed_at, undone.at) for one in enrolled]
    return spans


def _span(key: str, since: datetime | None, until: datetime | None) -> Span:
    """A file holds whom the list held when it was made, and may be fetched later."""
    return Span(key, since, until + KEPT_FOR if until else None)
