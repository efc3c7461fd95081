"""Moves of numbers: an official looks at them, and decides whose a number is that somebody else claims."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_phone
from accounts.models import NumberMove, User
from accounts.numbers import claims
from accounts.numbers.moves import NotMoved, last_used
from accounts.registry import PhoneTie
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    Work,
    WorkAdmin,
    reason_field,
    staff_of,
    tag,
)


class DecisionForm(forms.Form):
    reason = reason_field(
        help_text=_(
            "It stands in the journal of the account. Write which documents were shown, without numbers."
        ),
    )


class StateFilter(admin.SimpleListFilter):
    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("waits for your decision")), ("live", _("under way")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[NumberMove]) -> QuerySet[NumberMove]:
        live = queryset.filter(stopped_at=None, done_at=None)
        if self.value() == "open":
            waiting = claims.to_decide(staff_of(request))
            return queryset.filter(pk__in=waiting.values("pk")).order_by("asked_at")
        if self.value() == "live":
            return live
        return queryset.exclude(pk__in=live.values("pk")) if self.value() == "over" else queryset


def _is_open(move: NumberMove, now: datetime) -> bool:
    return move.is_live and move.kind == NumberMove.Kind.RECYCLING and move.done_by_id is None


def _give(move: NumberMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    _decide(claims.give, move, actor, data, now)


def _keep(move: NumberMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    _decide(claims.keep, move, actor, data, now)


def _decide(decision: Any, move: NumberMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    try:
        decision(move, actor=actor, reason=data["reason"], address=None, now=now)
    except NotMoved as refused:
        raise ValidationError(refused.at_work) from None


@admin.register(NumberMove)
class NumberMoveAdmin(InTurn, WorkAdmin):
    """For officials only. Numbers are masked; opening a page is entered in the journal of the account."""

    most_urgent = ("asked_at", "pk")
    permission_to_decide = "accounts.change_numbermove"
    list_display = ["asked_at", "kind", "owner", "masked_old", "shown_state"]
    without_names = {"owner_data": "owner", "claimant_data": ""}
    list_filter = [StateFilter, "kind", "asked_at"]
    list_select_related = ["account__profile"]
    fields = [
        "kind",
        "shown_state",
        "owner_data",
        "masked_old",
        "masked_new",
        "claimant_data",
        "proof",
        "asked_at",
        "due_at",
        "done_at",
        "stopped_at",
        "stopped_because",
        "decided_by",
        "reason",
    ]
    works = [
        Work(
            name="give",
            label=_("The number goes to who has it now"),
            consequence=_(
                "The account loses the number at once and is signed out everywhere; its children and applications "
                "stay. Whoever has it can register with it. Decide only after you have seen a document, or the "
                "contract with the operator."
            ),
            done=_("Decided: the number is free."),
            permission="accounts.change_numbermove",
            offered=_is_open,
            perform=_give,
            form=DecisionForm,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="keep",
            label=_("The number stays with the account"),
            consequence=_("The claim is refused. The same person can't claim the number again for 90 days."),
            done=_("Decided: the number stays."),
            permission="accounts.change_numbermove",
            offered=_is_open,
            perform=_keep,
            form=DecisionForm,
            is_in_journal=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[NumberMove]:
        return claims.to_decide(employee)

    def who_else_decides(self, request: HttpRequest, obj: NumberMove) -> str:
        fault = claims.why_not_decided(obj, staff_of(request))
        return NotMoved(fault).at_work if fault else ""

    def summary(self, obj: NumberMove) -> Rows:
        return [
            {"label": gettext("Whose account it is"), "value": self.owner_data(obj)},
            {"label": gettext("Who claims the number"), "value": self.claimant_data(obj)},
            {"label": gettext("Number"), "value": mask_phone(obj.old_phone)},
        ]

    def whose_data(self, obj: NumberMove) -> list[User]:
        return [obj.account]

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Decided by"))
    def decided_by(self, obj: NumberMove) -> str:
        return str(obj.done_by or obj.stopped_by or "—")

    @admin.display(description=_("Whose account it is"))
    def owner(self, obj: NumberMove) -> str:
        return obj.account.profile.masked_name

    @admin.display(description=_("Whose account it is"))
    def owner_data(self, obj: NumberMove) -> str:
        profile = obj.account.profile
        identity = profile.masked_identity
        used = date_format(localtime(last_used(obj.account)), "SHORT_DATE_FORMAT")
        return _lines(
            profile.full_name,
            f"{gettext('IIN / document number')}: {identity}",
            f"{gettext('Last sign-in')}: {used}",
        )

    @admin.display(description=_("Who claims the number"))
    def claimant_data(self, obj: NumberMove) -> str:
        if not obj.claimant:
            return "—"
        tie = {
            PhoneTie.YES: gettext("the state knows the number as this person's"),
            PhoneTie.NO: gettext("the state knows the number as somebody else's"),
            PhoneTie.UNKNOWN: gettext("the state does not know whose the number is"),
            PhoneTie.UNASKED: gettext("the state was not asked whose the number is"),
        }[PhoneTie(obj.claimant_tie)]
        return _lines(obj.claimant, tie)

    @admin.display(description=_("number when it was asked for"))
    def masked_old(self, obj: NumberMove) -> str:
        return mask_phone(obj.old_phone)

    @admin.display(description=_("new number"))
    def masked_new(self, obj: NumberMove) -> str:
        return mask_phone(obj.new_phone) if obj.new_phone else "—"

    @admin.display(description=_("Decision"))
    def shown_state(self, obj: NumberMove) -> str:
        if obj.done_at is not None:
            return tag(gettext("done"), tone="success")
        if obj.stopped_at is not None:
            return tag(obj.get_stopped_because_display(), tone="danger")
        if obj.due_at is None:
            return tag(gettext("waits for a decision"), tone="info")
        return tag(gettext("under way"))


def _lines(*rows: str) -> str:
    return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])
