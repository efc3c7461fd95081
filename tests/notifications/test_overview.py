"""How messages do as a whole: what waits, what arrives, what it costs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications import overview
from notifications.models import GatewayMinute, Mail, Message
from notifications.overview import Arrivals, Cost, Failures

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def message(number, **changes):
    values = {
        "phone": "+77017779876",
        "kind": "bid_placed",
        "language": "kk",
        "text": "…",
        "dedupe_key": str(number),
        "state": Message.State.SENT,
        "next_attempt_at": NOW,
        "give_up_at": NOW + HOUR,
        "created_at": NOW - HOUR,
        "sent_at": NOW - HOUR,
        "provider_id": f"smsc:{number}",
    }
    return Message.objects.create(**values | changes)


def test_what_waits():
    def queued(number, due, **changes):
        state = {"state": Message.State.QUEUED, "sent_at": None, "provider_id": ""}
        message(number, next_attempt_at=due, **state | changes)

    for number, due in enumerate([NOW - 5 * MINUTE, NOW - 9 * MINUTE, NOW + MINUTE]):
        queued(number, due)
    message(9, next_attempt_at=NOW - HOUR)
    assert overview.waiting(Message, now=NOW) == overview.Waiting(2, NOW - 9 * MINUTE, 0, None)
    # What failed waits on, though it is not due; what a worker is handing over does not.
    queued(10, NOW + MINUTE, attempts=1, created_at=NOW - 3 * MINUTE)
    queued(11, NOW + 8 * MINUTE, attempts=4, created_at=NOW - 7 * MINUTE)
    queued(12, NOW + MINUTE, attempts=1, state=Message.State.SENDING)
    assert overview.waiting(Message, now=NOW) == overview.Waiting(2, NOW - 9 * MINUTE, 2, NOW - 7 * MINUTE)
    assert overview.waiting(Mail, now=NOW) == overview.Waiting(0, None)


def test_what_arrived():
    sent = NOW - HOUR
    message(1, state=Message.State.DELIVERED, delivered_at=sent + 2 * MINUTE)
    message(2, state=Message.State.DELIVERED, delivered_at=sent + 3 * MINUTE)
    message(3, state=Message.State.UNDELIVERED)
    message(4)
    message(5, provider_id="mobizon:5")
    # Too young to be judged, too old, and never sent.
    message(6, sent_at=NOW - MINUTE)
    message(9, sent_at=NOW - MINUTE, state=Message.State.DELIVERED, delivered_at=NOW)
    message(7, sent_at=NOW - timedelta(days=2))
    message(8, sent_at=None, provider_id="", state=Message.State.FAILED)
    mobizon, smsc = overview.arrivals(now=NOW)
    assert mobizon == Arrivals("mobizon", 1, 0, 0, 0, 0)
    assert smsc == Arrivals("smsc", 6, 3, 1, 3, 1)
    assert (mobizon.percent_in_time, smsc.percent_in_time) == (None, 33)


def test_what_was_not_taken():
    def minute(gateway, kind, at, **counts):
        GatewayMinute.objects.create(gateway=gateway, kind=kind, minute=at, **counts)

    minute("smsc", "bid_placed", NOW, taken=5, failed=1)
    minute("smsc", "bid_placed", NOW - HOUR, taken=5, failed=2, refused=1)
    minute("smsc", "stop_lifted", NOW, taken=5)
    minute("mobizon", "gone", NOW, refused=1)
    minute("smsc", "bid_placed", NOW - timedelta(days=8), failed=9)
    assert overview.failures(now=NOW) == [
        Failures("smsc", "bid_placed", taken=10, refused=1, failed=3),
        Failures("mobizon", "gone", taken=0, refused=1, failed=0),
    ]


@pytest.fixture
def month():
    """November in Kazakhstan begins at 19:00 UTC of the day before."""
    first, last = datetime(2026, 10, 31, 19, tzinfo=UTC), datetime(2026, 11, 30, 19, tzinfo=UTC)
    message(1, sent_at=first, segments=2, cost=Decimal("37.00"))
    message(2, sent_at=last - MINUTE, segments=1, cost=Decimal("18.50"))
    message(3, sent_at=last - MINUTE, provider_id="mobizon:3", segments=1)
    message(4, sent_at=first - MINUTE, segments=1, cost=Decimal(100))
    message(5, sent_at=last, segments=1, cost=Decimal(100))


def test_what_a_month_cost(month):
    since, until = datetime(2026, 10, 31, 19, tzinfo=UTC), datetime(2026, 11, 30, 19, tzinfo=UTC)
    rows = overview.costs(since=since, until=until)
    assert rows == [Cost("mobizon", 1, 1, Decimal(0), 1), Cost("smsc", 2, 3, Decimal("55.50"), 0)]
    assert overview.in_all(rows) == Cost("", 3, 4, Decimal("55.50"), 1)


def told(*arguments):
    out = StringIO()
    call_command("sms_costs", *arguments, stdout=out)
    return [line.split() for line in out.getvalue().splitlines()]


def test_the_operator_reads_it(month):
    head, _names, mobizon, smsc, in_all = told("--month", "2026-11")
    assert head == ["2026-11"]
    assert mobizon == ["mobizon", "1", "1", "0.00", "1"]
    assert smsc == ["smsc", "2", "3", "55.50", "0"]
    assert in_all == ["in", "all", "3", "4", "55.50", "1"]
    assert told("--month", "2025-12") == [["2025-12"], ["No", "SMS."]]


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "0000-01", "26-11", "2026-1١", ""])
def test_a_month_that_is_none(month):
    if month:
        with pytest.raises(CommandError, match="2026-11"):
            told("--month", month)
    else:
        assert len(told()[0]) == 1
