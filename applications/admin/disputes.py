"""Disputed guardianships: an official sees both sides, masked, and decides with a reason for both."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.journal_actions import Action
from accounts.masks import mask_phone
from accounts.models import User
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    Work,
    WorkAdmin,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from applications.disputes import guardianships
from applications.disputes.guardianships import zone_of
from applications.models import Application
from applications.workplace import short_name
from children.disputes import to_decide
from children.models import Child, Dispute, Guardianship
from children.services import concerned
from notifications.clock import estimate_clock, read_clock

TONES = {Dispute.Outcome.STANDS: "success", Dispute.Outcome.ENDS: "danger"}


class DecisionForm(forms.Form):
    reason = reason_field(
        help_text=_(
            "Both sides read this text. Write which documents were shown, without numbers, IINs or addresses."
        ),
    )
    # When the decision that the page shows was made: a page left open too long must not overrule an unseen one.
    overrules = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_overrules(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["overrules"])
        except ValueError:
            return None


class DecisionFilter(admin.SimpleListFilter):
    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("waits for your decision")), ("late", _("late")), ("done", _("decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        waiting = to_decide(staff_of(request))
        if self.value() == "open":
            return queryset.filter(pk__in=waiting.values("pk")).order_by("due_at")
        if self.value() == "late":
            late = waiting.filter(due_at__lte=read_clock())
            return queryset.filter(pk__in=late.values("pk")).order_by("due_at")
        if self.value() == "done":
            return queryset.exclude(outcome="")
        return queryset


def _may_stand(dispute: Dispute, now: datetime) -> bool:
    return dispute.outcome != Dispute.Outcome.STANDS and not dispute.is_ended_by_registry


def _may_end(dispute: Dispute, now: datetime) -> bool:
    return dispute.outcome != Dispute.Outcome.ENDS


def _stand(dispute: Dispute, actor: User, data: dict[str, Any], now: datetime) -> None:
    guardianships.decide_guardianship(dispute, outcome=Dispute.Outcome.STANDS, actor=actor, **data, now=now)


def _end(dispute: Dispute, actor: User, data: dict[str, Any], now: datetime) -> None:
    guardianships.decide_guardianship(dispute, outcome=Dispute.Outcome.ENDS, actor=actor, **data, now=now)


def _seen(dispute: Dispute) -> dict[str, Any]:
    return {"overrules": dispute.decided_at.isoformat() if dispute.decided_at else ""}


class PlacedList(ChangeList):
    """A page of disputes whose places are read at once, not row by row."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        prefetch_related_objects(self.result_list, "guardianship__child__applications__locality")


@admin.register(Dispute)
class DisputeAdmin(InTurn, WorkAdmin):
    """For officials only: kindergartens have no say in who may act for a child."""

    most_urgent = ("due_at", "pk")
    permission_to_decide = "children.change_dispute"
    list_display = ["due", "child", "shown_state", "halts", "newcomer", "stopped_by", "raised_at"]
    list_display_links = ["due", "child"]
    list_filter = [DecisionFilter, "raised_at"]
    list_select_related = ["guardianship__child", "guardianship__user__profile", "raised_by__profile"]
    child_path = "guardianship__child"
    search_help_text = _("Last name of the child")
    ordering = ["-raised_at"]
    fields = [
        "shown_state",
        "due",
        "halts",
        "full_name",
        "birth_date",
        "applications",
        "newcomer_data",
        "stopper_data",
        "other_guardians",
        "raised_at",
        "decided_at",
        "shown_decider",
        "reason",
        "overruled_decisions",
    ]
    works = [
        Work(
            name="stand",
            label=_("The guardianship stands"),
            consequence=_(
                "Costly acts are free again, and whoever was disputed can send bids. Both sides read your reason. "
                "Decide only after you have seen the documents that prove the guardianship."
            ),
            done=_("Decided: the guardianship stands. Both sides have been told."),
            permission="children.change_dispute",
            offered=_may_stand,
            perform=_stand,
            form=DecisionForm,
            initial=_seen,
        ),
        Work(
            name="end",
            label=_("The guardianship ends"),
            consequence=_(
                "Whoever was disputed no longer acts for the child and can't add it again. What they did before stays. "
                "Both sides read your reason."
            ),
            done=_("Decided: the guardianship is ended. Both sides have been told."),
            permission="children.change_dispute",
            offered=_may_end,
            perform=_end,
            form=DecisionForm,
            initial=_seen,
            danger=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[Dispute]:
        return to_decide(employee)

    def zone_of(self, obj: Dispute) -> tzinfo:
        return zone_of(obj.guardianship.child)

    def child_of(self, obj: Dispute) -> Child:
        return obj.guardianship.child

    def who_else_decides(self, request: HttpRequest, obj: Dispute) -> str:
        """Nor does the person who is disputed decide, whose guardianship may have ended."""
        user = staff_of(request)
        if user.is_same_person(obj.guardianship.user):
            return self.words_for_guardian(user, obj)
        return super().who_else_decides(request, obj)

    def summary(self, obj: Dispute) -> Rows:
        rows = [
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Who is disputed"), "value": self.newcomer_data(obj)},
            {"label": gettext("Who does not know them"), "value": self.stopper_data(obj)},
            {"label": gettext("Decision by"), "value": self.due(obj)},
        ]
        if obj.outcome:
            holds = _decision(obj.get_outcome_display(), obj.decided_at, obj.decided_by, obj.reason)
            rows.append({"label": gettext("You change this decision"), "value": holds})
        return rows

    def whose_data(self, obj: Dispute) -> Iterable[User]:
        """Both sides, whether or not the child has an application."""
        return concerned(obj)

    def name_for_family(self, obj: Dispute) -> str:
        return obj.guardianship.child.full_name

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlacedList

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Child"), ordering="guardianship__child__last_name")
    def child(self, obj: Dispute) -> str:
        return short_name(obj.guardianship.child)

    @admin.display(description=_("Child"))
    def full_name(self, obj: Dispute) -> str:
        return obj.guardianship.child.full_name

    @admin.display(description=_("Birth date"))
    def birth_date(self, obj: Dispute) -> str:
        return written(obj.guardianship.child.birth_date)

    @admin.display(description=_("Applications"))
    def applications(self, obj: Dispute) -> str:
        found = Application.objects.filter(child=obj.guardianship.child)
        rows = [(page_of(one), one.number, one.get_state_display()) for one in found]
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a> ({})', rows) if rows else "—"

    @admin.display(description=_("Who is disputed"))
    def newcomer(self, obj: Dispute) -> str:
        return obj.guardianship.user.profile.masked_name

    @admin.display(description=_("Who does not know them"))
    def stopped_by(self, obj: Dispute) -> str:
        return obj.raised_by.profile.masked_name

    @admin.display(description=_("Who is disputed"))
    def newcomer_data(self, obj: Dispute) -> str:
        return _person(obj.guardianship)

    @admin.display(description=_("Who does not know them"))
    def stopper_data(self, obj: Dispute) -> str:
        own = obj.guardianship.child.guardianships.filter(user=obj.raised_by).order_by("-pk").first()
        return _person(own) if own else str(obj.raised_by)

    @admin.display(description=_("Other guardians"))
    def other_guardians(self, obj: Dispute) -> str:
        others = obj.guardianship.child.guardianships.filter(ended_at=None).select_related("user__profile")
        shown = [(_person(one),) for one in others.exclude(user__in=[obj.guardianship.user, obj.raised_by])]
        return format_html_join(LINE_BREAK, "{}", shown) if shown else "—"

    @admin.display(description=_("Decision by"), ordering="due_at")
    def due(self, obj: Dispute) -> str:
        day = written(localtime(obj.last_moment, self.zone_of(obj)).date())
        if obj.outcome or obj.due_at > estimate_clock():
            return day
        return format_html("{} {}", day, tag(gettext("Late"), tone="danger"))

    @admin.display(description=_("Costly acts"))
    def halts(self, obj: Dispute) -> str:
        if not obj.is_halting:
            return tag(gettext("free"))
        halted = tag(gettext("halted"), tone="warning")
        if not obj.is_mutual:
            return halted
        return format_html("{} {}", halted, tag(gettext("neither side can bid"), tone="warning"))

    @admin.display(description=_("Decision"), ordering="outcome")
    def shown_state(self, obj: Dispute) -> str:
        if obj.outcome:
            shown = tag(obj.get_outcome_display(), tone=TONES[Dispute.Outcome(obj.outcome)])
        else:
            shown = tag(gettext("waits for a decision"), tone="info")
        if not obj.is_ended_by_registry:
            return shown
        return format_html("{} {}", shown, tag(gettext("the registry no longer confirms it"), tone="danger"))

    @admin.display(description=_("Decided by"))
    def shown_decider(self, obj: Dispute) -> str:
        return _decider(obj.decided_by) if obj.outcome else "—"

    @admin.display(description=_("Decisions that were overruled"))
    def overruled_decisions(self, obj: Dispute) -> str:
        rows = [
            (_decision(one.get_outcome_display(), one.decided_at, one.decided_by, one.reason),)
            for one in obj.overruled.select_related("decided_by")
        ]
        return format_html_join(LINE_BREAK, "{}", rows) if rows else "—"


def _decider(user: User | None) -> str:
    return str(user) if user else gettext("Portal")


def _decision(outcome: str, at: datetime | None, by: User | None, reason: str) -> str:
    """One decision as a line: what, when, by whom, why."""
    parts = [capfirst(outcome), date_format(localtime(at), "SHORT_DATETIME_FORMAT"), _decider(by), reason]
    return " · ".join(part for part in parts if part)


def _person(guardianship: Guardianship) -> str:
    """One side: the full name, as in documents, masked identifiers, since when, and what the state knows."""
    profile, user = guardianship.user.profile, guardianship.user
    identity = profile.masked_identity
    rows = [
        profile.full_name,
        f"{gettext('IIN / document number')}: {identity}",
        f"{gettext('Phone')}: {mask_phone(user.phone)} ({profile.get_phone_tie_display()})",
        f"{gettext('Added at')}: {written(localtime(guardianship.added_at).date())}",
        f"{gettext('proof')}: {guardianship.get_source_display()}",
    ]
    attempt = user.journal.filter(action=Action.OWNER_SHUT_OUT).first()
    if attempt is not None:
        words = gettext("The owner of this IIN, by the state's word on the phone, wanted to register at")
        rows.append(f"{words}: {date_format(localtime(attempt.at), 'SHORT_DATETIME_FORMAT')}")
    if guardianship.ended_at:
        rows.append(f"{gettext('ended at')}: {written(localtime(guardianship.ended_at).date())}")
    return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])
