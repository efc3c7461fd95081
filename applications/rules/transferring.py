"""Which group of a kindergarten an enrolled child may move to. Pure."""

from collections.abc import Collection
from datetime import date

from applications.refusals import Refusal
from bulletin.school_years import suitable_years


def why_not_suited(
    *, birth_year: int, languages: Collection[str], age_group: str, language: str, is_agreed: bool, on: date
) -> Refusal | None:
    """Why a group does not suit a child on a day; None if it does.

    Its age is the group's by the birth year, as at a publication. Another language than those of the application takes
    the family's written consent (`is_agreed`).
    """
    if birth_year not in suitable_years(age_group, on=on):
        return Refusal.OTHER_AGE
    return None if is_agreed or language in languages else Refusal.LANGUAGE_NOT_AGREED
