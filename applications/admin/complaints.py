"""Complaints: an official of the locality answers; what was not solved, and what is late, those of the whole city."""

from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_phone
from accounts.models import User
from accounts.public_text import demand_words, refuse_personal_numbers
from applications.admin.in_turn import InTurn
from applications.admin.work import Rows, Words, Work, WorkAdmin, staff_of, tag, written
from applications.complaints.turns import answer_complaint, answer_due
from applications.complaints.whose import ANSWER, administrators, officials_for, to_answer
from applications.models import Complaint
from applications.refusals import Refusal
from children.models import Child
from notifications.clock import estimate_clock

Stage = Complaint.Stage
TONES = {
    Stage.WAITING: "warning",
    Stage.LATE: "danger",
    Stage.ANSWERED: "success",
    Stage.FOLLOWED: "info",
    Stage.CLOSED: "neutral",
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

    def queryset(self, request: HttpRequest, queryset: QuerySet[Complaint]) -> QuerySet[Complaint]:
        now = estimate_clock()
        waiting = queryset.filter(pk__in=to_answer(staff_of(request), now=now).values("pk"))
        match self.value():
            case "open":
                return waiting
            case "late":
                return waiting.filter(due_at__lte=now)
            case "given":
                return queryset.exclude(answered_at=None)
        return queryset


class AnswerForm(forms.Form):
    text = forms.CharField(
        label=_("Answer"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
    )

    def __init__(self, *args: Any, complaint: Complaint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whose = complaint.kindergarten
        # Whom to call is the kindergarten itself: its number stands on its page.
        published = [whose.phone] if whose and whose.phone else []
        self.fields["text"].validators += [
            demand_words,
            partial(refuse_personal_numbers, published=published),
        ]
        about = gettext(
            "Who complained alone reads it. Write in the language of the complaint: what was done, or why nothing is, "
            "and what can be done now. No IIN, and no person's phone number."
        )
        allowed = gettext("These may stand in it: the contact centre's, the kindergarten's: %(phone)s") % {
            "phone": (whose.phone_label if whose else "") or "—"
        }
        self.fields["text"].help_text = f"{about} {allowed}"


def _is_open(complaint: Complaint, now: datetime) -> bool:
    return complaint.is_open


def _answer(complaint: Complaint, actor: User, data: dict[str, Any], now: datetime) -> None:
    answer_complaint(complaint, text=data["text"], actor=actor, now=now)


def _done(complaint: Complaint) -> Words:
    if complaint.user is None:
        return _("Answered. The visitor reads it by the phone and a code, and gets an SMS.")
    return _("Answered. The family has been told.")


def _preview(complaint: Complaint, data: dict[str, Any], now: datetime) -> Rows:
    """What the family will read."""
    rows: Rows = [{"label": gettext("The family reads"), "value": data["text"]}]
    if complaint.first_id is not None:
        return [*rows, {"label": gettext("After that"), "value": gettext("The complaint is closed.")}]
    last_day = complaint.locality.last_day(answer_due(complaint.locality, now=now))
    rows.append({"label": gettext("It may say “not solved” up to and including"), "value": written(last_day)})
    if warning := _no_second_official(complaint, now):
        rows.append({"label": gettext("The second answer"), "value": warning})
    return rows


def _no_second_official(complaint: Complaint, now: datetime) -> str:
    """Whom the second answer would wait for where one official alone answers; empty where there is another."""
    officials = officials_for(complaint.locality, now=now)
    if len(officials) > 1:
        return ""
    if len(officials | administrators()) > 1:
        return gettext(
            "Only one official answers here, and whoever gives the first answer can't give the second. If that is you, "
            "“not solved” goes to the system administrator."
        )
    return gettext(
        "Nobody else could answer a second time. If the family says “not solved”, it waits until the system "
        "administrator gives another official a place here: ask for that now."
    )


@admin.register(Complaint)
class ComplaintAdmin(InTurn, WorkAdmin):
    """What waits stands first, the earliest last day on top."""

    most_urgent = ("due_at", "pk")
    permission_to_decide = ANSWER
    list_display = ["number", "about", "locality", "answer_by", "shown_state", "sender"]
    # What a family writes names whom it will, and so may the answer.
    without_names = {
        "sender": "masked_sender",
        "whose": "masked_sender",
        "text": "",
        "before": "",
        "answer": "",
    }
    list_filter = [AnswerFilter, "about", "locality", "sent_at"]
    list_select_related = ["user__profile", "locality", "second"]
    search_fields = ["number"]
    search_help_text = _("The whole number of a complaint, or its beginning.")
    fields = [
        "number",
        "shown_state",
        "answer_by",
        "about",
        "locality",
        "kindergarten",
        "application",
        "whose",
        "language",
        "sent_at",
        "text",
        "before",
        "answer",
        "answered_at",
        "answered_by",
        "closed_at",
    ]
    works = [
        Work(
            name="answer",
            label=_("Answer the complaint"),
            consequence=_(
                "The family reads the answer in the language in which you write it, and is told of it."
            ),
            done=_done,
            permission=ANSWER,
            offered=_is_open,
            perform=_answer,
            preview=_preview,
            form=AnswerForm,
            told=lambda complaint: {"complaint": complaint},
            is_in_journal=True,
        )
    ]

    def waiting_for(self, employee: User) -> QuerySet[Complaint]:
        return to_answer(employee, now=estimate_clock())

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        return [F("answered_at").desc(nulls_first=True), "due_at", "id"]

    def zone_of(self, obj: Complaint) -> tzinfo | None:
        return obj.locality.zone

    def child_of(self, obj: Complaint) -> Child | None:
        return obj.application.child if obj.application else None

    def sms_of(self, obj: Complaint) -> Q:
        """By whom it was sent: many complaints are about no child."""
        return Q(recipient=obj.user) if obj.user else Q(phone=obj.phone)

    def whose_data(self, obj: Complaint) -> list[User]:
        return [obj.user] if obj.user else []

    def name_for_family(self, obj: Complaint) -> str:
        return obj.number

    def who_else_decides(self, request: HttpRequest, obj: Complaint) -> str:
        employee = staff_of(request)
        is_theirs = to_answer(employee, now=estimate_clock()).filter(pk=obj.pk).exists()
        return "" if is_theirs or not obj.is_open else Refusal.NOT_YOURS_TO_ANSWER.at_work

    def summary(self, obj: Complaint) -> Rows:
        rows: Rows = [
            {"label": gettext("Number"), "value": obj.number},
            {"label": gettext("about what"), "value": obj.get_about_display()},
            {"label": gettext("written in"), "value": obj.get_language_display()},
        ]
        if obj.first is not None:
            rows.append({"label": gettext("The complaint and its first answer"), "value": self.before(obj)})
        return [*rows, {"label": gettext("what happened"), "value": obj.text}]

    # --- what is shown ---------------------------------------------------------------------------------------

    @admin.display(description=_("who complains"))
    def sender(self, obj: Complaint) -> str:
        if obj.user is None:
            return mask_phone(obj.phone) if obj.phone else "—"
        profile = obj.user.profile
        return f"{profile.last_name} {profile.first_name[:1]}."

    @admin.display(description=_("who complains"))
    def masked_sender(self, obj: Complaint) -> str:
        if obj.user is None:
            return gettext("A visitor")
        return obj.user.profile.masked_name

    @admin.display(description=_("who complains"))
    def whose(self, obj: Complaint) -> str:
        if obj.user is None:
            return gettext("A visitor, by phone: %(phone)s") % {"phone": mask_phone(obj.phone)}
        return f"{obj.user.profile.full_name}, {mask_phone(obj.user.phone)}"

    @admin.display(description=_("The complaint and its first answer"))
    def before(self, obj: Complaint) -> str:
        return f"{obj.first.text} → {obj.first.answer}" if obj.first else "—"

    @admin.display(description=_("Answer by"), ordering="due_at")
    def answer_by(self, obj: Complaint) -> str:
        """The last day, and of what waits how many days are left."""
        last_day = obj.locality.last_day(obj.due_at)
        left = (last_day - obj.locality.day(estimate_clock())).days
        if not obj.is_open or left < 0:
            return written(last_day)
        if left == 0:
            return gettext("%(day)s, today") % {"day": written(last_day)}
        said = ngettext("%(day)s, %(left)s day left", "%(day)s, %(left)s days left", left)
        return said % {"day": written(last_day), "left": left}

    @admin.display(description=_("State"))
    def shown_state(self, obj: Complaint) -> str:
        stage = obj.stage(now=estimate_clock())
        return tag(stage.label, tone=TONES[stage])
