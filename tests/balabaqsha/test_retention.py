"""`docs/retention.md` is what `purge_personal_data` does, rule by rule."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from balabaqsha.retention import PERIODS, purge_personal_data
from notifications.clock import read_clock

TABLE = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in Path(settings.BASE_DIR, "docs/retention.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| Rule")
]


def test_every_rule_stands_in_the_table_in_its_order():
    assert [row[0] for row in TABLE] == [period.name for period in PERIODS]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_every_rule_names_the_test_of_its_end(row):
    path, *names = re.sub("`", "", row[-1]).split("::")
    text = Path(settings.BASE_DIR, path).read_text()
    for name in names:
        assert re.search(rf"\b(def|class) {name}\b", text), row[-1]


@pytest.mark.django_db
def test_an_empty_portal_has_nothing_to_forget():
    now = read_clock()
    assert set(purge_personal_data(now=now, dry_run=True).values()) == {0}
    assert set(purge_personal_data(now=now).values()) == {0}
