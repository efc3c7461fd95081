"""How old a child is, and in which age group. Pure."""

from datetime import date
from typing import Final

from django.utils.translation import ngettext

# The age groups of kindergartens by the orders in force in 2019, from the youngest to the oldest.
AGE_GROUPS: Final = ("1-2", "2-3", "3-4", "4-5", "5-6")


def completed_years(birth_date: date, *, on: date) -> int:
    """How many birthdays the child has had by the end of the day `on`; 0 before birth.

    A child born on 29 February has its birthday on 1 March in other years.
    """
    years = on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))
    return max(0, years)


def age_group(birth_date: date, *, on: date) -> str:
    """The age group of the year of `on`, such as `2-3`; empty for a child too young or too old for any.

    By year of birth, as places are matched: the manual's child, born in July 2017, takes a place in a group of 2-3
    years in June 2019.
    """
    years = on.year - birth_date.year
    return AGE_GROUPS[years - 1] if 1 <= years <= len(AGE_GROUPS) else ""


def age_in_words(birth_date: date, *, on: date) -> str:
    """The age as people say it, in the active language: completed years, or months in the first year."""
    years = completed_years(birth_date, on=on)
    if years:
        return ngettext("%(count)s year old", "%(count)s years old", years) % {"count": years}
    months = (on.year - birth_date.year) * 12 + on.month - birth_date.month - (on.day < birth_date.day)
    months = max(0, months)
    return ngettext("%(count)s month old", "%(count)s months old", months) % {"count": months}
