"""What a closing touches: what it ends, and which families it is told to."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from applications.models import Bid, Contract, Event, Offer, Referral
from applications.places.enrolled import in_groups
from applications.states import LIVE_OFFERS, BidState, Move, ReferralState
from bulletin.models import Closing, Group, Vacancy

_PLACE = "group__kindergarten__locality"


def groups_of(closing: Closing) -> QuerySet[Group]:
    """The groups that close, in the order of their keys."""
    groups = Group.objects.filter(kindergarten=closing.kindergarten_id)
    return groups.filter(pk=closing.group_id) if closing.group_id else groups.order_by("pk")


def ended_by(closing: Closing) -> list[Event]:
    """What is told of the bids and the referrals that a closing ended, in the order of time; also once it is over."""
    here = Bid.objects.filter(vacancy__group__in=groups_of(closing).order_by())
    events = Event.objects.filter(
        application__in=here.values("application"),
        move__in=(Move.VOID_BID, Move.REVOKE_REFERRAL),
        data__closing=closing.pk,
    )
    return list(events.order_by("id"))


def referrals_that_end(closing: Closing, *, at: datetime) -> list[Referral]:
    """Those that are valid at the instant of the decision; what has run out before is no matter of the closing."""
    return [one for one in touched_by(closing).referrals if one.is_extendable(now=at)]


@dataclass(frozen=True)
class Touched:
    """What a closing, decided or only thought of, would end or tell as things stand. Each is read when it is asked."""

    vacancies: QuerySet[Vacancy]
    bids: QuerySet[Bid]
    offers: QuerySet[Offer]
    referrals: QuerySet[Referral]
    contracts: QuerySet[Contract]


def touched_by(closing: Closing) -> Touched:
    """Vacancies in the bulletin, bids and offers under way, referrals that have not ended, contracts that run.

    Of the referrals it ends only `referrals_that_end`.
    """
    groups = groups_of(closing).order_by().values("pk")
    return Touched(
        vacancies=Vacancy.objects.filter(state=Vacancy.State.PUBLISHED, group__in=groups)
        .select_related(_PLACE)
        .order_by("pk"),
        bids=Bid.objects.filter(state=BidState.PENDING, vacancy__group__in=groups)
        .select_related("application__child", f"vacancy__{_PLACE}")
        .order_by("placed_at", "pk"),
        offers=Offer.objects.filter(state__in=LIVE_OFFERS, vacancy__group__in=groups)
        .select_related("application__child", f"vacancy__{_PLACE}")
        .order_by("freed_at", "pk"),
        referrals=Referral.objects.filter(state=ReferralState.ISSUED, bid__vacancy__group__in=groups)
        .select_related("application__child", "application__locality", f"bid__vacancy__{_PLACE}")
        .order_by("issued_at", "pk"),
        contracts=Contract.objects.filter(in_groups(groups), ended_at=None)
        .select_related("moved_to", "referral__application__child", f"referral__bid__vacancy__{_PLACE}")
        .order_by("signed_at", "pk"),
    )
