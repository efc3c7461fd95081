"""What officials decide: the rules in force, and an early end of a stop."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications import transitions
from applications.admin.work import ReasonForm, Rows, Work, WorkAdmin, day_of, tag
from applications.models import Application, Rules, StopListEntry
from applications.workplace import short_name


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Rules
        fields = [
            "locality",
            "valid_from",
            "referral_working_days",
            "extension_calendar_days",
            "stop_working_days",
            "priority_working_days",
            "priority_seats_multiple",
            "general_per_priority",
            "activation_working_days",
            "archive_undo_hours",
            "youngest_age",
            "oldest_age",
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        youngest, oldest = data.get("youngest_age"), data.get("oldest_age")
        if youngest is not None and oldest is not None and youngest > oldest:
            self.add_error("oldest_age", gettext("The oldest age is below the youngest one."))
        return data


@admin.register(Rules)
class RulesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rules are added for a date and corrected, never deleted: they explain the deadlines of their time."""

    form = RulesForm
    list_display = ["valid_from", "shown_locality", "referral_working_days", "stop_working_days"]
    list_filter = ["locality"]
    view_on_site = False

    def has_delete_permission(self, request: HttpRequest, obj: Rules | None = None) -> bool:
        return False

    @admin.display(description=_("Locality"))
    def shown_locality(self, obj: Rules) -> str:
        return obj.locality.name if obj.locality else gettext("All localities")


def _runs(stop: StopListEntry, now: datetime) -> bool:
    return stop.lifted_at is None and now < stop.until


def _lift(stop: StopListEntry, actor: User, data: dict[str, Any], now: datetime) -> None:
    transitions.lift_stop(stop, actor=actor, reason=data["reason"], now=now)


@admin.register(StopListEntry)
class StopListEntryAdmin(WorkAdmin):
    list_display = ["application", "child", "from_day", "last_day", "shown_state"]
    list_filter = [("lifted_at", admin.EmptyFieldListFilter), "application__locality"]
    list_select_related = ["application__child", "application__locality"]
    search_fields = ["application__number", "application__child__last_name"]
    search_help_text = _("Number of the application or last name of the child")
    date_hierarchy = "starts_at"
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

    def application_of(self, obj: StopListEntry) -> Application:
        return obj.application

    def summary(self, obj: StopListEntry) -> Rows:
        return [
            {"label": gettext("Application"), "value": obj.application.number},
            {"label": gettext("Child"), "value": self.child(obj)},
            {"label": gettext("Last day"), "value": self.last_day(obj)},
        ]

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
        if _runs(obj, timezone.now()):
            return tag(gettext("runs"), tone="warning")
        return tag(gettext("over"))
