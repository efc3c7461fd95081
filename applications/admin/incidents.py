"""Incidents and planned work: an official tells everybody, and how it goes on; each is read first as it will stand."""

from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.corrections import MOMENT_FORMATS
from applications.admin.work import (
    READ_BY_OTHERS,
    BegunByButton,
    PlacedForm,
    Rows,
    WaitingFilter,
    Work,
    tag,
)
from applications.own_rows import own_rows
from bulletin.incidents import add_note, open_incidents, overdue_incidents, refuse_times, report_incident
from bulletin.models import Locality, ReportedIncident
from bulletin.models.incidents import LONGEST_TEXT, LONGEST_TITLE
from notifications.clock import estimate_clock


def _text(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONGEST_TEXT,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


def _title(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONGEST_TITLE,
        validators=READ_BY_OTHERS,
        widget=forms.TextInput(attrs={"size": 60}),
    )


def _moment(label: Any, *, help_text: Any = "", required: bool = True) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=required,
        input_formats=MOMENT_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT_FORMATS[1]),
    )


_UNTIL_HELP = _(
    "When it ended, or is expected to. Empty: not known. Work that is called off before it begins has no end."
)


class IncidentForm(PlacedForm):
    """What everybody reads on the status page, in both languages."""

    title_kk = _title(_("Title in Kazakh"), help_text=_("In a few words: what stands still, or will."))
    title_ru = _title(_("Title in Russian"))
    broken_kk = _text(
        _("What doesn't work, in Kazakh"), help_text=_("As a family sees it. No names and no phone numbers.")
    )
    broken_ru = _text(_("What doesn't work, in Russian"))
    works_kk = _text(
        _("What works, in Kazakh"), help_text=_("What families can do meanwhile, and what stays as it is.")
    )
    works_ru = _text(_("What works, in Russian"))
    started_at = _moment(
        _("Beginning"), help_text=_("By the clock of the locality. Planned work: when it begins.")
    )
    until = _moment(_("End"), help_text=_UNTIL_HELP, required=False)
    is_over = forms.BooleanField(label=_("It is over"), required=False)
    done_kk = _text(
        _("What is done, in Kazakh"),
        help_text=_("What is done about it, or was; for instance to which day deadlines are moved."),
    )
    done_ru = _text(_("What is done, in Russian"))

    def clean(self) -> dict[str, Any]:
        """The times by the clock of the chosen locality."""
        data = super().clean() or {}
        place: Locality | None = data.get("locality")
        zone = place.zone if place else timezone.get_default_timezone()
        for name in ("started_at", "until"):
            if data.get(name) is not None:
                data[name] = timezone.make_naive(data[name]).replace(tzinfo=zone)
        if "started_at" in data and "until" in data:
            refuse_times(
                started_at=data["started_at"],
                until=data["until"],
                is_over=data["is_over"],
                now=estimate_clock(),
            )
        return data


class NoteForm(forms.Form):
    """How it goes on."""

    text_kk = _text(_("What is done, in Kazakh"), help_text=_("It stands below what was told before."))
    text_ru = _text(_("What is done, in Russian"))
    until = _moment(_("End"), help_text=_UNTIL_HELP, required=False)
    is_over = forms.BooleanField(label=_("It is over"), required=False)
    # The last note that was read.
    after = forms.IntegerField(widget=forms.HiddenInput)


def _pair(data: dict[str, Any], name: str) -> tuple[str, str]:
    return data[f"{name}_kk"], data[f"{name}_ru"]


def _always(incident: ReportedIncident | None, now: datetime) -> bool:
    return True


def _tell(incident: None, actor: User, data: dict[str, Any], now: datetime) -> ReportedIncident:
    return report_incident(
        locality=data["locality"],
        title=_pair(data, "title"),
        broken=_pair(data, "broken"),
        works=_pair(data, "works"),
        done=_pair(data, "done"),
        started_at=data["started_at"],
        until=data["until"],
        is_over=data["is_over"],
        actor=actor,
        now=now,
    )


def _as_read(incident: None, data: dict[str, Any], now: datetime) -> Rows:
    """What everybody will read, and what they read of that place already."""
    place = data["locality"]
    zone = place.zone if place else timezone.get_default_timezone()
    texts = [
        {"label": IncidentForm.base_fields[name].label, "value": data[name]}
        for name in IncidentForm.base_fields
        if name.endswith(("_kk", "_ru"))
    ]
    told = [
        {"label": gettext("Told there already"), "value": one.title} for one in open_incidents(place, now=now)
    ]
    return [
        {"label": gettext("Locality"), "value": place.name if place else gettext("All localities")},
        *texts,
        {"label": gettext("Beginning"), "value": localize(timezone.localtime(data["started_at"], zone))},
        *_end(data["until"], is_over=data["is_over"], zone=zone),
        *told,
    ]


def _end(until: datetime | None, *, is_over: bool, zone: tzinfo) -> Rows:
    at = localize(timezone.localtime(until, zone)) if until else gettext("not known")
    if not is_over:
        return [{"label": gettext("Expected until"), "value": at}]
    return [{"label": gettext("It is over"), "value": at if until else gettext("called off")}]


def _zone(incident: ReportedIncident) -> tzinfo:
    return incident.locality.zone if incident.locality else timezone.get_default_timezone()


def _go_on(incident: ReportedIncident, actor: User, data: dict[str, Any], now: datetime) -> None:
    add_note(
        incident,
        after=data["after"],
        text=_pair(data, "text"),
        until=data["until"],
        is_over=data["is_over"],
        actor=actor,
        now=now,
    )


def _note_as_read(incident: Any, data: dict[str, Any], now: datetime) -> Rows:
    refuse_times(started_at=incident.started_at, until=data["until"], is_over=data["is_over"], now=now)
    return [
        {"label": NoteForm.base_fields["text_kk"].label, "value": data["text_kk"]},
        {"label": NoteForm.base_fields["text_ru"].label, "value": data["text_ru"]},
        *_end(data["until"], is_over=data["is_over"], zone=_zone(incident)),
    ]


def _told_until_now(incident: Any) -> dict[str, Any]:
    return {"until": None if incident.is_over else incident.until, "after": incident.last_number}


TELL = Work(
    name="tell",
    label=_("Tell of an incident or planned work"),
    consequence=_(
        "Everybody reads it at once on the status page, and on the home page while it lasts. It can't be rewritten or "
        "deleted: what changes is told in notes below it."
    ),
    done=_("Told. Everybody can read it on the status page."),
    permission="bulletin.add_reportedincident",
    offered=_always,
    perform=_tell,
    preview=_as_read,
)


class OverdueFilter(WaitingFilter):
    title = _("end")
    parameter_name = "end"
    choice = _("its expected end is past")

    def waiting(self, employee: User) -> QuerySet[Any]:
        now = estimate_clock()
        return own_rows(overdue_incidents(now=now), user=employee, now=now)


@admin.register(ReportedIncident)
class ReportedIncidentAdmin(BegunByButton):
    """What was told, the newest first, each with all its notes."""

    begin = TELL
    list_display = ["shown_title", "scope", "started_at", "shown_until", "shown_state"]
    list_filter = [OverdueFilter, "locality"]
    list_select_related = ["locality"]
    fields = [
        "shown_state",
        "scope",
        "title_kk",
        "title_ru",
        "broken_kk",
        "broken_ru",
        "works_kk",
        "works_ru",
        "started_at",
        "shown_until",
        "notes_kk",
        "notes_ru",
    ]
    works = [
        Work(
            name="note",
            label=_("Tell how it goes on"),
            consequence=_("Everybody reads it at once, below what was told before. It can't be rewritten."),
            done=_("Told. Everybody can read it on the status page."),
            permission="bulletin.change_reportedincident",
            offered=_always,
            perform=_go_on,
            form=NoteForm,
            preview=_note_as_read,
            initial=_told_until_now,
            is_in_journal=True,
        )
    ]

    def begin_form(self, sent: Any, employee: User) -> IncidentForm:
        return IncidentForm(sent, employee=employee)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        told: QuerySet[Any] = rows.as_told()
        return told

    def zone_of(self, obj: ReportedIncident) -> tzinfo:
        return _zone(obj)

    def summary(self, obj: Any) -> Rows:
        notes = [
            {
                "label": localize(timezone.localtime(note.written_at)),
                "value": f"{note.text_kk} / {note.text_ru}",
            }
            for note in obj.notes.all()
        ]
        return [
            {"label": gettext("Locality"), "value": obj.scope},
            {"label": gettext("Title in Kazakh"), "value": obj.title_kk},
            {"label": gettext("Title in Russian"), "value": obj.title_ru},
            {"label": gettext("Beginning"), "value": localize(timezone.localtime(obj.started_at))},
            *notes,
        ]

    @admin.display(description=_("Title"))
    def shown_title(self, obj: ReportedIncident) -> str:
        return obj.title

    @admin.display(description=_("Locality"), ordering="locality")
    def scope(self, obj: ReportedIncident) -> str:
        return obj.scope

    @admin.display(description=_("End"))
    def shown_until(self, obj: Any) -> str:
        return localize(timezone.localtime(obj.until, _zone(obj))) if obj.until else "—"

    @admin.display(description=_("State"))
    def shown_state(self, obj: Any) -> str:
        now = estimate_clock()
        if obj.is_over:
            return tag(gettext("over") if obj.until else gettext("called off"))
        if obj.started_at > now:
            return tag(gettext("planned"), tone="info")
        if obj.until is not None and obj.until <= now:
            return tag(gettext("its expected end is past"), tone="danger")
        return tag(gettext("goes on"), tone="warning")

    @admin.display(description=_("What is done, in Kazakh"))
    def notes_kk(self, obj: ReportedIncident) -> str:
        return self._notes(obj, "text_kk")

    @admin.display(description=_("What is done, in Russian"))
    def notes_ru(self, obj: ReportedIncident) -> str:
        return self._notes(obj, "text_ru")

    def _notes(self, obj: ReportedIncident, text: str) -> str:
        lines = [
            (localize(timezone.localtime(note.written_at, _zone(obj))), getattr(note, text))
            for note in obj.notes.all()
        ]
        return format_html_join("\n", "<div>{}: {}</div>", lines)
