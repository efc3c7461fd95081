"""Changes to the public offer: publishing and ending vacancies, pauses of bidding, reviews."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from bulletin.journal_actions import Action
from bulletin.models import Group, Kindergarten, Locality, Pause, Review, Vacancy
from bulletin.selectors import published_vacancies

# A vacancy is for children born at most this many years before its opening.
OLDEST_BIRTH_YEAR_AGE = 8
PENDING_REVIEWS_AT_ONCE = 3


# --- vacancies -----------------------------------------------------------------------------------------------


def check_vacancy(vacancy: Vacancy, *, now: datetime, lead: timedelta, is_short_notice: bool = False) -> None:
    """Whether the vacancy could be published at `now`. Raises ValidationError with the messages by field.

    Its places must fit into the group, together with the group's other vacancies in the bulletin at `now`. It must
    open `lead` after `now` at the earliest (at short notice: not before `now`), and before it closes. Its birth years
    must be those of kindergarten children in the year of the opening, none twice. Collected bids must be collected for
    `lead` at least.
    """
    errors: dict[str, list[str]] = {}
    opening_errors = list(_opening_errors(vacancy, now=now, lead=timedelta(0) if is_short_notice else lead))
    # The years are judged by the opening: with a wrong opening they would be called wrong too.
    year_errors = [] if opening_errors else list(_year_errors(vacancy))
    closing_errors = list(_closing_errors(vacancy, lead=lead))
    for name, message in [*_seat_errors(vacancy, now=now), *opening_errors, *year_errors, *closing_errors]:
        errors.setdefault(name, []).append(message)
    if errors:
        raise ValidationError(errors)


def _seat_errors(vacancy: Vacancy, *, now: datetime) -> Iterable[tuple[str, str]]:
    capacity = vacancy.group.capacity
    if vacancy.seats_total < 1:
        yield "seats_total", _("There must be at least one place.")
    elif vacancy.seats_total > capacity:
        yield (
            "seats_total",
            _("More places than the group has room for: %(capacity)s") % {"capacity": capacity},
        )
    else:
        left = capacity - seats_in_bulletin(vacancy.group, now=now, without=vacancy)
        if vacancy.seats_total > left:
            yield (
                "seats_total",
                _("Other vacancies of this group are in the bulletin. Places left for this one: %(left)s")
                % {"left": max(left, 0)},
            )


def seats_in_bulletin(group: Group, *, now: datetime, without: Vacancy | None = None) -> int:
    """The places that the group's vacancies in the bulletin offer at `now`, including taken ones.

    Vacancies whose end is delayed by a pause count too.
    """
    current = published_vacancies(now=now).filter(group=group)
    if without is not None:
        current = current.exclude(pk=without.pk)
    return current.aggregate(seats=Sum("seats_total"))["seats"] or 0


def _year_errors(vacancy: Vacancy) -> Iterable[tuple[str, str]]:
    years = vacancy.birth_years
    latest = vacancy.locality.day(vacancy.opens_at).year
    earliest = latest - OLDEST_BIRTH_YEAR_AGE
    if not years:
        yield "birth_years", _("Name at least one birth year.")
    elif len(set(years)) != len(years):
        yield "birth_years", _("A birth year is named twice.")
    elif not all(earliest <= year <= latest for year in years):
        yield (
            "birth_years",
            _("Birth years must be within: %(earliest)s – %(latest)s")
            % {"earliest": earliest, "latest": latest},
        )


def _opening_errors(vacancy: Vacancy, *, now: datetime, lead: timedelta) -> Iterable[tuple[str, str]]:
    earliest = now + lead
    if vacancy.opens_at < earliest:
        whole_minute = (earliest + timedelta(seconds=60) - timedelta(microseconds=1)).replace(
            second=0, microsecond=0
        )
        yield (
            "opens_at",
            _("Families must be able to read of a place before it opens. The earliest opening: %(earliest)s")
            % {"earliest": f"{localtime(whole_minute, vacancy.locality.zone):%d.%m.%Y %H:%M}"},
        )


def _closing_errors(vacancy: Vacancy, *, lead: timedelta) -> Iterable[tuple[str, str]]:
    is_collected = vacancy.mode == Vacancy.Mode.QUEUE_ORDER
    if vacancy.closes_at is None:
        if is_collected:
            yield "closes_at", _("Bids are collected until an end: name it.")
    elif vacancy.closes_at <= vacancy.opens_at:
        yield "closes_at", _("The end must be later than the opening.")
    elif is_collected and vacancy.closes_at < vacancy.opens_at + lead:
        yield (
            "closes_at",
            _("All who match need time to send a bid. Bids are collected for at least, hours: %(hours)s")
            % {"hours": int(lead / timedelta(hours=1))},
        )


def set_published(
    vacancy: Vacancy,
    *,
    priority_until: datetime | None,
    lead: timedelta,
    short_notice_reason: str = "",
    now: datetime,
) -> None:
    """Put a draft into the bulletin. A primitive of `applications.bidding.publication`, which decides about priority.

    With a reason, which everyone can read, it may open earlier than `lead` after its publication. The caller is in a
    transaction and holds the vacancy's lock; the group is locked too, so that two vacancies can't fill the same group
    at once. Raises ValidationError (`check_vacancy`), and ValueError for anything but a draft.
    """
    if vacancy.state != Vacancy.State.DRAFT:
        raise ValueError(f"A vacancy is published from draft, not from {vacancy.state}.")
    Group.objects.select_for_update().get(pk=vacancy.group_id)
    check_vacancy(vacancy, now=now, lead=lead, is_short_notice=bool(short_notice_reason))
    vacancy.state = Vacancy.State.PUBLISHED
    vacancy.priority_until = priority_until
    vacancy.published_at = now
    vacancy.short_notice_reason = short_notice_reason
    vacancy.save(update_fields=["state", "priority_until", "published_at", "short_notice_reason"])


def end(vacancy: Vacancy, state: Vacancy.State, *, reason: str, now: datetime) -> None:
    """Take a published vacancy out of the bulletin: RECALLED, with a reason for the families, or CLOSED.

    A primitive of `applications.bidding.publication`, which handles the bids. The caller is in a transaction and
    holds the vacancy's lock. Raises ValueError for any other state.
    """
    if vacancy.state != Vacancy.State.PUBLISHED:
        raise ValueError(f"Only a published vacancy can be ended, not one that is {vacancy.state}.")
    if state not in {Vacancy.State.RECALLED, Vacancy.State.CLOSED}:
        raise ValueError(f"A vacancy does not end as {state}.")
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
def resume_bidding(pause: Pause, *, actor: User, now: datetime) -> list[Vacancy]:
    """End a pause and give families the lost time back. Returns the vacancies whose deadlines moved.

    A vacancy that was to open during the pause opens now. Its priority window and its end move by the pause's length if
    they were still ahead when the pause began. Vacancies that open later keep their announced times. If another pause
    is still running, only the time that it does not cover is given back now. A vacancy awarded before the pause was
    seen stays over. Each new deadline is logged.
    Raises ValidationError for a pause that has ended. Locks the running pauses, then the vacancies, in pk order.
    """
    running = list(Pause.objects.select_for_update(of=("self",)).filter(ended_at=None).order_by("pk"))
    if pause.pk not in [one.pk for one in running]:
        raise ValidationError(_("This pause has already ended."))
    pause.ended_at, pause.ended_by = now, actor
    pause.save(update_fields=["ended_at", "ended_by"])
    moved = []
    for vacancy in _locked_vacancies(pause.locality):
        others = [
            one.started_at
            for one in running
            if one.pk != pause.pk and one.locality_id in (None, vacancy.locality.pk)
        ]
        if _give_back(vacancy, since=pause.started_at, until=min([now, *others]), actor=actor, now=now):
            moved.append(vacancy)
    audit.record(
        Action.BIDDING_RESUMED,
        actor=actor,
        target=pause.scope,
        reason=_("Vacancies whose deadlines moved: %(count)s") % {"count": len(moved)},
        now=now,
    )
    return moved


def _locked_vacancies(locality: Locality | None) -> QuerySet[Vacancy]:
    """The published vacancies of a pause's scope, locked in the order of their keys."""
    vacancies = Vacancy.objects.filter(state=Vacancy.State.PUBLISHED)
    if locality is not None:
        vacancies = vacancies.filter(group__kindergarten__locality=locality)
    return (
        vacancies.select_related("group__kindergarten__locality")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )


def _give_back(vacancy: Vacancy, *, since: datetime, until: datetime, actor: User, now: datetime) -> bool:
    """Move the deadlines of a locked vacancy by the time from `since` to `until`; returns whether any moved."""
    if until <= since or vacancy.opens_at > until or vacancy.awarded_at is not None:
        return False
    before = {name: getattr(vacancy, name) for name in ("opens_at", "priority_until", "closes_at")}
    after = {
        name: at + (until - since) if at is not None and at > since else at for name, at in before.items()
    }
    after["opens_at"] = until if vacancy.opens_at >= since else vacancy.opens_at
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return False
    for name in changed:
        setattr(vacancy, name, after[name])
    vacancy.save(update_fields=changed)
    zone = vacancy.locality.zone
    moves = [
        f"{Vacancy._meta.get_field(name).verbose_name}: "  # type: ignore[union-attr]
        f"{localtime(before[name], zone):%d.%m.%Y %H:%M:%S} → {localtime(after[name], zone):%d.%m.%Y %H:%M:%S}"
        for name in changed
    ]
    audit.record(Action.DEADLINES_MOVED, actor=actor, target=str(vacancy), reason="; ".join(moves), now=now)
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
    audit.record(Action.REVIEW_WRITTEN, actor=author, subject=author, target=_subject(review), now=now)
    return review


@transaction.atomic
def moderate_review(
    review: Review,
    *,
    moderator: User,
    publish: bool,
    reason: str = "",
    answer: str | None = None,
    now: datetime,
) -> bool:
    """Publish a review, or withdraw or refuse it with a reason for its author.

    `answer` is shown below a published review; None keeps the present one. A decision may be changed later. Returns
    whether anything changed: repeating a decision changes nothing. Raises ValueError for a refusal without a reason.
    Locks the review's row.
    """
    if not publish and not reason.strip():
        raise ValueError("A refusal needs a reason.")
    locked = Review.objects.select_for_update().get(pk=review.pk)
    state = Review.State.PUBLISHED if publish else Review.State.REJECTED
    new_answer = locked.answer if answer is None else answer.strip()
    if locked.state == state and new_answer == locked.answer:
        return False
    locked.state, locked.answer = state, new_answer
    locked.moderation_reason = "" if publish else reason.strip()
    locked.moderated_at, locked.moderated_by = now, moderator
    locked.save()
    audit.record(
        Action.REVIEW_MODERATED,
        actor=moderator,
        subject=locked.author,
        target=_subject(locked),
        reason=locked.moderation_reason,
        now=now,
    )
    return True


def _subject(review: Review) -> str:
    """What the review is about, for the journal."""
    return review.kindergarten.name_kk if review.kindergarten else ""
