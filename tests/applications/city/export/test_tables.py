"""Nothing is forgotten in an export, nothing that lets somebody in is in it, and every column is told in words."""

from pathlib import Path

from django.apps import apps

from applications.city.export.description import MEANINGS, describe
from applications.city.export.tables import LEFT_OUT, TABLES
from notifications.fields import EncryptedTextField

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "export.md"
SECRET = ("password", "secret", "token", "digest", "hash", "session", "stamp")


def labels() -> list[str]:
    return [table.model._meta.label for table in TABLES]


def test_every_table_is_exported_or_left_out_with_its_reason():
    models = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert models - set(labels()) - LEFT_OUT.keys() == set()
    assert set(labels()) & LEFT_OUT.keys() == set()
    assert (set(labels()) | LEFT_OUT.keys()) - models == set()
    assert len(labels()) == len(set(labels()))


def test_every_column_that_is_left_out_is_one():
    for table in TABLES:
        columns = {field.attname for field in table.model._meta.concrete_fields}
        assert table.left_out.keys() <= columns, table.name
        assert len(table.columns) + len(table.left_out) == len(columns), table.name


def test_nothing_that_lets_somebody_in_is_exported():
    names = [f"{table.name}.{name}" for table in TABLES for name in table.column_names]
    assert [name for name in names if any(word in name.partition(".")[2] for word in SECRET)] == []


def test_no_device_and_no_code_is_exported():
    secret = {"otp_totp.TOTPDevice", "otp_static.StaticToken", "accounts.RecoveryCode", "accounts.Session"}
    assert secret <= LEFT_OUT.keys()


def test_keys_lead_to_rows_that_are_exported():
    for table in TABLES:
        for column in table.columns:
            target = column.field.related_model
            is_told = target is None or column.is_role or target._meta.label in labels()
            assert is_told, (table.name, column.name)


def test_what_is_encrypted_with_the_portals_keys_goes_in_clear():
    encrypted = {column.name for table in TABLES for column in table.columns if column.is_encrypted}
    assert encrypted >= {"iin", "kept_iin", "document_number", "paper_number", "email"}
    assert all(
        isinstance(column.field, EncryptedTextField)
        for table in TABLES
        for column in table.columns
        if "iin" in column.name
    )


def test_the_document_describes_every_file_and_column():
    """Renew it with `manage.py export_city --describe`, and read what it says of the new column."""
    assert DOCUMENT.read_text().endswith(describe())


def test_what_a_meaning_is_given_for_is_exported():
    columns = {f"{table.model._meta.db_table}.{name}" for table in TABLES for name in table.column_names}
    assert MEANINGS.keys() - columns == set()
