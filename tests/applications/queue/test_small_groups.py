"""What everybody reads of small groups in a queue."""

import pytest

from applications.queue.small_groups import told_parts


@pytest.mark.parametrize(
    ("whole", "parts", "told"),
    [
        (40, {"kk": 30, "ru": 20, "uz": 10}, {"kk", "ru", "uz"}),
        (40, {"kk": 36, "ru": 20, "uz": 4}, {"ru"}),
        (40, {"kk": 40, "ru": 35, "uz": 0}, {"kk", "ru", "uz"}),
        # Three want both.
        (20, {"kk": 12, "ru": 11, "uz": 0}, {"kk", "uz"}),
        (20, {"kk": 12, "ru": 11, "uz": 6}, {"kk", "ru", "uz"}),
        (4, {"kk": 4, "ru": 0}, {"ru"}),
        (0, {"kk": 0, "ru": 0}, {"kk", "ru"}),
    ],
)
def test_no_part_tells_how_many_few_are(whole, parts, told):
    assert {key for key, is_told in told_parts(whole, parts).items() if is_told} == told
