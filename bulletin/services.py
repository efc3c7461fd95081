"""Changes to the public offer: publishing and ending vacancies, pauses of bidding, reviews."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from bulletin.calendar import working_calendar
from bulletin.journal_actions import Action
from bulletin.models import Kindergarten, Locality, MovedOpening, Pause, Review, Vacancy
from bulletin.moderation import subject_of
from bulletin.reopening import NewOpening, is_stopped, moved_window, next_day
from bulletin.workdays import Calendar, NoCalendar

PENDING_REVIEWS_AT_ONCE = 3


# --- vacancies -----------------------------------------------------------------------------------------------


def set_published(
    vacancy: Vacancy,
    *,
    priority_until: datetime | None,
    short_notice_reason: str = "",
    now: datetime,
) -> None:
    """Put a draft into the bulletin. A primitive of `applications.bidding.publication`, which decides whether it may.

    The reason for a short notice is one that everyone can read. The caller is in a transaction and holds the vacancy's
    lock. Raises ValueError for anything but a draft.
    """
    if vacancy.state != Vacancy.State.DRAFT:
        raise ValueError(f"A vacancy is published from draft, not from {vacancy.state}.")
    vacancy.state = Vacancy.State.PUBLISHED
    vacancy.priority_until = priority_until
    vacancy.published_at = now
    vacancy.short_notice_reason = short_notice_reason
    vacancy.save(update_fields=["state", "priority_until", "published_at", "short_notice_reason"])


def end(vacancy: Vacancy, state: Vacancy.State, *, reason: str, now: datetime) -> None:
    """Take a published vacancy out of the bulletin: RECALLED, with a reason for the families, or CLOSED.

    A closed one can still be recalled.

    A primitive of `applications.bidding.publication`, which handles the bids. The caller is in a transaction and
    holds the vacancy's lock. Raises ValueError for any other state.
    """
    if state not in {Vacancy.State.RECALLED, Vacancy.State.CLOSED}:
        raise ValueError(f"A vacancy does not end as {state}.")
    is_again = vacancy.state == Vacancy.State.CLOSED and state == Vacancy.State.RECALLED
    if vacancy.state != Vacancy.State.PUBLISHED and not is_again:
        raise ValueError(f"A vacancy that is {vacancy.state} can't become {state}.")
    if state == Vacancy.State.RECALLED and not reason.strip():
        raise ValueError("A recall needs a reason.")
    vacancy.state = state
    vacancy.end_reason = reason.strip()
    vacancy.ended_at = now
    vacancy.save(update_fields=["state", "end_reason", "ended_at"])


def set_awarded(vacancy: Vacancy, *, now: datetime) -> None:
    """Note when the collected bids were first awarded; later runs change nothing.

    A primitive of `applications.bidding.publication`. The caller is in a transaction and holds the vacancy's lock.
    """
    if vacancy.awarded_at is None:
        vacancy.awarded_at = now
        vacancy.save(update_fields=["awarded_at"])


# --- pauses --------------------------------------------------------------------------------------------------


@transaction.atomic
def pause_bidding(
    *, locality: Locality | None, notice_kk: str, notice_ru: str, actor: User, now: datetime
) -> Pause:
    """Accept no more bids in `locality`, or anywhere (None), until `resume_bidding`. Existing bids stay.

    Families read the notice in their language. Raises ValidationError for an empty notice, and if a pause of the same
    scope is running. Takes no lock, so it begins at once even in a rush. A bid under way that has not seen the pause
    read the clock before it began, and stands.
    """
    notices = {"notice_kk": notice_kk.strip(), "notice_ru": notice_ru.strip()}
    if not all(notices.values()):
        raise ValidationError(_("Write the notice in both languages."))
    try:
        with transaction.atomic():
            pause = Pause.objects.create(locality=locality, started_at=now, started_by=actor, **notices)
    except IntegrityError as error:
        raise ValidationError(_("Bidding is already paused there.")) from error
    audit.record(Action.BIDDING_PAUSED, actor=actor, target=pause.scope, reason=notices["notice_kk"], now=now)
    return pause


@transaction.atomic
def resume_bidding(
    pause: Pause, *, new_opening: NewOpening | None = None, actor: User, now: datetime
) -> list[Vacancy]:
    """End a pause and give families the lost time back. Returns the vacancies whose deadlines moved.

    A vacancy whose opening the pause stopped (`bulletin.reopening.is_stopped`) never opens at once, but at
    `new_opening` (None: the next day, at its own hour); a `MovedOpening` tells everyone. The others go on now. What was
    still ahead of a vacancy when the pause began, its priority window and its end, moves by the time that was lost.
    Vacancies that open later keep their announced times. If another pause is still running, only the time that it does
    not cover is given back now. A vacancy awarded before the pause was seen stays over. Each new deadline is logged.
    Raises ValidationError for a pause that has ended, and for a new opening that is not later than `now`. Locks the
    running pauses, then the vacancies, in pk order.
    """
    running = list(Pause.objects.select_for_update(of=("self",)).filter(ended_at=None).order_by("pk"))
    # The locked row: the caller's stays as it is if this is refused.
    pause = next((one for one in running if one.pk == pause.pk), pause)
    if pause not in running:
        raise ValidationError(_("This pause has already ended."))
    pause.ended_at, pause.ended_by = now, actor
    pause.save(update_fields=["ended_at", "ended_by"])
    calendar = _calendar_or_none()
    moved = []
    for vacancy in touched_by(pause).select_for_update(of=("self",), no_key=True):
        until = end_of_effect(pause, vacancy, running=running, now=now)
        if until is None:
            continue
        before = {name: getattr(vacancy, name) for name in DEADLINES}
        after = deadlines_after(
            vacancy,
            since=pause.started_at,
            until=until,
            new_opening=new_opening or next_day(now.astimezone(vacancy.locality.zone)),
            calendar=calendar,
        )
        for name, at in after.items():
            setattr(vacancy, name, at)
        if _keep_moved(vacancy, before, pause=pause, actor=actor, now=now):
            moved.append(vacancy)
    audit.record(
        Action.BIDDING_RESUMED,
        actor=actor,
        target=pause.scope,
        reason=_("Vacancies whose deadlines moved: %(count)s") % {"count": len(moved)},
        now=now,
    )
    return moved


DEADLINES = ("opens_at", "priority_until", "closes_at")


def touched_by(pause: Pause) -> QuerySet[Vacancy]:
    """The published vacancies of a pause's scope, in the order of their keys."""
    vacancies = Vacancy.objects.filter(state=Vacancy.State.PUBLISHED)
    if pause.locality is not None:
        vacancies = vacancies.filter(group__kindergarten__locality=pause.locality)
    return vacancies.select_related("group__kindergarten__locality").order_by("pk")


def end_of_effect(
    pause: Pause, vacancy: Vacancy, *, running: Iterable[Pause], now: datetime
) -> datetime | None:
    """Up to when a pause that ends at `now` took time from `vacancy`; None if it took none that is to be given back.

    `running` are the pauses that ran before it ended: the time under another one is given back when that one ends.
    """
    others = [
        one.started_at
        for one in running
        if one.pk != pause.pk and one.locality_id in (None, vacancy.locality.pk)
    ]
    until = min([now, *others])
    took_time = pause.started_at < until and vacancy.opens_at <= until and vacancy.awarded_at is None
    return until if took_time else None


def deadlines_after(
    vacancy: Vacancy,
    *,
    since: datetime,
    until: datetime,
    new_opening: NewOpening,
    calendar: Calendar | None,
) -> dict[str, datetime | None]:
    """The deadlines of `vacancy` after a pause that took the time from `since` to `until`; saves nothing."""
    zone = vacancy.locality.zone
    resumes_at, opens_at = until, vacancy.opens_at
    if is_stopped(vacancy, since=since):
        resumes_at = opens_at = new_opening.of(opens_at.astimezone(zone)).astimezone(UTC)
    stopped_at = max(since, vacancy.opens_at)
    window, closes_at = vacancy.priority_until, vacancy.closes_at
    if window is not None and window > since:
        window = moved_window(
            window.astimezone(zone),
            stopped_at=stopped_at.astimezone(zone),
            resumes_at=resumes_at.astimezone(zone),
            calendar=calendar,
        ).astimezone(UTC)
    if closes_at is not None and closes_at > since:
        closes_at += resumes_at - stopped_at
    return {"opens_at": opens_at, "priority_until": window, "closes_at": closes_at}


def _calendar_or_none() -> Calendar | None:
    try:
        return working_calendar()
    except NoCalendar:
        return None


def _keep_moved(
    vacancy: Vacancy, before: dict[str, datetime | None], *, pause: Pause, actor: User, now: datetime
) -> bool:
    """Save the deadlines of a locked vacancy that differ from `before`, with what tells of them; whether any does."""
    changed = [name for name in DEADLINES if before[name] != getattr(vacancy, name)]
    if not changed:
        return False
    was = before["opens_at"]
    if was is not None and "opens_at" in changed:
        if vacancy.opens_at <= now:
            raise ValidationError(_("The new opening must be later than now."))
        MovedOpening.objects.create(
            vacancy=vacancy, pause=pause, was=was, becomes=vacancy.opens_at, moved_at=now
        )
    vacancy.save(update_fields=changed)
    zone = vacancy.locality.zone
    moves = [
        f"{Vacancy._meta.get_field(name).verbose_name}: "  # type: ignore[union-attr]
        f"{localtime(before[name], zone):%d.%m.%Y %H:%M:%S} → "
        f"{localtime(getattr(vacancy, name), zone):%d.%m.%Y %H:%M:%S}"
        for name in changed
    ]
    audit.record(
        Action.DEADLINES_MOVED,
        actor=actor,
        target=str(vacancy),
        reason="; ".join(moves),
        about=vacancy,
        now=now,
    )
    return True


# --- reviews -------------------------------------------------------------------------------------------------


class TooManyReviewsError(Exception):
    """The author has as many reviews waiting for moderation as one person may."""


@transaction.atomic
def submit_review(
    *, author: User, text: str, kindergarten: Kindergarten | None = None, now: datetime
) -> Review:
    """Hand a review in for moderation; `kindergarten=None` is about the portal.

    The same words again are the same review (a double press). Raises `TooManyReviewsError` while
    `PENDING_REVIEWS_AT_ONCE` of the author's reviews are waiting.
    """
    pending = Review.objects.filter(author=author, state=Review.State.PENDING)
    same = pending.filter(text=text, kindergarten=kindergarten).first()
    if same is not None:
        return same
    if pending.count() >= PENDING_REVIEWS_AT_ONCE:
        raise TooManyReviewsError
    review = Review.objects.create(author=author, kindergarten=kindergarten, text=text, created_at=now)
    audit.record(
        Action.REVIEW_WRITTEN, actor=author, subject=author, target=subject_of(review), about=review, now=now
    )
    return review
