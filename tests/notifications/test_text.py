"""Segments of an SMS, at their borders."""

import pytest

from notifications.text import mask_phone, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("қ" * 70, 1),
        ("қ" * 71, 2),
        ("қ" * 134, 2),
        ("қ" * 135, 3),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("a" * 70 + "ә", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments(text, count):
    assert segments(text) == count


def test_a_phone_is_masked():
    assert mask_phone("+77017779876") == "+7 701 ••• 98 76"
    assert mask_phone("+491701234567") == "•••67"
