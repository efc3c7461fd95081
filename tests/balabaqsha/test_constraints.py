"""What the database refuses is never told by the name of a constraint."""

import pytest
from django.apps import apps
from django.db.models import BaseConstraint, CheckConstraint, Q
from django.utils.translation import override

CONSTRAINTS = [
    pytest.param(constraint, id=str(constraint.name))
    for model in apps.get_models()
    for constraint in model._meta.constraints
]


@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_its_words_are_in_the_language_of_the_page(constraint: BaseConstraint, language: str) -> None:
    with override(None):
        english = constraint.get_violation_error_message()
    with override(language):
        words = constraint.get_violation_error_message()
    assert constraint.name not in words
    assert words != english


def test_control_the_name_is_in_the_english_ones() -> None:
    constraint = CheckConstraint(condition=Q(pk=1), name="some_bounds")
    with override(None):
        assert "some_bounds" in constraint.get_violation_error_message()
