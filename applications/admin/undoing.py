"""Requests to undo: asked for on the page of what happened, decided by an official on a page of their own."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import one_with
from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, WaitsForYou, decisions
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    Words,
    Work,
    link,
    masked,
    page_of,
    reason_field,
    staff_of,
    written,
)
from applications.models import Application, Bid, UndoRequest
from applications.places.retaking import is_place_free
from applications.refusals import Refusal
from applications.states import ProposalState, UndoKind
from applications.undoing.requests import (
    ASK,
    DECIDE,
    KINDS,
    approve_undo,
    ask_to_undo,
    decline_undo,
    may_ask,
    may_carry_out,
    undo_to_decide,
)
from applications.workplace import short_name
from bulletin.kazakh_order import ByName
from notifications.clock import estimate_clock

# At which field it is said that the day can't be right.
COMING_REFUSALS: Final[dict[Refusal, str]] = dict.fromkeys(
    (Refusal.CAME_IN_FUTURE, Refusal.CAME_BEFORE_ISSUE, Refusal.CAME_TOO_LATE), "came_on"
)


class AskForm(forms.Form):
    reason = reason_field(
        help_text=_(
            "The official and the family read this text. Write what happened, without the names of other children."
        )
    )


class CameForm(forms.Form):
    came_on = forms.DateField(
        label=_("Came on"),
        help_text=_("From the day of issue to the last day of the referral, and not later than today."),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class CameInTimeForm(AskForm, CameForm):
    field_order = ("came_on", "reason")


def ask_work(
    kind: UndoKind,
    *,
    name: str,
    label: Words,
    consequence: Words,
    bid_of: Callable[[Any], Bid],
    form: type[AskForm] = AskForm,
    fields: Mapping[Refusal, str] | None = None,
) -> Work:
    """The button on an object's page that asks an official to undo what happened to the bid it belongs to."""

    def perform(obj: Any, actor: User, data: dict[str, Any], now: datetime) -> None:
        ask_to_undo(bid_of(obj), kind=kind, actor=actor, now=now, **data)

    return Work(
        name=name,
        label=label,
        consequence=consequence,
        done=_("You have asked for it. An official of the education department decides."),
        permission=ASK,
        offered=lambda obj, _now: may_ask(bid_of(obj), kind),
        perform=perform,
        form=form,
        danger=True,
        fields=fields or {},
        submit=_("Ask to undo it"),
    )


# Of an open request of `UndoKind.NOTED`, to whoever signs and whoever decides; `referrals.asked` closes it.
COMING_DOUBTED: Final = _(
    "An official is asked to decide whether the coming was noted by mistake. If the family did come, sign the contract "
    "without waiting: with that, or when the referral is revoked, the request closes by itself, and whoever asked is "
    "told. If it did not come, wait for the decision."
)


def requests_of(bid: Bid) -> str:
    """What was asked to be undone of a bid, as links to the requests."""
    requests = UndoRequest.objects.filter(bid=bid)
    rows = [(page_of(one), one.get_kind_display(), one.get_state_display()) for one in requests]
    return format_html_join(LINE_BREAK, '<a href="{}">{}</a> ({})', rows) if rows else "—"


class UndoWaitsForYou(WaitsForYou):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As many as the start page counts."""
        if self.value() != "you":
            return queryset
        return queryset.filter(pk__in=undo_to_decide(staff_of(request)).values("pk"))


@admin.register(UndoRequest)
class UndoRequestAdmin(ProposalAdmin):
    without_names = {"child": "masked_child"}
    permission_to_decide = DECIDE
    list_display = ["shown_kind", "child", "kindergarten", "proposed_at", "proposed_by", "shown_state"]
    list_filter = [UndoWaitsForYou, "state", "kind", "proposed_at"]
    list_select_related = [
        "bid__application__child",
        "bid__application__locality",
        "bid__vacancy__group__kindergarten",
        "proposed_by__employee",
    ]
    number_paths = ["bid__application__number"]
    child_path = "bid__application__child"
    search_help_text = _("Number of the application or last name of the child")
    fields = [
        "shown_state",
        "shown_kind",
        "shown_bid",
        "child",
        "kindergarten",
        "group",
        "came_on",
        "reason",
        *DECIDED_FIELDS,
    ]
    works = decisions(
        permission=DECIDE,
        approve=approve_undo,
        decline=decline_undo,
        label=_("Confirm"),
        consequence=_(
            "It is done at once, as it says above, and the family is told with the reason. Nobody loses a place by it."
        ),
        done=_("It is done. The family has been told."),
        otherwise=_("Everything stays as it is."),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only what came in time has a day on which it came."""
        told = super().get_fields(request, obj)
        return told if obj is None or obj.came_on else [name for name in told if name != "came_on"]

    def note(self, request: HttpRequest, obj: UndoRequest) -> Words:
        """What ends it before anybody decides."""
        is_open = obj.state == ProposalState.PROPOSED
        return COMING_DOUBTED if is_open and obj.kind == UndoKind.NOTED else ""

    def waiting_for(self, employee: User) -> QuerySet[UndoRequest]:
        return undo_to_decide(employee)

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """Who asked may not decide, nor who counts as them; what came to nothing meanwhile is only declined."""
        if obj.proposed_by_id in one_with(staff_of(request)):
            return str(Refusal.PROPOSER.label)
        if work.name == "approve" and not may_carry_out(obj, now=now):
            return gettext("This can't be undone any more, as things stand now: decline the request.")
        return ""

    def zone_of(self, obj: UndoRequest) -> tzinfo:
        return obj.application.locality.zone

    def application_of(self, obj: UndoRequest) -> Application:
        return obj.application

    def summary(self, obj: UndoRequest) -> Rows:
        return [
            {"label": gettext("What happened"), "value": obj.get_kind_display()},
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Kindergarten"), "value": self.kindergarten(obj)},
            {"label": gettext("Group"), "value": self.group(obj)},
            *([{"label": gettext("Came on"), "value": written(obj.came_on)}] if obj.came_on else []),
            {"label": gettext("Reason"), "value": obj.reason},
            {"label": gettext("Asked by"), "value": str(obj.proposed_by)},
            {"label": gettext("Place"), "value": self.place(obj)},
        ]

    def place(self, obj: UndoRequest) -> str:
        """Whether the family gets a place by it, as things stand."""
        vacancy = obj.bid.vacancy
        if not KINDS[UndoKind(obj.kind)].takes_place:
            return gettext("The family holds it")
        if is_place_free(vacancy, vacancy.group, now=estimate_clock()):
            return gettext("Free now: the family gets it back")
        return gettext("Not free now: the family does not get it back")

    @admin.display(description=_("What happened"), ordering="kind")
    def shown_kind(self, obj: UndoRequest) -> str:
        return str(obj.get_kind_display())

    @admin.display(description=_("Bid"))
    def shown_bid(self, obj: UndoRequest) -> str:
        return link(page_of(obj.bid), obj.application.number)

    @admin.display(description=_("Child"))
    def masked_child(self, obj: UndoRequest) -> str:
        return masked(obj.application.child)

    @admin.display(description=_("Child"), ordering="bid__application__child__last_name")
    def child(self, obj: UndoRequest) -> str:
        return short_name(obj.application.child)

    @admin.display(description=_("Kindergarten"), ordering=ByName("bid__vacancy__group__kindergarten__"))
    def kindergarten(self, obj: UndoRequest) -> str:
        return obj.bid.vacancy.group.kindergarten.name

    @admin.display(description=_("Group"))
    def group(self, obj: UndoRequest) -> str:
        return obj.bid.vacancy.group.name
