"""What the portal is made of, and whether it is made the same way twice."""

from importlib import import_module

import pytest

from tests.test_layers import CHECKOUT


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / "bin"))
    return import_module


def test_every_package_stands_with_its_licence(program):
    licences = program("licences")
    table = (CHECKOUT / "docs" / "licences.md").read_text().splitlines()
    assert set(licences.rows()) <= set(table), "make licences"
    told = [line.split("|")[1].strip() for line in table if line.startswith("| ") and "Licence" not in line]
    assert set(told) <= set(licences.locked()), "make licences"


def test_a_package_that_tells_no_licence_is_looked_up(program, monkeypatch):
    licences = program("licences")
    monkeypatch.setattr(licences, "TOLD_ELSEWHERE", {})
    with pytest.raises(LookupError, match="pyrage tells no licence"):
        licences.licence_of("pyrage")


@pytest.mark.parametrize(
    ("second", "differing"),
    [
        ({"a.mo": "1", "b.css": "2"}, []),
        ({"a.mo": "1", "b.css": "3"}, ["b.css"]),
        ({"a.mo": "1"}, ["b.css"]),
        ({"a.mo": "1", "b.css": "2", "c.css": "4"}, ["c.css"]),
    ],
    ids=["same", "changed", "missing", "more"],
)
def test_two_builds_are_compared_file_by_file(program, second, differing):
    assert program("reproducible").differing({"a.mo": "1", "b.css": "2"}, second) == differing
