"""Into the queue, out of it, and back."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import F

from accounts.models import User
from applications.benefits.claims import expire_benefits_of
from applications.journal_actions import Action
from applications.models import Application, Event, Rules
from applications.moves import (
    Refused,
    announce,
    lock_application,
    locking,
    move,
    refuse_in_preview,
    refuse_side,
    refuse_stranger,
    write_event,
)
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.rules.running_out import first_end
from applications.states import LIVE_STATES, ApplicationState, Move
from bulletin.models import Language, Locality
from children.disputes import halts_of, standstill
from children.models import Child, GuardianClaim, Guardianship

# How long after an approval by papers an application still gets the date on which they were handed in.
FILE_WITHIN: Final = timedelta(days=14)
# How long the other guardians have to undo what one of them archived: they learn of it later, or not at once.
OTHERS_UNDO_FOR: Final = timedelta(days=14)


def file_application(
    *,
    child: Child,
    locality: Locality,
    languages: Collection[str],
    actor: User,
    assisted_by: User | None = None,
    now: datetime,
) -> Application:
    """Put a child into the queue of its birth year in `locality`, at `now`. Locks the child's row.

    `assisted_by` is the employee who files it for `actor`, by the same rules: the event and the journals name the
    employee. The first application after an approval by papers counts from when those were handed in (`FILE_WITHIN`).

    `languages` are one or more of `bulletin.models.Language`. Raises `Refused` (PREVIEW, ALREADY_FILED, UNCLAIMED,
    AGE, DISPUTED, BUSY), `ValueError` for unknown languages, `PermissionDenied` if `actor` is not a guardian of the
    child.
    """
    refuse_in_preview()
    known = [code for code in Language.values if code in languages]
    if not known or len(known) != len(set(languages)):
        raise ValueError("unknown languages of education")
    today = locality.day(now)
    if not rules_at(locality, now).admits(child.birth_year, on=today):
        raise Refused(Refusal.AGE)
    sequence = _next_sequence()
    try:
        with locking():
            # A «Stop» under way goes first: foreign keys by themselves are checked only at the commit.
            Child.objects.select_for_update(no_key=True).values_list("pk").get(pk=child.pk)
            refuse_stranger(child, actor)
            refuse_side(child, actor, begins=True)
            _refuse_beside_unclaimed(child)
            application = Application(
                number=f"{today:%y}-{sequence:06}",
                child=child,
                locality=locality,
                birth_year=child.birth_year,
                languages=known,
                filed_at=_handed_in_at(child, actor, now=now) or now,
                sequence=sequence,
                filed_by=actor,
                interest_confirmed_at=now,
            )
            application.runs_out_at = first_end(application, now=now)
            application.save(force_insert=True)
            _tell(application, actor=actor, assisted_by=assisted_by, now=now)
    except IntegrityError as error:
        _refuse_beside_unclaimed(child)
        if Application.objects.filter(child=child, state__in=LIVE_STATES).exists():
            raise Refused(Refusal.ALREADY_FILED) from error
        raise
    return application


def _refuse_beside_unclaimed(child: Child) -> None:
    """Raise `Refused(UNCLAIMED)` where the child waits since the former queue: that date would be lost."""
    if Application.objects.filter(child=child, state__in=LIVE_STATES, filed_by=None).exists():
        raise Refused(Refusal.UNCLAIMED)


def _tell(application: Application, *, actor: User, assisted_by: User | None, now: datetime) -> None:
    """Write the event, the messages and the journals, which name the employee where one filed it."""
    data = {"channel": "assisted"} if assisted_by else {}
    event = write_event(application, Move.FILE, before="", actor=assisted_by or actor, now=now, data=data)
    action = Action.FILED_BY_EMPLOYEE if assisted_by else Action.APPLICATION_FILED
    announce(event, "application_filed", action, by=actor, number=_number(application, now=now))


def file_by(claim: GuardianClaim) -> datetime | None:
    """The first instant at which an application no longer gets the date of an approved claim; None if none gets it."""
    assert claim.decided_at is not None
    return claim.decided_at + FILE_WITHIN if _keeps_its_date(claim) else None


def _keeps_its_date(claim: GuardianClaim) -> bool:
    """Whether the child was in no queue before, and had no other guardian who could have filed.

    So nobody gains an older date for a child who could wait already.
    """
    if Application.objects.filter(child=claim.child_id).exists():
        return False
    others = Guardianship.objects.filter(child=claim.child_id).exclude(user=claim.user_id)
    return not others.filter(added_at__lt=claim.decided_at).exists()


def _handed_in_at(child: Child, actor: User, *, now: datetime) -> datetime | None:
    """When `actor` handed in the papers for `child` that were approved lately; None if their date doesn't count."""
    approved = GuardianClaim.objects.filter(
        child=child, user=actor, state=GuardianClaim.State.APPROVED, decided_at__gt=now - FILE_WITHIN
    )
    claim = approved.order_by("-decided_at").first()
    return claim.made_at if claim is not None and _keeps_its_date(claim) else None


def archive(application: Application, *, actor: User, now: datetime) -> Application:
    """Take an application out of the queue at the family's request.

    `actor` can undo it for `Rules.archive_undo_hours`, any other guardian for `OTHERS_UNDO_FOR`. Those others get an
    SMS, too.
    """
    with locking():
        application = lock_application(application.pk)
        event = move(application, Move.ARCHIVE, actor=actor, now=now, archived_at=now)
        own, of_others = _undo_ends(application, rules=Rules.objects.all())
        announce(
            event,
            "application_archived",
            Action.APPLICATION_ARCHIVED,
            others="archived_by_other",
            others_read={"undo_until": of_others},
            undo_until=own,
        )
    return application


def archive_undo_until(application: Application, *, by: User, now: datetime) -> datetime:
    """The first instant at which `by` can't restore an archived application any more, as it stands at `now`.

    It stands still while a guardian of the child is disputed.
    """
    return archive_undo_ends([application], by=by, now=now)[application.pk]


def archive_undo_ends(
    applications: Collection[Application], *, by: User, now: datetime
) -> dict[UUID, datetime]:
    """`archive_undo_until` of each of these archived applications. Three queries, however many they are."""
    rules, ends = list(Rules.objects.all()), {}
    halts = halts_of(application.child_id for application in applications)
    archivers = _archivers(applications)
    for application in applications:
        assert application.archived_at is not None
        own, of_others = _undo_ends(application, rules=rules)
        until = own if archivers.get(application.pk) == by.pk else of_others
        halted = standstill(
            halts.get(application.child_id, []), since=application.archived_at, until=until, now=now
        )
        ends[application.pk] = until + halted
    return ends


def _undo_ends(application: Application, *, rules: Iterable[Rules]) -> tuple[datetime, datetime]:
    """Until when whoever archived it may restore it, and until when any other guardian may."""
    assert application.archived_at is not None
    own = undo_until(application.locality, archived_at=application.archived_at, rules=rules)
    return own, max(own, application.archived_at + OTHERS_UNDO_FOR)


def _archivers(applications: Iterable[Application]) -> dict[UUID, Any]:
    """Who last archived each of these applications, by their ids. One query."""
    archived = Event.objects.filter(application__in=list(applications), move=Move.ARCHIVE)
    newest = archived.order_by("application", "-id").distinct("application")
    return dict(newest.values_list("application", "actor"))


def undo_until(
    locality: Locality, *, archived_at: datetime, rules: Iterable[Rules] | None = None
) -> datetime:
    """Until when a guardian could undo their own archiving at that moment in `locality`; `rules` as in `rules_at`."""
    return archived_at + timedelta(hours=rules_at(locality, archived_at, rules=rules).archive_undo_hours)


def last_moves(applications: Iterable[Application]) -> dict[UUID, Move]:
    """The move that led each of these applications to the state in which it is. One query.

    What came later and left the state as it was, like the end of an offer, is passed over.
    """
    led_elsewhere = Event.objects.exclude(from_state=F("to_state"))
    newest = led_elsewhere.filter(application__in=list(applications)).order_by("application", "-id")
    moves = newest.distinct("application").values_list("application", "move")
    return {application: Move(move) for application, move in moves}


def was_archived_by_family(application: Application) -> bool:
    """Whether the family archived the application itself, rather than a rule closing it."""
    return last_moves([application]).get(application.pk) == Move.ARCHIVE


def restorable_of(child: Child, *, by: User, now: datetime) -> tuple[Application, datetime] | None:
    """The application of `child` that `by` can still restore at `now`, and the first instant when they can't."""
    archived = list(
        child.applications.filter(state=ApplicationState.ARCHIVED)
        .select_related("locality", "child")
        .order_by("-archived_at")
    )
    moves, ends = last_moves(archived), archive_undo_ends(archived, by=by, now=now)
    for application in archived:
        if now < ends[application.pk] and moves.get(application.pk) == Move.ARCHIVE:
            return application, ends[application.pk]
    return None


def restore(application: Application, *, actor: User, now: datetime) -> Application:
    """Undo the family's own archiving in time (`archive_undo_until`): it waits again at its original date.

    Raises `Refused` (NOT_RESTORABLE if it was closed by age or for lack of interest, UNDO_OVER, ALREADY_FILED if the
    child has got another application, DISPUTED, NOT_ALLOWED).
    """
    try:
        with locking():
            application = lock_application(application.pk)
            if application.state != ApplicationState.ARCHIVED:
                raise Refused(Refusal.NOT_ALLOWED)
            if not was_archived_by_family(application):
                raise Refused(Refusal.NOT_RESTORABLE)
            if now >= archive_undo_until(application, by=actor, now=now):
                raise Refused(Refusal.UNDO_OVER)
            event = move(
                application, Move.RESTORE, actor=actor, now=now, archived_at=None, interest_confirmed_at=now
            )
            # What ran out meanwhile must not count even for a moment.
            application = expire_benefits_of(application, now=now)
            number = _number(application, now=now)
            announce(event, "application_restored", Action.APPLICATION_RESTORED, number=number)
    except IntegrityError as error:
        raise Refused(Refusal.ALREADY_FILED) from error
    return application


def _next_sequence() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('application_sequence')")
        return int(cursor.fetchone()[0])


def _number(application: Application, *, now: datetime) -> int:
    place = position(application, now=now)
    assert place is not None  # it has just begun to wait
    return place.number
