"""Counting working days, against the hand-made table of the domain notes and against its own laws."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulletin.official_days import official_days
from bulletin.workdays import Calendar, CalendarEnds, end_of_day, start_of_day

ALMATY = ZoneInfo("Asia/Almaty")
MICROSECOND = timedelta(microseconds=1)


def calendar_of(first: int, last: int) -> Calendar:
    days = official_days(range(first, last + 1))
    return Calendar(
        days_off=frozenset(day.date for day in days if not day.is_working),
        working_days=frozenset(day.date for day in days if day.is_working),
        first=date(first, 1, 1),
        last=date(last, 12, 31),
    )


CALENDAR = calendar_of(2018, 2028)


@pytest.mark.parametrize(
    ("issued", "working_days", "last_day"),
    [
        (date(2019, 6, 26), 5, date(2019, 7, 3)),
        (date(2019, 6, 28), 5, date(2019, 7, 5)),
        (date(2019, 7, 3), 5, date(2019, 7, 11)),  # 8 July is off: 6 July was a Saturday
        (date(2019, 8, 26), 5, date(2019, 9, 3)),  # 30 August is off
        (date(2019, 7, 3), 10, date(2019, 7, 18)),  # the stop-list
        (date(2019, 5, 3), 1, date(2019, 5, 4)),  # a Saturday that works for 10 May
        (date(2019, 5, 8), 1, date(2019, 5, 13)),
        (date(2018, 3, 7), 1, date(2018, 3, 12)),  # 9 March was moved to the Saturday before
        (date(2020, 5, 7), 1, date(2020, 5, 11)),  # a carried-over day that was itself moved
        (date(2021, 7, 2), 1, date(2021, 7, 3)),
        (date(2021, 7, 3), 1, date(2021, 7, 7)),
        (date(2026, 3, 20), 1, date(2026, 3, 26)),  # Nauryz with two days carried over
        (date(2026, 8, 28), 1, date(2026, 8, 31)),  # the old day of the Constitution fell away
        (date(2027, 3, 12), 1, date(2027, 3, 16)),  # and is on 15 March since
        (date(2018, 12, 28), 2, date(2019, 1, 3)),  # over the New Year; 29 December works
        (date(2026, 12, 31), 1, date(2027, 1, 5)),
    ],
)
def test_table_of_deadlines(issued: date, working_days: int, last_day: date) -> None:
    assert CALENDAR.add(issued, working_days) == last_day


def test_extension_is_counted_in_calendar_days() -> None:
    assert date(2019, 7, 3) + timedelta(days=30) == date(2019, 8, 2)


def test_days_off_of_2026() -> None:
    weekdays_off = [day for day in sorted(CALENDAR.days_off) if day.year == 2026 and day.weekday() < 5]
    assert [f"{day:%d.%m}" for day in weekdays_off] == [
        "01.01", "02.01", "07.01", "09.03", "23.03", "24.03", "25.03", "01.05", "07.05", "11.05", "27.05", "06.07",
        "26.10", "16.12",
    ]  # fmt: skip


def test_a_religious_day_on_a_weekend_is_not_carried_over() -> None:
    # Kurban-ait, Sunday 11.08.2019.
    assert date(2019, 8, 11) in CALENDAR.days_off
    assert CALENDAR.is_working(date(2019, 8, 12))


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2029, 1, 1)])
def test_a_day_outside_the_known_years_is_not_guessed(day: date) -> None:
    """The sentence says which day, which years are known, and which command brings the others."""
    sentence = (
        f"{day:%d.%m.%Y} is outside the working-day calendar (01.01.2018 to 31.12.2028). "
        "Load the missing years with: manage.py load_holidays"
    )
    for ask in (CALENDAR.is_working, partial(CALENDAR.add, working_days=0)):
        with pytest.raises(CalendarEnds) as refusal:
            ask(day)
        assert refusal.value.day == day
        assert str(refusal.value) == sentence


def test_the_first_and_the_last_known_day_are_known() -> None:
    assert not CALENDAR.is_working(date(2018, 1, 1))
    assert not CALENDAR.is_working(date(2028, 12, 31))
    assert CALENDAR.add(date(2018, 1, 1), 0) == date(2018, 1, 1)
    assert CALENDAR.add(date(2028, 12, 31), 0) == date(2028, 12, 31)


def test_counting_out_of_the_known_years_is_refused() -> None:
    # The last working day of 2028 is Friday the 29th.
    assert CALENDAR.add(date(2028, 12, 28), 1) == date(2028, 12, 29)
    with pytest.raises(CalendarEnds):
        CALENDAR.add(date(2028, 12, 28), 2)


def test_counting_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Working days are counted forwards only\.$"):
        CALENDAR.add(date(2019, 6, 26), -1)


@pytest.mark.parametrize(
    ("today", "left"),
    [
        (date(2019, 6, 26), 5),
        (date(2019, 6, 28), 3),
        (date(2019, 6, 30), 3),
        (date(2019, 7, 2), 1),
        (date(2019, 7, 3), 0),
        (date(2019, 7, 4), 0),
    ],
)
def test_working_days_left(today: date, left: int) -> None:
    assert CALENDAR.working_days_left(today, date(2019, 7, 3)) == left


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2019, 7, 5), date(2019, 7, 5)),
        (date(2019, 7, 6), date(2019, 7, 5)),
        (date(2019, 7, 8), date(2019, 7, 5)),  # 8 July is off
        (date(2019, 7, 9), date(2019, 7, 9)),
        (date(2019, 5, 4), date(2019, 5, 4)),  # a Saturday that works
        (date(2019, 1, 2), date(2018, 12, 29)),
    ],
)
def test_the_last_working_day_up_to_a_day(day: date, last: date) -> None:
    assert calendar_of(2018, 2019).last_working_day(day) == last


def test_no_working_day_before_the_known_years_is_guessed() -> None:
    with pytest.raises(CalendarEnds):
        CALENDAR.last_working_day(date(2018, 1, 2))


# --- the end of a day ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2019, 7, 3), datetime(2019, 7, 3, 18, tzinfo=UTC)),  # UTC+6 then
        (date(2026, 7, 3), datetime(2026, 7, 3, 19, tzinfo=UTC)),  # UTC+5 since 01.03.2024
        (date(2024, 2, 28), datetime(2024, 2, 28, 18, tzinfo=UTC)),
        # The clock went back from midnight to 23:00: this day had 25 hours, all of which the family has.
        (date(2024, 2, 29), datetime(2024, 2, 29, 19, tzinfo=UTC)),
        (date(2024, 3, 1), datetime(2024, 3, 1, 19, tzinfo=UTC)),
    ],
)
def test_end_of_day(day: date, end: datetime) -> None:
    assert end_of_day(day, ALMATY) == end
    assert end_of_day(day, ALMATY).tzinfo is UTC
    assert start_of_day(day + timedelta(days=1), ALMATY) == end
    assert start_of_day(day, ALMATY).tzinfo is UTC
    assert end.astimezone(ALMATY).date() == day + timedelta(days=1)
    assert (end - MICROSECOND).astimezone(ALMATY).date() == day


def test_end_of_day_in_a_zone_that_changed_at_another_time() -> None:
    # Kyzylorda went from UTC+6 to UTC+5 on 21.12.2018.
    zone = ZoneInfo("Asia/Qyzylorda")
    assert end_of_day(date(2018, 12, 19), zone) == datetime(2018, 12, 19, 18, tzinfo=UTC)
    assert end_of_day(date(2018, 12, 21), zone) == datetime(2018, 12, 21, 19, tzinfo=UTC)


# --- laws ----------------------------------------------------------------------------------------------------

days = st.dates(date(2018, 1, 1), date(2028, 6, 30))
counts = st.integers(0, 60)


@given(days, st.integers(1, 60))
def test_the_result_is_a_working_day(day: date, count: int) -> None:
    assert CALENDAR.is_working(CALENDAR.add(day, count))


@given(days, counts, counts)
def test_counting_in_two_parts_is_counting_once(day: date, first: int, second: int) -> None:
    assert CALENDAR.add(CALENDAR.add(day, first), second) == CALENDAR.add(day, first + second)


@given(days, days, counts)
def test_a_later_start_never_ends_earlier(one: date, other: date, count: int) -> None:
    early, late = sorted((one, other))
    assert CALENDAR.add(early, count) <= CALENDAR.add(late, count)


@given(days, counts)
def test_a_longer_time_ends_later(day: date, count: int) -> None:
    assert CALENDAR.add(day, count) < CALENDAR.add(day, count + 1)


@given(days, counts)
def test_days_left_count_what_was_added(day: date, count: int) -> None:
    assert CALENDAR.working_days_left(day, CALENDAR.add(day, count)) == count


@given(days)
def test_days_follow_each_other_without_gap_or_overlap(day: date) -> None:
    end = end_of_day(day, ALMATY)
    assert end < end_of_day(day + timedelta(days=1), ALMATY)
    assert end.astimezone(ALMATY).date() == day + timedelta(days=1)
    assert (end - MICROSECOND).astimezone(ALMATY).date() == day
