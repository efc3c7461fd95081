"""Benefits: officials check what families claim. Kindergarten workers are not involved."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.file_response import file_response
from accounts.models import User
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    PAPERS,
    ChildColumns,
    ReasonForm,
    Rows,
    Work,
    WorkAdmin,
    link,
    page_of,
    tag,
    written,
)
from applications.benefits import claims
from applications.benefits.claims import claims_to_check
from applications.models import Benefit, BenefitCategory
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import LIVE_STATES, BenefitState
from children.access import own_children
from notifications.clock import estimate_clock

TONES = {
    BenefitState.CLAIMED: "info",
    BenefitState.VERIFIED: "success",
    BenefitState.REJECTED: "danger",
    BenefitState.WITHDRAWN: "neutral",
    BenefitState.EXPIRED: "warning",
}


LONGEST_DAYS = 3650


class CheckFilter(admin.SimpleListFilter):
    title = _("check")
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waits for a check"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Benefit]) -> QuerySet[Benefit]:
        if self.value() == "waiting":
            return queryset.filter(pk__in=claims_to_check().values("pk"))
        return queryset


def _is_claimed(benefit: Benefit, now: datetime) -> bool:
    return benefit.state == BenefitState.CLAIMED and benefit.application.state in LIVE_STATES


def _may_be_rejected(benefit: Benefit, now: datetime) -> bool:
    return _is_claimed(benefit, now) or (benefit.counts(now=now) and benefit.application.state in LIVE_STATES)


class PaperForm(forms.Form):
    issued_on = forms.DateField(
        label=_("Date of the paper"),
        help_text=_(
            "As it stands on the document. The benefit counts from that day on for so many days as its category "
            "says."
        ),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _is_dated(benefit: Benefit, now: datetime) -> bool:
    """Whether the end of a claimed benefit is counted from the date of its paper."""
    return _is_claimed(benefit, now) and benefit.category.valid_days is not None


def _is_endless(benefit: Benefit, now: datetime) -> bool:
    return _is_claimed(benefit, now) and benefit.category.valid_days is None


def _verify(benefit: Benefit, actor: User, data: dict[str, Any], now: datetime) -> None:
    claims.verify_benefit(benefit, actor=actor, now=now, **data)


def _end_of(benefit: Benefit, data: dict[str, Any], now: datetime) -> Rows:
    """Up to when the benefit would count, by the date of its paper."""
    if why := claims.why_not_dated(benefit, data["issued_on"], now=now):
        raise Refused(why)
    until = claims.would_count_until(benefit, data["issued_on"])
    last_day = written(benefit.application.locality.last_day(until)) if until else "—"
    return [
        {"label": gettext("Date of the paper"), "value": written(data["issued_on"])},
        {"label": gettext("Last day on which the benefit counts"), "value": last_day},
    ]


def _reject(benefit: Benefit, actor: User, data: dict[str, Any], now: datetime) -> None:
    claims.reject_benefit(benefit, actor=actor, reason=data["reason"], now=now)


VERIFY = Work(
    name="verify",
    label=_("Verify"),
    consequence=_(
        "The benefit counts from now on: the child moves forward in the queue, others move back. "
        "The family is told by SMS and in the cabinet. Verify only after you have read the document."
    ),
    done=_("The benefit is verified. The family has been told its new number."),
    permission="applications.change_benefit",
    offered=_is_endless,
    perform=_verify,
)


@admin.register(Benefit)
class BenefitAdmin(InTurn, ChildColumns, WorkAdmin):
    most_urgent = ("claimed_at", "pk")
    permission_to_decide = "applications.change_benefit"
    list_display = [
        "claimed_at",
        "child",
        "category_name",
        "number_of_application",
        "last_day",
        "shown_state",
    ]
    list_display_links = ["claimed_at", "child"]
    without_names = {**ChildColumns.without_names, "claimant": ""}
    # The family chose the name of its file.
    without_papers = {"paper": ""}
    list_filter = [CheckFilter, "state", "category", "application__locality", "claimed_at"]
    list_select_related = ["application__child", "application__locality", "category"]
    number_paths = ["application__number"]
    child_path = "application__child"
    search_help_text = _("Number of the application or last name of the child")
    fields = [
        "shown_state",
        "category",
        "shown_tier",
        "required_proof",
        "paper",
        "application_page",
        "full_name",
        "birth_date",
        "number",
        "claimed_at",
        "claimant",
        "decided_at",
        "decided_by",
        "reason",
        "last_day",
    ]
    works = [
        VERIFY,
        # What counts for some days counts from the date of its paper.
        replace(
            VERIFY,
            name="verify_dated",
            offered=_is_dated,
            form=PaperForm,
            fields=dict.fromkeys((Refusal.PAPER_OF_LATER, Refusal.PAPER_OVER), "issued_on"),
            preview=_end_of,
            proceed=_("Next: up to when it counts"),
        ),
        Work(
            name="reject",
            label=_("Reject"),
            consequence=_(
                "The benefit does not count: the application stands at its original date. "
                "The family reads your reason and may ask again with another document."
            ),
            done=_("The benefit is rejected. The family has been told the reason."),
            permission="applications.change_benefit",
            offered=_may_be_rejected,
            perform=_reject,
            form=ReasonForm,
            danger=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[Benefit]:
        return claims_to_check().exclude(application__child__in=own_children(employee))

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        """The oldest claim first among those to check, so that nobody is overtaken."""
        return ["claimed_at", "id"] if request.GET.get("check") == "waiting" else ["-claimed_at", "-id"]

    def summary(self, obj: Benefit) -> Rows:
        return [
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Benefit category"), "value": obj.category.name},
            {"label": gettext("Part of the queue"), "value": self.shown_tier(obj)},
            {"label": gettext("Required proof"), "value": obj.category.proof},
            {"label": gettext("Document"), "value": self.paper(obj)},
        ]

    def summary_for(self, obj: Benefit, work: Work) -> Rows:
        if work.name == "verify":
            return [*self.summary(obj), {"label": gettext("Last day"), "value": gettext("Without an end")}]
        if work.name == "verify_dated":
            counts = {
                "label": gettext("Counts from the date of the paper, days"),
                "value": obj.category.valid_days,
            }
            return [*self.summary(obj), counts]
        return self.summary(obj)

    # --- columns ---------------------------------------------------------------------------------------------

    # A related object's own column would not wrap, and some names are long.
    @admin.display(description=_("Benefit category"), ordering="category__order")
    def category_name(self, obj: Benefit) -> str:
        return f"{obj.category.name} ({obj.category.get_tier_display()})"

    @admin.display(description=_("Application"), ordering="application__sequence")
    def number_of_application(self, obj: Benefit) -> str:
        return obj.application.number

    @admin.display(description=_("Application"))
    def application_page(self, obj: Benefit) -> str:
        return link(page_of(obj.application), obj.application.number)

    @admin.display(description=_("Number in the queue"))
    def number(self, obj: Benefit) -> str:
        place = position(obj.application, now=estimate_clock())
        return str(place.number) if place else "—"

    @admin.display(description=_("Part of the queue"), ordering="category__tier")
    def shown_tier(self, obj: Benefit) -> str:
        return obj.category.get_tier_display()

    @admin.display(description=_("Required proof"))
    def required_proof(self, obj: Benefit) -> str:
        return obj.category.proof

    @admin.display(description=_("Document"))
    def paper(self, obj: Benefit) -> str:
        return link(reverse("admin:applications_benefit_document", args=[obj.pk]), obj.original_name)

    @admin.display(description=_("Claimed by"))
    def claimant(self, obj: Benefit) -> str:
        profile = getattr(obj.claimed_by, "profile", None)
        return profile.full_name if profile else "—"

    @admin.display(description=_("Last day"), ordering="valid_until")
    def last_day(self, obj: Benefit) -> str:
        until = obj.valid_until
        return written(obj.application.locality.last_day(until)) if until else "—"

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Benefit) -> str:
        if obj.state == BenefitState.VERIFIED and not obj.counts(now=estimate_clock()):
            # The job that ends it is late: the rule is not.
            return tag(BenefitState.EXPIRED.label, tone="warning")
        return tag(obj.get_state_display(), tone=TONES[BenefitState(obj.state)])

    # --- the document ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.document_view)
        return [
            path("<uuid:pk>/document/", view, name="applications_benefit_document"),
            *super().get_urls(),
        ]

    def document_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The claim's proof, as a download that no browser runs; the family's journal says who downloaded it."""
        benefit: Benefit = self.found(request, str(pk), permission=PAPERS)
        try:
            response = file_response(benefit.document, name=benefit.original_name)
        except FileNotFoundError:
            messages.error(request, gettext("The file is missing. Ask the system administrator."))
            return HttpResponseRedirect(page_of(benefit))
        self.note_look(request, benefit, target=f"{benefit.application.number}: {benefit.original_name}")
        return response


class BenefitCategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = BenefitCategory
        fields = [
            "slug",
            "name_kk",
            "name_ru",
            "proof_kk",
            "proof_ru",
            "tier",
            "valid_days",
            "order",
            "is_active",
        ]

    def clean_valid_days(self) -> int | None:
        days: int | None = self.cleaned_data["valid_days"]
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise forms.ValidationError(
                gettext("Write a number of days within: %(range)s") % {"range": f"1 – {LONGEST_DAYS}"}
            )
        return days


@admin.register(BenefitCategory)
class BenefitCategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Categories are switched off, never deleted. Once a category has a claim, its part of the queue is fixed."""

    form = BenefitCategoryForm
    list_display = ["name", "tier", "valid_days", "is_active"]
    list_filter = ["tier", "is_active"]
    search_fields = ["name_kk", "name_ru", "slug"]
    view_on_site = False

    def get_readonly_fields(
        self, request: HttpRequest, obj: BenefitCategory | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("slug", "tier") if obj.benefits.exists() else ("slug",)

    def has_delete_permission(self, request: HttpRequest, obj: BenefitCategory | None = None) -> bool:
        return False

    @admin.display(description=_("Benefit category"), ordering="order")
    def name(self, obj: BenefitCategory) -> str:
        return obj.name
