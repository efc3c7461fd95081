"""Whom a newer file does not have may be taken out with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0050_new_applications_are_counted_together"),
    ]

    operations = [
        migrations.AddField(
            model_name="broughtfile",
            name="take_absent",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
