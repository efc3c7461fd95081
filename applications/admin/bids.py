"""Bids: the kindergarten activates them or refuses them with a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.in_turn import InTurn
from applications.admin.undoing import ask_work, requests_of
from applications.admin.work import (
    KindergartensWork,
    ReasonForm,
    Rows,
    Work,
    day_of,
    link,
    page_of,
    staff_of,
    tag,
)
from applications.bidding import ending
from applications.bidding.stand_ins import ANSWER, STAND_IN
from applications.models import Bid
from applications.own_rows import own_rows
from applications.queue.position import position, positions
from applications.referrals import issuing
from applications.states import BidState, UndoKind
from bulletin.employment import with_somebody_able
from bulletin.kazakh_order import ByName
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Kindergarten, Vacancy
from children.access import own_children
from notifications.clock import estimate_clock

TONES = {
    BidState.PENDING: "info",
    BidState.ACTIVATED: "success",
    BidState.REJECTED: "danger",
    BidState.WITHDRAWN: "neutral",
    BidState.LOST: "warning",
    BidState.VOID: "neutral",
}


class AnswerFilter(admin.SimpleListFilter):
    title = _("answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        is_ours = request.user.has_perm("applications.change_bid")
        due = _("waits for your answer") if is_ours else _("waits for the kindergarten's answer")
        return [("due", due), ("overdue", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Bid]) -> QuerySet[Bid]:
        waiting = queryset.filter(state=BidState.PENDING, holds_seat=True)
        if self.value() == "due":
            return waiting
        if self.value() == "overdue":
            return waiting.filter(answer_due__lte=estimate_clock())
        return queryset


class VacancyFilter(admin.SimpleListFilter):
    """The bids for one vacancy of the employee's own; offered only to who comes from the list of vacancies."""

    title = _("Place")
    parameter_name = "vacancy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        wanted = self.value()
        if wanted is None:
            return []
        seen = own_rows(Vacancy.objects.all(), user=staff_of(request), now=estimate_clock())
        try:
            found = seen.get(pk=wanted)
        except (ValueError, ValidationError, ObjectDoesNotExist):
            raise IncorrectLookupParameters from None
        return [(str(found.pk), str(found))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Bid]) -> QuerySet[Bid]:
        wanted = [wanted for wanted, _name in self.lookup_choices]
        return queryset.filter(vacancy_id__in=wanted) if wanted else queryset


def may_be_answered(bid: Bid, now: datetime) -> bool:
    """Not before the award where bids are collected: until then no employee decides who gets the place."""
    return bid.state == BidState.PENDING and bid.holds_seat


def _activate(bid: Bid, actor: User, data: dict[str, Any], now: datetime) -> None:
    issuing.activate_bid(bid, actor=actor, now=now)


def _reject(bid: Bid, actor: User, data: dict[str, Any], now: datetime) -> None:
    ending.reject_bid(bid, actor=actor, reason=data["reason"], now=now)


class NumberedList(ChangeList):
    """A page of bids whose numbers in the queue are computed together, not row by row."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        places = positions([bid.application for bid in self.result_list], now=estimate_clock())
        for bid in self.result_list:
            bid.place = places.get(bid.application_id)


@admin.register(Bid)
class BidAdmin(InTurn, KindergartensWork):
    list_display = ["child", "birth_year", "number", "due", "shown_state", "place", "placed_at"]
    list_filter = [
        AnswerFilter,
        VacancyFilter,
        "state",
        ("vacancy__group__kindergarten", KindergartenFilter),
        "placed_at",
    ]
    list_select_related = ["application__child", "application__locality", "vacancy__group__kindergarten"]
    number_paths = ["application__number"]
    child_path = "application__child"
    decided_with = ANSWER
    kindergarten_path = "vacancy__group__kindergarten"
    search_help_text = _("Number of the application or last name of the child")
    ordering = ["-placed_at"]
    most_urgent = ("answer_due", "placed_at", "pk")
    actions = ["activate_selected", "reject_selected"]
    fields = [
        "shown_state",
        "due",
        "number",
        "application_number",
        "filed_at",
        "full_name",
        "birth_date",
        "languages",
        "kindergarten",
        "group",
        "placed_at",
        "decided_at",
        "decided_by",
        "reason",
        "referral",
        "undoing",
    ]
    works = [
        Work(
            name="activate",
            label=_("Activate"),
            consequence=_(
                "The family gets a referral to the kindergarten and is told by SMS and in the cabinet. "
                "The place stays theirs until the referral's last day."
            ),
            done=_("The bid is activated, the referral is issued. The family has been told."),
            permission="applications.change_bid",
            offered=may_be_answered,
            perform=_activate,
        ),
        Work(
            name="reject",
            label=_("Refuse"),
            consequence=_(
                "The place is free again. The family keeps its number in the queue and reads your reason."
            ),
            done=_("The bid is refused. The family has been told the reason."),
            permission="applications.change_bid",
            offered=may_be_answered,
            perform=_reject,
            form=ReasonForm,
            danger=True,
        ),
        ask_work(
            UndoKind.REFUSAL,
            name="undo-refusal",
            label=_("It was refused by mistake"),
            consequence=_(
                "An official of the education department decides. If the place is still free, the bid waits for your "
                "answer again, with a new last day."
            ),
            bid_of=lambda bid: bid,
        ),
    ]

    def kindergarten_of(self, obj: Bid) -> Kindergarten:
        return obj.vacancy.group.kindergarten

    def is_late(self, obj: Bid, *, now: datetime) -> bool:
        return obj.is_late(now=now)

    def waiting(self, request: HttpRequest) -> QuerySet[Bid]:
        """Those of one's own kindergarten, and for an official those that another has not answered or cannot."""
        user, now = staff_of(request), estimate_clock()
        theirs = self.is_own_work(user)
        if user.has_perm(STAND_IN):
            able = with_somebody_able(ANSWER, today=localtime(now).date())
            theirs |= Q(answer_due__lte=now) | ~Q(vacancy__group__kindergarten__in=able)
        rows = self.get_queryset(request).filter(theirs, state=BidState.PENDING, holds_seat=True)
        return rows.exclude(application__child__in=own_children(user))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Those that wait for an answer: the most urgent first."""
        return [*(self.most_urgent if request.GET.get(AnswerFilter.parameter_name) else self.ordering)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NumberedList

    def summary(self, obj: Bid) -> Rows:
        return [
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Birth year"), "value": self.birth_year(obj)},
            {"label": gettext("Number in the queue"), "value": self.number(obj)},
            {"label": gettext("Kindergarten"), "value": obj.vacancy.group.kindergarten.name},
            {"label": gettext("Group"), "value": obj.vacancy.group.name},
            {"label": gettext("Bid sent at"), "value": obj.placed_at},
        ]

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Birth year"), ordering="application__birth_year")
    def birth_year(self, obj: Bid) -> str:
        return str(obj.application.birth_year)

    @admin.display(description=_("Number in the queue"))
    def number(self, obj: Any) -> str:
        if not hasattr(obj, "place"):
            obj.place = position(obj.application, now=estimate_clock())
        return str(obj.place.number) if obj.place else "—"

    @admin.display(description=_("Application"))
    def application_number(self, obj: Bid) -> str:
        return obj.application.number

    @admin.display(description=_("Day of the application"))
    def filed_at(self, obj: Bid) -> str:
        return day_of(obj.application.filed_at, obj.application)

    @admin.display(description=_("Languages of education"))
    def languages(self, obj: Bid) -> str:
        return obj.application.get_languages_display()

    @admin.display(description=_("Kindergarten"), ordering=ByName("vacancy__group__kindergarten__"))
    def kindergarten(self, obj: Bid) -> str:
        return obj.vacancy.group.kindergarten.name

    @admin.display(description=_("Group"), ordering="vacancy__group__name")
    def group(self, obj: Bid) -> str:
        return obj.vacancy.group.name

    @admin.display(description=_("Place"), ordering=ByName("vacancy__group__kindergarten__"))
    def place(self, obj: Bid) -> str:
        return str(obj.vacancy)

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Bid) -> str:
        return tag(obj.get_state_display(), tone=TONES[BidState(obj.state)])

    @admin.display(description=_("Answer by"), ordering="answer_due")
    def due(self, obj: Bid) -> str:
        if obj.state != BidState.PENDING or obj.answer_due is None or obj.answer_last_moment is None:
            return "—"
        day = day_of(obj.answer_last_moment, obj.application)
        if obj.answer_due > estimate_clock():
            return day
        return format_html("{} {}", day, tag(gettext("Overdue"), tone="danger"))

    @admin.display(description=_("Decided by"))
    def decided_by(self, obj: Bid) -> str:
        if obj.state not in (BidState.ACTIVATED, BidState.REJECTED):
            return "—"
        if not obj.stand_in:
            return gettext("The kindergarten")
        return f"{gettext('Education department')}: {obj.get_stand_in_display()}"

    @admin.display(description=_("Referral"))
    def referral(self, obj: Bid) -> str:
        referral = getattr(obj, "referral", None)
        return link(page_of(referral), referral.number) if referral else "—"

    @admin.display(description=_("Asked to undo"))
    def undoing(self, obj: Bid) -> str:
        return requests_of(obj)

    # --- many at once ----------------------------------------------------------------------------------------

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Whose kindergarten it is, or who may decide in its place; of each bid it is asked again."""
        return request.user.has_perm("applications.change_bid") or request.user.has_perm(STAND_IN)

    @admin.action(description=_("Refuse the selected bids"), permissions=["work"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Bid]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset.order_by("placed_at", "pk"),
            self.works[1],
            action="reject_selected",
            title=_("Refuse the selected bids"),
            done=_("Refused bids: %(count)s"),
        )

    @admin.action(description=_("Activate the selected bids"), permissions=["work"])
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Bid]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset.order_by("placed_at", "pk"),
            self.works[0],
            action="activate_selected",
            title=_("Activate the selected bids"),
            done=_("Activated bids: %(count)s"),
        )

    def chosen_line(self, obj: Bid) -> str:
        state = "" if obj.state == BidState.PENDING else f" ({obj.get_state_display()})"
        application = obj.application
        return f"{obj.vacancy}: {self.child(obj)}, {application.number}, {application.birth_year}{state}"

    def chosen_facts(self, rows: Sequence[Bid]) -> list[Rows]:
        places = positions([bid.application for bid in rows], now=estimate_clock())
        for bid in rows:
            vars(bid)["place"] = places.get(bid.application_id)
        return [
            [
                {"label": gettext("Number in the queue"), "value": self.number(bid)},
                {"label": gettext("State"), "value": self.shown_state(bid)},
            ]
            for bid in rows
        ]
