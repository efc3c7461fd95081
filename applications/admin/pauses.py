"""Pauses of bidding: an official begins one with a notice and ends it, each after a confirmation."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.work import BegunByButton, PlacedForm, Rows, Work, reason_field, tag
from applications.bidding import resuming
from bulletin.forms import EARLIEST_YEAR
from bulletin.models import Pause
from bulletin.reopening import NewOpening, next_day
from bulletin.selectors import published_vacancies
from bulletin.services import pause_bidding
from notifications.clock import estimate_clock, read_clock

LATEST_REOPENING = timedelta(days=31)


class PauseForm(PlacedForm):
    """Where bidding pauses, and what families read meanwhile."""

    notice_kk = reason_field(
        label=_("Notice in Kazakh"),
        help_text=_("Families read it in the bulletin and at every place: why, and for how long."),
    )
    notice_ru = reason_field(
        label=_("Notice in Russian"),
    )


class ResumeForm(forms.Form):
    """When the places open whose opening the pause stopped."""

    day = forms.DateField(
        label=_("New opening: day"),
        help_text=_(
            "Of the places that were to open during the pause, or had opened within a day before it."
        ),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    at = forms.TimeField(
        label=_("New opening: hour"),
        help_text=_("Empty: each at the hour at which it was to open."),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        # A day that is only past is refused for the places that it concerns; one before all years is no instant at all.
        if day.year < EARLIEST_YEAR or day > timezone.localdate(estimate_clock()) + LATEST_REOPENING:
            raise ValidationError(
                _("Choose a day within so many days from today: %(days)s"),
                params={"days": LATEST_REOPENING.days},
            )
        return day


def _runs(pause: Pause, now: datetime) -> bool:
    return pause.ended_at is None


def _suggested(pause: Pause) -> dict[str, Any]:
    """The next day, where the pause holds; the hour stays empty."""
    zone = pause.locality.zone if pause.locality else timezone.get_default_timezone()
    return {"day": next_day(estimate_clock().astimezone(zone)).day}


def _resume(pause: Pause, actor: User, data: dict[str, Any], now: datetime) -> None:
    # A pause shifts the deadlines of bids, so it begins and ends by their clock.
    resuming.resume(pause, new_opening=NewOpening(data["day"], data["at"]), actor=actor, now=read_clock())


def _after_the_pause(pause: Pause, data: dict[str, Any], now: datetime) -> Rows:
    """The new opening of each place that was stopped, and how many go on at once."""
    stopped, others = resuming.stopped_by(pause, now=now)
    new_opening = NewOpening(data["day"], data["at"])
    rows = []
    for vacancy in stopped:
        was = vacancy.opens_at.astimezone(vacancy.locality.zone)
        becomes = new_opening.of(was)
        resuming.refuse_too_early(vacancy, becomes, now=now)
        rows.append({"label": str(vacancy), "value": f"{_written(was)} → {_written(becomes)}"})
    return [*rows, {"label": gettext("Places that go on at once"), "value": others}]


def _written(at: datetime) -> str:
    return f"{at:%d.%m.%Y %H:%M}"


def _always(pause: None, now: datetime) -> bool:
    return True


def _begin(pause: None, actor: User, data: dict[str, Any], now: datetime) -> Pause:
    return pause_bidding(**data, actor=actor, now=read_clock())


def _effect(pause: None, data: dict[str, Any], now: datetime) -> Rows:
    place = data["locality"]
    return [
        {"label": gettext("Locality"), "value": place.name if place else gettext("All localities")},
        {"label": gettext("Notice in Kazakh"), "value": data["notice_kk"]},
        {"label": gettext("Notice in Russian"), "value": data["notice_ru"]},
        {
            "label": gettext("Places in the bulletin that it stops"),
            "value": published_vacancies(locality=place, now=now).count(),
        },
    ]


BEGIN = Work(
    name="begin",
    label=_("Pause bidding"),
    consequence=_(
        "From this moment nobody can send a bid there. Bids already sent stay. At the end of the pause the deadlines "
        "of the places move by the time that was lost, and you name a new opening for those whose opening it stopped."
    ),
    done=_("Bidding is paused."),
    permission="bulletin.add_pause",
    offered=_always,
    perform=_begin,
    danger=True,
    preview=_effect,
)


@admin.register(Pause)
class PauseAdmin(BegunByButton):
    """A list of all pauses; the two buttons are its only way to change anything."""

    begin = BEGIN
    list_display = ["scope", "started_at", "ended_at", "shown_state"]
    list_filter = ["locality"]
    list_select_related = ["locality"]
    ordering = ["-started_at"]
    fields = [
        "shown_state",
        "scope",
        "notice_kk",
        "notice_ru",
        "started_at",
        "started_by",
        "ended_at",
        "ended_by",
    ]
    works = [
        Work(
            name="resume",
            label=_("Resume bidding"),
            consequence=_(
                "Places that have long been open go on at once. Those whose opening the pause stopped open at the new "
                "time; all families whom they suit are told. Priority windows and closing times that were still ahead "
                "move by the time that was lost."
            ),
            done=_("Bidding is resumed, the deadlines are moved. The log names every change."),
            permission="bulletin.change_pause",
            offered=_runs,
            perform=_resume,
            form=ResumeForm,
            preview=_after_the_pause,
            initial=_suggested,
        )
    ]

    def zone_of(self, obj: Pause) -> tzinfo | None:
        return obj.locality.zone if obj.locality else None

    def begin_form(self, sent: Any, employee: User) -> PauseForm:
        return PauseForm(sent, employee=employee)

    def summary(self, obj: Pause) -> Rows:
        return [
            {"label": gettext("Locality"), "value": obj.scope},
            {"label": gettext("started at"), "value": obj.started_at},
            {"label": gettext("Notice in Kazakh"), "value": obj.notice_kk},
            {"label": gettext("Notice in Russian"), "value": obj.notice_ru},
        ]

    @admin.display(description=_("Locality"), ordering="locality")
    def scope(self, obj: Pause) -> str:
        return obj.scope

    @admin.display(description=_("State"), ordering="ended_at")
    def shown_state(self, obj: Pause) -> str:
        if obj.ended_at is None:
            return tag(gettext("runs"), tone="warning")
        return tag(gettext("ended"), tone="neutral")
