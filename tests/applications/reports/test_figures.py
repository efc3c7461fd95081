"""Figures and charts by hand, and against slower ways to the same."""

from datetime import UTC, date, datetime
from itertools import count
from statistics import median

import pytest
from django.core.cache.backends.redis import RedisCache
from hypothesis import given
from hypothesis import strategies as st

from applications.reports import memory
from applications.reports.asked import Asked, last_months, next_month
from applications.reports.charts import MOST_BARS, chart_of
from applications.reports.counts import waiting_at_ends
from applications.reports.figures import median_of, nth, percent, slow_of
from applications.reports.memory import remember
from applications.reports.workbook import told_filters
from bulletin.models import Language

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)


def test_days_by_hand():
    # 3 3 3 | 10 11: the third of five. 3 3 | 10 11: between 3 and 10, 6.5, and half goes to the even side.
    assert median_of({3: 3, 10: 1, 11: 1}) == 3
    assert median_of({11: 1, 3: 2, 10: 1}) == 6
    # Of ten the slowest tenth is the last; of nine, too; of twenty it begins with the nineteenth.
    assert slow_of({1: 9, 50: 1}) == 50
    assert slow_of({1: 8, 50: 1}) == 50
    assert slow_of({1: 17, 40: 1, 50: 1, 60: 1}) == 50
    assert (median_of({}), slow_of({})) == (None, None)
    with pytest.raises(IndexError):
        nth({1: 2}, 2)


@given(st.lists(st.integers(0, 4000), min_size=1))
def test_counted_days_say_the_same_as_days_one_by_one(days):
    counts = {day: days.count(day) for day in days}
    assert median_of(counts) == round(median(days))
    assert slow_of(counts) == sorted(days)[min(len(days) - 1, len(days) * 9 // 10)]


def test_percent_of_nothing_is_none():
    assert [percent(1, 3), percent(2, 3), percent(0, 5), percent(5, 5), percent(0, 0)] == [
        33,
        67,
        0,
        100,
        None,
    ]


def test_who_waited_at_the_end_of_each_month():
    # 100 wait now; 7 came this month (net), 20 left in the one before (net).
    assert waiting_at_ends(100, [5, -20, 7]) == [113, 93, 100]
    assert waiting_at_ends(100, [5]) == [100]
    assert waiting_at_ends(100, []) == []


def test_months_end_by_the_clock_of_the_place():
    # 20:00 UTC on 30 November is the morning of 1 December in Almaty.
    asked = Asked(NOW)
    assert (asked.months[0], asked.months[-1], len(asked.months)) == (date(2026, 1, 1), date(2026, 12, 1), 12)
    assert asked.ends == datetime(2026, 12, 31, 19, 0, tzinfo=UTC)
    one = Asked(NOW, month=date(2026, 10, 1))
    assert (one.begins, one.ends) == (
        datetime(2026, 9, 30, 19, 0, tzinfo=UTC),
        datetime(2026, 10, 31, 19, 0, tzinfo=UTC),
    )
    since = Asked(NOW, month=date(2026, 10, 1), until_now=True)
    assert since.months == [date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)]
    assert last_months(date(2024, 2, 29), number=3) == [date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)]
    assert next_month(date(2023, 12, 1)) == date(2024, 1, 1)


def test_bars_are_as_long_as_their_share_of_the_longest():
    chart = chart_of([("Айша", [40, 10]), ("Бота", [20, None])], of=2)
    assert [[bar.percent for bar in line.bars] for line in chart.lines] == [[70, 17.5], [35, 0]]
    tops = [line.baseline for line in chart.lines] + [bar.top for line in chart.lines for bar in line.bars]
    assert len(set(tops)) == 6
    assert max(tops) < chart.height
    assert (chart.left_out, chart.is_empty) == (0, False)


def test_a_chart_of_a_thousand_rows_says_how_many_are_left_out():
    rows = [(str(number), [number]) for number in range(60)]
    chart = chart_of(rows, of=1000)
    assert (len(chart.lines), chart.left_out) == (MOST_BARS, 1000 - MOST_BARS)
    assert chart_of([("а", [0]), ("б", [None])], of=2).is_empty
    assert chart_of([], of=0).is_empty
    assert [chart_of([("а", [value])], of=1).is_untold for value in ("<5", 0, 5)] == [True, False, False]


def test_what_was_asked_for_is_said_in_words():
    assert told_filters(Asked(NOW, birth_year=2022, language="ru")) == [
        "Кезең: 01.01.2026 – 01.12.2026",
        "Елді мекендер: ",
        "Туған жылы: 2022",
        f"Тәрбиелену тілі: {Language.RUSSIAN.label}",
    ]
    assert told_filters(Asked(NOW, month=date(2026, 10, 1)))[0] == "Кезең: 01.10.2026 – 31.10.2026"


def test_without_the_cache_a_figure_is_worked_out_each_time(monkeypatch):
    monkeypatch.setattr(memory, "cache", RedisCache("redis://127.0.0.1:1/0", {}))
    worked = count(1)
    assert [remember("figure", lambda: next(worked)) for _time in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 11, 22), date(2025, 12, 1)),
        (date(2026, 1, 1), date(2025, 2, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)),
        (date(2024, 2, 29), date(2023, 3, 1)),
    ],
)
def test_the_last_months_are_twelve_and_end_with_the_present_one(today, first):
    months = last_months(today)
    assert (len(months), months[0], months[-1]) == (12, first, today.replace(day=1))
