"""A day as families write it."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from applications.views.day_field import DayField


@pytest.mark.parametrize(
    "typed",
    [
        "20.12.2026",
        "20122026",
        " 20122026 ",
        "20 12 2026",
        "20. 12. 2026",
        "20\u00a012\u00a02026",
        "20.12.26",
        "20/12/2026",
        "20-12-2026",
        "2026-12-20",
    ],
)
def test_a_day_is_read_as_it_was_meant(typed):
    assert DayField().clean(typed) == date(2026, 12, 20)


@pytest.mark.parametrize(
    "typed", ["1122026", "201220266", "2012", "31 02 2026", "31022026", "ертең", "20..", "²0122026"]
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(typed):
    with pytest.raises(ValidationError):
        DayField().clean(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("31.02.2025", "no_such_day"),
        ("2025-13-01", "no_such_day"),
        ("31022025", "no_such_day"),
        ("ертең", "invalid"),
    ],
)
def test_a_day_that_is_in_no_calendar_is_not_said_to_be_written_wrongly(typed, code):
    with pytest.raises(ValidationError) as refused:
        DayField().clean(typed)
    assert refused.value.code == code


def test_an_example_stands_before_the_error():
    assert "03.07.2026" in str(DayField().help_text)
    assert str(DayField(help_text="х").help_text) == "х"
