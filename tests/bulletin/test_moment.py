"""The memory of one second."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier, Event

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


def test_a_longer_memory_ends_with_the_minute_of_the_clock(settings):
    settings.REMEMBER_FOR_A_SECOND = True
    memory: Moment[int] = Moment(room=2, seconds=60)
    made = count(1)
    ask = lambda now: memory.get("a", now=now, make=lambda: next(made))  # noqa: E731
    minute = timedelta(minutes=1)
    assert [ask(SECOND), ask(SECOND + minute - MICROSECOND), ask(SECOND + minute)] == [1, 1, 2]
    # Of the minute before, late: its own value, and the present one's stays.
    assert [ask(SECOND), ask(SECOND + minute)] == [3, 2]


def test_keys_do_not_mix(asked):
    assert [asked(key, SECOND) for key in ("a", "b", "a")] == [1, 2, 1]


def test_what_finds_no_room_is_made_each_time_and_drives_nothing_out(asked):
    assert [asked(key, SECOND) for key in ("a", "b", "c", "c", "a", "b")] == [1, 2, 3, 4, 1, 2]


def test_it_can_be_switched_off(asked, settings):
    settings.REMEMBER_FOR_A_SECOND = False
    assert [asked("a", SECOND), asked("a", SECOND)] == [1, 2]


def test_whoever_asks_meanwhile_waits_for_the_value_instead_of_making_it(settings):
    settings.REMEMBER_FOR_A_SECOND = True
    memory: Moment[int] = Moment(room=2)
    asked, made_twice = Barrier(2), Event()

    def make():
        asked.wait()
        # Long enough for the other thread to work it out as well, were it let.
        return 2 if made_twice.wait(0.2) else 1

    def once_more():
        made_twice.set()
        return 2

    def ask_as_well():
        asked.wait()
        return memory.get("a", now=SECOND, make=once_more)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.get, "a", now=SECOND, make=make)
        assert pool.submit(ask_as_well).result() == first.result() == 1


def test_what_could_not_be_made_is_tried_again(settings):
    settings.REMEMBER_FOR_A_SECOND = True
    memory: Moment[int] = Moment(room=2)
    with pytest.raises(ZeroDivisionError):
        memory.get("a", now=SECOND, make=lambda: 1 // 0)
    assert memory.get("a", now=SECOND, make=lambda: 1) == 1


def test_who_comes_late_gets_its_own_value_and_leaves_the_present_second_s(asked):
    """A page that took longer than its second asks for its last part when others already ask in the next."""
    assert asked("a", SECOND) == 1
    assert asked("a", SECOND - MICROSECOND) == 2
    assert asked("a", SECOND - timedelta(seconds=10)) == 3
    assert asked("a", SECOND) == 1


def test_a_clock_that_was_set_back_begins_anew(asked):
    """Neither are values of the future shown until it comes, nor is everything worked out for each until then."""
    earlier = SECOND - timedelta(hours=1)
    assert [asked("a", SECOND), asked("a", earlier), asked("a", earlier), asked("a", SECOND)] == [1, 2, 2, 3]


def test_what_could_not_be_made_takes_no_room(settings):
    """Anybody can ask for a thousand places that do not exist."""
    settings.REMEMBER_FOR_A_SECOND = True
    memory: Moment[int] = Moment(room=1)
    for key in "abc":
        with pytest.raises(ZeroDivisionError):
            memory.get(key, now=SECOND, make=lambda: 1 // 0)
    made = count(1)
    assert [memory.get("d", now=SECOND, make=lambda: next(made)) for _ in range(2)] == [1, 1]
