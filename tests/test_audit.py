"""What `make audit` says: never that all is well where nothing could be asked."""

import json

import pytest


@pytest.fixture
def verdict(monkeypatch):
    from tests.test_layers import CHECKOUT

    monkeypatch.syspath_prepend(str(CHECKOUT / "bin"))
    import audit

    return audit.verdict


def report(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []})


CLEAN = {"name": "django", "version": "5.2.9", "vulns": []}
HOLE = {"name": "pillow", "version": "11.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["11.1", "12.0"]}]}
UNKNOWN = {"name": "celery", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def test_all_checked_and_nothing_known(verdict):
    assert verdict(report(CLEAN, CLEAN), "") == (0, ["2 packages checked: no vulnerability is known."])


def test_each_known_hole_with_where_it_is_mended(verdict):
    assert verdict(report(CLEAN, HOLE, UNKNOWN), "") == (1, ["pillow 11.0: PYSEC-1, mended in 11.1, 12.0"])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(UNKNOWN, UNKNOWN), "No known vulnerabilities found"),
        ("", "Traceback (most recent call last):\n  ...\nConnectionError: Failed to resolve\n"),
        ("", ""),
    ],
)
def test_a_database_that_does_not_answer_is_not_taken_for_a_clean_one(verdict, found, said):
    code, (line,) = verdict(found, said)
    assert code == 2
    assert line.startswith("Nothing was checked: the database can't be reached")
    assert "Traceback" not in line


def test_what_the_database_does_not_know_is_named(verdict):
    assert verdict(report(CLEAN, UNKNOWN), "") == (
        2,
        ["Not checked, since the database does not know them: celery"],
    )
