"""Guardians are found by name and second phone; nobody waits while the indices are built."""

from pathlib import Path

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import accounts.name_search

_FOLDED_NAME = Path(__file__).parent / "sql" / "0036_folded_name.sql"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0035_audit_is_searched"),
    ]

    operations = [
        migrations.RunSQL(_FOLDED_NAME.read_text(), "DROP FUNCTION folded_name(text, text, text)"),
        AddIndexConcurrently(
            model_name="profile",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    accounts.name_search.FoldedName("last_name", "first_name", "middle_name"),
                    name="text_pattern_ops",
                ),
                name="profile_folded_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="profile",
            index=models.Index(
                condition=models.Q(("second_phone", ""), _negated=True),
                fields=["second_phone"],
                name="profile_second_phone",
            ),
        ),
    ]
