"""What an official typed in place of wrong cells is kept with the decision."""

from django.db import migrations

import notifications.fields


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0053_indexes_of_newer_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="formerdecision",
            name="values",
            field=notifications.fields.EncryptedTextField(
                blank=True, db_default="", default="", verbose_name="corrected values"
            ),
        ),
    ]
