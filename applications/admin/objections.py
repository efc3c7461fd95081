"""Objections to wrong data: an official answers, with a reason that the family reads."""

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_phone
from accounts.models import Objection, User
from applications.admin.in_turn import InTurn
from applications.admin.work import ReasonForm, Rows, Work, WorkAdmin, staff_of, tag, written
from applications.objections import answer_objection, child_of, is_about_own, to_answer
from notifications.clock import estimate_clock

TONES = {
    Objection.Answer.MENDED: "success",
    Objection.Answer.STANDS: "neutral",
    Objection.Answer.NOT_OURS: "neutral",
}


class AnswerFilter(admin.SimpleListFilter):
    title = _("answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("waits for your answer")),
            ("late", _("not answered in time")),
            ("given", _("given")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Objection]) -> QuerySet[Objection]:
        waiting = queryset.filter(pk__in=to_answer(staff_of(request)).values("pk"))
        match self.value():
            case "open":
                return waiting
            case "late":
                return waiting.filter(due_at__lte=estimate_clock())
            case "given":
                return queryset.exclude(answer="")
        return queryset


def _is_open(objection: Objection, now: datetime) -> bool:
    return objection.is_open


def _give(
    answer: Objection.Answer, objection: Objection, actor: User, data: dict[str, Any], now: datetime
) -> None:
    answer_objection(objection, answer=answer, reason=data["reason"], actor=actor, now=now)


def _button(name: str, label: Any, answer: Objection.Answer, consequence: Any) -> Work:
    return Work(
        name=name,
        label=label,
        consequence=consequence,
        done=_("Answered. The family has been told."),
        permission="accounts.change_objection",
        offered=_is_open,
        perform=partial(_give, answer),
        form=ReasonForm,
        is_in_journal=True,
    )


@admin.register(Objection)
class ObjectionAdmin(InTurn, WorkAdmin):
    """For officials only; what waits stands first, the earliest last day on top."""

    most_urgent = ("due_at", "pk")
    permission_to_decide = "accounts.change_objection"
    list_display = ["sent_at", "about", "sender", "answer_by", "shown_state"]
    # What a family writes names whom it will.
    without_names = {
        "sender": "masked_sender",
        "whose": "masked_sender",
        "which_child": "",
        "wrong": "",
        "right": "",
        "reason": "",
    }
    list_filter = [AnswerFilter, "about", "sent_at"]
    list_select_related = ["user__profile"]
    fields = [
        "shown_state",
        "answer_by",
        "about",
        "whose",
        "which_child",
        "wrong",
        "right",
        "sent_at",
        "reason",
        "answered_at",
        "answered_by",
    ]
    works = [
        _button(
            "mended",
            _("The data is mended"),
            Objection.Answer.MENDED,
            _(
                "Mend the data first: this button changes nothing but the answer. The family reads your reason."
            ),
        ),
        _button(
            "stands",
            _("The data stands as it is"),
            Objection.Answer.STANDS,
            _("The data is right by the documents. The family reads your reason, and may object again."),
        ),
        _button(
            "not-ours",
            _("Not ours to change"),
            Objection.Answer.NOT_OURS,
            _("Another body keeps this data. Name it in the reason, which the family reads."),
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[Objection]:
        return to_answer(employee)

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        return [F("answered_at").desc(nulls_first=True), "due_at", "id"]

    def who_else_decides(self, request: HttpRequest, obj: Objection) -> str:
        if is_about_own(obj, staff_of(request)):
            return gettext("It is about yourself, or your own child: another official answers.")
        return ""

    def summary(self, obj: Objection) -> Rows:
        """With the texts, which may hold an IIN: reading them is entered in the family's journal (`work_view`)."""
        return [
            {"label": gettext("Which data is wrong"), "value": obj.get_about_display()},
            {"label": gettext("Child"), "value": self.which_child(obj)},
            {"label": gettext("what is wrong"), "value": obj.wrong},
            {"label": gettext("what would be right"), "value": obj.right or "—"},
        ]

    def whose_data(self, obj: Objection) -> list[User]:
        return [obj.user]

    @admin.display(description=_("Who objects"))
    def masked_sender(self, obj: Objection) -> str:
        return obj.user.profile.masked_name

    @admin.display(description=_("Who objects"))
    def sender(self, obj: Objection) -> str:
        profile = obj.user.profile
        return f"{profile.last_name} {profile.first_name[:1]}."

    @admin.display(description=_("Who objects"))
    def whose(self, obj: Objection) -> str:
        profile = obj.user.profile
        return f"{profile.full_name}, {profile.masked_identity}, {mask_phone(obj.user.phone)}"

    @admin.display(description=_("Child"))
    def which_child(self, obj: Objection) -> str:
        child = child_of(obj)
        if child is None:
            return "—"
        return f"{child.full_name}, {written(child.birth_date)}, {child.masked_identity}"

    @admin.display(description=_("Answer by"))
    def answer_by(self, obj: Objection) -> str:
        return written(localtime(obj.last_moment).date())

    @admin.display(description=_("State"))
    def shown_state(self, obj: Objection) -> str:
        if obj.answer:
            return tag(obj.get_answer_display(), tone=TONES[Objection.Answer(obj.answer)])
        if obj.is_late(now=estimate_clock()):
            return tag(gettext("Overdue"), tone="danger")
        return tag(gettext("waits for an answer"), tone="info")
