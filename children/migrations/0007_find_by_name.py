"""Children are found by name; nobody waits while the index is built."""

import django.contrib.postgres.indexes
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import accounts.name_search


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0036_find_by_name"),
        ("children", "0006_day_of_decision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="child",
            options={
                "ordering": ["birth_date", "id"],
                "permissions": [
                    ("look_at_family", "Can look at the families they have to do with"),
                    ("read_whole_card_of_family", "Can read the whole card of a family"),
                    ("read_names_of_family", "Can read the names of a family in full"),
                    ("send_to_family_again", "Can send a message to a family again"),
                ],
                "verbose_name": "child",
                "verbose_name_plural": "children",
            },
        ),
        AddIndexConcurrently(
            model_name="child",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    accounts.name_search.FoldedName("last_name", "first_name", "middle_name"),
                    name="text_pattern_ops",
                ),
                name="child_folded_name",
            ),
        ),
    ]
