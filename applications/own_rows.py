"""Which rows of every model of the workplace belong to an employee's own kindergartens and localities.

One table, which lists, pages, buttons, choices, searches and counters ask; the site of the workplace asks it for every
list. What an employee may do with the rows is said by their permissions.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar, cast

from django.contrib.auth.models import Group as Role
from django.contrib.postgres.aggregates import BoolOr
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate

from accounts.models import (
    AssistedMove,
    AuditEntry,
    Employee,
    FirstSignIn,
    NumberMove,
    Objection,
    PolicyConsent,
    Profile,
    SmsCode,
    User,
)
from applications.models import (
    Application,
    Benefit,
    BenefitCategory,
    Bid,
    CityExport,
    Complaint,
    Contract,
    Correction,
    Event,
    FormerLine,
    FormerProtocol,
    GroupProposal,
    Headcount,
    ProfileProposal,
    Referral,
    Rules,
    RulesProposal,
    StopListEntry,
    UndoRequest,
)
from bulletin.employment import Places, places_of, works_everywhere
from bulletin.models import (
    Closing,
    Employment,
    Group,
    Holiday,
    Kindergarten,
    Locality,
    Pause,
    Photo,
    ReportedIncident,
    Review,
    Vacancy,
)
from children.models import Child, Dispute, GuardianClaim
from notifications.models import Mail, Message, Notice, PushMessage, PushSubscription, TelegramMessage

M = TypeVar("M", bound=Model)

NOTHING: Final = Q(pk__in=[])
Belongs = Callable[[Places], Q]


def in_kindergarten(path: str) -> Belongs:
    """By the lookup to the row's kindergarten: one of one's own, or any of one's own locality."""
    locality = "locality" if path == "pk" else f"{path}__locality"

    def belongs(places: Places) -> Q:
        own = Q(**{f"{path}__in": places.kindergartens})
        return own | Q(**{f"{locality}__in": places.localities}) if places.localities else own

    return belongs


def in_locality(path: str) -> Belongs:
    """By the lookup to the row's locality."""
    return lambda places: Q(**{f"{path}__in": places.localities})


def or_for_all(belongs: Belongs, *, empty: str) -> Belongs:
    """A row in which `empty` names no place concerns every locality, and is seen in each."""
    return lambda places: belongs(places) | (Q(**{empty: None}) & _is_in_a_locality(places))


def _is_in_a_locality(places: Places) -> Q:
    """True for who works in a whole locality: what belongs to no place is theirs, too."""
    return Q() if places.localities else NOTHING


def of_child(path: str) -> Belongs:
    """By the lookup to the row's child: where it has an application. One without any is seen in every locality."""
    return lambda places: _placed(Application.objects.filter(child=OuterRef(path)), places)


def of_family(path: str) -> Belongs:
    """By the lookup to the row's account: where a child of theirs has an application, and without any everywhere.

    Employees are no family: they belong where they are employed.
    """
    return lambda places: Q(_IsOwnAccount(F(path), places.kindergartens, places.localities))


class _IsOwnAccount(Func):
    """The question of `own_account.sql`, written out: a start page asks it of eight tables, a search of several."""

    output_field = BooleanField()
    template = (Path(__file__).parent / "own_account.sql").read_text()

    def __init__(self, account: F, kindergartens: list[int], localities: list[int]) -> None:
        keys = (Value(ones, ArrayField(BigIntegerField())) for ones in (kindergartens, localities))
        super().__init__(account, *keys)


def of_claimed_child(places: Places) -> Q:
    """By the child; while the portal knows it not yet, by the family that claims to be its own."""
    return (Q(child__isnull=False) & of_child("child")(places)) | (Q(child=None) & of_family("user")(places))


def _placed(applications: QuerySet[Application], places: Places) -> Q:
    """Whether one of the applications is in own localities, or there is none, for who works in any.

    One question, answered from an index for each row: of two, the database reads all applications of the city at once
    for a page of twenty-five rows. And an aggregate, which need not sort the few that one row has.
    """
    is_own = ExpressionWrapper(Q(locality__in=places.localities), output_field=BooleanField())
    any_own = applications.order_by().values(all=Value(1)).annotate(is_own=BoolOr(is_own)).values("is_own")
    return Q(Coalesce(Subquery(any_own), True)) & _is_in_a_locality(places)


def _at_work(places: Places) -> Q:
    return in_kindergarten("kindergarten")(places) | Q(locality__in=places.localities)


def of_whole_file(places: Places) -> Q:
    """A protocol, for who works in every locality of its file; lines without one belong to all."""
    foreign = FormerLine.objects.filter(batch=OuterRef("batch")).exclude(locality__in=places.localities)
    return ~Exists(foreign.exclude(locality=None)) & _is_in_a_locality(places)


def for_everybody(places: Places) -> Q:
    """Belongs to no place: the same for the whole city."""
    return Q()


def in_every_locality(places: Places) -> Q:
    """Not looked into in parts: all rows for who works in every locality, none for others."""
    return Q() if places.are_all else NOTHING


def only_everywhere(places: Places) -> Q:
    """For nobody but those who work everywhere."""
    return NOTHING


TABLE: Final[Mapping[type[Model], Belongs]] = {
    # Bids and what comes of them.
    Bid: in_kindergarten("vacancy__group__kindergarten"),
    Referral: in_kindergarten("bid__vacancy__group__kindergarten"),
    Contract: in_kindergarten("referral__bid__vacancy__group__kindergarten"),
    UndoRequest: in_kindergarten("bid__vacancy__group__kindergarten"),
    # The offer.
    Locality: in_locality("pk"),
    Kindergarten: in_kindergarten("pk"),
    Group: in_kindergarten("kindergarten"),
    GroupProposal: in_kindergarten("kindergarten"),
    ProfileProposal: in_kindergarten("kindergarten"),
    Photo: in_kindergarten("kindergarten"),
    Headcount: in_kindergarten("group__kindergarten"),
    Vacancy: in_kindergarten("group__kindergarten"),
    Closing: in_kindergarten("kindergarten"),
    Review: or_for_all(in_kindergarten("kindergarten"), empty="kindergarten"),
    Pause: or_for_all(in_locality("locality"), empty="locality"),
    ReportedIncident: or_for_all(in_locality("locality"), empty="locality"),
    Employment: _at_work,
    Employee: of_family("user"),
    # The queue.
    Application: in_locality("locality"),
    Benefit: in_locality("application__locality"),
    Complaint: in_locality("locality"),
    Correction: in_locality("application__locality"),
    Event: in_locality("application__locality"),
    StopListEntry: in_locality("application__locality"),
    FormerLine: or_for_all(in_locality("locality"), empty="locality"),
    FormerProtocol: of_whole_file,
    Rules: or_for_all(in_locality("locality"), empty="locality"),
    RulesProposal: or_for_all(in_locality("locality"), empty="locality"),
    # Children and families.
    Child: of_child("pk"),
    Dispute: of_child("guardianship__child"),
    GuardianClaim: of_claimed_child,
    User: of_family("pk"),
    Profile: of_family("user"),
    PolicyConsent: of_family("user"),
    FirstSignIn: of_family("user"),
    NumberMove: of_family("account"),
    AssistedMove: of_family("move__account"),
    Objection: of_family("user"),
    AuditEntry: in_every_locality,
    CityExport: in_every_locality,
    Message: of_family("recipient"),
    Mail: of_family("recipient"),
    TelegramMessage: of_family("recipient"),
    PushMessage: of_family("recipient"),
    PushSubscription: of_family("recipient"),
    Notice: of_family("recipient"),
    SmsCode: only_everywhere,
    # The same for the whole city.
    BenefitCategory: for_everybody,
    Holiday: for_everybody,
    Role: for_everybody,
}

# Rows of these concern every locality, wherever they are seen.
FOR_ALL: Final = (BenefitCategory, CityExport, Holiday)
# Rows of these concern every locality if they name none.
PLACED: Final = (FormerLine, Pause, ReportedIncident, Rules, RulesProposal)


def own_rows(rows: QuerySet[M], *, user: User, now: datetime) -> QuerySet[M]:
    """Those of `rows` that belong to the kindergartens and localities in which `user` works at `now`.

    Raises KeyError for a model of which `TABLE` says nothing.
    """
    belongs = TABLE[cast(type[Model], rows.model)]
    return rows if works_everywhere(user) else rows.filter(belongs(places_of(user, today=localdate(now))))


def demand_own(row: Model, *, user: User, now: datetime) -> None:
    """Raise `PermissionDenied` for a stored row that is not among `own_rows`."""
    if not own_rows(type(row)._default_manager.filter(pk=row.pk), user=user, now=now).exists():
        raise PermissionDenied


def concerns_all(row: Model) -> bool:
    """Whether the row concerns every locality: changing it takes somebody who works in all of them."""
    if isinstance(row, PLACED):
        return row.locality_id is None
    return isinstance(row, FOR_ALL)


def has_every_locality(user: User, *, now: datetime) -> bool:
    """Whether the employee works in each of the localities that there are at `now`."""
    return works_everywhere(user) or places_of(user, today=localdate(now)).are_all
