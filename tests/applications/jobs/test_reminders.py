"""On which days families are reminded of a last day."""

from datetime import date, timedelta

import pytest

from applications.rules.reminders import reminder
from bulletin.workdays import Calendar

# 4 January 2027 is a Monday. The 7th and 8th are days off, Saturday 16th is worked.
CALENDAR = Calendar(
    days_off={date(2027, 1, 7), date(2027, 1, 8)},
    working_days={date(2027, 1, 16)},
    first=date(2027, 1, 1),
    last=date(2027, 1, 31),
)
TOLD = date(2026, 12, 30)


def reminders(last_day, *, calendar=CALENDAR, told_on=TOLD):
    days = [last_day - timedelta(days=back) for back in range(9, -3, -1)]
    found = {
        day: reminder(today=day, told_on=told_on, last_day=last_day, calendar=calendar)
        for day in days
        if day >= CALENDAR.first
    }
    return {day.day: left for day, left in found.items() if left is not None}


@pytest.mark.parametrize(
    ("last_day", "expected"),
    [
        pytest.param(15, {12: 3, 14: 1, 15: 0}, id="a plain week"),
        pytest.param(11, {4: 3, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 0}, id="after days off"),
        pytest.param(18, {14: 3, 15: 2, 16: 1, 17: 1, 18: 0}, id="after a Saturday that is worked"),
        pytest.param(
            8, {4: 2, 5: 1, 6: 1, 7: 1, 8: 0, 1: 3, 2: 3, 3: 3}, id="a last day that became a day off"
        ),
    ],
)
def test_by_the_working_calendar(last_day, expected):
    expected = {day: left for day, left in expected.items() if left in (3, 1, 0)}
    assert reminders(date(2027, 1, last_day)) == expected


def test_where_the_calendar_does_not_reach_every_day_counts():
    assert reminders(date(2027, 2, 3)) == {31: 3, 2: 1, 3: 0}
    assert reminders(date(2027, 1, 11), calendar=None) == {8: 3, 10: 1, 11: 0}


def test_not_on_the_day_on_which_the_last_day_was_told():
    assert reminders(date(2027, 1, 15), told_on=date(2027, 1, 12)) == {14: 1, 15: 0}


def test_not_after_the_last_day():
    after = date(2027, 1, 16)
    assert reminder(today=after, told_on=TOLD, last_day=date(2027, 1, 15), calendar=CALENDAR) is None
