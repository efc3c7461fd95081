"""What the outbox forgets, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import retention
from notifications.models import GatewayMinute, Message
from notifications.services import send_again

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def message(*, age: timedelta, state=Message.State.SENT) -> Message:
    return Message.objects.create(
        phone="+77017779876",
        kind="bid_placed",
        language="kk",
        text="Өтінім қабылданды",
        dedupe_key=f"{age}{state}",
        state=state,
        next_attempt_at=NOW - age,
        give_up_at=NOW - age,
        created_at=NOW - age,
    )


@pytest.mark.parametrize("state", [Message.State.SENT, Message.State.FAILED])
def test_a_text_is_emptied_after_thirty_days(state):
    kept = message(age=retention.TEXT_KEPT_FOR, state=state)
    old = message(age=retention.TEXT_KEPT_FOR + MICROSECOND, state=state)
    assert retention.purge_texts(now=NOW) == 1
    assert retention.purge_texts(now=NOW) == 0
    kept.refresh_from_db()
    old.refresh_from_db()
    assert (bool(kept.text), old.text, old.state) == (True, "", state)
    assert send_again(old, now=NOW) is None


def test_what_is_still_under_way_keeps_its_text():
    message(age=timedelta(days=400), state=Message.State.QUEUED)
    message(age=timedelta(days=400), state=Message.State.SENDING)
    assert retention.purge_texts(now=NOW) == 0
    assert retention.purge_messages(now=NOW) == 0
    assert Message.objects.exclude(text="").count() == 2


def test_a_message_is_deleted_after_a_year():
    kept = message(age=retention.MESSAGE_KEPT_FOR)
    message(age=retention.MESSAGE_KEPT_FOR + MICROSECOND)
    assert retention.purge_messages(now=NOW) == 1
    assert list(Message.objects.all()) == [kept]


def test_the_minutes_of_gateways_are_kept_for_ninety_days():
    for age in (retention.MINUTES_KEPT_FOR, retention.MINUTES_KEPT_FOR + MICROSECOND):
        GatewayMinute.objects.create(gateway="smsc", kind="bid_placed", minute=NOW - age, taken=1)
    assert retention.purge_minutes(now=NOW) == 1
    assert retention.purge_minutes(now=NOW) == 0
