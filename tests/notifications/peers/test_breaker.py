"""When a peer is left alone, and when it is tried again: pure, to a microsecond."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.peers.breaker import Breaker

MICROSECOND = 1e-6
REST = 30.0


@pytest.fixture
def breaker():
    return Breaker(failures=3, rest=REST)


def fail(breaker, *, times, now=0.0):
    return [breaker.note(went_well=False, now=now) for _ in range(times)]


def test_two_failures_are_no_reason(breaker):
    assert fail(breaker, times=2) == [False, False]
    assert breaker.admits(now=0)


def test_three_in_a_row_are_and_it_is_told_once_they_are(breaker):
    # The last two were under way.
    assert fail(breaker, times=5) == [False, False, True, False, False]
    assert not breaker.admits(now=0)


def test_a_success_between_them_counts_from_nought(breaker):
    fail(breaker, times=2)
    assert not breaker.note(went_well=True, now=0)
    fail(breaker, times=2)
    assert breaker.admits(now=0)


def test_after_the_rest_one_is_let_through_and_then_no_other(breaker):
    fail(breaker, times=3)
    assert not breaker.admits(now=REST - MICROSECOND)
    assert breaker.admits(now=REST)
    assert not breaker.admits(now=REST)
    assert not breaker.admits(now=2 * REST - MICROSECOND)


def test_a_trial_that_went_well_opens_the_door_to_all(breaker):
    fail(breaker, times=3)
    assert breaker.admits(now=REST)
    breaker.note(went_well=True, now=REST + 1)
    assert breaker.admits(now=REST + 1)
    assert breaker.admits(now=REST + 1)


def test_a_trial_that_failed_begins_another_rest(breaker):
    fail(breaker, times=3)
    assert breaker.admits(now=REST)
    assert fail(breaker, times=2, now=REST + 5) == [True, False]
    assert not breaker.admits(now=2 * REST + 5 - MICROSECOND)
    assert breaker.admits(now=2 * REST + 5)


def test_a_trial_that_never_came_back_costs_one_rest(breaker):
    fail(breaker, times=3)
    assert breaker.admits(now=REST)
    assert breaker.admits(now=2 * REST)


def test_of_many_threads_one_makes_the_trial(breaker):
    fail(breaker, times=3)
    together = Barrier(8)

    def ask(_):
        together.wait()
        return breaker.admits(now=REST)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=60))
def test_it_never_refuses_a_peer_that_has_just_answered_nor_asks_a_dead_one_often(calls):
    breaker, now, asked = Breaker(failures=3, rest=REST), 0.0, []
    for went_well, pause in calls:
        now += pause
        if breaker.admits(now=now):
            asked.append((went_well, now))
            breaker.note(went_well=went_well, now=now)
            if went_well:
                assert breaker.admits(now=now)
    for first, second, third, fourth in zip(asked, asked[1:], asked[2:], asked[3:], strict=False):
        if not (first[0] or second[0] or third[0]):
            assert fourth[1] - third[1] >= REST - MICROSECOND
