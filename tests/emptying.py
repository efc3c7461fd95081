"""What a test with transactions of its own leaves behind goes, and nothing else: half a second less than `flush`.

`flush` empties all tables, also the eighty that hold nothing, and makes the content types and permissions anew.
"""

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import TransactionTestCase

from balabaqsha.roles import set_up_roles

# Made by `migrate` and by `set_up_roles` (tests/conftest.py), and the same for all tests.
KEPT = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
}


def empty_tables() -> None:
    """Delete every row that a test can have written: nothing guards a history or asks who refers to what meanwhile."""
    quote = connection.ops.quote_name
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})" for name in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
        statements = [f"DELETE FROM {quote(name)}" for name in filled]
        cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *statements]))
    # A test of the set-up may have emptied the whole database by itself.
    if not Group.objects.exists():
        set_up_roles()


def empty_instead_of_flushing() -> None:
    """Let Django's tests with transactions end like this."""
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()
