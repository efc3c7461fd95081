"""A page of the audit among any number of entries: newest first, by who, whom, what and when.

Every search runs along one index and reads at most the rows of its page for each person and action that is asked for:
it costs the same among a thousand entries and among millions. Nothing is counted. A page goes on where the one before
it ended (`Place`), not after so many rows.

There is no index by time alone: for a rare action the planner, which doesn't know that it is rare, would walk along it
through the whole table. Everything is therefore asked for as every action.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from accounts import journal
from accounts.models import AuditEntry

# The statement that finds a page; `{legs}` are rows of `id` and `at`.
_PAGE: Final = "SELECT id FROM ({legs}) found ORDER BY at DESC, id DESC LIMIT %(limit)s"
# The newest entries of one leg that are older than a place; `{where}` begins the index in which they stand in order.
_LEG: Final = (
    "SELECT id, at FROM accounts_auditentry WHERE {where} AND at >= %(since)s AND (at, id) < (%(at)s, %(id)s) "
    "ORDER BY at DESC, id DESC LIMIT %(limit)s"
)
_SPANS: Final = (
    "unnest(%(abouts)s::text[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS span (key, since, until)"
)
# Pairs, since of a range with unknown bounds the planner thinks that it is short, and sorts it whole.
_WITHIN: Final = (
    "about = span.key AND about <> '' AND (at, id) >= (span.since, 0) AND (at, id) < (span.until, 0)"
)
_FIRST: Final = "-infinity"
_LAST: Final = "infinity"


class Place(NamedTuple):
    """Where a page ends: the next one holds what is older."""

    at: datetime
    id: int


class Span(NamedTuple):
    """What was done to one thing (`audit.key_of`), from `since` until before `until`; None has no bound."""

    about: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """What is asked for: None is anything. `since` belongs to it, `until` does not.

    `subjects` are the people concerned, `targets` exact names of what it was done to, `spans` the things themselves:
    any of them will do.
    """

    actors: Collection[UUID] | None = None
    subjects: Collection[UUID] | None = None
    targets: Collection[str] = ()
    spans: Collection[Span] = ()
    actions: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(wanted: Wanted, *, before: Place | None = None, limit: int) -> list[AuditEntry]:
    """The newest `limit` entries that are wanted and older than `before`, with their people. Two statements."""
    ids = _ids(wanted, before=before, limit=limit)
    found = AuditEntry.objects.select_related("actor__employee", "subject__employee").in_bulk(ids)
    return [found[one] for one in ids if one in found]


def entries(wanted: Wanted, *, limit: int, at_once: int = 1000) -> Iterator[AuditEntry]:
    """All that are wanted, newest first, at most `limit`; `at_once` of them are held."""
    before, left = None, limit
    while left > 0:
        found = page(wanted, before=before, limit=min(at_once, left))
        yield from found
        if len(found) < min(at_once, left):
            return
        left -= len(found)
        before = place_of(found[-1])


def place_of(entry: AuditEntry) -> Place:
    """Where a page ends whose last entry is this one."""
    return Place(entry.at, entry.pk)


def _ids(wanted: Wanted, *, before: Place | None, limit: int) -> list[int]:
    statement, values = statement_for(wanted, before=before, limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def statement_for(wanted: Wanted, *, before: Place | None = None, limit: int) -> tuple[str, dict[str, Any]]:
    """The statement that finds the ids of a page, and its values."""
    at, key = before or (wanted.until, 0)
    if wanted.until is not None and at is not None and at >= wanted.until:
        at, key = wanted.until, 0
    values = {
        "since": wanted.since or _FIRST,
        # A place without an instant is behind everything.
        "at": at or _LAST,
        "id": key,
        "limit": limit,
        "actors": [str(one) for one in wanted.actors or ()],
        "subjects": [str(one) for one in wanted.subjects or ()],
        "actions": list(_actions(wanted)),
        "targets": list(wanted.targets),
        "abouts": [one.about for one in wanted.spans],
        "from": [one.since or _FIRST for one in wanted.spans],
        "to": [one.until or _LAST for one in wanted.spans],
    }
    return _PAGE.format(legs=" UNION ".join(_legs(wanted))), values


def _actions(wanted: Wanted) -> Collection[str]:
    return [value for value, _title in journal.titles()] if wanted.actions is None else wanted.actions


def _legs(wanted: Wanted) -> list[str]:
    """Where to look: few entries concern one family, so whom comes first, then who, then what."""
    if wanted.subjects is not None or wanted.targets or wanted.spans:
        also = _also(wanted)
        # The planner takes a partial index only where it is said that the value is none of those left out.
        return [
            _each("unnest(%(subjects)s::uuid[]) AS subject", leg=f"subject_id = subject{also}"),
            _each("unnest(%(targets)s::text[]) AS name", leg=f"target = name AND target <> ''{also}"),
            _each(_SPANS, leg=f"{_WITHIN}{also}"),
        ]
    if wanted.actors is not None:
        both = "unnest(%(actors)s::uuid[]) AS actor, unnest(%(actions)s::text[]) AS act"
        return [_each(both, leg="actor_id = actor AND action = act")]
    return [_each("unnest(%(actions)s::text[]) AS act", leg="action = act")]


def _each(source: str, *, leg: str) -> str:
    """The leg for each row of `source`."""
    return f"SELECT leg.id, leg.at FROM {source}, LATERAL ({_LEG.format(where=leg)}) leg"  # noqa: S608


def _also(wanted: Wanted) -> str:
    """What else is asked for, of the few entries about one family."""
    actors = " AND actor_id = ANY (%(actors)s::uuid[])" if wanted.actors is not None else ""
    actions = " AND action = ANY (%(actions)s::text[])" if wanted.actions is not None else ""
    return actors + actions
