"""Collect the messages of our code and templates into catalogues, without gettext's programs.

A template is first turned into Python calls by Django itself (`templatize`); then the calls are read, as xgettext
would: only literal strings count.
"""

import ast
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

# Which arguments of a call are the message, its plural, its context.
CALLS: dict[str, tuple[str, ...]] = {
    "_": ("message",),
    "gettext": ("message",),
    "gettext_lazy": ("message",),
    "gettext_noop": ("message",),
    "ngettext": ("message", "plural"),
    "ngettext_lazy": ("message", "plural"),
    "pgettext": ("context", "message"),
    "pgettext_lazy": ("context", "message"),
    "npgettext": ("context", "message", "plural"),
    "npgettext_lazy": ("context", "message", "plural"),
}
_LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_TEMPLATE_CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)")


@dataclass(frozen=True, order=True)
class Message:
    """One entry of a catalogue. `context` and `plural` are empty where there is none."""

    message: str
    context: str = ""
    plural: str = ""


def messages_of_python(source: str) -> Iterator[Message]:
    """Messages in calls of gettext and its relatives, imported under their own names or as `_`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        parts = CALLS.get(name)
        if parts is None:
            continue
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        strings = [text for text in texts[: len(parts)] if isinstance(text, str)]
        if len(strings) == len(parts):
            yield Message(**dict(zip(parts, strings, strict=True)))


def messages_of_template(source: str) -> Iterator[Message]:
    """Messages in translate and blocktranslate tags and in `_("…")` of a Django template."""
    for name, arguments in _TEMPLATE_CALL.findall(templatize(source)):
        texts = ast.literal_eval(f"({arguments},)")
        yield Message(**dict(zip(CALLS[name], texts, strict=True)))


def own_folders() -> list[Path]:
    """The folders whose messages are ours: our apps and the templates."""
    apps_of_ours = [Path(config.path) for config in apps.get_app_configs()]
    return [
        *(folder for folder in apps_of_ours if folder.parent == settings.BASE_DIR),
        settings.BASE_DIR / "templates",
    ]


def collect_messages(folders: Iterable[Path]) -> dict[Message, set[str]]:
    """Every message in the Python files and templates below these folders, and the files that use it.

    A file is named from the parent of its folder: `bulletin/forms.py`.
    """
    found: dict[Message, set[str]] = defaultdict(set)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".py":
                with tokenize.open(path) as file:
                    messages = list(messages_of_python(file.read()))
            elif path.suffix in (".html", ".txt"):
                messages = list(messages_of_template(path.read_text(encoding="utf-8")))
            else:
                continue
            for message in messages:
                found[message].add(path.relative_to(folder.parent).as_posix())
    return found


def update_catalogue(
    catalogue: polib.POFile, messages: dict[Message, set[str]]
) -> tuple[list[Message], list[Message]]:
    """Make the catalogue hold exactly these messages, in alphabetical order, keeping its translations.

    A new message gets an empty translation: nothing is guessed. Returns what was added and what was dropped.
    """
    known = {Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural): entry for entry in catalogue}
    added, dropped = sorted(messages.keys() - known.keys()), sorted(known.keys() - messages.keys())
    for message in dropped:
        catalogue.remove(known[message])
    for message in added:
        known[message] = polib.POEntry(
            msgid=message.message, msgctxt=message.context or None, msgid_plural=message.plural
        )
        catalogue.append(known[message])
    for message, files in messages.items():
        known[message].occurrences = [(file, "") for file in sorted(files)]
        known[message].flags = [flag for flag in known[message].flags if flag != "python-format"]
    catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    return added, dropped
