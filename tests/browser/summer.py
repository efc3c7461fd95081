"""The manual's place, «Солнце» of 2017 in summer 2019, for walks that need nothing else of the city."""

from datetime import datetime

from django.core.management import call_command

from bulletin.models import AgeGroup, Vacancy
from tests.browser.conftest import ZONE
from tests.factories import GroupFactory, VacancyFactory


def one_place() -> Vacancy:
    """An open vacancy for the manual's daughter, and the calendar that deadlines need."""
    call_command("load_holidays", first_year=2019, last_year=2020, verbosity=0)
    group = GroupFactory(name="Солнце", age_group=AgeGroup.FIRST_JUNIOR, language="ru", capacity=25)
    return VacancyFactory(
        group=group, birth_years=[2017], seats_total=23, opens_at=datetime(2019, 6, 26, 9, tzinfo=ZONE)
    )
