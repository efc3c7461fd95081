"""Corrections of the queue: officials propose them from an application's page, another official decides."""

from datetime import UTC, date, datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import one_with
from accounts.public_text import refuse_personal_numbers
from applications.admin.in_turn import InTurn
from applications.admin.proposals import WaitsForYou
from applications.admin.work import (
    READ_BY_OTHERS,
    Rows,
    Work,
    WorkAdmin,
    link,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from applications.models import Application, Correction
from applications.queue import corrections
from applications.queue.corrections import corrected_number, corrections_to_decide
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import LIVE_STATES, CorrectionState
from bulletin.forms import EARLIEST_YEAR, LATEST_YEAR
from children.access import own_children
from notifications.clock import estimate_clock, read_clock

TONES = {
    CorrectionState.PROPOSED: "warning",
    CorrectionState.APPROVED: "success",
    CorrectionState.DECLINED: "neutral",
}
MOMENT_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"]
EARLIEST = datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC)


class ProposalForm(forms.Form):
    """A proposal for the second official to approve."""

    new_filed_at = forms.DateTimeField(
        label=_("New time of filing"),
        help_text=_("Empty: stays as it is."),
        required=False,
        input_formats=MOMENT_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format=MOMENT_FORMATS[0]),
    )
    new_birth_year = forms.IntegerField(
        label=_("New birth year"),
        help_text=_("Empty: stays as it is. Another birth year is another queue."),
        required=False,
        min_value=EARLIEST_YEAR,
        max_value=LATEST_YEAR,
    )
    document_number = forms.CharField(
        label=_("Order No."), max_length=60, validators=[refuse_personal_numbers]
    )
    document_date = forms.DateField(
        label=_("Date of the order"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_(
            "Everyone can read this text in the public ledger: write no names, IINs, phones or diagnoses, "
            "only what was wrong and what shows it."
        ),
        max_length=500,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    def clean_new_filed_at(self) -> datetime | None:
        filed_at: datetime | None = self.cleaned_data["new_filed_at"]
        if filed_at is not None and filed_at < EARLIEST:
            raise forms.ValidationError(gettext("Check the year of the time of filing."))
        return filed_at


class DeclineForm(forms.Form):
    reason = reason_field(
        help_text=_("It is kept in the journal of the family and of the officials."),
    )


def _may_be_corrected(application: Application, now: datetime) -> bool:
    return (
        application.state in LIVE_STATES
        and not application.corrections.filter(state=CorrectionState.PROPOSED).exists()
    )


def _propose(application: Application, actor: User, data: dict[str, Any], now: datetime) -> None:
    corrections.propose_correction(application, **data, actor=actor, now=now)


def _effect(application: Application, data: dict[str, Any], now: datetime) -> Rows:
    """What the correction would do at this moment, before it is proposed."""
    corrections.check_proposal(application, **data, now=now)
    effect = changes(
        application,
        filed_at=data["new_filed_at"] or application.filed_at,
        birth_year=data["new_birth_year"] or application.birth_year,
        now=now,
    )
    return effect + _public(f"№ {data['document_number']}", data["document_date"], data["reason"])


def _public(source: str, document_date: date, reason: str) -> Rows:
    """The very words that everyone will read, once the correction is approved."""
    return [
        {
            "label": gettext("Everyone will read: order"),
            "value": f"{source}, {written(document_date)}",
        },
        {"label": gettext("Everyone will read: reason"), "value": reason},
    ]


def changes(application: Application, *, filed_at: datetime, birth_year: int, now: datetime) -> Rows:
    """Rows with the present and the proposed values: the time of filing, the birth year, the number."""
    place = position(application, now=now)
    number = corrected_number(application, filed_at=filed_at, birth_year=birth_year, now=now)
    rows = [
        (gettext("Time of filing"), moment(application.filed_at, application), moment(filed_at, application)),
        (gettext("Birth year"), application.birth_year, birth_year),
        (gettext("Number in the queue"), place.number if place else "—", number or "—"),
    ]
    return [
        {"label": label, "value": before if before == after else f"{before} → {after}"}
        for label, before, after in rows
    ]


def moment(at: datetime, application: Application) -> str:
    """An instant to the second, where the application's family lives."""
    return f"{at.astimezone(application.locality.zone):%d.%m.%Y %H:%M:%S}"


PROPOSE = Work(
    name="correct",
    label=_("Propose a correction"),
    consequence=_(
        "Nothing changes yet: another official reads the order and approves or declines. What is approved appears in "
        "the public ledger of corrections, without names."
    ),
    done=_("The correction is proposed. Another official has to approve it."),
    permission="applications.add_correction",
    offered=_may_be_corrected,
    perform=_propose,
    form=ProposalForm,
    preview=_effect,
    fields={
        Refusal.AGE: "new_birth_year",
        Refusal.FUTURE_FILING: "new_filed_at",
        Refusal.FILED_BEFORE_BIRTH: "new_filed_at",
        Refusal.FUTURE_ORDER: "document_date",
        Refusal.ORDER_BEFORE_BIRTH: "document_date",
        Refusal.NAMES_IN_PUBLIC: "reason",
    },
)


def _is_open(correction: Correction, now: datetime) -> bool:
    return correction.state == CorrectionState.PROPOSED


def _approve(correction: Correction, actor: User, data: dict[str, Any], now: datetime) -> None:
    corrections.approve_correction(correction, actor=actor, now=now)


def _decline(correction: Correction, actor: User, data: dict[str, Any], now: datetime) -> None:
    corrections.decline_correction(correction, actor=actor, reason=data["reason"], now=now)


@admin.register(Correction)
class CorrectionAdmin(InTurn, WorkAdmin):
    """For officials only: kindergartens have no say in the order of a queue."""

    most_urgent = ("proposed_at", "pk")
    permission_to_decide = corrections.DECIDE
    list_display = [
        "application",
        "locality",
        "change",
        "document",
        "proposed_at",
        "shown_proposer",
        "shown_state",
    ]
    list_filter = [WaitsForYou, "state", "application__locality", "proposed_at"]
    list_select_related = ["application__locality", "proposed_by__employee"]
    search_fields = ["application__number", "document_number"]
    search_help_text = _("Number of the application or of the order")
    ordering = ["-proposed_at"]
    fields = [
        "shown_state",
        "shown_application",
        "locality",
        "change",
        "number_now",
        "shown_reason",
        "document",
        "proposed_at",
        "shown_proposer",
        "decided_at",
        "decided_by",
    ]
    works = [
        Work(
            name="approve",
            label=_("Approve"),
            consequence=_(
                "The correction is carried out at once. Both parents are told their former and their new number and "
                "the order; the public ledger shows it without names. Approve only after you have read the order."
            ),
            done=_("The correction is carried out. The family has been told."),
            permission="applications.change_correction",
            offered=_is_open,
            perform=_approve,
        ),
        Work(
            name="decline",
            label=_("Decline"),
            consequence=_("Nothing changes in the queue."),
            done=_("The correction is declined. Nothing changed in the queue."),
            permission="applications.change_correction",
            offered=_is_open,
            perform=_decline,
            form=DeclineForm,
            danger=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[Correction]:
        return corrections_to_decide(employee).exclude(application__child__in=own_children(employee))

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """The proposer may not decide, nor who counts as them."""
        return str(Refusal.SAME_OFFICIAL.label) if obj.proposed_by_id in one_with(staff_of(request)) else ""

    def zone_of(self, obj: Correction) -> tzinfo:
        return obj.application.locality.zone

    def application_of(self, obj: Correction) -> Application:
        return obj.application

    def summary(self, obj: Correction) -> Rows:
        application = obj.application
        effect = changes(
            application,
            filed_at=obj.new_filed_at or application.filed_at,
            birth_year=obj.new_birth_year or application.birth_year,
            now=read_clock(),
        )
        return [
            {"label": gettext("Application"), "value": application.number},
            {"label": gettext("Locality"), "value": application.locality.name},
            *effect,
            *_public(obj.source, obj.document_date, obj.why),
            {"label": gettext("Proposed by"), "value": self.shown_proposer(obj)},
        ]

    @admin.display(description=_("Application"))
    def shown_application(self, obj: Correction) -> str:
        return link(page_of(obj.application), obj.application.number)

    @admin.display(description=_("Locality"))
    def locality(self, obj: Correction) -> str:
        return obj.application.locality.name

    @admin.display(description=_("What changes"))
    def change(self, obj: Correction) -> str:
        parts = []
        if obj.new_filed_at:
            before, after = (moment(at, obj.application) for at in (obj.previous_filed_at, obj.new_filed_at))
            parts.append(f"{before} → {after}")
        if obj.new_birth_year:
            parts.append(f"{obj.previous_birth_year} → {obj.new_birth_year}")
        return "; ".join(parts)

    @admin.display(description=_("Number in the queue"))
    def number_now(self, obj: Correction) -> str:
        place = position(obj.application, now=estimate_clock())
        return str(place.number) if place else "—"

    @admin.display(description=_("Order No. and date"))
    def document(self, obj: Correction) -> str:
        return f"{obj.source}, {written(obj.document_date)}"

    @admin.display(description=_("Reason"))
    def shown_reason(self, obj: Correction) -> str:
        return obj.why

    @admin.display(description=_("Proposed by"), ordering="proposed_by")
    def shown_proposer(self, obj: Correction) -> str:
        return gettext("The portal itself") if obj.proposed_by is None else str(obj.proposed_by)

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Correction) -> str:
        return tag(obj.get_state_display(), tone=TONES[CorrectionState(obj.state)])
