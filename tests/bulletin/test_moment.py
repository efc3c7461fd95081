"""The memory of one second."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bulletin.moment import Moment

SECOND = datetime(2026, 9, 1, 13, 0, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def asked(settings):
    """Ask a fresh memory; it answers with how often the value had to be made."""
    settings.REMEMBER_FOR_A_SECOND = True
    memory: Moment[int] = Moment(room=2)
    made = count(1)
    return lambda key, now: memory.get(key, now=now, make=lambda: next(made))


def test_a_value_is_made_once_in_a_second(asked):
    assert asked("a", SECOND) == 1
    assert asked("a", SECOND + timedelta(seconds=1) - MICROSECOND) == 1


def test_it_is_made_anew_when_the_second_is_over(asked):
    assert asked("a", SECOND - MICROSECOND) == 1
    assert asked("a", SECOND) == 2


def test_keys_do_not_mix(asked):
    assert [asked(key, SECOND) for key in ("a", "b", "a")] == [1, 2, 1]


def test_what_finds_no_room_is_made_each_time_and_drives_nothing_out(asked):
    assert [asked(key, SECOND) for key in ("a", "b", "c", "c", "a", "b")] == [1, 2, 3, 4, 1, 2]


def test_it_can_be_switched_off(asked, settings):
    settings.REMEMBER_FOR_A_SECOND = False
    assert [asked("a", SECOND), asked("a", SECOND)] == [1, 2]
