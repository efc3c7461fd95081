"""Pauses of bidding: an official begins one with a notice and ends it, each after a confirmation."""

from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.work import READ_BY_OTHERS, Rows, Work, WorkAdmin, page_of, staff_of, tag
from applications.moves import locking
from bulletin.models import Locality, Pause
from bulletin.selectors import published_vacancies
from bulletin.services import pause_bidding, resume_bidding
from notifications.clock import read_clock


class PauseForm(forms.Form):
    """Where bidding pauses, and what families read meanwhile."""

    locality = forms.ModelChoiceField(
        label=_("Locality"), queryset=Locality.objects.all(), required=False, empty_label=_("All localities")
    )
    notice_kk = forms.CharField(
        label=_("Notice in Kazakh"),
        help_text=_("Families read it in the bulletin and at every place: why, and for how long."),
        max_length=300,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )
    notice_ru = forms.CharField(
        label=_("Notice in Russian"),
        max_length=300,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


def _runs(pause: Pause, now: datetime) -> bool:
    return pause.ended_at is None


def _resume(pause: Pause, actor: User, data: dict[str, Any], now: datetime) -> None:
    # A pause shifts the deadlines of bids, so it begins and ends by their clock.
    with locking():
        resume_bidding(pause, actor=actor, now=read_clock())


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
        "of the places move by its length."
    ),
    done=_("Bidding is paused."),
    permission="bulletin.add_pause",
    offered=_always,
    perform=_begin,
    form=PauseForm,
    danger=True,
    preview=_effect,
)


@admin.register(Pause)
class PauseAdmin(WorkAdmin):
    """A list of all pauses; the two buttons are its only way to change anything."""

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
                "Families can send bids again at once. Places that were to open during the pause open now; priority "
                "windows and closing times that were still ahead move by the length of the pause."
            ),
            done=_("Bidding is resumed, the deadlines are moved. The log names every change."),
            permission="bulletin.change_pause",
            offered=_runs,
            perform=_resume,
        )
    ]

    def zone_of(self, obj: Pause) -> tzinfo | None:
        return obj.locality.zone if obj.locality else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bulletin.add_pause")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the place and the notice, show what would happen, begin."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PauseForm(request.POST if request.method == "POST" else None)
        effect: Rows = []
        if form.is_valid():
            now = read_clock()
            if "confirmed" not in request.POST:
                effect = _effect(None, form.cleaned_data, now)
            else:
                try:
                    pause = _begin(None, staff_of(request), form.cleaned_data, now)
                except ValidationError as error:
                    form.add_error(None, error)
                else:
                    messages.success(request, str(BEGIN.done))
                    return HttpResponseRedirect(page_of(pause))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": BEGIN.label,
            "work": BEGIN,
            "form": form,
            "errors": form.errors,
            "effect": effect,
            "back_url": reverse("admin:bulletin_pause_changelist"),
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

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
