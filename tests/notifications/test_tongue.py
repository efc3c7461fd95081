"""A text that people typed says its language where the page is in another."""

import pytest
from django.utils.translation import override

from notifications.templatetags.tongue import tongue, tongue_of
from tests.factories import GroupFactory


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Тәрбиешімізге рақмет", "kk"),
        ("Күншуақ", "kk"),
        ("Спасибо нашим воспитателям", "ru"),
        ("Солнышко", ""),
        ("Балапан", ""),
        ("2019 № 5", ""),
        ("", ""),
    ],
)
def test_its_letters_tell_the_language_or_nothing_is_claimed(text, language):
    assert tongue_of(text) == language


def test_only_what_differs_from_the_page_is_marked():
    for page, marked in (("ru", ' lang="kk"'), ("kk", "")):
        with override(page):
            assert tongue("Күншуақ") == marked
            assert tongue(None) == ""
    with override("kk"):
        assert tongue("Солнышко", "ru") == ' lang="ru"'
        assert tongue("Солнышко", "<b>") == ""


def test_a_page_marks_what_its_kindergarten_wrote_in_the_other_language(client, db):
    group = GroupFactory.create(name="Күншуақ")
    address = group.kindergarten.get_absolute_url()
    assert '<td class="cell-title" lang="kk">Күншуақ' in client.get(f"/ru{address}").content.decode()
    assert '<td class="cell-title">Күншуақ' in client.get(address).content.decode()
