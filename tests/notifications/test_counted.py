"""A number and the form of the Russian noun after it."""

import pytest

from notifications.templatetags.counted import counted

DAYS = "день,дня,дней"


@pytest.mark.parametrize("number", [1, 21, 31, 101, 1001])
def test_one(number):
    assert counted(number, DAYS) == f"{number} день"


@pytest.mark.parametrize("number", [2, 3, 4, 22, 34, 102])
def test_few(number):
    assert counted(number, DAYS) == f"{number} дня"


@pytest.mark.parametrize("number", [0, 5, 9, 10, 11, 12, 14, 19, 20, 25, 30, 111, 112, 1012])
def test_many(number):
    assert counted(number, DAYS) == f"{number} дней"
