"""What ends in the demo city: a child has left its kindergarten, and a group is closed."""

from datetime import datetime, timedelta

from django.db.models import Case, Count, Q, When

from accounts.models import User
from applications.closings import deciding, finishing
from applications.models import Contract
from applications.referrals.leaving import end_contract
from balabaqsha.demo.staff import workers
from bulletin.models import Closing, Group, Vacancy

LEFT = "Отбасы басқа қалаға көшті. / Семья переехала в другой город."
CLOSES = "Топ бөлмесі жөнделеді. / В помещении группы ремонт."
# Whose worker signs in to the demo city.
KINDERGARTEN = "balpan"
LASTS = timedelta(days=60)


def end_some(*, now: datetime, official: User) -> None:
    """End the contract that was signed first, and close from today on a group that offers nothing: the bulletin stays.

    Of the kindergarten whose worker signs in, if it has such; otherwise of another one.
    """
    _end_contract(now=now)
    offered = Vacancy.objects.exclude(state=Vacancy.State.CLOSED).values("group")
    held = Count(
        "vacancies__bids__referral__contract", filter=Q(vacancies__bids__referral__contract__ended_at=None)
    )
    quiet = Group.objects.exclude(pk__in=offered).annotate(held=held).filter(held__gt=0)
    group = quiet.select_related("kindergarten__locality").order_by(_first(""), "-held", "pk").first()
    if group is not None:
        today = group.kindergarten.locality.day(now)
        closing = Closing(
            kindergarten=group.kindergarten,
            group=group,
            cause=Closing.Cause.REPAIR,
            reason=CLOSES,
            starts_on=today,
            reopens_on=today + LASTS,
        )
        finishing.finish(deciding.close(closing, actor=official, now=now), now=now)


def _end_contract(*, now: datetime) -> None:
    over = Contract.objects.filter(ended_at=None, referral__bid__vacancy__state=Vacancy.State.CLOSED)
    contract = (
        over.select_related("referral__application__locality", "referral__bid__vacancy__group__kindergarten")
        .order_by(_first("referral__bid__vacancy__group__"), "signed_at", "pk")
        .first()
    )
    if contract is not None:
        today = contract.referral.application.locality.day(now)
        worker = workers()[contract.group.kindergarten.slug]
        end_contract(contract, left_on=today, reason=LEFT, actor=worker, now=now)


def _first(group: str) -> Case:
    """Puts first what belongs to the kindergarten whose worker signs in; `group` is the lookup to its group."""
    return Case(When(**{f"{group}kindergarten__slug": KINDERGARTEN}, then=0), default=1)
