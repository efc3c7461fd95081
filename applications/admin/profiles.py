"""Public pages of kindergartens: proposed by their employees, confirmed by an official."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, decisions, waits
from applications.admin.work import Rows, Work, key_in, page_of, staff_of, why
from applications.decisions import profiles
from applications.decisions.profiles import CONFIRM, PROPOSE
from applications.models import ProfileProposal
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.employment import kindergartens_of
from bulletin.kazakh_order import ByName
from bulletin.models import PROFILE_FIELDS, Kindergarten
from bulletin.profiles import profile_of
from notifications.clock import estimate_clock, read_clock


class ProfileProposalForm(forms.ModelForm):  # type: ignore[type-arg]
    """The whole page as it would be, the mark of the one that it is for, and the proposal whose place it takes."""

    instead_of = forms.IntegerField(label=_("waiting proposal"), required=False, widget=forms.HiddenInput)
    seen = forms.CharField(label=_("present page"), required=False, max_length=64, widget=forms.HiddenInput)

    # Whether the one who sends it confirms it by that.
    confirms = False

    class Meta:
        model = ProfileProposal
        fields = ["kindergarten", *PROFILE_FIELDS]

    def _update_errors(self, errors: ValidationError) -> None:
        """A field whose text was refused is empty to the model: it is told nothing more of it."""
        if hasattr(errors, "error_dict"):
            errors = ValidationError(
                {name: said for name, said in errors.error_dict.items() if name not in self.errors}
            )
        super()._update_errors(errors)  # type: ignore[misc]

    def _post_clean(self) -> None:
        """What stands in the way is said in the form, with everything that was typed."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        kindergarten, seen = self.instance.kindergarten, self.cleaned_data["seen"]
        waiting = profiles.waiting_of(kindergarten)
        if waiting and waiting.pk != self.cleaned_data["instead_of"]:
            self.add_error(None, _beside(waiting, self.instance))
            # Pressed once more, it takes that one's place.
            self.data = {**self.data.dict(), "instead_of": str(waiting.pk)}  # type: ignore[attr-defined]
        elif waiting is None and self.cleaned_data["instead_of"]:
            self.add_error(
                None,
                gettext(
                    "The proposal that you change was decided or withdrawn meanwhile. Open the form once more: it "
                    "holds the page as it is now."
                ),
            )
        elif waiting and not profiles.differences(waiting, self.instance) and not self.confirms:
            self.add_error(None, gettext("Nothing differs from the proposal that waits."))
        elif seen and seen != profiles.seen_of(kindergarten):
            self.add_error(
                None, gettext("The page was changed meanwhile. Open it once more, and propose on top of it.")
            )
        elif not profiles.changed_fields(self.instance):
            self.add_error(None, gettext("Nothing differs from the present page."))


def _withdraw(proposal: ProfileProposal, actor: User, _data: dict[str, Any], now: datetime) -> None:
    profiles.withdraw_profile(proposal, actor=actor, now=now)


@admin.register(ProfileProposal)
class ProfileProposalAdmin(ProposalAdmin):
    form = ProfileProposalForm
    # Hours as they stand on a door: neither a button "Now", nor a word about the zone of the server.
    formfield_overrides = {models.TimeField: {"widget": forms.TimeInput({"type": "time"}, format="%H:%M")}}
    change_form_template = "admin/applications/profileproposal/change_form.html"
    add_form_template = change_form_template
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
    works.append(
        Work(
            name="withdraw",
            label=_("Withdraw"),
            consequence=_("No official decides about it, and the page stays as it is."),
            done=_("The proposal is withdrawn. Nothing changed."),
            permission=PROPOSE,
            offered=waits,
            perform=_withdraw,
            danger=True,
            is_in_journal=True,
        )
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PROPOSE)

    def get_fields(self, request: HttpRequest, obj: ProfileProposal | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("kindergarten", *PROFILE_FIELDS, "seen", "instead_of")
        return ("shown_state", "kindergarten", *PROFILE_FIELDS, *DECIDED_FIELDS)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ProfileProposal | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The page of `?kindergarten=<key>`, or of the only own one, as it is proposed or else as it is now."""
        found = self._asked(request)
        if found is None:
            return {}
        waiting = profiles.waiting_of(found)
        page = waiting or profile_of(found)
        values = {name: getattr(page, name) for name in PROFILE_FIELDS}
        return {
            "kindergarten": found.pk,
            "seen": profiles.seen_of(found),
            "instead_of": waiting and waiting.pk,
            **values,
        }

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.confirms = request.user.has_perm(CONFIRM)  # type: ignore[attr-defined]
        return form

    def may(self, request: HttpRequest, work: Work, obj: ProfileProposal) -> bool:
        """An official declines what a kindergarten withdraws."""
        is_declined = work.permission == PROPOSE and request.user.has_perm(CONFIRM)
        return super().may(request, work, obj) and not is_declined

    def buttons(self, request: HttpRequest, obj: ProfileProposal) -> Rows:
        """With the form in which a proposal that waits is changed, before what ends it."""
        buttons = super().buttons(request, obj)
        if waits(obj, estimate_clock()) and request.user.has_perm(PROPOSE):
            label = gettext("Change and confirm") if request.user.has_perm(CONFIRM) else gettext("Change")
            url = f"{reverse('admin:applications_profileproposal_add')}?kindergarten={obj.kindergarten_id}"
            first = 1 if request.user.has_perm(CONFIRM) else 0
            buttons.insert(first, {"label": label, "url": url, "danger": False})
        return buttons

    def note(self, request: HttpRequest, obj: ProfileProposal) -> str:
        """What became of it, or what it became of."""
        if follower := profiles.follower_of(obj):
            return format_html(
                '{} <a href="{}">{}</a>',
                gettext("A changed proposal took the place of this one."),
                page_of(follower),
                gettext("Open the changed one"),
            )
        if former := profiles.former_of(obj):
            return format_html(
                '{} {} <a href="{}">{}</a>',
                gettext("Changed by: %(who)s.") % {"who": obj.proposed_by},
                "; ".join(_changes(former, obj)),
                page_of(former),
                gettext("Open the proposal before"),
            )
        return ""

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
            obj,
            actor=staff_of(request),
            seen=form.cleaned_data["seen"] or None,
            instead_of=form.cleaned_data["instead_of"],
            now=read_clock(),
        )

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever loses a race between the form's check and the save reads why in the form, with what was typed."""
        try:
            return super().add_view(request, *args, **kwargs)
        except Refused:
            pass
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
        context |= {
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "confirms": request.user.has_perm(CONFIRM),
        }
        if context.get("add"):
            form = context["adminform"].form
            context["is_changing"] = bool(form["instead_of"].value())
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
            rows.append({"label": _label(name), "value": f"{_shown(page, name)} → {_shown(obj, name)}"})
        return rows

    @admin.display(description=_("Kindergarten"), ordering=ByName("kindergarten__"))
    def kindergarten_name(self, obj: ProfileProposal) -> str:
        return obj.kindergarten.name


def _beside(waiting: ProfileProposal, own: ProfileProposal) -> list[str]:
    """What the loser of two proposals at once reads: that it is so, and what the other one proposes."""
    return [str(Refusal.COLLEAGUE_PROPOSED.label), *_changes(own, waiting)]


def _changes(one: Any, other: Any) -> list[str]:
    return [
        f"{_label(name)}: {_shown(one, name)} → {_shown(other, name)}"
        for name in profiles.differences(one, other)
    ]


def _label(name: str) -> str:
    return capfirst(str(ProfileProposal._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


def _shown(page: Any, name: str) -> str:
    in_words = getattr(page, f"get_{name}_display", None)
    value = in_words() if in_words else getattr(page, name)
    return "—" if value in (None, "") else str(value)
