"""How many are in each part of each queue, stored so that computing a number need not count thousands of rows.

A bucket is a locality, a birth year, a tier and a month of filing; the rows of `QueueCount` with one key add up to how
many stand in it. A trigger on applications appends a +1 or a -1 in the writer's own transaction, so in every snapshot
the sums are what counting would give (docs/adr/0006-queue-counts.md). This module only tidies up and checks: numbers
are exact even if none of it ever runs.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection, transaction

from applications.models import QueueCount
from applications.states import QUEUED_STATES

logger = logging.getLogger(__name__)

_KEY = "locality_id, birth_year, tier, month"

_FOLD = f"""
    WITH loose AS (SELECT DISTINCT {_KEY} FROM applications_queuecount WHERE NOT folded),
    taken AS (
        DELETE FROM applications_queuecount USING loose
        WHERE (applications_queuecount.locality_id, applications_queuecount.birth_year,
               applications_queuecount.tier, applications_queuecount.month)
            = (loose.locality_id, loose.birth_year, loose.tier, loose.month)
        RETURNING applications_queuecount.*
    ),
    put AS (
        INSERT INTO applications_queuecount ({_KEY}, n, folded)
        SELECT {_KEY}, sum(n), true FROM taken GROUP BY {_KEY} HAVING sum(n) <> 0
    )
    SELECT count(*) FROM taken WHERE NOT folded
"""  # noqa: S608 - names only

_COUNTED = f"""
    SELECT locality_id, birth_year, tier, date_trunc('month', filed_at AT TIME ZONE 'UTC')::date AS month,
           count(*) AS n
    FROM applications_application WHERE state IN %(queued)s GROUP BY {_KEY}
"""  # noqa: S608 - names only

_DIFFERENCES = f"""
    SELECT {_KEY}, coalesce(kept.n, 0), coalesce(counted.n, 0)
    FROM (SELECT {_KEY}, sum(n) AS n FROM applications_queuecount GROUP BY {_KEY}) AS kept
    FULL JOIN ({_COUNTED}) AS counted USING ({_KEY})
    WHERE coalesce(kept.n, 0) <> coalesce(counted.n, 0)
    ORDER BY {_KEY}
"""  # noqa: S608 - names only

# One fold at a time: two would lock the same rows in different orders.
_FOLD_LOCK = 0x71756575


@dataclass(frozen=True)
class BucketDifference:
    """A bucket whose `kept` sum, on which numbers rest, differs from the `counted` applications."""

    locality_id: int
    birth_year: int
    tier: int
    month: date
    kept: int
    counted: int


def bucket_month(filed_at: datetime) -> date:
    """The month of a filing time, as buckets name it: its first day, in UTC."""
    return filed_at.astimezone(UTC).date().replace(day=1)


def fold_buckets() -> int:
    """Add up the rows of every bucket that changed since the last fold. Returns how many changes were folded.

    No sum changes, so numbers stay exact while it runs. It blocks nobody, and does nothing while another fold runs.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLD_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_FOLD)
        return int(cursor.fetchone()[0])


def bucket_differences() -> list[BucketDifference]:
    """Every bucket whose sum is wrong, in one snapshot; none, unless the trigger was bypassed.

    Counts every application that stands in a queue: for a nightly job and for operators, not for a page.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, {"queued": tuple(QUEUED_STATES)})
        return [BucketDifference(*row) for row in cursor.fetchall()]


def rebuild_buckets() -> int:
    """Count all buckets from scratch. Returns how many there are.

    Filing and leaving wait for it (about a second per million applications); numbers can be read.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE applications_queuecount IN SHARE ROW EXCLUSIVE MODE")
        QueueCount.objects.all().delete()
        cursor.execute(
            f"INSERT INTO applications_queuecount ({_KEY}, n, folded) "  # noqa: S608 - names only
            f"SELECT {_KEY}, n, true FROM ({_COUNTED}) AS counted",
            {"queued": tuple(QUEUED_STATES)},
        )
        return int(cursor.rowcount)


def repair_buckets() -> list[BucketDifference]:
    """Rebuild the buckets if any of them is wrong, and log it. Returns what was wrong."""
    wrong = bucket_differences()
    if wrong:
        logger.error(
            "%d buckets of the queue were wrong and are counted anew; the first: %s", len(wrong), wrong[0]
        )
        rebuild_buckets()
    return wrong
