"""Reviews after they were written: published or declined by an official, answered by the kindergarten.

Each step is entered in the audit and in the author's journal; what concerns the author is told in their inbox.
"""

from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from bulletin.journal_actions import Action
from bulletin.models import Review
from bulletin.seen import mark_of
from notifications.services import enqueue

# The permission of those who answer for a kindergarten, and of those who decide what is published.
ANSWER: Final = "bulletin.answer_review"
MODERATE: Final = "bulletin.change_review"


@transaction.atomic
def moderate_review(
    review: Review,
    *,
    moderator: User,
    publish: bool,
    reason: str = "",
    seen: str | None = None,
    now: datetime,
) -> bool:
    """Publish a review, or withdraw or decline it with a reason for its author, who is told.

    A decision may be changed later. Returns whether anything changed: repeating a decision changes nothing. Raises
    ValueError for a refusal without a reason, and `ValidationError` if it is no longer as it was `seen`. Locks the
    review's row.
    """
    if not publish and not reason.strip():
        raise ValueError("A refusal needs a reason.")
    locked = _lock(review, seen=seen)
    state = Review.State.PUBLISHED if publish else Review.State.REJECTED
    if locked.state == state:
        return False
    locked.state = state
    locked.moderation_reason = "" if publish else reason.strip()
    locked.moderated_at, locked.moderated_by = now, moderator
    locked.save(update_fields=["state", "moderation_reason", "moderated_at", "moderated_by"])
    _record(Action.REVIEW_MODERATED, locked, actor=moderator, reason=locked.moderation_reason, now=now)
    if publish:
        _tell(locked, "review_published", now=now)
    else:
        _tell(locked, "review_declined", now=now, reason=locked.moderation_reason)
    return True


@transaction.atomic
def answer_review(
    review: Review, *, actor: User, text: str, language: str, seen: str | None = None, now: datetime
) -> None:
    """Answer a published review, or put another answer in the place of the present one.

    The author is told of the first one, unless an official hides the answer: then it stays hidden. The caller has
    asked whether `actor` may. Raises `ValidationError` for a review that is not published, and if it is no longer as
    it was `seen`. Locks the review's row.
    """
    locked = _lock(review, seen=seen)
    if locked.state != Review.State.PUBLISHED:
        raise ValidationError(_("Only a published review is answered."))
    text, is_first = text.strip(), not locked.answer
    if (locked.answer, locked.answer_language) == (text, language):
        raise ValidationError(_("The answer is the same as before."))
    locked.answer, locked.answer_language = text, language
    locked.answered_at, locked.answered_by = now, actor
    locked.save(update_fields=_ANSWER)
    _record(Action.REVIEW_ANSWERED if is_first else Action.ANSWER_CHANGED, locked, actor=actor, now=now)
    if is_first and locked.shown_answer:
        _tell(locked, "review_answered", now=now)


@transaction.atomic
def withdraw_answer(review: Review, *, actor: User, seen: str | None = None, now: datetime) -> None:
    """Take the answer away, as if there had been none; whether it was hidden stays.

    Raises `ValidationError` if there is none, and if it is no longer as it was `seen`. Locks the review's row.
    """
    locked = _lock(review, seen=seen)
    if not locked.answer:
        raise ValidationError(_("There is no answer."))
    locked.answer = locked.answer_language = ""
    locked.answered_at = locked.answered_by = None
    locked.save(update_fields=_ANSWER)
    _record(Action.ANSWER_WITHDRAWN, locked, actor=actor, now=now)


@transaction.atomic
def hide_answer(review: Review, *, actor: User, reason: str, seen: str | None = None, now: datetime) -> None:
    """Keep the answer, and every other one that the kindergarten writes, from the public, until it is shown again.

    Raises `ValidationError` if there is none to hide, and if it is no longer as it was `seen`. Locks the review's row.
    """
    locked = _lock(review, seen=seen)
    if not locked.shown_answer:
        raise ValidationError(_("There is no answer."))
    locked.answer_hidden_at, locked.answer_hidden_reason = now, reason.strip()
    locked.save(update_fields=_HIDDEN)
    _record(Action.ANSWER_HIDDEN, locked, actor=actor, reason=locked.answer_hidden_reason, now=now)


@transaction.atomic
def show_answer(review: Review, *, actor: User, seen: str | None = None, now: datetime) -> None:
    """Let the public read the answer again; the author is told if they could not read it before.

    Raises `ValidationError` if nothing is hidden, and if it is no longer as it was `seen`. Locks the review's row.
    """
    locked = _lock(review, seen=seen)
    if locked.answer_hidden_at is None:
        raise ValidationError(_("Nothing is hidden."))
    is_new = locked.answered_at is not None and locked.answered_at > locked.answer_hidden_at
    locked.answer_hidden_at, locked.answer_hidden_reason = None, ""
    locked.save(update_fields=_HIDDEN)
    _record(Action.ANSWER_SHOWN, locked, actor=actor, now=now)
    if is_new and locked.state == Review.State.PUBLISHED:
        _tell(locked, "review_answered", now=now)


def subject_of(review: Review) -> str:
    """What the review is about, for employees; its author reads the name in their own language (`about`)."""
    return review.kindergarten.name_kk if review.kindergarten else ""


_ANSWER: Final = ["answer", "answer_language", "answered_at", "answered_by"]
_HIDDEN: Final = ["answer_hidden_at", "answer_hidden_reason"]


def _lock(review: Review, *, seen: str | None) -> Review:
    """The review as it is now, its row locked, if it is still as it was shown."""
    locked = (
        Review.objects.select_for_update(of=("self",))
        .select_related("kindergarten", "author")
        .get(pk=review.pk)
    )
    if seen is not None and seen != mark_of(locked):
        raise ValidationError(_("A colleague was quicker: look at the review once more."))
    return locked


def _record(action: Action, review: Review, *, actor: User, reason: str = "", now: datetime) -> None:
    audit.record(
        action,
        actor=actor,
        subject=review.author,
        target=subject_of(review),
        about=review,
        reason=reason,
        now=now,
    )


def _tell(review: Review, kind: str, *, now: datetime, **context: str) -> None:
    """Nobody, if the author has closed their account."""
    if review.author is None:
        return
    place = review.kindergarten
    link = reverse("bulletin:reviews") + (f"?kindergarten={place.slug}" if place else "")
    enqueue(
        review.author,
        kind,
        context={"kindergarten": place, **context},
        dedupe_key=f"{kind}:{review.pk}:{now.isoformat()}",
        now=now,
        link=link,
    )
