"""Publishing and ending vacancies, writing and moderating reviews."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import translation

from accounts.models import AuditEntry, User
from bulletin import moderation, services
from bulletin.journal_actions import Action
from bulletin.models import Review, Vacancy
from tests.factories import KindergartenFactory, StaffFactory, UserFactory, VacancyFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


def draft(**fields: Any) -> Vacancy:
    defaults = {"state": Vacancy.State.DRAFT, "opens_at": NOW + HOUR, "published_at": None}
    return VacancyFactory.create(**defaults | fields)


# --- vacancies -----------------------------------------------------------------------------------------------


def test_a_draft_is_published() -> None:
    vacancy = draft()
    services.set_published(vacancy, priority_until=NOW + 2 * HOUR, now=NOW)
    vacancy.refresh_from_db()
    assert vacancy.state == Vacancy.State.PUBLISHED
    assert vacancy.published_at == NOW
    assert vacancy.priority_until == NOW + 2 * HOUR


@pytest.mark.parametrize("state", ["published", "recalled", "closed"])
def test_only_a_draft_is_published(state: str) -> None:
    with pytest.raises(ValueError, match="from draft"):
        services.set_published(draft(state=state), priority_until=None, now=NOW)


@pytest.mark.parametrize("state", ["draft", "published", "closed"])
def test_no_row_says_that_it_opened_before_it_was_published(state: str) -> None:
    vacancy = VacancyFactory.create(opens_at=NOW, published_at=NOW, state=state)
    with pytest.raises(IntegrityError, match="vacancy_opens_after_publication"):
        Vacancy.objects.filter(pk=vacancy.pk).update(opens_at=NOW - MICROSECOND)


def test_a_vacancy_is_recalled_with_a_reason() -> None:
    vacancy = VacancyFactory.create()
    services.end(vacancy, Vacancy.State.RECALLED, reason=" published by mistake ", now=NOW)
    vacancy.refresh_from_db()
    assert (vacancy.state, vacancy.end_reason, vacancy.ended_at) == ("recalled", "published by mistake", NOW)


def test_a_vacancy_is_closed() -> None:
    vacancy = VacancyFactory.create()
    services.end(vacancy, Vacancy.State.CLOSED, reason="", now=NOW)
    vacancy.refresh_from_db()
    assert (vacancy.state, vacancy.end_reason, vacancy.ended_at) == ("closed", "", NOW)
    services.end(vacancy, Vacancy.State.RECALLED, reason="Жөндеу", now=NOW + timedelta(days=1))
    vacancy.refresh_from_db()
    assert (vacancy.state, vacancy.end_reason) == ("recalled", "Жөндеу")


@pytest.mark.parametrize(
    ("state", "to", "reason"),
    [
        ("published", "recalled", ""),
        ("published", "recalled", "  "),
        ("published", "draft", "why"),
        ("published", "published", "why"),
        ("draft", "closed", ""),
        ("recalled", "closed", ""),
        ("recalled", "recalled", "why"),
        ("closed", "recalled", ""),
        ("closed", "closed", ""),
    ],
)
def test_other_ends_are_refused(state: str, to: str, reason: str) -> None:
    vacancy = VacancyFactory.create(state=state)
    with pytest.raises(ValueError):
        services.end(vacancy, Vacancy.State(to), reason=reason, now=NOW)
    vacancy.refresh_from_db()
    assert vacancy.state == state
    assert vacancy.ended_at is None


def test_publishing_does_not_touch_the_seats() -> None:
    """The seats have one writer: a stale object that is published or ended must not write its old count."""
    vacancy = VacancyFactory.create(seats_taken=0)
    Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=3)
    services.end(vacancy, Vacancy.State.CLOSED, reason="", now=NOW)
    vacancy.refresh_from_db()
    assert vacancy.seats_taken == 3


# --- reviews -------------------------------------------------------------------------------------------------


def test_a_review_waits_for_moderation(parent: User) -> None:
    kindergarten = KindergartenFactory.create()
    review = services.submit_review(author=parent, text="Рақмет!", kindergarten=kindergarten, now=NOW)
    assert review.state == Review.State.PENDING
    assert review.created_at == NOW
    entry = AuditEntry.objects.get(action=Action.REVIEW_WRITTEN)
    assert (entry.actor, entry.subject, entry.at) == (parent, parent, NOW)


def test_the_same_words_twice_are_one_review(parent: User) -> None:
    first = services.submit_review(author=parent, text="Рақмет!", now=NOW)
    assert services.submit_review(author=parent, text="Рақмет!", now=NOW) == first
    assert Review.objects.count() == AuditEntry.objects.filter(action=Action.REVIEW_WRITTEN).count() == 1


def test_no_more_than_three_reviews_wait_at_once(parent: User) -> None:
    for number in range(3):
        services.submit_review(author=parent, text=f"{number}", now=NOW)
    with pytest.raises(services.TooManyReviewsError):
        services.submit_review(author=parent, text="3", now=NOW)
    services.submit_review(author=UserFactory.create(), text="3", now=NOW)
    moderate(Review.objects.filter(author=parent).latest("pk"), publish=True)
    services.submit_review(author=parent, text="3", now=NOW)


def moderate(review: Review, **decision: Any) -> bool:
    moderator = User.objects.filter(is_staff=True).first() or StaffFactory.create()
    changed = moderation.moderate_review(review, moderator=moderator, now=NOW + HOUR, **decision)
    review.refresh_from_db()
    return changed


def test_a_review_is_published(parent: User) -> None:
    review = services.submit_review(author=parent, text="Рақмет!", now=NOW)
    assert moderate(review, publish=True)
    assert review.state == "published"
    assert review.moderated_at == NOW + HOUR
    entry = AuditEntry.objects.get(action=Action.REVIEW_MODERATED)
    assert (entry.actor, entry.subject) == (review.moderated_by, parent)


def test_a_review_is_refused_with_a_reason(parent: User) -> None:
    review = services.submit_review(author=parent, text="+7 701 …", now=NOW)
    assert moderate(review, publish=False, reason="a phone number")
    assert (review.state, review.moderation_reason) == ("rejected", "a phone number")
    assert AuditEntry.objects.get(action=Action.REVIEW_MODERATED).reason == "a phone number"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_refusal_needs_a_reason(parent: User, reason: str) -> None:
    review = services.submit_review(author=parent, text="…", now=NOW)
    with pytest.raises(ValueError, match="reason"):
        moderate(review, publish=False, reason=reason)


def test_the_same_decision_twice_is_one(parent: User) -> None:
    review = services.submit_review(author=parent, text="…", now=NOW)
    assert moderate(review, publish=True)
    assert not moderate(review, publish=True)
    assert AuditEntry.objects.filter(action=Action.REVIEW_MODERATED).count() == 1


def test_a_decision_can_be_changed(parent: User) -> None:
    review = services.submit_review(author=parent, text="…", now=NOW)
    moderate(review, publish=True)
    assert moderate(review, publish=False, reason="names a child")
    assert moderate(review, publish=True)
    assert (review.state, review.moderation_reason) == ("published", "")


def test_a_review_outlives_its_author(parent: User) -> None:
    review = services.submit_review(author=parent, text="…", now=NOW)
    Review.objects.filter(pk=review.pk).update(author=None)
    review = Review.objects.get(pk=review.pk)
    assert moderate(review, publish=True)
    with translation.override("en"):
        assert review.signature == "Parent"


def test_a_signature_is_one_initial(parent: User) -> None:
    review = services.submit_review(author=parent, text="…", now=NOW)
    assert review.signature.endswith("Е.")
    assert "ЕРМЕК" not in review.signature
    assert "КАМЕНОВ" not in review.signature
