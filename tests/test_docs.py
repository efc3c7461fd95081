"""What the documents name must be there: files, commands, variables, addresses."""

import ast
import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from balabaqsha.celery import app
from balabaqsha.staff_manual import FILES, anchor_of, read_manual
from tests.browser.desk import MOST

CHECKOUT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
OPERATORS = CHECKOUT / "docs" / "operators.md"
SECURITY = CHECKOUT / "docs" / "security.md"
OWN_FOLDERS = (
    r"accounts|applications|balabaqsha|bin|bulletin|children|docs|locale|notifications|static|templates|tests"
)

# What is asked of every document is asked of all in one test.
WRITTEN = {path.relative_to(CHECKOUT).as_posix(): path.read_text() for path in DOCUMENTS}


def own_commands() -> set[str]:
    return {path.stem for path in CHECKOUT.glob("*/management/commands/[!_]*.py")}


def named_in_documents(pattern: str) -> set[tuple[str, str]]:
    """What the documents name so, each with where it does."""
    return {
        (document, name)
        for document, text in WRITTEN.items()
        for name in re.findall(pattern, text, re.MULTILINE)
    }


def test_links_lead_to_files():
    links = {
        (document, target)
        for document, target in named_in_documents(r"\]\(([^)#]+)[^)]*\)")
        if not re.match(r"https?://|mailto:", target)
    }
    assert {link for link in links if not (CHECKOUT / link[0]).parent.joinpath(link[1]).exists()} == set()
    assert len(links) > 100


def test_named_files_exist():
    files = named_in_documents(rf"`((?:{OWN_FOLDERS})/[\w./-]*)`")
    assert {file for file in files if not (CHECKOUT / file[1]).exists()} == set()
    assert len(files) > 100


def test_named_commands_exist():
    commands = named_in_documents(r"manage\.py ([a-z_]+)")
    assert {command for command in commands if command[1] not in get_commands()} == set()


def test_make_knows_the_targets():
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    named = named_in_documents(r"(?:`|^)make ([a-z-]+)")
    assert {target for target in named if target[1] not in targets} == set()


def test_no_paths_of_one_machine():
    assert named_in_documents(r"(?<![\w.])/(?:work|home|root|tmp|Users)/") == set()


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
    """Copied and filled in, it gives no public desk with everybody's codes."""
    given = re.findall(r"^([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    assert {"ALLOWED_HOSTS", "SECRET_KEY", "IIN_KEYS"} <= set(given)
    assert not {"BALABAQSHA_DEMO", "DEBUG", "HTTPS", "STAFF_SECOND_FACTOR"} & set(given)


HOW_TO = CHECKOUT / "docs" / "how-to.md"
# Where a thing is named, but nobody adds to it: what else uses the one that a recipe follows.
USES_ONLY = {
    "outbox_waiting": set(),
    "vacant_from": {
        "applications/places/with_room.sql",
        "applications/bidding/obstacles.py",
        "applications/places/occupancy.py",
        "docs/bulletin.md",
    },
    "place_type": set(),
    "referral_moved": set(),
    "interest_ended": set(),
    "stop_listed": {
        "applications/city/queue_columns.py",
        "applications/city/reconciling.py",
        "applications/models/application.py",
        "applications/undoing/coming.py",
        "applications/waiting/bringing_anew.py",
        "applications/waiting/bringing_in.py",
    },
    "corrections_csv": set(),
    "settle_disputes": set(),
    "mobizon": set(),
}


def recipes() -> dict[str, str]:
    """What each recipe of docs/how-to.md follows, with its text."""
    found = {}
    for text in HOW_TO.read_text().split("\n## ")[1:]:
        for followed in re.findall(r"`(\w+)`", text.partition("Follow")[2].partition(".")[0]):
            found[followed] = text
    return found


def files_that_name(word: str) -> set[str]:
    """The files of code, templates and documents in which a thing is named; tests and what is past left out."""
    files = [path for folder in OWN_FOLDERS.split("|") for path in (CHECKOUT / folder).rglob("*")]
    left_out = {"tests", "migrations", "demo", "adr", "locale", "static", "__pycache__"}
    return {
        name
        for path in [*files, CHECKOUT / "README.md", CHECKOUT / ".env.example"]
        if not left_out & set(path.parts) and path.suffix in {".py", ".html", ".sql", ".md", ".example"}
        if (name := path.relative_to(CHECKOUT).as_posix()) != "docs/how-to.md"
        if word in path.read_text().lower()
    }


@pytest.mark.parametrize("followed", USES_ONLY)
def test_a_recipe_names_every_file_in_which_its_example_is_found(followed):
    text = recipes()[followed]
    named = set(re.findall(r"`([\w./-]+)`", text))
    missing = files_that_name(followed) - named - USES_ONLY[followed]
    assert missing == set()


def test_every_recipe_is_held_to_its_example():
    # A work of the workplace is named by a word that stands for much else.
    assert recipes().keys() - {"revoke"} == USES_ONLY.keys()


def test_every_gateway_is_named_where_the_recipe_says():
    folder = CHECKOUT / "notifications" / "sms"
    gateways = {path.stem for path in folder.glob("*.py") if "post_form(" in path.read_text()} - {"http"}
    assert gateways >= {"smsc", "mobizon"}
    places = [
        "notifications/checks.py",
        "balabaqsha/settings.py",
        ".env.example",
        "README.md",
        "docs/messages.md",
        "docs/operators.md",
        "tests/notifications/test_gateways.py",
    ]
    missing = [
        f"{gateway}: {place}"
        for gateway in gateways
        for place in places
        if gateway not in (CHECKOUT / place).read_text().lower()
    ]
    assert missing == []


STATES = ("met", "deviated", "not applicable", "open")


def asvs_rows() -> list[tuple[list[str], str, str, str, str]]:
    """The rows of docs/security.md: numbers, level, state, how, shown by."""
    rows = re.findall(
        r"^\| (\d+\.\d+\.\d+[\d., ]*) \| ([12]) \| ([a-z ]+) \| (.*) \| (.*) \|$",
        SECURITY.read_text(),
        re.MULTILINE,
    )
    return [(numbers.split(", "), *rest) for numbers, *rest in rows]


def asvs_numbers() -> dict[str, str]:
    """The numbers of the standard's levels 1 and 2, with their level; it is kept beside the tests as data."""
    lines = (CHECKOUT / "tests" / "asvs_5_0_0.csv").read_text().splitlines()[1:]
    return dict(line.split(",") for line in lines)


def test_every_requirement_of_the_standard_is_answered_once():
    answered = [(number, level) for numbers, level, *_rest in asvs_rows() for number in numbers]
    assert len(answered) == len(set(answered))
    assert dict(answered) == asvs_numbers()
    assert len(answered) == 253


def test_every_answer_has_a_state_and_what_it_needs():
    for numbers, _level, state, how, shown in asvs_rows():
        assert state in STATES, numbers
        if state == "met":
            assert "`tests/" in shown or "](" in shown or "this page" in shown, numbers
        elif state == "open":
            assert re.search(
                r"comes with: (accounts for life|the employees' workplace|going live|what is promised holds)",
                shown,
            ), numbers
        if state != "met":
            assert how.strip(), numbers


def test_every_test_that_an_answer_names_exists():
    named = set(re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", SECURITY.read_text()))
    assert len(named) > 100
    for path, name in sorted(named):
        assert name in named_in(CHECKOUT / path), f"{path}::{name}"


def named_in(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}::{member.name}" for member in node.body if isinstance(member, ast.FunctionDef)
            }
    return found


def test_the_counts_at_the_top_are_those_of_the_table():
    counted = Counter((level, state) for numbers, level, state, *_rest in asvs_rows() for _number in numbers)
    for name, levels in (("level 1", "1"), ("level 2", "2"), ("both", "12")):
        each = [sum(counted[level, state] for level in levels) for state in STATES]
        row = f"| {name} | {' | '.join(map(str, [*each, sum(each)]))} |"
        assert row in SECURITY.read_text()


@pytest.mark.parametrize("address", ["/health/", "/clock.json", "/admin/", "/demo/", "/demo/desk.json"])
def test_named_addresses_answer(address):
    try:
        resolve(address)
    except Resolver404:
        pytest.fail(f"{address} is named in the documents and leads nowhere")


def test_every_task_of_the_schedule_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


@pytest.mark.parametrize("language", FILES)
class TestTheEmployeesManual:
    """One file of each language, read in `docs/` and as a page of the workplace."""

    @pytest.fixture
    def told(self, language):
        return (CHECKOUT / "docs" / FILES[language]).read_text()

    def test_it_names_buttons_and_lists_by_their_words(self, language, told):
        catalogue = polib.pofile(CHECKOUT / "locale" / language / "LC_MESSAGES" / "django.po")
        words = {(entry.msgstr or entry.msgstr_plural[0]).casefold().rstrip(":") for entry in catalogue}
        named = re.findall(r"«([^»]+)»", told)
        assert [one for one in named if one.casefold() not in words] == []
        assert len(set(named)) > 30

    def test_its_links_lead_to_its_headings(self, told):
        headings = {anchor_of(heading) for heading in re.findall(r"^#+ (.+)$", told, re.MULTILINE)}
        assert set(re.findall(r"\]\(#([^)]+)\)", told)) <= headings

    def test_its_pictures_are_light_and_told_in_words(self, language, told):
        pictures = re.findall(r"!\[([^]]*)\]\(\.\./(static/manual/\w+/[\w-]+\.png)\)", told)
        assert len(pictures) == told.count("![") >= 10
        assert all(words for words, _path in pictures)
        kept = {
            path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob(f"static/manual/{language}/*")
        }
        assert {path for _words, path in pictures} == kept
        assert all((CHECKOUT / path).stat().st_size <= 40_000 for path in kept)

    def test_it_promises_the_presses_to_which_the_walks_are_held(self, told):
        assert [int(most) for most in re.findall(r"^\| .+ \| (\d+) \|$", told, re.MULTILINE)] == [
            *MOST.values()
        ]

    def test_the_page_says_the_same(self, language, told):
        page = read_manual(language)
        assert f"# {page.title}" == told.splitlines()[0]
        assert page.html.count("<h2 id=") == told.count("\n## ")
        assert page.html.count("<img ") == told.count("![")
        assert "../" not in page.html

    def test_the_image_of_the_portal_holds_it(self, language):
        kept_out = (CHECKOUT / ".dockerignore").read_text().splitlines()
        assert "docs" not in kept_out
        assert "!docs/employees*.md" in kept_out


def test_the_manual_tells_both_languages_the_same():
    kk, ru = ((CHECKOUT / "docs" / FILES[language]).read_text() for language in ("kk", "ru"))
    for part in (r"^## ", r"^### ", r"^\d\. ", r"^- ", r"^\| ", r"^!\["):
        assert len(re.findall(part, kk, re.MULTILINE)) == len(re.findall(part, ru, re.MULTILINE)), part
