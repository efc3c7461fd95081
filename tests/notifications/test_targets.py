"""Where notices lead is said by their buttons: whoever gives a notice a link also names the page."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from notifications.targets import _LABELS, label_of

CHECKOUT = Path(settings.BASE_DIR)
APPS = ("accounts", "children", "bulletin", "applications", "balabaqsha")


def linking_modules():
    """The modules that give a notice a link."""
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            # To parse all of the code would take each run seconds before its first test.
            if "enqueue(" not in (source := path.read_text()):
                continue
            tree = ast.parse(source)
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            if any(
                getattr(call.func, "id", "") in ("enqueue", "Letter")
                and any(word.arg == "link" for word in call.keywords)
                for call in calls
            ):
                yield path.relative_to(CHECKOUT).as_posix(), tree


def names_in(tree):
    """The names of addresses in a module: constants like `accounts:profile`."""
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {
        one
        for one in constants
        if isinstance(one, str) and re.fullmatch(f"({'|'.join(APPS)}|admin):\\w+", one)
    }


MODULES = dict(linking_modules())


def test_there_is_something_to_look_at():
    assert len(MODULES) > 10


@pytest.mark.parametrize("module", MODULES)
def test_every_page_that_a_notice_leads_to_is_named(module):
    assert names_in(MODULES[module]) <= _LABELS.keys()


def test_none_is_named_in_vain():
    used = {name for tree in MODULES.values() for name in names_in(tree)}
    # `applications/moves.py` asks the application for its address.
    assert _LABELS.keys() <= used | {"applications:application"}


@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize("label", _LABELS)
def test_every_button_is_in_the_language_of_the_page(label, language):
    with override(language):
        assert str(_LABELS[label]) != _LABELS[label]._args[0]


@pytest.mark.parametrize("link", ["/gone/for/good/", "/", "nonsense", "/?x=1"])
def test_a_page_without_a_name_is_led_to_all_the_same(link):
    with override("ru"):
        assert label_of(link) == "Просмотр"


def test_the_button_says_where_it_leads():
    with override("ru"):
        assert label_of("/cabinet/profile/") == "К профилю"
        assert label_of("/feedback/?kindergarten=a") == "К отзывам"
