"""Catalogues follow the code: what is new is added, what is gone goes, what was translated stays."""

from io import StringIO

import polib
import pytest
from django.core.management import call_command

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
KNOWN = 'msgid "Queue"\nmsgstr "{}"\n\nmsgid "No longer asked"\nmsgstr "{}"\n'


@pytest.fixture
def checkout(tmp_path, settings):
    """A project of one template, and catalogues from before it was changed."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "templates").mkdir()
    page = '{% load i18n %}<h1>{% translate "Queue" %}</h1>{% translate "Places" %}{# _("Hidden") #}'
    (tmp_path / "templates" / "page.html").write_text(page)
    for language, words in (("kk", ("Кезек", "Сұралмайды")), ("ru", ("Очередь", "Не спрашивают"))):
        folder = tmp_path / "locale" / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "django.po").write_text(HEAD + KNOWN.format(*words))
    return tmp_path


@pytest.mark.parametrize(("language", "kept"), [("kk", "Кезек"), ("ru", "Очередь")])
def test_the_catalogue_holds_what_the_templates_say(checkout, language, kept):
    said = StringIO()
    call_command("collect_messages", stdout=said)
    catalogue = polib.pofile(str(checkout / "locale" / language / "LC_MESSAGES" / "django.po"))
    assert {entry.msgid: entry.msgstr for entry in catalogue} == {"Places": "", "Queue": kept}
    assert [entry.occurrences for entry in catalogue] == [[("templates/page.html", "")]] * 2
    assert [line for line in said.getvalue().splitlines() if line.startswith(language)] == [
        f"{language} + Places",
        f"{language} - No longer asked",
        f"{language}: 2 messages, 1 without a translation",
    ]


def test_a_second_time_changes_nothing(checkout):
    call_command("collect_messages", stdout=StringIO())
    paths = sorted(checkout.rglob("*.po"))
    before = [path.read_text() for path in paths]
    call_command("collect_messages", stdout=StringIO())
    assert [path.read_text() for path in paths] == before
    assert len(paths) == 2
