"""The database of the tests is a copy of one that exactly these migrations made."""

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.template import digest, migrations


@pytest.mark.django_db
def test_there_is_one_template_and_it_is_of_these_migrations():
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname, datallowconn FROM pg_database WHERE datname LIKE '%\\_template\\_%'")
        found = [(name.rpartition("_")[2], is_open) for name, is_open in cursor.fetchall()]
    assert found == [(digest(migrations()), False)]
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_it_is_made_of_every_migration_and_of_the_code_that_they_import():
    names = {
        str(file.relative_to(settings.BASE_DIR)) for file in migrations() if "site-packages" not in str(file)
    }
    assert {
        "accounts/migrations/0001_initial.py",
        "accounts/migrations/sql/0036_folded_name.sql",
        "accounts/name_search.py",
        "notifications/fields.py",
    } <= names
    assert any("/otp_totp/migrations/" in str(file) for file in migrations())


def test_a_change_asks_for_another_one(tmp_path):
    first, second = tmp_path / "0001_initial.py", tmp_path / "0002_more.py"
    first.write_text("a")
    second.write_text("b")
    before = digest([first, second])
    assert digest([first, second]) == before
    second.write_text("c")
    assert digest([first, second]) != before
    second.write_text("b")
    assert digest([first, second, tmp_path / "0001_initial.py"]) != before
    second.rename(tmp_path / "0003_more.py")
    assert digest([first, tmp_path / "0003_more.py"]) != before
