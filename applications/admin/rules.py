"""What officials decide: the rules in force, and an early end of a stop."""

from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.access.settling import bring_forward
from applications.admin.rules_preview import earliest_start, touched_by
from applications.admin.work import ReasonForm, Rows, Work, WorkAdmin, day_of, tag, written
from applications.models import Application, Rules, StopListEntry
from applications.referrals import stops
from applications.workplace import short_name
from bulletin.seen import CheckedAdmin
from notifications.clock import estimate_clock, read_clock

# A campaign must leave time for all reminders; a grace must end before the next campaign does.
CAMPAIGN_DAYS = (14, 180)
GRACE_DAYS = (7, 300)


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
            "publication_lead_hours",
            "archive_undo_hours",
            "youngest_age",
            "oldest_age",
            "interest_month",
            "interest_day",
            "interest_campaign_days",
            "interest_grace_days",
            "moving_keeps_date",
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        youngest, oldest = data.get("youngest_age"), data.get("oldest_age")
        if youngest is not None and oldest is not None and youngest > oldest:
            self.add_error("oldest_age", gettext("The oldest age is below the youngest one."))
        self._check_limits(data, "interest_campaign_days", CAMPAIGN_DAYS)
        self._check_limits(data, "interest_grace_days", GRACE_DAYS)
        self._check_start(data)
        return data

    def _check_limits(self, data: dict[str, Any], name: str, limits: tuple[int, int]) -> None:
        if data.get(name) is not None and not limits[0] <= data[name] <= limits[1]:
            words = gettext("Choose a number of days from %(least)s to %(most)s.")
            self.add_error(name, words % {"least": limits[0], "most": limits[1]})

    def _check_start(self, data: dict[str, Any]) -> None:
        """Refuse rules that would begin before today is over: today's rules must still explain today's promises."""
        valid_from = data.get("valid_from")
        if valid_from is None or "locality" not in data:
            return
        start = earliest_start(locality=data["locality"], now=read_clock())
        if start is not None and valid_from < start:
            words = gettext("Promises have been given under the rules in force. Choose a day from: %(day)s")
            self.add_error("valid_from", words % {"day": written(start)})


@admin.register(Rules)
class RulesAdmin(CheckedAdmin):
    """Rules are added for a future date and can be corrected until then; whom they affect is shown before saving.

    They are never deleted, and never changed once in force: they explain the deadlines of their time.
    """

    form = RulesForm
    check_title = _("Whom the change touches")
    check_template = "admin/rules_preview.html"
    list_display = ["valid_from", "shown_locality", "referral_working_days", "stop_working_days"]
    list_filter = ["locality"]
    list_select_related = ["locality"]
    view_on_site = False

    def has_delete_permission(self, request: HttpRequest, obj: Rules | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Rules | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        start = earliest_start(locality=obj.locality, now=estimate_clock()) if obj else None
        return obj is None or start is None or obj.valid_from >= start

    def consequences(self, obj: Rules) -> dict[str, Any]:
        return {"rules": obj, "touched": touched_by(obj, now=estimate_clock())}

    def save_model(self, request: HttpRequest, obj: Rules, form: Any, change: bool) -> None:
        """Applications that may leave the queue earlier by these rules are looked at earlier.

        Again after the commit, for moves under way that still used the old rules.
        """
        super().save_model(request, obj, form, change)
        bring_forward(now=read_clock())
        transaction.on_commit(lambda: bring_forward(now=read_clock()))

    @admin.display(description=_("Locality"))
    def shown_locality(self, obj: Rules) -> str:
        return obj.locality.name if obj.locality else gettext("All localities")


def _runs(stop: StopListEntry, now: datetime) -> bool:
    return stop.lifted_at is None and now < stop.until


def _lift(stop: StopListEntry, actor: User, data: dict[str, Any], now: datetime) -> None:
    stops.lift_stop(stop, actor=actor, reason=data["reason"], now=now)


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
