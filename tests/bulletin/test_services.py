"""Publishing and ending vacancies, writing and moderating reviews."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import translation

from accounts.models import AuditEntry, User
from bulletin import services
from bulletin.journal_actions import Action
from bulletin.models import Review, Vacancy
from tests.factories import GroupFactory, KindergartenFactory, StaffFactory, UserFactory, VacancyFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


def draft(**fields: Any) -> Vacancy:
    defaults = {"state": Vacancy.State.DRAFT, "opens_at": NOW + HOUR, "published_at": None}
    return VacancyFactory.create(**defaults | fields)


def problems(vacancy: Vacancy) -> dict[str, list[str]]:
    try:
        services.check_vacancy(vacancy, now=NOW, lead=HOUR)
    except ValidationError as error:
        return error.message_dict
    return {}


# --- vacancies -----------------------------------------------------------------------------------------------


def test_a_draft_is_published() -> None:
    vacancy = draft()
    services.set_published(vacancy, priority_until=NOW + 2 * HOUR, lead=HOUR, now=NOW)
    vacancy.refresh_from_db()
    assert vacancy.state == Vacancy.State.PUBLISHED
    assert vacancy.published_at == NOW
    assert vacancy.priority_until == NOW + 2 * HOUR


@pytest.mark.parametrize("state", ["published", "recalled", "closed"])
def test_only_a_draft_is_published(state: str) -> None:
    with pytest.raises(ValueError, match="from draft"):
        services.set_published(draft(state=state), priority_until=None, lead=HOUR, now=NOW)


@pytest.mark.parametrize(("seats", "valid"), [(1, True), (25, True), (26, False), (0, False)])
def test_places_fit_into_the_group(seats: int, valid: bool) -> None:
    vacancy = draft()
    vacancy.seats_total = seats
    assert ("seats_total" not in problems(vacancy)) == valid


def test_vacancies_of_one_group_fit_into_it_together() -> None:
    group = GroupFactory.create(capacity=25)
    VacancyFactory.create(group=group, seats_total=20, seats_taken=20)
    VacancyFactory.create(group=group, seats_total=25, state=Vacancy.State.RECALLED)
    VacancyFactory.create(group=group, seats_total=25, opens_at=NOW - HOUR, closes_at=NOW)
    VacancyFactory.create(seats_total=25)
    assert problems(draft(group=group, seats_total=5)) == {}
    assert "seats_total" in problems(draft(group=group, seats_total=6))


def test_a_vacancy_whose_end_a_pause_holds_off_still_needs_its_places() -> None:
    group = GroupFactory.create(capacity=25)
    VacancyFactory.create(group=group, seats_total=20, opens_at=NOW - 2 * HOUR, closes_at=NOW - MICROSECOND)
    assert problems(draft(group=group, seats_total=6)) == {}
    services.pause_bidding(
        locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=StaffFactory.create(), now=NOW - HOUR
    )
    assert "seats_total" in problems(draft(group=group, seats_total=6))


def test_a_published_vacancy_does_not_count_against_itself() -> None:
    assert problems(VacancyFactory.create(seats_total=25, opens_at=NOW + HOUR)) == {}


@pytest.mark.parametrize(
    ("years", "valid"),
    [
        ([2017], True),
        ([2016, 2015], True),
        ([2019], True),
        ([2011], True),
        ([2010], False),
        ([2020], False),
        ([2017, 2017], False),
        ([], False),
        ([0], False),
        ([32767], False),
    ],
)
def test_birth_years_are_those_of_kindergarten_children(years: list[int], valid: bool) -> None:
    vacancy = draft()
    vacancy.birth_years = years
    assert ("birth_years" not in problems(vacancy)) == valid


def test_the_year_of_the_opening_is_the_local_one() -> None:
    # 31 December 19:00 UTC is 1 January 2020 in Turkistan.
    vacancy = draft(birth_years=[2020], opens_at=datetime(2019, 12, 31, 19, tzinfo=UTC))
    assert problems(vacancy) == {}


def test_it_opens_before_it_closes() -> None:
    vacancy = draft()
    vacancy.closes_at = vacancy.opens_at
    assert "closes_at" in problems(vacancy)
    vacancy.closes_at = vacancy.opens_at + MICROSECOND
    assert problems(vacancy) == {}


def test_collected_bids_need_an_end() -> None:
    vacancy = draft()
    vacancy.mode = Vacancy.Mode.QUEUE_ORDER
    assert "closes_at" in problems(vacancy)


def test_nothing_wrong_is_published() -> None:
    vacancy = draft(birth_years=[1999])
    with pytest.raises(ValidationError):
        services.set_published(vacancy, priority_until=None, lead=HOUR, now=NOW)
    vacancy.refresh_from_db()
    assert vacancy.state == Vacancy.State.DRAFT


@pytest.mark.parametrize(
    ("opens_in", "reason", "published"),
    [
        (HOUR, "", True),
        (HOUR - MICROSECOND, "", False),
        (HOUR - MICROSECOND, "Топ бүгін ашылды", True),
        (timedelta(0), "Топ бүгін ашылды", True),
        (-MICROSECOND, "Топ бүгін ашылды", False),
        (timedelta(days=-28), "", False),
        (timedelta(days=-28), "Топ бүгін ашылды", False),
    ],
)
def test_families_can_read_of_a_place_before_it_opens(
    opens_in: timedelta, reason: str, published: bool
) -> None:
    vacancy = draft(opens_at=NOW + opens_in)
    if published:
        services.set_published(vacancy, priority_until=None, lead=HOUR, short_notice_reason=reason, now=NOW)
        vacancy.refresh_from_db()
        assert vacancy.short_notice_reason == reason
    else:
        with pytest.raises(ValidationError) as refusal:
            services.set_published(
                vacancy, priority_until=None, lead=HOUR, short_notice_reason=reason, now=NOW
            )
        assert set(refusal.value.message_dict) == {"opens_at"}


def test_the_earliest_opening_is_named_by_the_clock_of_the_place_in_whole_minutes() -> None:
    now = NOW + MICROSECOND
    with pytest.raises(ValidationError) as refusal, translation.override("ru"):
        services.check_vacancy(draft(opens_at=now), now=now, lead=HOUR)
    assert "26.06.2019 17:21" in refusal.value.message_dict["opens_at"][0]


@pytest.mark.parametrize("opens_at", [datetime(2020, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)])
def test_of_a_wrong_opening_the_years_are_not_called_wrong(opens_at: datetime) -> None:
    vacancy = draft(opens_at=opens_at, birth_years=[2025])
    with pytest.raises(ValidationError) as refusal:
        services.check_vacancy(vacancy, now=datetime(2026, 11, 29, tzinfo=UTC), lead=HOUR)
    assert set(refusal.value.message_dict) == {"opens_at"}


@pytest.mark.parametrize("state", ["draft", "published", "closed"])
def test_no_row_says_that_it_opened_before_it_was_published(state: str) -> None:
    vacancy = VacancyFactory.create(opens_at=NOW, published_at=NOW, state=state)
    with pytest.raises(IntegrityError, match="vacancy_opens_after_publication"):
        Vacancy.objects.filter(pk=vacancy.pk).update(opens_at=NOW - MICROSECOND)


@pytest.mark.parametrize(("collected_for", "valid"), [(HOUR, True), (HOUR - MICROSECOND, False)])
@pytest.mark.parametrize("is_short_notice", [True, False])
def test_bids_are_collected_long_enough_to_be_sent(
    collected_for: timedelta, valid: bool, is_short_notice: bool
) -> None:
    opens_at = NOW + HOUR
    vacancy = draft(mode=Vacancy.Mode.QUEUE_ORDER, opens_at=opens_at, closes_at=opens_at + collected_for)
    if valid:
        services.check_vacancy(vacancy, now=NOW, lead=HOUR, is_short_notice=is_short_notice)
    else:
        with pytest.raises(ValidationError) as refusal:
            services.check_vacancy(vacancy, now=NOW, lead=HOUR, is_short_notice=is_short_notice)
        assert set(refusal.value.message_dict) == {"closes_at"}


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


@pytest.mark.parametrize(
    ("state", "to", "reason"),
    [
        ("published", "recalled", ""),
        ("published", "recalled", "  "),
        ("published", "draft", "why"),
        ("published", "published", "why"),
        ("draft", "closed", ""),
        ("recalled", "closed", ""),
        ("closed", "recalled", "why"),
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
    changed = services.moderate_review(review, moderator=moderator, now=NOW + HOUR, **decision)
    review.refresh_from_db()
    return changed


def test_a_review_is_published_with_an_answer(parent: User) -> None:
    review = services.submit_review(author=parent, text="Рақмет!", now=NOW)
    assert moderate(review, publish=True, answer=" Сізге де рақмет! ")
    assert (review.state, review.answer) == ("published", "Сізге де рақмет!")
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
    moderate(review, publish=True, answer="Рақмет")
    assert moderate(review, publish=False, reason="names a child")
    assert moderate(review, publish=True)
    assert (review.state, review.moderation_reason, review.answer) == ("published", "", "Рақмет")


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
