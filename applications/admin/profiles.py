"""Public pages of kindergartens: proposed by their employees, confirmed by an official."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, decisions
from applications.admin.work import Rows, key_in, page_of, staff_of, why
from applications.decisions import profiles
from applications.decisions.profiles import CONFIRM, PROPOSE
from applications.models import ProfileProposal
from applications.moves import Refused
from applications.states import ProposalState
from bulletin.employment import kindergartens_of
from bulletin.kazakh_order import ByName
from bulletin.models import PROFILE_FIELDS, Kindergarten
from bulletin.profiles import profile_of
from notifications.clock import estimate_clock, read_clock


class ProfileProposalForm(forms.ModelForm):  # type: ignore[type-arg]
    """The whole page as it would be, and the mark of the one that the form was filled with."""

    seen = forms.CharField(label=_("present page"), required=False, max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = ProfileProposal
        fields = ["kindergarten", *PROFILE_FIELDS]

    def _post_clean(self) -> None:
        """What stands in the way is said in the form, with everything that was typed."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        kindergarten, seen = self.instance.kindergarten, self.cleaned_data["seen"]
        if kindergarten.profile_proposals.filter(state=ProposalState.PROPOSED).exists():
            self.add_error(None, gettext("A proposal of this page already waits for an official."))
        elif seen and seen != profiles.seen_of(kindergarten):
            self.add_error(
                None, gettext("The page was changed meanwhile. Open it once more, and propose on top of it.")
            )
        elif not profiles.changed_fields(self.instance):
            self.add_error(None, gettext("Nothing differs from the present page."))


@admin.register(ProfileProposal)
class ProfileProposalAdmin(ProposalAdmin):
    form = ProfileProposalForm
    # Hours as they stand on a door: neither a button "Now", nor a word about the zone of the server.
    formfield_overrides = {models.TimeField: {"widget": forms.TimeInput({"type": "time"}, format="%H:%M")}}
    permission_to_decide = CONFIRM
    list_display = ["kindergarten_name", "proposed_at", "proposed_by", "shown_state"]
    list_filter = ["state"]
    list_select_related = ["kindergarten__locality", "proposed_by__employee"]
    search_fields = ["kindergarten__search_text"]
    works = decisions(
        permission=CONFIRM,
        approve=profiles.confirm_profile,
        decline=profiles.decline_profile,
        label=_("Confirm"),
        consequence=_("Everyone reads the page as proposed from now on."),
        done=_("The page is confirmed."),
        otherwise=_("The page stays as it is."),
        seen=lambda proposal: profiles.seen_of(proposal.kindergarten),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PROPOSE)

    def get_fields(self, request: HttpRequest, obj: ProfileProposal | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("kindergarten", *PROFILE_FIELDS, "seen")
        return ("shown_state", "kindergarten", *PROFILE_FIELDS, *DECIDED_FIELDS)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ProfileProposal | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The page of `?kindergarten=<key>` as it is now; without one, that of the only own kindergarten."""
        found = self._asked(request)
        if found is None:
            return {}
        page = profile_of(found)
        values = {name: getattr(page, name) for name in PROFILE_FIELDS}
        return {"kindergarten": found.pk, "seen": profiles.seen_of(found), **values}

    def _asked(self, request: HttpRequest) -> Kindergarten | None:
        own = self._own(request)
        if asked := request.GET.get("kindergarten", ""):
            return own.filter(pk__in=[key_in(asked)]).first()
        first = list(own[:2])
        return first[0] if len(first) == 1 else None

    def _own(self, request: HttpRequest) -> "QuerySet[Kindergarten]":
        today = timezone.localdate(estimate_clock())
        return kindergartens_of(staff_of(request), today=today).select_related("locality", "profile")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kindergarten":
            kwargs["queryset"] = self._own(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without Django's pictures that lead from here to the form of the kindergarten itself."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_view_related = field.widget.can_change_related = False
        return field

    def save_model(self, request: HttpRequest, obj: ProfileProposal, form: Any, change: bool) -> None:
        profiles.propose_profile(
            obj, actor=staff_of(request), seen=form.cleaned_data["seen"] or None, now=read_clock()
        )

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who would propose beside a waiting proposal is led to it before the form is filled in.

        Whoever loses a race between the form's check and the save is told so.
        """
        found = self._asked(request) if request.method != "POST" else None
        waiting = found and found.profile_proposals.filter(state=ProposalState.PROPOSED).first()
        if waiting:
            messages.info(
                request,
                gettext("This proposal waits for an official. Another can be made once it is decided."),
            )
            return HttpResponseRedirect(page_of(waiting))
        try:
            return super().add_view(request, *args, **kwargs)
        except Refused as refused:
            messages.error(request, why(refused))
            return HttpResponseRedirect(request.get_full_path())

    def response_add(
        self, request: HttpRequest, obj: ProfileProposal, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.state == ProposalState.APPROVED:
            messages.success(request, gettext("The page is confirmed."))
        else:
            messages.success(request, gettext("The page is proposed. An official has to confirm it."))
        return HttpResponseRedirect(page_of(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def zone_of(self, obj: ProfileProposal) -> Any:
        return obj.kindergarten.locality.zone

    def chosen_facts(self, rows: Sequence[ProfileProposal]) -> list[Rows]:
        return [self.summary(row) for row in rows]

    def summary(self, obj: ProfileProposal) -> Rows:
        """What would change, each with what everybody reads now."""
        page = profile_of(obj.kindergarten)
        rows: Rows = [
            {"label": gettext("Kindergarten"), "value": obj.kindergarten.name},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]
        for name in profiles.changed_fields(obj):
            label = capfirst(str(ProfileProposal._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
            was, becomes = _shown(page, name), _shown(obj, name)
            rows.append({"label": label, "value": f"{was} → {becomes}"})
        return rows

    @admin.display(description=_("Kindergarten"), ordering=ByName("kindergarten__"))
    def kindergarten_name(self, obj: ProfileProposal) -> str:
        return obj.kindergarten.name


def _shown(page: Any, name: str) -> str:
    in_words = getattr(page, f"get_{name}_display", None)
    value = in_words() if in_words else getattr(page, name)
    return "—" if value in (None, "") else str(value)
