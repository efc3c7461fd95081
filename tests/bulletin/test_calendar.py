"""The calendar in the table: loading it, editing it, reading it."""

from datetime import UTC, date, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from bulletin import official_days
from bulletin.calendar import CalendarEmpty, longest_run, working_calendar
from bulletin.models import Holiday
from bulletin.official_days import UnknownHolidayError
from bulletin.tasks import extend_calendar
from bulletin.workdays import CalendarEnds

pytestmark = pytest.mark.django_db


def load(*args: str) -> str:
    out = StringIO()
    call_command("load_holidays", *args, stdout=out)
    return out.getvalue()


def day(at: date, kind: str = Holiday.Kind.DAY_OFF) -> Holiday:
    return Holiday.objects.create(date=at, kind=kind, name_kk="Мереке", name_ru="Праздник")


@time_machine.travel(datetime(2026, 11, 22, tzinfo=UTC), tick=False)
def test_the_years_from_2018_to_two_ahead_are_loaded() -> None:
    load()
    calendar = working_calendar()
    assert (calendar.first, calendar.last) == (date(2018, 1, 1), date(2028, 12, 31))
    assert calendar.add(date(2019, 6, 26), 5) == date(2019, 7, 3)


@time_machine.travel(datetime(2026, 12, 31, 20, tzinfo=UTC), tick=False)
def test_the_year_is_the_local_one() -> None:
    load()
    # In Almaty it is 1 January 2027 already.
    assert working_calendar().last == date(2029, 12, 31)


@time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=True)
def test_the_calendar_grows_by_itself() -> None:
    load("--last-year", "2025")
    extend_calendar()
    assert working_calendar().last == date(2028, 12, 31)


def test_every_day_has_both_names_and_a_source() -> None:
    load("--last-year", "2028")
    assert Holiday.objects.exists()
    for holiday in Holiday.objects.all():
        assert holiday.name_kk
        assert holiday.name_ru
        assert holiday.name_kk != holiday.name_ru
        assert holiday.source


def test_day_of_the_constitution_moves_from_august_to_march() -> None:
    load("--first-year", "2025", "--last-year", "2028")
    days = set(Holiday.objects.filter(name_ru__contains="Конституции").values_list("date", flat=True))
    assert {date(2025, 8, 30), date(2025, 9, 1), date(2027, 3, 15), date(2028, 3, 15)} == days


def test_working_saturdays_come_with_their_days_off() -> None:
    load("--last-year", "2025")
    working = Holiday.objects.filter(kind=Holiday.Kind.WORKING_DAY)
    assert {
        date(2018, 3, 3), date(2018, 4, 28), date(2018, 5, 5), date(2018, 8, 25), date(2018, 12, 29),
        date(2020, 1, 5), date(2020, 12, 20), date(2021, 7, 3), date(2022, 3, 5), date(2022, 8, 27),
    } <= set(working.values_list("date", flat=True))  # fmt: skip
    assert Holiday.objects.filter(
        kind=Holiday.Kind.DAY_OFF, name_ru__startswith="Выходной день"
    ).count() == len(working)


def test_loading_again_changes_nothing() -> None:
    load("--last-year", "2027")
    before = list(Holiday.objects.order_by("pk").values())
    assert "Added: 0." in load("--last-year", "2027")
    assert list(Holiday.objects.order_by("pk").values()) == before


def test_an_officials_edit_stands() -> None:
    load("--first-year", "2026", "--last-year", "2026")
    # The announced Kurban-ait is another day, and 8 July is made a day off for the city.
    Holiday.objects.filter(date=date(2026, 5, 27)).update(kind=Holiday.Kind.WORKING_DAY, source="bilim")
    day(date(2026, 5, 28))
    out = load("--first-year", "2026", "--last-year", "2026")
    assert "27.05.2026 differs: the list says a day off" in out
    assert "28.05.2026 is not in the list" in out
    assert "Added: 0." in out
    assert "Different, kept: 1. Not in the list, kept: 1." in out
    calendar = working_calendar()
    assert calendar.is_working(date(2026, 5, 27))
    assert not calendar.is_working(date(2026, 5, 28))


def test_dry_run_writes_nothing_and_counts_what_loading_adds() -> None:
    years = ("--first-year", "2026", "--last-year", "2026")
    announced = load(*years, "--dry-run")
    assert not Holiday.objects.exists()
    load(*years)
    assert f"Would add: {Holiday.objects.count()}." in announced


def test_an_estimated_date_is_pointed_out() -> None:
    assert "27.05.2026 is an estimate" in load("--first-year", "2026", "--last-year", "2026")
    assert Holiday.objects.get(date=date(2026, 5, 27)).source.endswith("(estimate)")


@pytest.mark.parametrize("year", ["2017", "1999", "20x6", "-1", "", "99999", "٢٠٢٦٠"])
def test_a_year_without_a_calendar_is_refused(year: str) -> None:
    with pytest.raises(CommandError, match="must be a year"):
        load("--first-year", year)


def test_a_holiday_without_our_names_stops_the_loading(monkeypatch) -> None:
    monkeypatch.delitem(official_days.NAMES, "Victory Day")
    with pytest.raises(UnknownHolidayError, match="Victory Day"):
        load("--first-year", "2026", "--last-year", "2026")
    assert not Holiday.objects.exists()


def test_an_empty_calendar_promises_nothing() -> None:
    with pytest.raises(CalendarEmpty, match="load_holidays"):
        working_calendar()


def test_one_typed_row_does_not_make_a_year_known() -> None:
    load("--first-year", "2026", "--last-year", "2026")
    day(date(2027, 5, 28))
    with pytest.raises(CalendarEnds):
        working_calendar().is_working(date(2027, 3, 15))


def test_a_gap_between_known_years_is_not_guessed() -> None:
    for year in (2019, 2020, 2023, 2024, 2025):
        day(date(year, 1, 1))
    calendar = working_calendar()
    assert (calendar.first, calendar.last) == (date(2023, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("years", "run"),
    [({2026}, (2026, 2026)), ({2019, 2020, 2024}, (2019, 2020)), ({2019, 2020, 2024, 2025}, (2024, 2025))],
)
def test_longest_run(years: set[int], run: tuple[int, int]) -> None:
    assert longest_run(years) == run


def test_reading_the_calendar_is_one_query(django_assert_num_queries) -> None:
    load("--last-year", "2020")
    with django_assert_num_queries(1):
        working_calendar()
