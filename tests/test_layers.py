"""What is called pure is pure: computed from its arguments, so that it needs no database to be tested."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
APPS = ["notifications", "accounts", "children", "bulletin", "applications", "balabaqsha"]
# "Pure." is a claim; "a page is pure but for …" or "pure data" says something else.
CLAIM = re.compile(r"(?:^|\s)Pure(?:\.|:)")
# What reads a clock, a setting or the world, or draws by chance, and what leads to the database.
TOUCHING = (
    "django.apps",
    "django.conf",
    "django.core",
    "django.db",
    "django.shortcuts",
    "django.utils.timezone",
    "celery",
    "logging",
    "os",
    "psycopg2",
    "random",
    "redis",
    "requests",
    "socket",
    "subprocess",
    "time",
)
# Enumerations live beside the models in Django, but touch no database.
HARMLESS = {"django.db.models.TextChoices", "django.db.models.IntegerChoices"}
# A row that is given may be read, and one that is not stored may be made; the database is asked through these.
QUERIES = {
    "objects", "_default_manager", "_base_manager", "save", "delete", "refresh_from_db", "full_clean", "filter",
    "exclude", "exists", "aggregate", "annotate", "values_list", "select_related", "select_for_update", "bulk_create",
}  # fmt: skip
# The names by which code reads a clock.
CLOCKS = {"now", "utcnow", "today", "localtime", "localdate", "read_clock", "estimate_clock"}


# Read at once, parsed one by one when they are asked for: collecting tests needs few of them.
TEXTS = {
    path.relative_to(CHECKOUT).as_posix(): path.read_text()
    for app in APPS
    for path in sorted((CHECKOUT / app).rglob("*.py"))
    if "migrations" not in path.parts
}


@cache
def tree(module):
    return ast.parse(TEXTS[module])


def claims_to_be_pure(node):
    return bool(CLAIM.search(ast.get_docstring(node) or ""))


CLAIMING = [module for module, text in TEXTS.items() if CLAIM.search(text)]
PURE_MODULES = [module for module in CLAIMING if claims_to_be_pure(tree(module))]
PURE_FUNCTIONS = [
    (module, node.name)
    for module in CLAIMING
    for node in ast.walk(tree(module))
    if isinstance(node, ast.FunctionDef) and claims_to_be_pure(node)
]


@cache
def imported(module):
    """What a module imports: the name by which it calls it, and the full one."""
    found: dict[str, str] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_of(name):
    """Which of our modules a full name is or lies in, if any."""
    while name:
        path = name.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in TEXTS:
                return file
        name = name.rpartition(".")[0]
    return None


@cache
def impure(name):
    """What a full name leads to that is not pure, seen through our own modules; None for nothing."""
    if name in HARMLESS:
        return None
    if any(name == one or name.startswith(f"{one}.") for one in TOUCHING):
        return name
    inner = module_of(name)
    if inner is None or inner in PURE_MODULES or "/models" in inner:
        return None
    last = name.rpartition(".")[2]
    definition = next((node for node in tree(inner).body if getattr(node, "name", None) == last), None)
    found = touches(inner, definition or tree(inner))
    return f"{name} ({found[0]})" if found else None


def spoken(node):
    """The code below a node without what only describes it: types are not run."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.arg) or part is getattr(node, "returns", None):
            continue
        if isinstance(node, ast.AnnAssign) and part is node.annotation:
            continue
        yield part
        yield from spoken(part)


def touches(module, node):
    """What the code below `node` in `module` uses that is not pure: what leads there, clocks, questions."""
    parts, names = list(spoken(node)), imported(module)
    used = sorted({part.id for part in parts if isinstance(part, ast.Name)} & set(names))
    found = [wrong for local in used if (wrong := impure(names[local]))]
    for part in parts:
        if isinstance(part, ast.Attribute) and part.attr in QUERIES:
            found.append(ast.unparse(part))
        if isinstance(part, ast.Call) and ast.unparse(part.func).rpartition(".")[2] in CLOCKS:
            found.append(ast.unparse(part))
    return found


def test_the_claim_is_found_where_it_is_made():
    assert {
        "applications/queue/order.py",
        "applications/queue/replay.py",
        "applications/rules/ages.py",
        "applications/rules/interest.py",
        "bulletin/workdays.py",
        "bulletin/opening.py",
    } <= set(PURE_MODULES)
    assert ("applications/queue/order.py", "head_by_tier") in PURE_FUNCTIONS


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_module_that_is_called_pure_knows_no_database_and_no_clock(module):
    assert touches(module, tree(module)) == []


@pytest.mark.parametrize(("module", "function"), PURE_FUNCTIONS)
def test_a_function_that_is_called_pure_knows_no_database_and_no_clock(module, function):
    nodes = [node for node in ast.walk(tree(module)) if getattr(node, "name", None) == function]
    assert [touches(module, node) for node in nodes] == [[]] * len(nodes)


@pytest.mark.parametrize(
    "body",
    [
        "from django.db import connection\nconnection.cursor()",
        "from django.utils import timezone\ntimezone.now()",
        "from datetime import datetime\ndatetime.now()",
        "from bulletin.models import Vacancy\nVacancy.objects.count()",
        "from bulletin.employment import works_in\nworks_in",
        "def save(row):\n    row.save()",
        "from accounts.limits import allow_all\nallow_all",
        "vacancy.bids.model.objects.count()",
    ],
)
def test_control_what_is_not_pure_is_seen(body, monkeypatch):
    monkeypatch.setitem(TEXTS, "trial.py", body)
    tree.cache_clear()
    imported.cache_clear()
    assert touches("trial.py", tree("trial.py")) != []


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
STAMPS = {("accounts/models/people.py", "timezone.now")}


def machine_clocks(module):
    """The names by which a module reads the clock of its machine."""
    if not any(name in TEXTS[module] for name in MACHINE_CLOCK | TODAY):
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in MACHINE_CLOCK:
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and not (node.args or node.keywords):
            name = ast.unparse(node.func)
            if name.rpartition(".")[2] in TODAY:
                yield name


def test_only_one_module_knows_the_clock_of_its_machine():
    found = {(name, used) for name in TEXTS for used in machine_clocks(name) if name != CLOCK}
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
    for name in (name for name, text in TEXTS.items() if "estimate_clock(" in text):
        for function, decorators in estimating(tree(name)):
            acts = name.endswith("/tasks.py") or "/management/" in name or "POST" in decorators
            assert not acts, f"{name}: {function}"
