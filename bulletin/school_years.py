"""School years, and which birth years suit a group of one. Pure.

A school year runs from 1 September to 31 August, by the calendar of the place. Groups are made anew each summer, so
what a group holds is counted for each school year.
"""

from datetime import date

FIRST_MONTH = 9
# The ages, by birth year, of a group of mixed ages.
YOUNGEST_MIXED, OLDEST_MIXED = 1, 7
MIXED = "mixed"


def school_year(day: date) -> int:
    """The school year of a day, by the calendar year in which it begins."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def year_in_words(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02}"


def suitable_years(age_group: str, *, on: date) -> range:
    """The birth years of children who may be of the age of a group on a day.

    In a group from 2 to 3 years they are two: on any day some children born in the earlier year are still 2. A group of
    mixed ages takes all kindergarten children.
    """
    if age_group == MIXED:
        youngest, oldest = YOUNGEST_MIXED, OLDEST_MIXED
    else:
        youngest, oldest = map(int, age_group.split("-"))
    return range(on.year - oldest, on.year - youngest + 1)
