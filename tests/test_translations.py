"""Both languages are whole: ours in locale/{kk,ru}, the libraries' in locale/libraries/{kk,ru}."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import django
import polib
import pytest
from django.apps import apps
from django.conf import global_settings, settings

from balabaqsha.catalogues import (
    Message,
    collect_messages,
    messages_of_python,
    messages_of_template,
    own_folders,
    update_catalogue,
)
from tests.words import KAZAKH_ONLY, LATIN_WORDS, RUSSIAN_WORDS

LANGUAGES = ("kk", "ru")
LOCALE = Path(settings.BASE_DIR) / "locale"
CATALOGUES = sorted(LOCALE.rglob("*.po"))
IDS = [path.relative_to(LOCALE).as_posix() for path in CATALOGUES]
DJANGO = Path(django.__file__).parent

# Words that are the same in both languages: names, units, terms of computing.
SAME_IN_BOTH = {
    "Лицензия",
    "лицензия",
    "паспорт",
    "Файл",
    "оператор",
    "Аккаунт",
    "Код",
    "код",
    "Логин",
    "Операция",
    "Демо-режим",
    "Портал",
    "Карта",
    "%(number)s км",
    "%(number)s м",
    "Статистика",
    "Телефон",
    "логин",
    "мин",
    "модератор",
    "сеанс",
    "телефон",
    "файл",
    "PDF",
    "аудитор",
    "чат",
}
# What is filled in, and tags: no language has them in words.
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
NO_WORDS = re.compile(rf"{PLACEHOLDER.pattern}|<[^>]*>|&\w+;|\+7 7__ ___ __ __")


def parse(path: Path) -> polib.POFile:
    return polib.pofile(str(path), wrapwidth=0)


@cache
def load(path: Path) -> polib.POFile:
    """A catalogue to be read, parsed once for all tests."""
    return parse(path)


def texts(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def language_of(path: Path) -> str:
    return path.parent.parent.name


def own(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


@cache
def said_by_us() -> dict[Message, set[str]]:
    return collect_messages(own_folders())


def test_there_are_catalogues_for_both_languages():
    assert {language_of(path) for path in CATALOGUES} == set(LANGUAGES)
    assert len(CATALOGUES) == 6


# Django's own words; the name tells a reader nothing (`tests/balabaqsha/test_constraints.py`).
NAMES_A_CONSTRAINT = "Constraint “%(name)s” is violated."


class TestEveryCatalogue:
    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_nothing_is_empty_guessed_or_obsolete(self, path):
        catalogue = load(path)
        assert [entry.msgid for entry in catalogue if not all(texts(entry))] == []
        assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []
        assert not catalogue.metadata_is_fuzzy

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_nothing_is_said_twice(self, path):
        said = Counter((entry.msgid, entry.msgctxt) for entry in load(path))
        assert [message for message, times in said.items() if times > 1] == []

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_what_is_filled_in_is_named_alike(self, path):
        wrong = []
        for entry in load(path):
            if entry.msgid == NAMES_A_CONSTRAINT:
                continue
            # In the singular the number itself may be left out: "an hour ago".
            allowed = {
                frozenset(PLACEHOLDER.findall(source))
                for source in (entry.msgid, entry.msgid_plural)
                if source
            }
            wrong += [text for text in texts(entry) if frozenset(PLACEHOLDER.findall(text)) not in allowed]
        assert wrong == []

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_line_ends_at_both_ends_are_kept(self, path):
        assert [
            entry.msgid
            for entry in load(path)
            for text in texts(entry)
            if text.startswith("\n") != entry.msgid.startswith("\n")
            or text.endswith("\n") != entry.msgid.endswith("\n")
        ] == []

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_plurals_are_counted_as_django_counts_them(self, path):
        """With another rule Django would keep two catalogues apart, and ours would not override."""
        language = language_of(path)
        reference = load(DJANGO / "conf" / "locale" / language / "LC_MESSAGES" / "django.po")
        rule = re.sub(r"\s", "", load(path).metadata["Plural-Forms"])
        assert rule.rstrip(";") == re.sub(r"\s", "", reference.metadata["Plural-Forms"]).rstrip(";")
        forms = int(re.search(r"nplurals=(\d)", rule)[1])
        assert {len(entry.msgstr_plural) for entry in load(path) if entry.msgid_plural} <= {forms}

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_no_english_is_left(self, path):
        found = {
            word
            for entry in load(path)
            for text in texts(entry)
            for word in re.findall(r"[A-Za-z][A-Za-z_]*", NO_WORDS.sub(" ", text))
        }
        assert found <= LATIN_WORDS

    @pytest.mark.parametrize("path", CATALOGUES, ids=IDS)
    def test_no_word_of_the_other_language(self, path):
        if language_of(path) == "ru":
            wrong = [text for entry in load(path) for text in texts(entry) if KAZAKH_ONLY & set(text)]
        else:
            wrong = [text for entry in load(path) for text in texts(entry) if RUSSIAN_WORDS.search(text)]
        assert wrong == []

    @pytest.mark.parametrize("path", [path for path in CATALOGUES if language_of(path) == "kk"])
    def test_in_kazakh_no_ending_hangs_on_a_value(self, path):
        # A step's and an ordinal number take a hyphen and no ending, so they are right with every number.
        wrong = [
            text
            for entry in load(path)
            for text in texts(entry)
            if re.search(rf"({PLACEHOLDER.pattern})[-–»”\"']*[а-яәғқңөұүһі]", text) and "-қадам" not in text
        ]
        assert wrong == []


class TestOurs:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_catalogue_holds_what_the_code_says_and_nothing_else(self, language):
        added, dropped = update_catalogue(parse(own(language)), said_by_us())
        assert (added, dropped) == ([], []), "run `make messages` and translate what is new"

    def test_no_kazakh_text_is_the_russian_one(self):
        russian = {(entry.msgctxt, entry.msgid): texts(entry) for entry in load(own("ru"))}
        same = {
            text
            for entry in load(own("kk"))
            for text in texts(entry)
            if text in russian[entry.msgctxt, entry.msgid] and re.search(r"\w", NO_WORDS.sub("", text))
        }
        assert same <= SAME_IN_BOTH

    def test_a_template_in_one_language_has_its_sibling(self):
        templates = Path(settings.BASE_DIR) / "templates"
        names = {
            language: {
                path.relative_to(templates).as_posix().replace(f".{language}.", ".*.")
                for path in templates.rglob(f"*.{language}.*")
            }
            for language in LANGUAGES
        }
        assert names["kk"] == names["ru"]
        assert names["kk"]


def translated(language: str, domain: str) -> set[Message]:
    """Everything that Django's and the libraries' own catalogues and ours for them say in a language."""
    folders = [DJANGO / "conf" / "locale", *(Path(app.path) / "locale" for app in apps.get_app_configs())]
    catalogues = [
        polib.mofile(str(compiled))
        for folder in folders
        if (compiled := folder / language / "LC_MESSAGES" / f"{domain}.mo").exists()
    ]
    if (written := LOCALE / "libraries" / language / "LC_MESSAGES" / f"{domain}.po").exists():
        catalogues.append(load(written))
    found = {key_of(entry) for catalogue in catalogues for entry in catalogue if any(texts(entry))}
    # gettext finds a counted message for one thing where the same words are asked for without a count.
    return found | {Message(message.message, message.context) for message in found}


def key_of(entry: polib.POEntry | polib.MOEntry) -> Message:
    return Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")


@cache
def said_by_libraries(domain: str) -> set[Message]:
    """Django lists its messages in its English catalogues; those of the other libraries are read from their code."""
    listed, collected = [DJANGO / "conf" / "locale"], []
    for app in apps.get_app_configs():
        if Path(app.path).is_relative_to(DJANGO):
            listed.append(Path(app.path) / "locale")
        elif Path(app.path).parent != settings.BASE_DIR:
            collected.append(Path(app.path))
    found = {
        key_of(entry)
        for folder in listed
        if (catalogue := folder / "en" / "LC_MESSAGES" / f"{domain}.po").exists()
        for entry in load(catalogue)
        if not entry.obsolete
    }
    return found | set(collect_messages(collected) if domain == "django" else ())


def never_shown() -> set[str]:
    """Names of languages that the portal does not offer, and the page that an empty Django project shows."""
    welcome = (DJANGO / "views" / "templates" / "default_urlconf.html").read_text()
    other_languages = {name for code, name in global_settings.LANGUAGES if code not in LANGUAGES}
    return other_languages | {message.message for message in messages_of_template(welcome)}


class TestOfTheLibraries:
    @pytest.mark.parametrize("domain", ["django", "djangojs"])
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_everything_that_can_be_shown_is_translated(self, language, domain):
        """An upgrade that brings new texts fails here: write them into locale/libraries."""
        missing = said_by_libraries(domain) - translated(language, domain)
        assert sorted(message for message in missing if message.message not in never_shown()) == []

    @pytest.mark.parametrize("path", [path for path in CATALOGUES if "libraries" in path.parts])
    def test_nothing_is_translated_that_no_library_says(self, path):
        said = said_by_libraries(path.stem)
        assert sorted(key_of(entry) for entry in load(path) if key_of(entry) not in said) == []


class TestCollecting:
    def test_calls_in_python(self):
        source = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext
_("one " "and two")
label = gettext_lazy("lazy")
ngettext("%(n)s place", "%(n)s places", n) % {"n": n}
pgettext("month", "May")
translation.gettext("by module")
_(not_a_literal)
other("not ours")
"""
        assert set(messages_of_python(source)) == {
            Message("one and two"),
            Message("lazy"),
            Message("%(n)s place", plural="%(n)s places"),
            Message("May", context="month"),
            Message("by module"),
        }

    def test_tags_in_templates(self):
        source = """{% load i18n %}
{% translate "It's 5% off" %}{% translate "May" context "month" %}
{% include "x.html" with label=_("In a tag") only %}{{ name|default:_("In a filter") }}
{% blocktranslate trimmed with day=value %}
  Until
  {{ day }}
{% endblocktranslate %}
{% blocktranslate count n=number %}{{ n }} place{% plural %}{{ n }} places{% endblocktranslate %}
{# translate "In a comment" #}"""
        assert set(messages_of_template(source)) == {
            Message("It's 5%% off"),
            Message("May", context="month"),
            Message("In a tag"),
            Message("In a filter"),
            Message("Until %(day)s"),
            Message("%(n)s place", plural="%(n)s places"),
        }

    def test_translations_stay_new_ones_are_empty_and_old_ones_go(self):
        catalogue = polib.POFile()
        catalogue += [polib.POEntry(msgid="Queue", msgstr="Кезек"), polib.POEntry(msgid="Gone", msgstr="Жоқ")]
        found = {Message("Queue"): {"b.py", "a.html"}, Message("Bid", "noun"): {"a.html"}}
        assert update_catalogue(catalogue, found) == ([Message("Bid", "noun")], [Message("Gone")])
        assert [(entry.msgctxt, entry.msgid, entry.msgstr) for entry in catalogue] == [
            ("noun", "Bid", ""),
            (None, "Queue", "Кезек"),
        ]
        assert catalogue[1].occurrences == [("a.html", ""), ("b.py", "")]
