"""Pure rules stay pure: they are computed from their arguments, so they need no database to be tested."""

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PURE = [
    "accounts/iin.py",
    "accounts/phones.py",
    "applications/states.py",
    "bulletin/opening.py",
    "bulletin/workdays.py",
    "children/ages.py",
    "notifications/text.py",
]
# Enumerations live beside the models in Django, but touch no database.
HARMLESS = {"django.db.models.TextChoices", "django.db.models.IntegerChoices"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_knows_no_database_and_no_clock(module):
    names = set(imported(CHECKOUT / module)) - HARMLESS
    assert names
    touching = {
        name for name in names if name.startswith(("django.db", "django.apps", "django.utils.timezone"))
    }
    assert not touching
    assert not {
        name for name in names if name.partition(".")[2].startswith(("models", "services", "selectors"))
    }


APPS = ["notifications", "accounts", "children", "bulletin", "applications", "balabaqsha"]
MACHINE_CLOCK = {
    "timezone.now",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
}
TODAY = {"localtime", "localdate"}
# The one place that knows which clock counts.
CLOCK = "notifications/clock.py"
# Stamps by which nothing is decided: when an employee's account was made.
STAMPS = {("accounts/models.py", "timezone.now")}


def modules():
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(CHECKOUT).as_posix(), ast.parse(path.read_text())


def machine_clocks(tree):
    """The names by which a module reads the clock of its machine."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in MACHINE_CLOCK:
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and not (node.args or node.keywords):
            name = ast.unparse(node.func)
            if name.rpartition(".")[2] in TODAY:
                yield name


def test_only_one_module_knows_the_clock_of_its_machine():
    found = {(name, used) for name, tree in modules() for used in machine_clocks(tree) if name != CLOCK}
    assert found == STAMPS


def estimating(tree):
    """The functions that go by the estimate, with their decorators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(part, ast.Call) and ast.unparse(part.func) == "estimate_clock"
            for part in ast.walk(node)
        ):
            yield node.name, " ".join(ast.unparse(decorator) for decorator in node.decorator_list)


def test_whatever_acts_reads_the_clock():
    """Tasks, commands, and pages that take a form go by a reading, and never by the estimate of it."""
    for name, tree in modules():
        for function, decorators in estimating(tree):
            acts = name.endswith("/tasks.py") or "/management/" in name or "POST" in decorators
            assert not acts, f"{name}: {function}"
