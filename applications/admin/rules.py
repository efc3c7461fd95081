"""What officials decide: the rules in force, proposals of rules, and an early end of a stop."""

from datetime import datetime, tzinfo
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import one_with
from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, WaitsForYou, decisions
from applications.admin.rules_preview import Touched, touched_by
from applications.admin.work import (
    LINE_BREAK,
    READ_BY_OTHERS,
    YEARS_AHEAD,
    ReasonForm,
    Rows,
    Work,
    WorkAdmin,
    day_of,
    demand_locality_of,
    masked,
    page_of,
    staff_of,
    tag,
    written,
)
from applications.decisions.rules import (
    DECIDE,
    approve_rules,
    changes_nothing,
    decline_rules,
    earliest_start,
    look_earlier,
    needs_second,
    propose_rules,
    put_off_by,
    rules_of,
    why_not_propose,
)
from applications.models import Application, Rules, RulesProposal, StopListEntry
from applications.models.rules import VALUES
from applications.moves import Refused
from applications.referrals import stops
from applications.refusals import Refusal
from applications.states import ProposalState
from applications.workplace import rules_to_decide, short_name
from bulletin.seen import CheckedAdmin
from notifications.clock import estimate_clock, read_clock

FIELDS = ["locality", "valid_from", *VALUES]
PUT_OFF = _(
    "The rules planned for that day begin a day later; if they should not hold, replace them before. They begin on"
)


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Rules to add, or to correct before they begin. Where a second official is needed, they are only proposed."""

    is_emergency = forms.BooleanField(
        label=_("An emergency: in force from now on"),
        help_text=_(
            "For what is newly promised, from a minute after a second official approves. The ratio of the queue, "
            "campaigns and school age follow at the beginning of the next day. Nothing promised becomes shorter."
        ),
        required=False,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_(
            "For the second official, and for the history. Needed for all localities and in an emergency."
        ),
        max_length=500,
        required=False,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    class Meta:
        model = Rules
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "locality" in self.fields:
            self.fields["locality"].help_text = gettext(
                "Rules for one locality need no second official. Those for all localities, and those of an emergency, "
                "are only proposed."
            )
        if "valid_from" in self.fields:
            self.fields["valid_from"].required = False
            self.fields["valid_from"].help_text = gettext("Empty only in an emergency.")

    @property
    def is_proposal(self) -> bool:
        """Whether what the form holds is decided by a second official."""
        data = self.cleaned_data
        return needs_second(locality=data.get("locality"), is_emergency=bool(data.get("is_emergency")))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        youngest, oldest = data.get("youngest_age"), data.get("oldest_age")
        if youngest is not None and oldest is not None and youngest > oldest:
            self.add_error("oldest_age", gettext("The oldest age is below the youngest one."))
        if "locality" in data:
            self._check_start(data)
            self._check_proposal(data)
        if not self.errors:
            self._check_difference(data)
        return data

    def _check_difference(self, data: dict[str, Any]) -> None:
        """Refuse what changes nothing. Planned rules are never deleted: those that should not hold are made the same
        as the others, which the preview says."""
        if self.instance.pk:
            if not self.has_changed():
                self.add_error(None, gettext("Nothing differs from what is saved: there is nothing to save."))
            return
        draft = Rules(
            locality=data.get("locality"),
            valid_from=data["valid_from"],
            early_from=self.instance.early_from,
            **{name: data[name] for name in VALUES},
        )
        if changes_nothing(draft):
            words = gettext(
                "Nothing differs: without these rules the same periods and sizes hold. Change a value, or leave "
                "everything as it is."
            )
            self.add_error(None, words)

    def _check_start(self, data: dict[str, Any]) -> None:
        """Refuse rules that would begin before today is over: today's rules must still explain today's promises."""
        now, locality = read_clock(), data["locality"]
        if data.get("is_emergency"):
            rules = rules_of(RulesProposal(locality=locality), now=now)
            data["valid_from"], self.instance.early_from = rules.valid_from, rules.early_from
        elif "valid_from" in data:
            start = earliest_start(locality=locality, now=now)
            if data["valid_from"] is None:
                self.add_error("valid_from", gettext("Name the day from which they hold."))
            elif data["valid_from"].year > now.year + YEARS_AHEAD:
                self.add_error("valid_from", gettext("Check the year."))
            elif start is not None and data["valid_from"] < start:
                words = gettext(
                    "Promises have been given under the rules in force, or rules of an emergency begin on that day. "
                    "Choose a day from: %(day)s"
                )
                self.add_error("valid_from", words % {"day": written(start)})

    def _check_proposal(self, data: dict[str, Any]) -> None:
        if not self.is_proposal or self.instance.pk:
            return
        if "reason" in data and not data["reason"].strip():
            self.add_error("reason", Refusal.REASON_MISSING.label)
        refusal = why_not_propose(locality=data["locality"])
        if refusal is not None:
            self.add_error(None, str(refusal.label))

    def validate_unique(self) -> None:
        """What is only proposed replaces rules of the same day."""
        if self.is_proposal:
            return
        super().validate_unique()
        # The instant of an emergency is no field of the form, so Django leaves the constraint that names it unchecked.
        rules = self.instance
        same = Rules.objects.filter(locality=rules.locality, valid_from=rules.valid_from, early_from=None)
        if rules.valid_from and same.exclude(pk=rules.pk).exists():
            self.add_error(
                "valid_from", gettext("Rules that begin on this day exist already: correct those.")
            )


@admin.register(Rules)
class RulesAdmin(CheckedAdmin):
    """Rules are added for a future date and can be corrected until then; whom they affect is shown before saving.

    They are never deleted, and never changed once in force: they explain the deadlines of their time. Those for all
    localities, and those of an emergency, are proposed here and decided on by another official.
    """

    form = RulesForm
    check_title = _("Whom the change touches")
    check_template = "admin/rules_preview.html"
    list_display = [
        "valid_from",
        "shown_locality",
        "early_from",
        "referral_working_days",
        "stop_working_days",
    ]
    list_filter = ["locality"]
    list_select_related = ["locality"]
    view_on_site = False

    def get_fields(self, request: HttpRequest, obj: Rules | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("locality", "is_emergency", "valid_from", *VALUES, "reason")
        return (*FIELDS, "early_from") if obj.early_from else tuple(FIELDS)

    def get_readonly_fields(self, request: HttpRequest, obj: Rules | None = None) -> list[str]:
        # Whose they are stays: otherwise rules of one locality could become those of all.
        return ["locality", "early_from"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(field, forms.ModelChoiceField):
            demand_locality_of(field, staff_of(request), now=estimate_clock())
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without Django's picture that leads from here to the page of the locality."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_view_related = False
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Rules | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Rules | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or _may_still_change(obj)

    def consequences(self, obj: Rules) -> dict[str, Any]:
        return {
            "rules": obj,
            "put_off": put_off_by(obj),
            "touched": touched_by(obj, now=estimate_clock()),
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST" and object_id is None and "confirmed" in request.POST:
            answer = self._propose(request)
            if answer is not None:
                return answer
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _propose(self, request: HttpRequest) -> HttpResponse | None:
        """Propose what needs a second official; None for what is saved as usual, or can't be."""
        form = cast(RulesForm, self.get_form(request)(request.POST))
        if not self.has_add_permission(request) or not form.is_valid() or not form.is_proposal:
            return None
        try:
            proposal = propose_rules(
                form.instance,
                is_emergency=form.cleaned_data["is_emergency"],
                reason=form.cleaned_data["reason"],
                actor=staff_of(request),
                now=read_clock(),
            )
        except Refused as refusal:
            # Somebody else was quicker: the form says so.
            messages.error(request, str(refusal))
            return None
        messages.success(request, gettext("The rules are proposed. Another official has to approve them."))
        return HttpResponseRedirect(page_of(proposal))

    def save_model(self, request: HttpRequest, obj: Rules, form: Any, change: bool) -> None:
        """Applications that may leave the queue earlier by these rules are looked at earlier."""
        super().save_model(request, obj, form, change)
        look_earlier(now=read_clock())

    @admin.display(description=_("Locality"))
    def shown_locality(self, obj: Rules) -> str:
        return obj.locality.name if obj.locality else gettext("All localities")


def _may_still_change(rules: Rules) -> bool:
    """Whether rules of one locality, which needed no second official, have not begun."""
    if needs_second(locality=rules.locality, is_emergency=rules.early_from is not None):
        return False
    start = earliest_start(locality=rules.locality, now=estimate_clock())
    return start is None or rules.valid_from >= start


class RulesWaitForYou(WaitsForYou):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "you":
            return queryset
        waiting = rules_to_decide(staff_of(request), now=estimate_clock())
        return queryset.filter(pk__in=waiting.values("pk"))


@admin.register(RulesProposal)
class RulesProposalAdmin(ProposalAdmin):
    """Rules that wait for a second official, and what became of the others."""

    permission_to_decide = DECIDE
    list_display = ["shown_locality", "begins", "proposed_at", "proposed_by", "shown_state"]
    list_filter = [RulesWaitForYou, "state"]
    list_select_related = ["locality", "proposed_by__employee"]
    fields = [
        "shown_state",
        "shown_locality",
        "begins",
        "differs",
        "reason",
        *DECIDED_FIELDS,
        *VALUES,
    ]
    works = decisions(
        permission=DECIDE,
        approve=approve_rules,
        decline=decline_rules,
        label=_("Approve"),
        consequence=_(
            "The rules come into force as it says above. Deadlines already given stay as they are. "
            "Once they hold they can't be changed, only followed by others."
        ),
        done=_("The rules are approved."),
        otherwise=_("Nothing changes."),
    )

    def waiting_for(self, employee: User) -> QuerySet[RulesProposal]:
        return rules_to_decide(employee, now=estimate_clock())

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """The proposer may not decide, nor who counts as them."""
        return str(Refusal.PROPOSER.label) if obj.proposed_by_id in one_with(staff_of(request)) else ""

    def summary(self, obj: RulesProposal) -> Rows:
        """What the rules would change, place by place, and what of it is far from today."""
        now = estimate_clock()
        rules = rules_of(obj, now=now)
        touched, put_off = touched_by(rules, now=now), put_off_by(rules)
        return [
            {"label": gettext("Locality"), "value": self.shown_locality(obj)},
            {"label": gettext("Valid from"), "value": self.begins(obj)},
            *(
                [{"label": PUT_OFF, "value": written(put_off.valid_from)}]
                if put_off and obj.state == ProposalState.PROPOSED
                else []
            ),
            *({"label": label, "value": words} for label, words in _differences(touched)),
            {"label": gettext("Reason"), "value": obj.reason},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What differs stands first; all the values are one press away."""
        names = [str(name) for name in self.get_fields(request, obj)]
        first = [name for name in names if name not in VALUES]
        folded = {"fields": list(VALUES), "classes": ["collapse"]}
        return [(None, {"fields": first}), (gettext("All periods and sizes"), folded)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was decided is compared with nothing: the rules of today may be others."""
        is_open = obj is not None and obj.state == ProposalState.PROPOSED
        return [name for name in super().get_fields(request, obj) if is_open or name != "differs"]

    @admin.display(description=_("What differs from the rules without it"))
    def differs(self, obj: RulesProposal) -> str:
        now = estimate_clock()
        found = _differences(touched_by(rules_of(obj, now=now), now=now))
        if not found:
            return gettext("Nothing differs on that day.")
        return format_html_join(LINE_BREAK, "{}: {}", found)

    @admin.display(description=_("Locality"))
    def shown_locality(self, obj: RulesProposal) -> str:
        return obj.locality.name if obj.locality else gettext("All localities")

    @admin.display(description=_("Valid from"), ordering="valid_from")
    def begins(self, obj: RulesProposal) -> str:
        return written(obj.valid_from) if obj.valid_from else gettext("an emergency: from the approval on")


def _differences(touched: list[Touched]) -> list[tuple[str, str]]:
    """What changes in each place, with its old and its new value, and what is lost by it."""
    return [
        (f"{place.locality.name}, {label}", words)
        for place in touched
        for label, words in [*((one.label, one.in_words) for one in place.changes), *place.losses]
    ]


def _runs(stop: StopListEntry, now: datetime) -> bool:
    return stop.lifted_at is None and now < stop.until


def _lift(stop: StopListEntry, actor: User, data: dict[str, Any], now: datetime) -> None:
    stops.lift_stop(stop, actor=actor, reason=data["reason"], now=now)


@admin.register(StopListEntry)
class StopListEntryAdmin(WorkAdmin):
    without_names = {"child": "masked_child"}
    list_display = ["application", "child", "from_day", "last_day", "shown_state"]
    list_filter = [("lifted_at", admin.EmptyFieldListFilter), "application__locality", "starts_at"]
    list_select_related = ["application__child", "application__locality"]
    number_paths = ["application__number"]
    child_path = "application__child"
    search_help_text = _("Number of the application or last name of the child")
    fields = [
        "application",
        "child",
        "referral",
        "from_day",
        "last_day",
        "shown_state",
        "lifted_at",
        "lifted_by",
        "reason",
    ]
    works = [
        Work(
            name="lift",
            label=_("Return to the queue"),
            consequence=_(
                "The application waits again at its original date, before its stop is over. "
                "The family is told; your reason stays in the history."
            ),
            done=_("The application is back in the queue. The family has been told."),
            permission="applications.change_stoplistentry",
            offered=_runs,
            perform=_lift,
            form=ReasonForm,
        ),
    ]

    def zone_of(self, obj: StopListEntry) -> tzinfo:
        return obj.application.locality.zone

    def application_of(self, obj: StopListEntry) -> Application:
        return obj.application

    def summary(self, obj: StopListEntry) -> Rows:
        return [
            {"label": gettext("Application"), "value": obj.application.number},
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Last day"), "value": self.last_day(obj)},
        ]

    @admin.display(description=_("Child"))
    def masked_child(self, obj: StopListEntry) -> str:
        return masked(obj.application.child)

    @admin.display(description=_("Child"))
    def child(self, obj: StopListEntry) -> str:
        return short_name(obj.application.child)

    @admin.display(description=_("From"), ordering="starts_at")
    def from_day(self, obj: StopListEntry) -> str:
        return day_of(obj.starts_at, obj.application)

    @admin.display(description=_("Last day"), ordering="until")
    def last_day(self, obj: StopListEntry) -> str:
        return day_of(obj.last_moment, obj.application)

    @admin.display(description=_("State"))
    def shown_state(self, obj: StopListEntry) -> str:
        if _runs(obj, estimate_clock()):
            return tag(gettext("runs"), tone="warning")
        return tag(gettext("over"))
