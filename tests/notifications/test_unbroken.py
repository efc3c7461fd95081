"""Numbers stay in one piece, and nothing that people wrote becomes HTML."""

import pytest

from notifications.templatetags.unbroken import unbroken


@pytest.mark.parametrize(
    "number", ["19-000417", "19-1000417", "19-4839-2017", "+7 701 234 5678", "+7 701 ••• 56 78"]
)
def test_a_number_is_kept_in_one_line(number):
    assert unbroken(f"№ {number}.") == f'№ <span class="nowrap">{number}</span>.'


@pytest.mark.parametrize("text", ["2019-06-26", "8 (727) 339-72-22", "119-000417", "19-00041"])
def test_what_only_looks_like_one_is_left(text):
    assert unbroken(text) == text


def test_what_people_wrote_is_escaped():
    assert unbroken("<b>19-000417</b> & co") == (
        '&lt;b&gt;<span class="nowrap">19-000417</span>&lt;/b&gt; &amp; co'
    )
