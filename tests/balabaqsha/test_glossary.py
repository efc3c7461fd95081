"""Words in texts that lead to the glossary."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from balabaqsha.templatetags.glossary import term

TEMPLATES = Path(settings.BASE_DIR, "templates")
USED = re.compile(r'\|term:"([\w-]+)"')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to the [stop-list] for", 'to the <a href="/ru/help/glossary/#x">stop-list</a> for'),
        ("Referral", '<a href="/ru/help/glossary/#x">Referral</a>'),
        ("<b> [<i>]", '&lt;b&gt; <a href="/ru/help/glossary/#x">&lt;i&gt;</a>'),
        ("[open", '<a href="/ru/help/glossary/#x">[open</a>'),
    ],
    ids=["brackets", "whole", "escaped", "no end"],
)
def test_what_is_linked(text, told):
    with override("ru"):
        assert term(text, "x") == told


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_every_word_is_explained_and_linked_once_in_a_file(language):
    explained = set(
        re.findall(r'<dt id="([\w-]+)">', (TEMPLATES / f"pages/glossary.{language}.html").read_text())
    )
    used = {path: USED.findall(path.read_text()) for path in TEMPLATES.rglob("*.html")}
    assert {word for words in used.values() for word in words} <= explained
    assert [path.name for path, words in used.items() if len(words) != len({*words})] == []
    assert {"bid", "referral", "stop-list", "number", "benefit"} <= {
        word for words in used.values() for word in words
    }
