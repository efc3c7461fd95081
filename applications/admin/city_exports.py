"""The export of the whole city: one official asks for it, another allows it, an operator makes the file."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.officials import one_with
from applications.admin.proposals import DECIDED_FIELDS, WaitsForYou, decisions, waits
from applications.admin.work import (
    LINE_BREAK,
    REFUSALS,
    Rows,
    Work,
    WorkAdmin,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from applications.city.export.requests import (
    ALLOW,
    ASK,
    allow_export,
    ask_for_export,
    decline_export,
    why_not,
)
from applications.city.export.sealing import BadKey, public_keys
from applications.models import CityExport
from applications.models.city_export import MADE_WITHIN
from applications.refusals import Refusal
from applications.states import ProposalState
from notifications.clock import estimate_clock, read_clock


class ExportForm(forms.Form):
    """For whom, and why."""

    keys = forms.CharField(
        label=_("Public keys of the receiver"),
        help_text=_(
            "One a line, as age writes them: age1… Whoever holds the private key of one of them can read everything. "
            "Compare them with the receiver by another way than the one by which you got them."
        ),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 70}),
    )
    reason = reason_field(
        help_text=_("For the second official, and for the history: who gets it, by which order.")
    )

    def clean_keys(self) -> str:
        keys: str = self.cleaned_data["keys"]
        try:
            public_keys(keys)
        except BadKey as error:
            raise ValidationError(
                _("This is no public key of age: one begins with age1 and takes a line.")
            ) from error
        return keys


def _always(export: None, now: datetime) -> bool:
    return True


def _ask(export: None, actor: User, data: dict[str, Any], now: datetime) -> CityExport:
    return ask_for_export(**data, actor=actor, now=now)


BEGIN = Work(
    name="ask",
    label=_("Ask for an export of the city"),
    consequence=_(
        "Nothing is exported yet: another official who works in every locality has to allow it. Then an operator makes "
        "one file, encrypted for these keys, with everything that the portal holds about families, IINs included."
    ),
    done=_("The export is asked for. Another official has to allow it."),
    permission=ASK,
    offered=_always,
    perform=_ask,
    is_in_journal=True,
)


@admin.register(CityExport)
class CityExportAdmin(WorkAdmin):
    """What was asked for, who allowed it, and which file came of it."""

    list_display = ["proposed_at", "proposed_by", "shown_state", "made_at"]
    list_filter = [WaitsForYou]
    list_select_related = ["proposed_by__employee"]
    ordering = ["-proposed_at"]
    fields = ["shown_state", "reason", "shown_keys", *DECIDED_FIELDS, "made_at", "sha256"]
    works = decisions(
        permission=ALLOW,
        approve=allow_export,
        decline=decline_export,
        label=_("Allow the export"),
        consequence=_(
            "Within seven days an operator may make one file with everything that the portal holds about families, "
            "IINs included, for whoever holds the private key. Compare the keys with the receiver first."
        ),
        done=_("The export is allowed. An operator can make it now."),
        otherwise=_("Nothing is exported."),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ASK)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the keys and the reason, record the request."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        refusal = why_not(staff_of(request), now=read_clock())
        if refusal is not None:
            messages.error(request, str(refusal.label))
            return HttpResponseRedirect(reverse("admin:applications_cityexport_changelist"))
        form = ExportForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                export = _ask(None, staff_of(request), form.cleaned_data, read_clock())
            except REFUSALS as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, str(BEGIN.done))
                return HttpResponseRedirect(page_of(export))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": BEGIN.label,
            "work": BEGIN,
            "form": form,
            "errors": form.errors,
            "back_url": reverse("admin:applications_cityexport_changelist"),
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """Whoever asked may not decide, nor who counts as them, nor whom the portal can't tell from them."""
        official = staff_of(request)
        if obj.proposed_by_id in one_with(official):
            return str(Refusal.PROPOSER.label)
        refusal = why_not(official, now=now)
        return str(refusal.label) if refusal else ""

    def summary(self, obj: CityExport) -> Rows:
        return [
            {"label": gettext("Public keys of the receiver"), "value": self.shown_keys(obj)},
            {"label": gettext("Reason"), "value": obj.reason},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]

    @admin.display(description=_("Public keys of the receiver"))
    def shown_keys(self, obj: CityExport) -> str:
        return format_html_join(LINE_BREAK, "{}", ((line,) for line in obj.keys.split()))

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: CityExport) -> str:
        now = estimate_clock()
        if obj.made_at is not None:
            return tag(gettext("made"), tone="success")
        if obj.decided_at is not None and obj.can_be_made(now):
            last = written(localdate(obj.decided_at + MADE_WITHIN))
            return tag(gettext("allowed, can be made until: %(day)s") % {"day": last}, tone="warning")
        if obj.state == ProposalState.APPROVED:
            return tag(gettext("allowed, not made in time"), tone="neutral")
        return tag(obj.get_state_display(), tone="warning" if waits(obj, now) else "neutral")
