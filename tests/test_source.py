"""What no line of the portal's code may do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

CHECKOUT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "applications", "balabaqsha", "bulletin", "children", "notifications")
# The demo's city is made up, the embedded servers and `make run` start programs of ours.
MADE_UP = "balabaqsha/demo/"
STARTS_PROGRAMS = {
    "balabaqsha/servers/account.py",
    "balabaqsha/servers/foreground.py",
    "balabaqsha/servers/server.py",
    "balabaqsha/runner.py",
    "accounts/safe_copy/process.py",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            yield path.relative_to(CHECKOUT).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_walk_sees_the_code():
    assert len(list(modules())) > 200


def test_nothing_is_executed_that_was_text():
    found = [
        (path, name)
        for path, tree in modules()
        for name, _call in called(tree)
        if name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "Template")
    ]
    assert found == []


def test_only_programs_of_ours_are_started_and_never_by_a_shell():
    for path, tree in modules():
        for name, call in called(tree):
            if name.startswith("subprocess.") and name != "subprocess.TimeoutExpired":
                assert path in STARTS_PROGRAMS, path
            assert not any(keyword.arg == "shell" for keyword in call.keywords), path


def test_nothing_is_unpickled():
    unsafe = {"pickle", "marshal", "shelve", "yaml", "dill", "jsonpickle"}
    assert [
        path for path, tree in modules() if {name.partition(".")[0] for name in imported(tree)} & unsafe
    ] == []
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")


def test_no_xml_is_read():
    parsers = {"xml", "lxml", "xmltodict", "defusedxml"}
    writers = {"xml.sax.saxutils"}
    for path, tree in modules():
        names = {name for name in imported(tree) if name.partition(".")[0] in parsers}
        assert not {name for name in names if not name.startswith(tuple(writers))}, path


def test_chance_that_matters_is_the_systems():
    for path, tree in modules():
        if not path.startswith(MADE_UP):
            assert not {
                name for name in imported(tree) if name.startswith("random") and "SystemRandom" not in name
            }, path


def test_no_hash_that_is_broken():
    for path, tree in modules():
        # The services of leaked passwords name them by SHA-1.
        if not path.startswith(MADE_UP) and path != "accounts/leaked_passwords.py":
            assert not {name for name, _call in called(tree) if name in ("hashlib.md5", "hashlib.sha1")}, path


def test_statements_hold_values_only_as_parameters():
    """What is put together is put together of names that stand in the code; ruff's S608 finds the rest."""
    for path, tree in modules():
        for name, call in called(tree):
            if name.endswith((".raw", ".extra", "RawSQL")):
                assert all(isinstance(argument, ast.Constant) for argument in call.args[:1]), path


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "static" / "js").glob("*.js")), ids=lambda path: path.name
)
class TestScripts:
    def test_they_write_text_and_never_markup(self, path):
        assert not re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(\s*[\"'`]",
            path.read_text(),
        )

    def test_they_keep_nothing_and_listen_to_no_other_window(self, path):
        assert not re.findall(
            r"localStorage|sessionStorage|indexedDB|cookieStore|document\.cookie\s*=|postMessage|[\"']message[\"']",
            path.read_text(),
        )
        # One reads when the session ends, and nothing else.
        assert path.read_text().count("document.cookie") == (path.name == "session.js")

    def test_they_merge_no_objects_that_came_from_outside(self, path):
        assert not re.findall(r"__proto__|Object\.assign|\bprototype\b", path.read_text())

    def test_they_hinder_nobody_from_pasting(self, path):
        assert not re.findall(r"[\"'](paste|copy|contextmenu)[\"']", path.read_text())


def test_templates_mark_nothing_as_safe_but_what_we_wrote():
    known = {"templates/components/field_notes.html"}  # help texts are our own, with links
    found = set()
    for path in (CHECKOUT / "templates").rglob("*.html"):
        if re.search(r"\|\s*safe\b|autoescape off|safeseq", path.read_text()):
            found.add(path.relative_to(CHECKOUT).as_posix())
    assert found <= known
    escapes = {
        "notifications/templatetags/unbroken.py",  # everything before it wraps a number
        "balabaqsha/templatetags/cells.py",  # a cell that Django made safe, with an escaped attribute in it
    }
    marking = {path for path, tree in modules() for name, _call in called(tree) if name == "mark_safe"}
    assert marking == escapes


def test_the_image_holds_no_history_and_no_secrets():
    ignored = (CHECKOUT / ".dockerignore").read_text().split()
    assert {".git", ".env", "var", "tests", ".venv"} <= set(ignored)
