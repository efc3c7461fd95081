"""Intervals of waits: what they are made of, and how often they hold in cities that nobody fitted them to."""

import pytest

from applications.forecast.backtest import backtest
from applications.forecast.pace import (
    FEWEST_MOVES,
    LONGEST,
    YEAR,
    Interval,
    Shares,
    expected,
    first_whole_month,
    foresee,
    moves_enough,
    seen_beforehand,
)
from tests.applications.forecast.cities import city

EVEN = [10] * 36
EXACT = dict.fromkeys(range(1, LONGEST + 1), (1.0, 1.0))
HALF_TO_TWICE = dict.fromkeys(range(1, LONGEST + 1), (0.5, 2.0))


def test_the_next_months_are_like_those_of_a_year_before():
    seasons = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] * 2
    assert expected(seasons)[:5] == [0, 1, 3, 6, 10]
    assert expected(seasons)[12] == sum(seasons[:12])
    assert expected(seasons)[24] == sum(seasons)


def test_half_of_a_new_pace_counts_for_the_months_before_it():
    # (4 × 30 - 30 + 10) / (30 + 10) is four times, the root of which is twice.
    faster = [10] * 21 + [50] * 3
    assert expected(faster)[1] == pytest.approx(20)
    assert expected(faster)[10] == pytest.approx(9 * 20 + 50)


def test_more_came_back_than_left_is_no_pace_below_zero():
    assert expected([10] * 9 + [-20] * 3 + [10] * 9 + [-20] * 3)[1] == 10


def test_without_enough_moves_nothing_is_said():
    enough = [0] * 11 + [FEWEST_MOVES]
    assert moves_enough(enough)
    assert foresee(1, enough, EXACT) is not None
    assert foresee(1, [*enough[:-1], FEWEST_MOVES - 1], EXACT) is None
    assert foresee(1, [FEWEST_MOVES] * (YEAR - 1), EXACT) is None


@pytest.mark.parametrize(
    ("ahead", "interval"),
    [(1, Interval(1, 1)), (10, Interval(1, 1)), (11, Interval(2, 2)), (120, Interval(12, 12))],
)
def test_a_queue_that_always_keeps_its_pace(ahead, interval):
    assert foresee(ahead, EVEN, EXACT) == interval


def test_the_bounds_make_it_wide():
    assert foresee(100, EVEN, HALF_TO_TWICE) == Interval(5, 21)


def test_what_goes_beyond_the_longest_is_not_told():
    assert foresee(300, EVEN, HALF_TO_TWICE) == Interval(15, None)
    assert foresee(100_000, EVEN, HALF_TO_TWICE) == Interval(LONGEST, None)


@pytest.mark.parametrize(
    ("city", "begins"),
    [([0, 0, 40, 50, 60], 2), ([0, 2, 0, 1, *[40] * 12], 4), ([9, 10, *[40] * 12], 1), ([0, 0], 0), ([], 0)],
    ids=["nothing", "a few", "a quarter", "never", "no queue"],
)
def test_what_a_city_brought_along_is_no_history(city, begins):
    assert first_whole_month(city) == begins


def test_a_city_that_begins_takes_the_shares_of_others():
    bounds = Shares().bounds()
    assert set(bounds) == set(range(1, LONGEST + 1))
    for low, high in bounds.values():
        assert 0.4 < low < 1 < high < 2.5
    assert seen_beforehand(1) == sorted(seen_beforehand(1))


def test_what_is_known_at_a_month_is_only_what_was_over():
    known, all_of_it = Shares(), Shares()
    early, late = [10] * 24, [10] * 24 + [1000] * 12
    for month in range(YEAR, 25):
        known.learn([early], month=month)
        all_of_it.learn([late], month=month)
    assert known.bounds() == all_of_it.bounds()
    all_of_it.learn([late], month=26)
    assert known.bounds() != all_of_it.bounds()


def held(cities):
    tried = [one for made_up in cities for one in backtest(made_up)]
    assert len(tried) > 3000
    return sum(one.held for one in tried) / len(tried)


@pytest.mark.parametrize(
    "changes",
    [{}, {"changes_at": 48, "to": 1.6}, {"changes_at": 48, "to": 0.6}, {"months": 36}],
    ids=["steady", "faster", "slower", "young"],
)
def test_eight_of_ten_hold_in_cities_held_out(changes):
    assert 0.75 <= held(city(seed, **changes) for seed in range(60, 66)) <= 0.85


def test_control_without_what_was_seen_before_they_do_not(monkeypatch):
    monkeypatch.setattr(Shares, "bounds", lambda self: EXACT)
    assert held(city(seed) for seed in range(60, 66)) < 0.3


def test_only_what_can_be_judged_is_judged():
    series = [10] * 40
    for one in backtest([series]):
        assert one.said.last is not None
        assert one.month + one.said.last <= len(series)
