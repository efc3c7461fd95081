"""The names of actions are no part of the table any more: a new word needs no migration."""

from django.db import migrations, models

import accounts.journal


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_stop"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(choices=accounts.journal.titles, max_length=40, verbose_name="action"),
        ),
    ]
