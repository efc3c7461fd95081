"""The minute it opens: one press, one SQL statement, one answer.

The database function in `press_for_a_place.sql` does all of it in one round trip, by its own clock, and also checks who
is asking. `eligibility.why_not` explains the same to a page; a property test compares it with a reference that makes a
bid step by step. The reasons are in docs/adr/0007-one-statement-bid.md.
"""

from enum import StrEnum
from uuid import UUID

from django.db import InternalError, OperationalError, connection
from psycopg2.errors import DeadlockDetected, LockNotAvailable, RaiseException

from applications.preview import is_preview
from applications.refusals import Refusal
from notifications.broker import wake_soon
from notifications.clock import stopped_clock

# With these words `bid_answer_due` raises where it would have to guess.
_CALENDAR_ENDS = "The working-day calendar does not reach"

_PRESS = "SELECT press_for_a_place(%s::uuid, %s, %s::uuid, %s::uuid, %s)"


class Outcome(StrEnum):
    PLACED = "placed"
    AGAIN = "again"
    # Something in the application may have ended: call `access.settling.settle`, then press again.
    RAN_OUT = "ran_out"
    # Not signed in (any more), blocked, no guardian, or no such application or place.
    UNKNOWN = "unknown"


def press(*, user_id: str, password_stamp: str, application_id: UUID, vacancy_id: UUID) -> Outcome | Refusal:
    """Place the bid, or say why not. Call it outside of a transaction: the one statement is the transaction.

    `user_id` and `password_stamp` are the session's (`User.get_session_auth_hash`). The account must be active with
    that password and a guardian of the child now, and `eligibility.why_not` must have no objection. Locks the
    application, then the vacancy; BUSY if a lock could not be taken in three seconds, NO_LAST_DAY where the calendar of
    working days ends. A worker tells the family.
    """
    if is_preview():
        return Refusal.PREVIEW
    try:
        with connection.cursor() as cursor:
            cursor.execute(_PRESS, [user_id, password_stamp, application_id, vacancy_id, stopped_clock()])
            answer = cursor.fetchone()[0]
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return Refusal.BUSY
        raise
    except InternalError as error:
        if isinstance(error.__cause__, RaiseException) and _CALENDAR_ENDS in str(error):
            return Refusal.NO_LAST_DAY
        raise
    if answer == Outcome.PLACED:
        wake_soon(TELL_TASK)
    return Outcome(answer) if answer in set(Outcome) else Refusal(answer)


TELL_TASK = "applications.tasks.tell_placed_bids"
