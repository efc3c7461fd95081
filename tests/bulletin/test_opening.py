"""The phases of a vacancy, one microsecond either side of every border."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bulletin.opening import BIDDING_PHASES, Phase, open_to_all_at, phase

OPENS = datetime(2019, 6, 26, 12, tzinfo=UTC)
PRIORITY_ENDS = datetime(2019, 7, 1, 12, tzinfo=UTC)
CLOSES = datetime(2019, 7, 10, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Opening:
    state: str = "published"
    opens_at: datetime = OPENS
    priority_until: datetime | None = PRIORITY_ENDS
    closes_at: datetime | None = CLOSES
    seats_total: int = 2
    seats_taken: int = 0
    paused_since: datetime | None = None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - MICROSECOND, Phase.ANNOUNCED),
        (OPENS, Phase.PRIORITY),
        (PRIORITY_ENDS - MICROSECOND, Phase.PRIORITY),
        (PRIORITY_ENDS, Phase.OPEN),
        (CLOSES - MICROSECOND, Phase.OPEN),
        (CLOSES, Phase.CLOSED),
    ],
)
def test_borders(now: datetime, expected: Phase) -> None:
    assert phase(Opening(), now=now) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [(OPENS - MICROSECOND, PRIORITY_ENDS), (OPENS, PRIORITY_ENDS), (PRIORITY_ENDS, None)],
)
def test_who_is_behind_the_head_waits_for_the_opening_to_all(
    now: datetime, expected: datetime | None
) -> None:
    assert open_to_all_at(Opening(), phase(Opening(), now=now)) == expected


def test_without_priority_it_opens_to_all() -> None:
    assert open_to_all_at(Opening(priority_until=None), Phase.ANNOUNCED) is None
    assert phase(Opening(priority_until=None), now=OPENS) == Phase.OPEN


def test_without_an_end_it_stays_open() -> None:
    assert phase(Opening(closes_at=None), now=OPENS + timedelta(days=3650)) == Phase.OPEN


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - MICROSECOND, Phase.ANNOUNCED),
        (OPENS, Phase.FULL),
        (PRIORITY_ENDS, Phase.FULL),
        (CLOSES, Phase.CLOSED),
    ],
)
def test_a_full_one_is_full_while_it_would_be_open(now: datetime, expected: Phase) -> None:
    assert phase(Opening(seats_taken=2), now=now) == expected


@pytest.mark.parametrize("now", [OPENS - MICROSECOND, OPENS, PRIORITY_ENDS, CLOSES])
@pytest.mark.parametrize(
    ("state", "expected"),
    [("draft", Phase.DRAFT), ("recalled", Phase.RECALLED), ("closed", Phase.CLOSED)],
)
def test_a_state_other_than_published_does_not_depend_on_time(
    state: str, expected: Phase, now: datetime
) -> None:
    assert phase(Opening(state=state), now=now) == expected
    assert phase(replace(Opening(state=state), seats_taken=2), now=now) == expected


def test_bids_are_sent_in_two_phases_only() -> None:
    assert {Phase.PRIORITY, Phase.OPEN} == BIDDING_PHASES


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - MICROSECOND, Phase.ANNOUNCED),
        (OPENS, Phase.PAUSED),
        (PRIORITY_ENDS, Phase.PAUSED),
        (CLOSES, Phase.PAUSED),
        (CLOSES + timedelta(days=30), Phase.PAUSED),
    ],
)
@pytest.mark.parametrize("since", [OPENS - timedelta(hours=1), OPENS, CLOSES - MICROSECOND])
def test_while_paused_nothing_opens_and_nothing_closes(now, expected, since) -> None:
    assert phase(Opening(paused_since=since), now=now) == expected


def test_what_closed_before_the_pause_stays_closed() -> None:
    assert phase(Opening(paused_since=CLOSES), now=CLOSES + timedelta(hours=1)) == Phase.CLOSED


def test_a_full_vacancy_is_full_in_a_pause_too() -> None:
    assert phase(Opening(paused_since=OPENS, seats_taken=2), now=OPENS) == Phase.FULL


@pytest.mark.parametrize(("state", "expected"), [("recalled", Phase.RECALLED), ("closed", Phase.CLOSED)])
def test_an_ended_vacancy_is_not_paused(state, expected) -> None:
    assert phase(Opening(paused_since=OPENS, state=state), now=OPENS) == expected
