"""Catalogues are compiled without msgfmt."""

import gettext
import os

import pytest
from django.core.management import CommandError

from balabaqsha.management.commands.compile_catalogues import compile_catalogue

SOURCE = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "Queue"
msgstr "Кезек"

msgctxt "of a child"
msgid "Age"
msgstr "Жасы"

msgid "%(count)s place"
msgid_plural "%(count)s places"
msgstr[0] "%(count)s место"
msgstr[1] "%(count)s места"
msgstr[2] "%(count)s мест"

#, fuzzy
msgid "Bid"
msgstr "Wrong guess"
"""


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "django.po"
    source.write_text(SOURCE)
    return source


def test_messages_contexts_and_plurals_arrive_and_guesses_do_not(source):
    assert compile_catalogue(source)
    with source.with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert catalogue.gettext("Queue") == "Кезек"
    assert catalogue.pgettext("of a child", "Age") == "Жасы"
    forms = [catalogue.ngettext("%(count)s place", "%(count)s places", count) for count in (1, 3, 11)]
    assert forms == ["%(count)s место", "%(count)s места", "%(count)s мест"]
    assert catalogue.gettext("Bid") == "Bid"


def test_only_a_changed_catalogue_is_compiled_again(source):
    assert compile_catalogue(source)
    assert not compile_catalogue(source)
    later = source.with_suffix(".mo").stat().st_mtime + 5
    os.utime(source, (later, later))
    assert compile_catalogue(source)


@pytest.mark.parametrize(
    "broken", ['msgstr "first"\nmsgid "last"\n', SOURCE + '\nmsgid "Queue"\nmsgstr "Тағы"\n']
)
def test_a_broken_catalogue_is_named(source, broken):
    source.write_text(broken)
    with pytest.raises(CommandError, match=r"django\.po"):
        compile_catalogue(source)
    assert not source.with_suffix(".mo").exists()
