"""Where notices lead is said by their buttons: whoever gives a notice a link also names the page."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from notifications.push_encryption import new_private_key
from notifications.targets import _LABELS, label_of
from tests.city import build_city

CHECKOUT = Path(settings.BASE_DIR)
APPS = ("accounts", "children", "bulletin", "applications", "balabaqsha")


def linking_modules():
    """The modules that give a notice a link by `enqueue`."""
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
    """Also thousands of notices at once have links, which no `enqueue` writes."""
    files = (path for app in APPS for path in (CHECKOUT / app).rglob("*.py") if path.name != "notices.py")
    used = {name for path in files for name in names_in(ast.parse(path.read_text()))}
    # `Application.get_absolute_url`; a model knows its address in both languages.
    assert _LABELS.keys() <= used


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


@pytest.mark.django_db
def test_every_page_that_notices_lead_to_opens_for_its_reader(client_of, settings):
    """An application in whatever state it is now: it is never 404 to who still reads the notice."""
    settings.PUSH_PRIVATE_KEY = new_private_key()
    city = build_city()
    reader = client_of(city.parent)
    objects = {
        "applications:application": city.applications.values(),
        "applications:guardian_claim": [city.claim],
        "applications:objection": [city.objection],
        "applications:complaint": [city.complaint],
        "applications:alert": [city.applications["waiting"]],
    }
    for name in _LABELS:
        if not name.startswith("admin:"):
            for args in ([one.pk] for one in objects[name]) if name in objects else [[]]:
                answer = reader.get(reverse(name, args=args), follow=True)
                assert answer.status_code == 200, name
