"""Applications, their events and contracts, read-only."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.inlines import BoundedInline
from accounts.masks import mask_iin
from accounts.models import User
from accounts.public_text import refuse_personal_numbers, without_names_in
from applications.admin.corrections import PROPOSE, moment
from applications.admin.former import CLAIM_FOR, of_former_queue
from applications.admin.groups import change_in_words
from applications.admin.undoing import ask_work, requests_of
from applications.admin.vacancies import YEARS_BACK
from applications.admin.work import (
    LINE_BREAK,
    KindergartensWork,
    Rows,
    Work,
    WorkAdmin,
    day_of,
    link,
    masked,
    page_of,
    reason_field,
    staff_of,
    written,
)
from applications.families.names import NAMES, names_around
from applications.models import Application, Contract, Event, Transfer
from applications.places.occupancy import occupancies_of, room
from applications.queue.position import position
from applications.referrals import transferring
from applications.referrals.leaving import end_contract
from applications.referrals.numbering import correct_number
from applications.referrals.returning import return_to_queue
from applications.refusals import Refusal
from applications.states import ReferralState, UndoKind
from applications.undoing.leaving import may_take_back, take_back_leaving
from applications.workplace import short_name
from bulletin.closings import is_closed
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Group, Kindergarten, Vacancy
from children.access import guardians_of
from notifications.clock import estimate_clock

EVENT_FIELDS = ("at", "told_move", "from_state", "to_state", "actor", "reason")


class ToldMove:
    """A column for what happened, as its family reads it."""

    @admin.display(description=_("event"), ordering="move")
    def told_move(self, obj: Event) -> str:
        return obj.told_move


class EventInline(ToldMove, BoundedInline):
    model = Event
    extra = 0
    readonly_fields = (*EVENT_FIELDS, "masked_reason")
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Reasons without the names of the family, for who reads none."""
        if request.user.has_perm(NAMES) or obj is None:
            return [*EVENT_FIELDS]
        self.names = names_around(obj.child)
        return ["masked_reason" if name == "reason" else name for name in EVENT_FIELDS]

    @admin.display(description=_("reason"))
    def masked_reason(self, obj: Event) -> str:
        return without_names_in(obj.reason, self.names)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BirthYearFilter(admin.AllValuesFieldListFilter):
    """Offers the years of the children whom kindergartens take: to tell which there are, every row would be read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = timezone.localdate(estimate_clock()).year
        self.lookup_choices: Iterable[int] = range(newest - YEARS_BACK, newest + 1)  # type: ignore[assignment]


@admin.register(Application)
class ApplicationAdmin(WorkAdmin):
    """For officials: the one list that spans all kindergartens."""

    list_display = ["number", "child_name", "birth_year", "locality", "tier", "filed_at", "state"]
    list_filter = ["state", "locality", ("birth_year", BirthYearFilter), "tier", "filed_at"]
    list_select_related = ["child", "locality"]
    number_paths = ["number"]
    child_path = "child"
    search_help_text = _("Number of the application or last name of the child")
    ordering = ["-filed_at", "-sequence"]
    inlines = [EventInline]
    without_names = {"child_name": "masked_child", "full_name": "masked_child", "guardians": ""}
    works = [PROPOSE, CLAIM_FOR]
    fields = [
        "number",
        "state",
        "former",
        "place",
        "full_name",
        "birth_date",
        "iin",
        "locality",
        "shown_languages",
        "tier",
        "filed_at",
        "interest_confirmed_at",
        "guardians",
        "bids",
    ]

    def zone_of(self, obj: Application) -> tzinfo:
        return obj.locality.zone

    def application_of(self, obj: Application) -> Application:
        return obj

    @admin.display(description=_("Former queue"))
    def former(self, obj: Application) -> str:
        return of_former_queue(obj)

    def summary(self, obj: Application) -> Rows:
        return [
            {"label": gettext("Application"), "value": obj.number},
            {"label": gettext("Child"), "value": short_name(obj.child)},
            {"label": gettext("Locality"), "value": obj.locality.name},
            {"label": gettext("Birth year"), "value": obj.birth_year},
            {"label": gettext("Time of filing"), "value": moment(obj.filed_at, obj)},
            {"label": gettext("Number in the queue"), "value": self.place(obj)},
        ]

    @admin.display(description=_("Child"))
    def masked_child(self, obj: Application) -> str:
        return masked(obj.child)

    @admin.display(description=_("Child"), ordering="child__last_name")
    def child_name(self, obj: Application) -> str:
        return short_name(obj.child)

    @admin.display(description=_("Child"))
    def full_name(self, obj: Application) -> str:
        return obj.child.full_name

    @admin.display(description=_("Birth date"))
    def birth_date(self, obj: Application) -> str:
        return written(obj.child.birth_date)

    @admin.display(description=_("IIN"))
    def iin(self, obj: Application) -> str:
        return mask_iin(obj.child.iin)

    @admin.display(description=_("Number in the queue"))
    def place(self, obj: Application) -> str:
        found = position(obj, now=estimate_clock())
        return str(found.number) if found else "—"

    @admin.display(description=_("Languages of education"))
    def shown_languages(self, obj: Application) -> str:
        return obj.get_languages_display()

    @admin.display(description=_("Guardians"))
    def guardians(self, obj: Application) -> str:
        names = [user.profile.full_name for user in guardians_of(obj.child) if hasattr(user, "profile")]
        return ", ".join(names) or "—"

    @admin.display(description=_("Bids"))
    def bids(self, obj: Application) -> str:
        rows = [
            (page_of(bid), bid.vacancy, bid.get_state_display())
            for bid in obj.bids.select_related("vacancy__group__kindergarten")
        ]
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a> ({})', rows) if rows else "—"


@admin.register(Event)
class EventAdmin(ToldMove, WorkAdmin):
    list_display = ["at", "application", "told_move", "from_state", "to_state", "actor"]
    list_filter = ["move", "application__locality", "at"]
    list_select_related = ["application", "actor__employee", "locality"]
    number_paths = ["application__number"]
    search_help_text = _("Number of the application")
    ordering = ["-id"]
    fields = ["at", "application", "told_move", "from_state", "to_state", "actor", "reason"]

    def zone_of(self, obj: Event) -> tzinfo:
        return obj.locality.zone

    def application_of(self, obj: Event) -> Application:
        return obj.application


class LeavingForm(forms.Form):
    left_on = forms.DateField(
        label=_("Left on"),
        help_text=_("From the day of the contract to today."),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = reason_field(help_text=_("The family reads this text."))


class GroupField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A group by its name, age and language, and how many places are free there (`free`, by the group's key)."""

    free: Mapping[int, int] = {}

    def label_from_instance(self, obj: Any) -> str:
        told = f"{obj.name}: {obj.get_age_group_display()}, {obj.get_language_display()}"
        return f"{told}; {gettext('free places: %(count)s') % {'count': self.free.get(obj.pk, 0)}}"


class TransferForm(forms.Form):
    """The group is chosen among the others of the kindergarten; which contract it is, the page says, not the sender."""

    contract = forms.CharField(required=False, widget=forms.HiddenInput)
    target = GroupField(
        label=_("To the group"),
        queryset=Group.objects.none(),
        help_text=_("The open groups of this kindergarten for children of this age."),
        error_messages={
            "invalid_choice": _("Choose an open group of this kindergarten for the child's age.")
        },
    )
    is_agreed = forms.BooleanField(
        label=_("The family has agreed to another language"),
        help_text=_("Only for a group in a language that the application does not name: in writing."),
        required=False,
    )
    reason = reason_field(help_text=_("The family reads this text."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contract = _moving(self.initial["contract"])
        now = estimate_clock()
        groups = transferring.suited_groups(contract, now=now)
        year, taken = transferring.year_of(contract, now=now), occupancies_of(groups, now=now)
        field = self.fields["target"]
        assert isinstance(field, GroupField)
        field.queryset = Group.objects.filter(pk__in=[one.pk for one in groups]).order_by("age_group", "name")
        field.free = {one.pk: max(room(one.capacity, taken[one.pk], year=year), 0) for one in groups}


def _moving(pk: Any) -> Contract:
    """A contract with all that a move to another group goes by."""
    return Contract.objects.select_related(
        "moved_to__kindergarten",
        "referral__application__locality",
        "referral__bid__vacancy__group__kindergarten__locality",
    ).get(pk=pk)


def _in_the_bulletin(contract: Contract, *, now: datetime) -> Rows:
    """The announcements that hold free places of the groups to which a child may move, each a link."""
    vacancies = Vacancy.objects.filter(
        state=Vacancy.State.PUBLISHED,
        seats_taken__lt=F("seats_total"),
        group__in=transferring.suited_groups(contract, now=now),
    ).exclude(closes_at__lte=now)
    rows = [
        (page_of(one), one.group.name, gettext("free places: %(count)s") % {"count": one.seats_free})
        for one in vacancies.select_related("group").order_by("group__name", "opens_at", "pk")
    ]
    if not rows:
        return []
    return [
        {
            "label": gettext("Free places that are in the bulletin"),
            "value": format_html_join(LINE_BREAK, '<a href="{}">{}; {}</a>', rows),
        }
    ]


class FamilyReasonForm(forms.Form):
    reason = reason_field(help_text=_("The family reads this text."))


def _transfer(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    transferring.transfer(
        contract,
        target=data["target"],
        reason=data["reason"],
        is_agreed=data["is_agreed"],
        actor=actor,
        now=now,
    )


def _would_move(contract: Contract, data: dict[str, Any], now: datetime) -> Rows:
    """What both groups hold before and after the move."""
    source, target, application = contract.group, data["target"], contract.referral.application
    before = occupancies_of([source, target], now=now)
    after = transferring.foretell(contract, target=target, is_agreed=data["is_agreed"], now=now)
    year = transferring.year_of(contract, now=now)
    rows = [
        {"label": label, "value": change_in_words(group, before[group.pk], after[group.pk], year=year)}
        for label, group in (
            (gettext("From the group: %(group)s") % {"group": source.name}, source),
            (gettext("To the group: %(group)s") % {"group": target.name}, target),
        )
    ]
    if after[source.pk] == before[source.pk]:
        rows[0]["value"] += ". " + gettext(
            "Its place is open in the bulletin or goes to the next family, or the children were counted today."
        )
    if target.language not in application.languages:
        rows.append(
            {
                "label": gettext("Language"),
                "value": gettext("The application does not name it; the family has agreed: %(language)s")
                % {"language": target.get_language_display()},
            }
        )
    return [*rows, {"label": gettext("Reason"), "value": data["reason"]}]


def _undo_transfer(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    transferring.undo_transfer(contract, reason=data["reason"], actor=actor, now=now)


def _has_moved(contract: Contract, now: datetime) -> bool:
    return transferring.undoable(contract) is not None


def _return_to_queue(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    return_to_queue(contract, reason=data["reason"], actor=actor, now=now)


def _is_in_a_closed_group(contract: Contract, now: datetime) -> bool:
    return _runs(contract, now) and is_closed(contract.group)


class NumberForm(forms.Form):
    number = forms.CharField(label=_("Contract number"), max_length=40, validators=[refuse_personal_numbers])
    reason = reason_field(help_text=_("The family reads this text."))


def _correct_number(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    correct_number(contract, actor=actor, now=now, **data)


def _runs(contract: Contract, now: datetime) -> bool:
    return contract.referral.state == ReferralState.SIGNED


def _has_ended(contract: Contract, now: datetime) -> bool:
    return contract.referral.state == ReferralState.ENDED


def _end(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    end_contract(contract, actor=actor, now=now, **data)


def _take_back(contract: Contract, actor: User, data: dict[str, Any], now: datetime) -> None:
    take_back_leaving(contract, actor=actor, now=now)


@admin.register(Contract)
class ContractAdmin(KindergartensWork):
    without_names = {"child": "masked_child", "moves": "masked_moves"}
    list_display = ["number", "child", "kindergarten", "group", "signed_at"]
    list_filter = [("referral__bid__vacancy__group__kindergarten", KindergartenFilter), "signed_at"]
    list_select_related = [
        "moved_to__kindergarten",
        "referral__application__child",
        "referral__application__locality",
        "referral__bid__vacancy__group__kindergarten",
    ]
    number_paths = ["number", "referral__number"]
    child_path = "referral__application__child"
    search_help_text = _("Number of the contract or the referral, or last name of the child")
    ordering = ["-signed_at"]
    fields = [
        "number",
        "child",
        "kindergarten",
        "group",
        "moves",
        "shown_referral",
        "signed_day",
        "signed_by",
        "left_on",
        "end_reason",
        "ended_by",
        "undoing",
    ]
    works = [
        ask_work(
            UndoKind.CONTRACT,
            name="undo-contract",
            label=_("It is the wrong child"),
            consequence=_(
                "An official of the education department decides. If the official confirms, the contract is deleted, "
                "and the referral is valid again and keeps its place: to its own last day, or for so many working days "
                "as the rules give, if that is later."
            ),
            bid_of=lambda contract: contract.referral.bid,
        ),
        Work(
            name="transfer",
            label=_("Move to another group"),
            consequence=_(
                "The child moves to another group of this kindergarten that has a place for it beside all that is "
                "promised there. Its place in the old group is free. The contract goes on; the family is told and "
                "reads your reason."
            ),
            done=_("The child has moved. The family has been told."),
            permission="applications.change_referral",
            offered=_runs,
            perform=_transfer,
            form=TransferForm,
            preview=_would_move,
            initial=lambda contract: {"contract": str(contract.pk)},
            fields={
                Refusal.OTHER_GROUP_NEEDED: "target",
                Refusal.OTHER_AGE: "target",
                Refusal.GROUP_FULL: "target",
                Refusal.GROUP_CLOSED: "target",
                Refusal.LANGUAGE_NOT_AGREED: "is_agreed",
            },
        ),
        Work(
            name="undo-transfer",
            label=_("It was moved by mistake"),
            consequence=_(
                "The child goes back to the group from which it came, if there is a place. The family is told."
            ),
            done=_("The child is back in its group. The family has been told."),
            permission="applications.change_referral",
            offered=_has_moved,
            perform=_undo_transfer,
            form=FamilyReasonForm,
        ),
        Work(
            name="return",
            label=_("Back to the queue: the group closes"),
            consequence=_(
                "At the family's wish: the contract ends, and the child has its number in the queue again, at its "
                "original date and without a stop. The family is told and reads your reason."
            ),
            done=_("The child is in the queue again. The family has been told."),
            permission="applications.change_referral",
            offered=_is_in_a_closed_group,
            perform=_return_to_queue,
            form=FamilyReasonForm,
            danger=True,
        ),
        Work(
            name="number",
            label=_("Correct the number"),
            consequence=_(
                "The contract gets the number that stands on its paper. The family reads both numbers and your reason "
                "in its journal; nothing else changes."
            ),
            done=_("The number is corrected."),
            permission="applications.change_referral",
            offered=_runs,
            perform=_correct_number,
            form=NumberForm,
            initial=lambda contract: {"number": contract.number},
            is_in_journal=True,
        ),
        Work(
            name="end",
            label=_("The child leaves"),
            consequence=_(
                "The contract ends and the place is free. The application goes to the archive: for another place the "
                "family files a new one. The family is told and reads your reason. If it is a mistake, press “The "
                "child stays after all” here until the end of the day."
            ),
            done=_("The contract has ended, the place is free. The family has been told."),
            permission="applications.change_referral",
            offered=_runs,
            perform=_end,
            form=LeavingForm,
            danger=True,
            fields={Refusal.LEFT_IN_FUTURE: "left_on", Refusal.LEFT_BEFORE: "left_on"},
        ),
        Work(
            name="take-back",
            label=_("The child stays after all"),
            consequence=_("The contract goes on if the place is still free. The family is told."),
            done=_("The contract goes on. The family has been told."),
            permission="applications.change_referral",
            offered=_has_ended,
            perform=_take_back,
        ),
        ask_work(
            UndoKind.LEAVING,
            name="undo-leaving",
            label=_("It was ended by mistake"),
            consequence=_(
                "An official of the education department decides. If the place is still free, the contract goes on."
            ),
            bid_of=lambda contract: contract.referral.bid,
        ),
    ]

    def may(self, request: HttpRequest, work: Work, obj: Contract) -> bool:
        """What was ended today is taken back by who ended it; the others, and from tomorrow they too, ask for it."""
        if work.name in ("take-back", "undo-leaving"):
            is_own = may_take_back(obj, staff_of(request), now=estimate_clock())
            if is_own != (work.name == "take-back"):
                return False
        return super().may(request, work, obj)

    def kindergarten_of(self, obj: Contract) -> Kindergarten:
        return obj.referral.bid.vacancy.group.kindergarten

    def application_of(self, obj: Contract) -> Application:
        return obj.referral.application

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contract]:
        rows: QuerySet[Contract] = super().get_queryset(request)
        # All at once: where anything is joined here, the list joins nothing more.
        return rows.select_related(*self.list_select_related)

    @admin.display(description=_("Moved from one group to another"))
    def moves(self, obj: Contract) -> str:
        return self._moves(obj, lambda reason: reason)

    @admin.display(description=_("Moved from one group to another"))
    def masked_moves(self, obj: Contract) -> str:
        return self._moves(obj, partial(self.without_names_of, obj))

    def _moves(self, obj: Contract, told: Callable[[str], str]) -> str:
        moves = Transfer.objects.filter(contract=obj).select_related("source", "target")
        rows = [
            (day_of(one.at, obj.referral.application), one.source, one.target, told(one.reason))
            for one in moves
        ]
        return format_html_join(LINE_BREAK, "{}: {} → {}. {}", rows) if rows else "—"

    def summary(self, obj: Contract) -> Rows:
        return [
            {"label": gettext("Contract"), "value": obj.number},
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Kindergarten"), "value": self.kindergarten(obj)},
            {"label": gettext("Group"), "value": self.group(obj)},
            {"label": gettext("Signed on"), "value": self.signed_day(obj)},
        ]

    def summary_for(self, obj: Contract, work: Work) -> Rows:
        """Before a move also which places of other groups the bulletin holds."""
        held = _in_the_bulletin(_moving(obj.pk), now=estimate_clock()) if work.name == "transfer" else []
        return [*self.summary(obj), *held]

    @admin.display(description=_("Asked to undo"))
    def undoing(self, obj: Contract) -> str:
        return requests_of(obj.referral.bid)

    @admin.display(description=_("Child"))
    def masked_child(self, obj: Contract) -> str:
        return masked(obj.referral.application.child)

    @admin.display(description=_("Child"))
    def child(self, obj: Contract) -> str:
        return short_name(obj.referral.application.child)

    @admin.display(description=_("Kindergarten"))
    def kindergarten(self, obj: Contract) -> str:
        return obj.referral.bid.vacancy.group.kindergarten.name

    @admin.display(description=_("Group"))
    def group(self, obj: Contract) -> str:
        return obj.group.name

    @admin.display(description=_("Referral"))
    def shown_referral(self, obj: Contract) -> str:
        return link(page_of(obj.referral), obj.referral.number)

    @admin.display(description=_("Signed on"))
    def signed_day(self, obj: Contract) -> str:
        return day_of(obj.signed_at, obj.referral.application)
