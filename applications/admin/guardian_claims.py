"""Guardians by papers: one official checks, another approves; the papers are read here."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.file_response import file_response
from accounts.masks import mask_iin, mask_phone
from accounts.models import User
from accounts.officials import one_with
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    LINE_BREAK,
    PAPERS,
    ReasonForm,
    Rows,
    Work,
    WorkAdmin,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from applications.guardians import claims
from applications.guardians.claims import claims_to_decide, is_about_own
from applications.own_rows import own_rows
from applications.workplace import short_name
from children.models import Child, GuardianClaim
from notifications.clock import estimate_clock

State = GuardianClaim.State
TONES = {
    State.HANDED_IN: "info",
    State.CHECKED: "warning",
    State.APPROVED: "success",
    State.REFUSED: "danger",
}


# Under this a claim holds who reads its page.
_READER: Final = "read_by"


class CheckedForm(forms.Form):
    reason = reason_field(
        label=_("What proves it"),
        help_text=_("The second official reads this text: which papers, issued by whom, what you compared."),
    )


class WaitsFilter(admin.SimpleListFilter):
    title = _("decision")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("you", _("waits for you")), ("late", _("late"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[GuardianClaim]) -> QuerySet[GuardianClaim]:
        waiting = queryset.filter(pk__in=claims_to_decide(staff_of(request)).values("pk"))
        if self.value() == "late":
            return waiting.filter(due_at__lte=estimate_clock())
        return waiting if self.value() == "you" else queryset


def _may_check(claim: GuardianClaim, now: datetime) -> bool:
    return claim.state == State.HANDED_IN


def _may_approve(claim: GuardianClaim, now: datetime) -> bool:
    return claim.state == State.CHECKED


def _may_refuse(claim: GuardianClaim, now: datetime) -> bool:
    return claim.is_open


def _check(claim: GuardianClaim, actor: User, data: dict[str, Any], now: datetime) -> None:
    claims.check_claim(claim, actor=actor, reason=data["reason"], now=now)


def _approve(claim: GuardianClaim, actor: User, data: dict[str, Any], now: datetime) -> None:
    claims.approve_claim(claim, actor=actor, now=now)


def _refuse(claim: GuardianClaim, actor: User, data: dict[str, Any], now: datetime) -> None:
    claims.refuse_claim(claim, actor=actor, reason=data["reason"], now=now)


@admin.register(GuardianClaim)
class GuardianClaimAdmin(InTurn, WorkAdmin):
    """For officials only."""

    most_urgent = ("made_at", "pk")
    permission_to_decide = "children.change_guardianclaim"
    list_display = ["made_at", "child_name", "decide_by", "ground", "shown_state"]
    list_display_links = ["made_at", "child_name"]
    list_filter = [WaitsFilter, "state", "ground", "made_at"]
    list_select_related = ["user__profile"]
    search_fields = ["last_name"]
    search_help_text = _("Last name of the child")
    fields = [
        "shown_state",
        "ground",
        "full_name",
        "birth_date",
        "sex",
        "number",
        "shown_papers",
        "claimant",
        "known_already",
        "made_at",
        "decide_by",
        "checked_at",
        "checked_by",
        "note",
        "decided_at",
        "decided_by",
        "reason",
    ]
    works = [
        Work(
            name="check",
            label=_("The papers prove it"),
            consequence=_(
                "Another official then approves. The child is in no queue yet, and the family is told nothing."
            ),
            done=_("Checked. Another official approves now."),
            permission="children.change_guardianclaim",
            offered=_may_check,
            perform=_check,
            form=CheckedForm,
            is_in_journal=True,
        ),
        Work(
            name="approve",
            label=_("Approve"),
            consequence=_(
                "The person is a guardian of the child from now on and can file an application. It counts from when "
                "the papers were handed in, unless the child has another guardian or an application here already. "
                "Other guardians of the child are told."
            ),
            done=_("Approved. The family has been told."),
            permission="children.change_guardianclaim",
            offered=_may_approve,
            perform=_approve,
            is_in_journal=True,
        ),
        Work(
            name="refuse",
            label=_("Refuse"),
            consequence=_("The family reads your reason and may hand in other papers, with a new date."),
            done=_("Refused. The family has been told the reason."),
            permission="children.change_guardianclaim",
            offered=_may_refuse,
            perform=_refuse,
            form=ReasonForm,
            danger=True,
            is_in_journal=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[GuardianClaim]:
        return claims_to_decide(employee)

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        """The oldest first among those to decide."""
        return ["made_at", "id"] if request.GET.get("waits") else ["-made_at", "-id"]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> GuardianClaim | None:
        """The claim, which knows who reads it: other children are told as far as they are theirs."""
        obj: GuardianClaim | None = super().get_object(request, object_id, from_field)
        if obj is not None:
            vars(obj)[_READER] = staff_of(request)
        return obj

    def who_else_decides(self, request: HttpRequest, obj: GuardianClaim) -> str:
        user = staff_of(request)
        if is_about_own(obj, user):
            return self.words_for_guardian(user, obj)
        if obj.state == State.CHECKED and obj.checked_by_id in one_with(user):
            return gettext("You checked the papers: another official approves or refuses.")
        return ""

    def summary(self, obj: GuardianClaim) -> Rows:
        rows = [
            {"label": gettext("Child"), "value": self.child_name(obj)},
            {"label": gettext("Decision by"), "value": self.decide_by(obj)},
            {"label": gettext("Why on paper"), "value": obj.get_ground_display()},
            {"label": gettext("Documents"), "value": self.shown_papers(obj)},
            {"label": gettext("Perhaps here already"), "value": self.known_already(obj)},
        ]
        if obj.note:
            rows.append({"label": gettext("What was checked"), "value": obj.note})
        return rows

    def whose_data(self, obj: GuardianClaim) -> list[User]:
        return [obj.user]

    def name_for_family(self, obj: GuardianClaim) -> str:
        return obj.full_name

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Child"), ordering="last_name")
    def child_name(self, obj: GuardianClaim) -> str:
        return short_name(
            Child(last_name=obj.last_name, first_name=obj.first_name, middle_name=obj.middle_name)
        )

    @admin.display(description=_("Decision by"), ordering="due_at")
    def decide_by(self, obj: GuardianClaim) -> str:
        if obj.last_moment is None:
            return "—"
        day = written(localtime(obj.last_moment).date())
        if not obj.is_late(now=estimate_clock()):
            return day
        return format_html("{} {}", day, tag(gettext("Late"), tone="danger"))

    @admin.display(description=_("Child"))
    def full_name(self, obj: GuardianClaim) -> str:
        return obj.full_name

    @admin.display(description=_("IIN / document number"))
    def number(self, obj: GuardianClaim) -> str:
        """A certificate whole, since it is compared with the paper; an IIN is on the paper, too."""
        return mask_iin(obj.iin) if obj.iin else obj.paper_number

    @admin.display(description=_("Who hands it in"))
    def claimant(self, obj: GuardianClaim) -> str:
        profile = obj.user.profile
        return f"{profile.full_name}, {profile.masked_identity}, {mask_phone(obj.user.phone)}"

    @admin.display(description=_("Perhaps here already"))
    def known_already(self, obj: GuardianClaim) -> str:
        """Children of that name and day: one of them may be the same, with an IIN or another certificate.

        Of those in localities that are not the reader's only how many there are.
        """
        found = Child.objects.filter(birth_date=obj.birth_date, first_name__iexact=obj.first_name)
        found = found.exclude(claims=obj)
        own = own_rows(found, user=vars(obj)[_READER], now=estimate_clock())
        lines = [
            f"{short_name(child)} · {written(child.birth_date)} · {mask_iin(child.iin) if child.iin else '—'}"
            for child in own[:10]
        ]
        if elsewhere := found.count() - own.count():
            lines.append(gettext("In other localities: %(count)s") % {"count": elsewhere})
        return format_html_join(LINE_BREAK, "{}", ((line,) for line in lines)) if lines else "—"

    @admin.display(description=_("Documents"))
    def shown_papers(self, obj: GuardianClaim) -> str:
        rows = [
            (reverse("admin:children_guardianclaim_paper", args=[obj.pk, paper.pk]), paper.original_name)
            for paper in obj.papers.all()
        ]
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a>', rows) if rows else "—"

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: GuardianClaim) -> str:
        return tag(obj.get_state_display(), tone=TONES[State(obj.state)])

    # --- the papers ------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.paper_view)
        return [
            path("<uuid:pk>/papers/<int:paper_pk>/", view, name="children_guardianclaim_paper"),
            *super().get_urls(),
        ]

    def paper_view(self, request: HttpRequest, pk: UUID, paper_pk: int) -> HttpResponse:
        """One paper, as a download that no browser runs; the journal of whoever handed it in says who did so."""
        claim: GuardianClaim = self.found(request, str(pk), permission=PAPERS)
        paper = claim.papers.filter(pk=paper_pk).first()
        if paper is None:
            raise Http404
        try:
            response = file_response(paper.file, name=paper.original_name)
        except FileNotFoundError:
            messages.error(request, gettext("The file is missing. Ask the system administrator."))
            return HttpResponseRedirect(page_of(claim))
        self.note_look(request, claim, target=f"{claim.full_name}: {paper.original_name}")
        return response
