"""Notices can be put away. A column that is empty in every row that exists."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0011_indexes_of_reports")]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="archived_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="archived at"),
        ),
    ]
