"""The alerts around a kindergarten that is deleted are found by an index; nobody waits for it.

It may break off and is run again: what half an attempt left is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("applications", "0063_proposals_withdrawn")]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS alert_around", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("around__isnull", False)), fields=["around"], name="alert_around"
            ),
        ),
    ]
