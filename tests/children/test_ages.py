"""Ages at their birthdays; age groups by year of birth."""

from datetime import date

import pytest
from django.utils import translation

from children.ages import AGE_GROUPS, age_group, age_in_words, completed_years

DANIYA = date(2017, 7, 20)


@pytest.mark.parametrize(
    ("birth_date", "on", "years"),
    [
        (DANIYA, date(2019, 6, 26), 1),
        (DANIYA, date(2019, 7, 19), 1),
        (DANIYA, date(2019, 7, 20), 2),
        (DANIYA, date(2017, 7, 20), 0),
        (DANIYA, date(2017, 1, 1), 0),
        (date(2020, 2, 29), date(2021, 2, 28), 0),
        (date(2020, 2, 29), date(2021, 3, 1), 1),
        (date(2020, 2, 29), date(2024, 2, 29), 4),
        (date(2020, 12, 31), date(2021, 1, 1), 0),
    ],
)
def test_completed_years(birth_date, on, years):
    assert completed_years(birth_date, on=on) == years


@pytest.mark.parametrize(
    ("birth_year", "group"),
    [
        (2020, ""),
        (2019, ""),
        (2018, "1-2"),
        (2017, "2-3"),
        (2016, "3-4"),
        (2015, "4-5"),
        (2014, "5-6"),
        (2013, ""),
    ],
)
def test_age_group_follows_the_year_of_birth(birth_year, group):
    for day in (date(birth_year, 1, 1), date(birth_year, 12, 31)):
        assert age_group(day, on=date(2019, 6, 26)) == group


def test_every_age_group_can_be_reached():
    assert {age_group(date(year, 5, 5), on=date(2019, 1, 1)) for year in range(2010, 2020)} == {
        "",
        *AGE_GROUPS,
    }


@pytest.mark.parametrize(
    ("on", "kk", "ru"),
    [
        (date(2017, 7, 1), "0 ай", "0 месяцев"),
        (date(2017, 8, 19), "0 ай", "0 месяцев"),
        (date(2017, 8, 20), "1 ай", "1 месяц"),
        (date(2018, 7, 19), "11 ай", "11 месяцев"),
        (date(2018, 7, 20), "1 жас", "1 год"),
        (date(2020, 7, 20), "3 жас", "3 года"),
        (date(2022, 7, 20), "5 жас", "5 лет"),
    ],
)
def test_age_in_words(on, kk, ru):
    words = {}
    for language in ("kk", "ru"):
        with translation.override(language):
            words[language] = age_in_words(DANIYA, on=on)
    assert words == {"kk": kk, "ru": ru}
