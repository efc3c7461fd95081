"""Who is looking at the bulletin, read in one statement, since thousands of signed-in families look at once.

The database function in `look_at_the_bulletin.sql` reads what the header and the list show to a family. If it can't
tell, the page goes through `applications.access.family` as usual.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from applications.bidding.board import Waiting
from applications.states import ApplicationState

_LOOK = "SELECT * FROM look_at_the_bulletin(%s::uuid, %s, %s)"


@dataclass(frozen=True)
class Onlooker:
    """A visitor or a family: its unread notices, where it looks for places, and its waiting applications."""

    is_signed_in: bool = False
    unread: int = 0
    places: frozenset[int] = frozenset()
    waiting: tuple[Waiting, ...] = ()

    @property
    def wishes(self) -> frozenset[tuple[int, int, tuple[str, ...]]]:
        """Which places its children look for: locality, birth year and languages. Many families wish for the same."""
        return frozenset((one.locality_id, one.birth_year, tuple(one.languages)) for one in self.waiting)


class _Row(NamedTuple):
    # The application's state, or "disputed" if this guardian may not bid for the child now.
    state: str
    ran_out: bool
    waiting: Waiting


def look(*, user_id: str, password_stamp: str, now: datetime) -> Onlooker | None:
    """The family of an active account with that password, as of `now`. The arguments are the session's.

    None if the page must load the family as usual: there is no such account (any more), or something ran out that no
    sweep has ended yet, and ending it would change what is available to the family.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [user_id, password_stamp, now])
        found = cursor.fetchall()
    family = [_Row(row[1], row[2], Waiting(*row[3:])) for row in found if row[1] is not None]
    if not found or any(row.ran_out for row in family):
        return None
    return Onlooker(
        is_signed_in=True,
        unread=found[0][0],
        places=frozenset(row.waiting.locality_id for row in family),
        waiting=tuple(row.waiting for row in family if row.state == ApplicationState.WAITING),
    )
