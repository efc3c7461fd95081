"""What the database refuses is never told by the name of a constraint."""

import pytest
from django.apps import apps
from django.db.models import BaseConstraint, CheckConstraint, Q
from django.utils.translation import override

CONSTRAINTS = [constraint for model in apps.get_models() for constraint in model._meta.constraints]


def words_of(constraint: BaseConstraint, language: str | None) -> str:
    with override(language):
        return constraint.get_violation_error_message()


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_its_words_are_in_the_language_of_the_page(language: str) -> None:
    for constraint in CONSTRAINTS:
        words = words_of(constraint, language)
        assert constraint.name not in words
        assert words != words_of(constraint, None), constraint.name
    assert len(CONSTRAINTS) > 100


def test_control_the_name_is_in_the_english_ones() -> None:
    constraint = CheckConstraint(condition=Q(pk=1), name="some_bounds")
    with override(None):
        assert "some_bounds" in constraint.get_violation_error_message()
