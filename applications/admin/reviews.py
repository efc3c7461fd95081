"""Reviews: published or declined one after another, answered by the kindergarten they are about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import localize
from django.utils.text import Truncator
from django.utils.timezone import localdate, localtime
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.public_text import refuse_personal_numbers
from applications.admin.in_turn import InTurn
from applications.admin.work import ConfirmForm, Rows, SeenForm, Work, WorkAdmin, reason_field, staff_of, tag
from bulletin import moderation
from bulletin.employment import works_in
from bulletin.models import Review
from bulletin.moderation import ANSWER, MODERATE
from bulletin.seen import mark_of
from bulletin.selectors import unanswered_reviews
from notifications.clock import estimate_clock
from notifications.kinds import READS_NAMES

TONES: Final = {
    Review.State.PENDING: "warning",
    Review.State.PUBLISHED: "success",
    Review.State.REJECTED: "neutral",
}
EXCERPT: Final = 80


class DeclineManyForm(forms.Form):
    reason = reason_field(help_text=_("The author reads it. Say what could be written otherwise."))


class DeclineForm(DeclineManyForm, SeenForm):
    pass


class HideForm(SeenForm):
    reason = reason_field(help_text=_("The kindergarten reads it. Say what could be written otherwise."))


class AnswerForm(SeenForm):
    answer = forms.CharField(
        label=_("Answer"),
        help_text=_("Everyone can read it below the review. Name no people, phone numbers or IINs."),
        max_length=1000,
        validators=[refuse_personal_numbers],
        widget=forms.Textarea(attrs={"rows": 5, "cols": 60}),
    )
    language = forms.ChoiceField(
        label=_("Language of the answer"), choices=settings.LANGUAGES, help_text=_("Best that of the review.")
    )


def _seen(review: Review) -> dict[str, Any]:
    return {"seen": mark_of(review)}


def _present_answer(review: Review) -> dict[str, Any]:
    return _seen(review) | {
        "answer": review.answer,
        "language": review.answer_language or get_language(),
    }


def _publish(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.moderate_review(review, moderator=actor, publish=True, seen=data.get("seen"), now=now)


def _decline(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.moderate_review(
        review, moderator=actor, publish=False, reason=data["reason"], seen=data.get("seen"), now=now
    )


def _answer(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.answer_review(
        review, actor=actor, text=data["answer"], language=data["language"], seen=data["seen"], now=now
    )


def _withdraw(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.withdraw_answer(review, actor=actor, seen=data["seen"], now=now)


def _hide(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.hide_answer(review, actor=actor, reason=data["reason"], seen=data["seen"], now=now)


def _show(review: Review, actor: User, data: dict[str, Any], now: datetime) -> None:
    moderation.show_answer(review, actor=actor, seen=data["seen"], now=now)


def _is_not_published(review: Review, now: datetime) -> bool:
    return review.state != Review.State.PUBLISHED


def _is_not_declined(review: Review, now: datetime) -> bool:
    return review.state != Review.State.REJECTED


def _is_published(review: Review, now: datetime) -> bool:
    return review.state == Review.State.PUBLISHED


def _has_answer(review: Review, now: datetime) -> bool:
    return bool(review.answer)


def _shows_answer(review: Review, now: datetime) -> bool:
    return bool(review.shown_answer)


def _is_hidden(review: Review, now: datetime) -> bool:
    return review.answer_hidden_at is not None


PUBLISH: Final = Work(
    name="publish",
    label=_("Publish"),
    consequence=_("Everyone can read it on the site, without the author's name. The author is told."),
    done=_("The review is published. Its author has been told."),
    permission=MODERATE,
    offered=_is_not_published,
    perform=_publish,
    form=SeenForm,
    initial=_seen,
    is_in_journal=True,
)
DECLINE: Final = Work(
    name="decline",
    label=_("Do not publish"),
    consequence=_(
        "Nobody but its author reads it any more. The author reads your reason, and can write anew."
    ),
    done=_("The review is not published. Its author has been told the reason."),
    permission=MODERATE,
    offered=_is_not_declined,
    perform=_decline,
    form=DeclineForm,
    initial=_seen,
    danger=True,
    is_in_journal=True,
)
# Fields that stand on the page once there is something in them.
ONCE_THERE: Final = frozenset(
    {
        "moderation_reason",
        "moderated_at",
        "moderated_by",
        "answer",
        "answer_language",
        "answered_at",
        "answered_by",
        "answer_hidden_reason",
    }
)
# What an employee of the kindergarten decides, whoever of them wrote the answer.
OF_KINDERGARTEN: Final = frozenset({"answer", "withdraw-answer"})


class AnswerFilter(admin.SimpleListFilter):
    title = _("answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("missing", _("published, and not answered by the kindergarten")),
            ("hidden", _("hidden by an official")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        if self.value() == "missing":
            return queryset.filter(pk__in=unanswered_reviews().values("pk"))
        return queryset.exclude(answer_hidden_at=None) if self.value() == "hidden" else queryset


@admin.register(Review)
class ReviewAdmin(InTurn, WorkAdmin):
    """An official decides what is published, and hides an answer; the kindergarten answers what is published.

    Nobody edits what a user wrote.
    """

    list_display = ["created_at", "shown_state", "about", "excerpt", "shown_answer", "moderated_at"]
    list_filter = ["state", AnswerFilter, "created_at"]
    list_select_related = ["kindergarten__locality", "answered_by__employee", "moderated_by__employee"]
    actions = ["publish_selected", "decline_selected"]
    without_names = {"text": "public_text", "excerpt": "public_excerpt"}
    fields = [
        "created_at",
        "about",
        "text",
        "shown_state",
        "moderation_reason",
        "moderated_at",
        "moderated_by",
        "answer",
        "answer_language",
        "answered_at",
        "answered_by",
        "answer_hidden_reason",
    ]
    most_urgent = ("created_at", "id")
    works = [
        PUBLISH,
        Work(
            name="answer",
            label=_("Write an answer"),
            consequence=_(
                "Everyone reads the answer below the review, as the kindergarten's. The author is told. It can be "
                "changed and withdrawn by everybody who works in the kindergarten."
            ),
            done=_("The answer is saved."),
            permission=ANSWER,
            offered=_is_published,
            perform=_answer,
            form=AnswerForm,
            initial=_present_answer,
            is_in_journal=True,
        ),
        Work(
            name="withdraw-answer",
            label=_("Withdraw the answer"),
            consequence=_("Nobody reads the answer any more. Another one can be written."),
            done=_("The answer is withdrawn."),
            permission=ANSWER,
            offered=_has_answer,
            perform=_withdraw,
            form=SeenForm,
            initial=_seen,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="show-answer",
            label=_("Show the answer again"),
            consequence=_("Everyone can read below the review what the kindergarten answers."),
            done=_("The answer is shown again."),
            permission=MODERATE,
            offered=_is_hidden,
            perform=_show,
            form=SeenForm,
            initial=_seen,
            is_in_journal=True,
        ),
        Work(
            name="hide-answer",
            label=_("Hide the answer"),
            consequence=_(
                "Nobody outside reads the answer any more, nor another one that the kindergarten writes, until an "
                "official shows it again. The kindergarten reads your reason here."
            ),
            done=_("The answer is hidden."),
            permission=MODERATE,
            offered=_shows_answer,
            perform=_hide,
            form=HideForm,
            initial=_seen,
            danger=True,
            is_in_journal=True,
        ),
        DECLINE,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Who only answers reads what everybody reads."""
        rows: QuerySet[Review] = super().get_queryset(request)
        user = staff_of(request)
        if user.has_perm(ANSWER) and not user.has_perm(MODERATE):
            return rows.filter(state=Review.State.PUBLISHED)
        return rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of a decision and of an answer only what there is."""
        return [
            name
            for name in super().get_fields(request, obj)
            if name not in ONCE_THERE or (obj is not None and getattr(obj, name))
        ]

    def zone_of(self, obj: Review) -> tzinfo | None:
        return obj.kindergarten.locality.zone if obj.kindergarten else None

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Nothing is found by words that are not shown."""
        return ["text"] if request.user.has_perm(READS_NAMES) else []

    def called(self, actor: User, name: str) -> str:
        """A review is anonymous: a worker would know its author by a few digits of their number."""
        return name if actor.is_staff else gettext("A user of the portal")

    # --- who may do what -------------------------------------------------------------------------------------

    def may(self, request: HttpRequest, work: Work, obj: Review) -> bool:
        """For a kindergarten those answer who are employed in it, for the portal an official."""
        if work.name not in OF_KINDERGARTEN:
            return super().may(request, work, obj)
        user = staff_of(request)
        if obj.kindergarten_id is None:
            return user.has_perm(MODERATE)
        today = localdate(estimate_clock())
        is_theirs = user.is_superuser or bool(works_in(user, [obj.kindergarten_id], today=today))
        return is_theirs and user.has_perm(ANSWER)

    def waiting(self, request: HttpRequest) -> QuerySet[Review]:
        rows = self.get_queryset(request)
        if request.user.has_perm(MODERATE):
            return rows.filter(state=Review.State.PENDING)
        return rows.filter(pk__in=unanswered_reviews().values("pk"))

    def note(self, request: HttpRequest, obj: Review) -> str:
        if obj.answer_hidden_at is None:
            return ""
        return gettext("An official hides the answer: %(reason)s") % {"reason": obj.answer_hidden_reason}

    # --- several at once -------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list keeps its actions for who decides what is published; a single review is read-only."""
        return obj is None and request.user.has_perm(MODERATE)

    def chosen_line(self, obj: Review) -> str:
        return f"{self.about(obj)}: {self.excerpt(obj)}"

    def chosen_facts(self, rows: Sequence[Review]) -> list[Rows]:
        return [[{"label": gettext("text"), "value": row.text}] for row in rows]

    @admin.action(description=_("Publish the selected reviews"), permissions=["change"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Review]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset,
            replace(PUBLISH, form=ConfirmForm, initial=None),
            action="publish_selected",
            title=_("Publish reviews"),
            done=_("Reviews published: %(count)s"),
        )

    @admin.action(description=_("Do not publish the selected reviews"), permissions=["change"])
    def decline_selected(self, request: HttpRequest, queryset: QuerySet[Review]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset,
            replace(DECLINE, form=DeclineManyForm, initial=None),
            action="decline_selected",
            title=_("Do not publish reviews"),
            done=_("Reviews not published: %(count)s"),
        )

    # --- what is shown ---------------------------------------------------------------------------------------

    def summary(self, obj: Review) -> Rows:
        at = localize(localtime(obj.created_at, self.zone_of(obj)))
        rows = [
            {"label": gettext("What the review is about"), "value": self.about(obj)},
            {"label": gettext("Written at"), "value": at},
            {"label": gettext("text"), "value": obj.text},
        ]
        return [*rows, {"label": gettext("Answer"), "value": obj.answer}] if obj.answer else rows

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Review) -> str:
        return tag(obj.get_state_display(), tone=TONES[Review.State(obj.state)])

    @admin.display(description=_("What the review is about"))
    def about(self, review: Review) -> str:
        return review.kindergarten.name if review.kindergarten else gettext("The portal")

    @admin.display(description=_("text"))
    def excerpt(self, review: Review) -> str:
        return Truncator(review.text).chars(EXCERPT)

    @admin.display(description=_("text"))
    def public_excerpt(self, review: Review) -> str:
        return Truncator(self.public_text(review)).chars(EXCERPT)

    @admin.display(description=_("text"))
    def public_text(self, review: Review) -> str:
        """What everybody reads; a family names whom it will in what is not published."""
        is_public = review.state == Review.State.PUBLISHED
        return review.text if is_public else gettext("Hidden: it may name people.")

    @admin.display(description=_("Answer"))
    def shown_answer(self, review: Review) -> str:
        if review.answer_hidden_at is not None:
            return tag(gettext("hidden by an official"), tone="danger")
        return Truncator(review.answer).chars(EXCERPT) if review.answer else "—"
