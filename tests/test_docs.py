"""What the documents name must be there: files, commands, variables, addresses."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from balabaqsha.celery import app

CHECKOUT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
OPERATORS = CHECKOUT / "docs" / "operators.md"
OWN_FOLDERS = (
    r"accounts|applications|balabaqsha|bin|bulletin|children|docs|locale|notifications|static|templates|tests"
)

documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix()
)


def own_commands() -> set[str]:
    return {path.stem for path in CHECKOUT.glob("*/management/commands/[!_]*.py")}


@documents
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if not re.match(r"https?://|mailto:", target):
            assert (document.parent / target).exists(), target


@documents
def test_named_files_exist(document):
    for name in re.findall(rf"`((?:{OWN_FOLDERS})/[\w./-]*)`", document.read_text()):
        assert (CHECKOUT / name).exists(), name


@documents
def test_named_commands_exist(document):
    for name in re.findall(r"manage\.py ([a-z_]+)", document.read_text()):
        assert name in get_commands(), name


@documents
def test_make_knows_the_targets(document):
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    for name in re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE):
        assert name in targets, name


@documents
def test_no_paths_of_one_machine(document):
    assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp|Users)/", document.read_text())


def test_operators_find_every_command():
    rows = re.findall(r"^\| (`.*?) \|", OPERATORS.read_text(), re.MULTILINE)
    assert own_commands() <= set(re.findall(r"`([a-z_]+)", "\n".join(rows)))


def test_the_readme_names_every_variable_of_the_settings():
    settings = (CHECKOUT / "balabaqsha" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    named = set(re.findall(r"`([A-Z_]+)`", (CHECKOUT / "README.md").read_text()))
    assert read <= named
    assert len(read) > 20


def test_the_example_of_an_environment_names_only_variables_that_are_read():
    settings = (CHECKOUT / "balabaqsha" / "settings.py").read_text()
    compose = (CHECKOUT / "docker-compose.yml").read_text()
    for name in re.findall(r"^#? ?([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE):
        assert f'"{name}"' in settings or f"${{{name}" in compose, name


def test_the_example_of_an_environment_is_that_of_a_real_portal():
    """Whoever copies it and fills in what is empty has no public desk with everybody's codes."""
    given = re.findall(r"^([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    assert {"ALLOWED_HOSTS", "SECRET_KEY", "IIN_KEYS"} <= set(given)
    assert not {"BALABAQSHA_DEMO", "DEBUG", "HTTPS", "STAFF_SECOND_FACTOR"} & set(given)


def test_compose_listens_on_this_machine_only():
    """What the headers X-Forwarded-… say is believed of whoever reaches the port."""
    ports = re.findall(r"^ +- \"(.*:\d+)\"$", (CHECKOUT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("address", ["/health/", "/clock.json", "/admin/", "/demo/", "/demo/desk.json"])
def test_named_addresses_answer(address):
    try:
        resolve(address)
    except Resolver404:
        pytest.fail(f"{address} is named in the documents and leads nowhere")


def test_every_task_of_the_schedule_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
