"""What no line of the portal's code may do."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

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


class Call(NamedTuple):
    """A call that the code makes: of what, by which names, and whether with what stands there as it is."""

    name: str
    keywords: frozenset[str | None]
    begins_with_a_constant: bool


class Module(NamedTuple):
    """What a module imports and calls."""

    path: str
    imported: frozenset[str]
    called: tuple[Call, ...]


@cache
def modules() -> tuple[Module, ...]:
    """The portal's code, read once."""
    return tuple(
        Module(path.relative_to(CHECKOUT).as_posix(), frozenset(imported(tree)), tuple(called(tree)))
        for app in APPS
        for path in sorted((CHECKOUT / app).rglob("*.py"))
        for tree in [ast.parse(path.read_text())]
    )


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def called(tree: ast.Module) -> Iterator[Call]:
    known = statements(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = frozenset(keyword.arg for keyword in node.keywords)
            first = node.args[:1]
            is_constant = all(isinstance(one, ast.Constant) or ast.unparse(one) in known for one in first)
            yield Call(ast.unparse(node.func), keywords, is_constant)


def statements(tree: ast.Module) -> set[str]:
    """The names of a module that are, once and for all, a text that stands there or what a file beside it holds."""
    from_file = re.compile(r"\(Path\(__file__\)\.parent / '\w+\.sql'\)\.read_text\(\)")
    return {
        ast.unparse(node.target)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.annotation) == "Final"
        if isinstance(node.value, ast.Constant) or from_file.fullmatch(ast.unparse(node.value))
    }


def test_the_walk_sees_the_code():
    assert len(modules()) > 200
    tree = ast.parse("import a, b.c\nfrom d import e\nx.raw(f'{y}', shell=True)\nx.raw('z')")
    assert imported(tree) == {"a", "b.c", "d.e"}
    assert [*called(tree)] == [
        Call("x.raw", frozenset({"shell"}), False),
        Call("x.raw", frozenset(), True),
    ]
    for said, is_constant in (
        ("A: Final = (Path(__file__).parent / 'a.sql').read_text()", True),
        ("A = (Path(__file__).parent / 'a.sql').read_text()", False),
        ("A: Final = (Path(__file__).parent / name).read_text()", False),
        ("A: Final = 'a'", True),
        ("A: Final = f'{name}'", False),
    ):
        calls = called(ast.parse(f"{said}\nx.raw(A)"))
        assert [call.begins_with_a_constant for call in calls if call.name == "x.raw"] == [is_constant]


def test_nothing_is_executed_that_was_text():
    found = [
        (module.path, call.name)
        for module in modules()
        for call in module.called
        if call.name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "Template")
    ]
    assert found == []


def test_only_programs_of_ours_are_started_and_never_by_a_shell():
    for module in modules():
        for call in module.called:
            if call.name.startswith("subprocess.") and call.name != "subprocess.TimeoutExpired":
                assert module.path in STARTS_PROGRAMS, module.path
            assert "shell" not in call.keywords, module.path


def test_nothing_is_unpickled():
    unsafe = {"pickle", "marshal", "shelve", "yaml", "dill", "jsonpickle"}
    assert [
        module.path for module in modules() if {name.partition(".")[0] for name in module.imported} & unsafe
    ] == []
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")


def test_no_xml_is_read():
    parsers = {"xml", "lxml", "xmltodict", "defusedxml"}
    writers = {"xml.sax.saxutils"}
    for module in modules():
        names = {name for name in module.imported if name.partition(".")[0] in parsers}
        assert not {name for name in names if not name.startswith(tuple(writers))}, module.path


def test_chance_that_matters_is_the_systems():
    for module in modules():
        if not module.path.startswith(MADE_UP):
            assert not {
                name for name in module.imported if name.startswith("random") and "SystemRandom" not in name
            }, module.path


# What others have chosen: the services of leaked passwords name them by SHA-1, and a gateway signs its reports with it.
OF_OTHERS = {"accounts/leaked_passwords.py", "notifications/sms/mobizon.py"}


def test_no_hash_that_is_broken():
    for module in modules():
        if not module.path.startswith(MADE_UP) and module.path not in OF_OTHERS:
            names = {call.name for call in module.called}
            assert not names & {"hashlib.md5", "hashlib.sha1"}, module.path


def test_statements_hold_values_only_as_parameters():
    """What is put together is put together of names that stand in the code; ruff's S608 finds the rest."""
    for module in modules():
        for call in module.called:
            if call.name.endswith((".raw", ".extra", "RawSQL")):
                assert call.begins_with_a_constant, module.path


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "static" / "js").glob("*.js")), ids=lambda path: path.name
)
class TestScripts:
    def test_they_write_text_and_never_markup(self, path):
        written = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(\s*[\"'`]",
            path.read_text(),
        )
        # One hands on to Leaflet what the page has escaped.
        assert written == (["innerHTML"] if path.name == "leaflet_loading.js" else [])

    def test_they_keep_nothing_and_listen_to_no_other_window(self, path):
        kept = re.findall(
            r"localStorage|sessionStorage|indexedDB|cookieStore|document\.cookie\s*=|postMessage|[\"']message[\"']",
            path.read_text(),
        )
        assert kept == []
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
        "balabaqsha/help_questions.py",  # the answers of the help, which are files of ours
        "notifications/templatetags/tongue.py",  # an attribute with the code of a language
        "notifications/templatetags/unbroken.py",  # everything before it wraps a number
        "balabaqsha/templatetags/head.py",  # a rendered block, whose quotation marks are escaped
        "balabaqsha/templatetags/times.py",  # digits, and a weekday in the words of Django
        "balabaqsha/templatetags/cells.py",  # a cell that Django made safe, with an escaped attribute in it
    }
    marking = {module.path for module in modules() if "mark_safe" in {call.name for call in module.called}}
    assert marking == escapes


def cells_without_a_label(template):
    """The cells of tables that are cards on a phone, where no heading stands above them, and that say nothing."""
    found = []
    for table in re.findall(r'<table class="table(?![^"]*plain)[^"]*">.*?</table>', template, re.DOTALL):
        cells = re.findall(r"<td[^>]*(?:\{%.*?%\}[^>]*)*>", table.partition("<tbody")[2])
        found += [cell for cell in cells if "data-label" not in cell and "cell-" not in cell]
    return found


def test_each_cell_of_a_table_says_on_a_phone_what_it_is():
    assert cells_without_a_label('<table class="table"><tbody><tr><td>9</td></tr></tbody></table>') == [
        "<td>"
    ]
    templates = (CHECKOUT / "templates").rglob("*.html")
    found = {path.name: cells for path in templates if (cells := cells_without_a_label(path.read_text()))}
    assert found == {}


def test_the_image_holds_no_history_and_no_secrets():
    ignored = (CHECKOUT / ".dockerignore").read_text().split()
    assert {".git", ".env", "var", "tests", ".venv"} <= set(ignored)


def test_migrations_read_rows_by_the_connection_that_migrates():
    """Another one waits for the tables that this one is changing: for ever."""
    for app in APPS:
        for path in (CHECKOUT / app / "migrations").glob("*.py"):
            bare = re.findall(r"\.objects\.(?!using\()\w+|\.objects$", path.read_text(), re.MULTILINE)
            assert not bare, path
