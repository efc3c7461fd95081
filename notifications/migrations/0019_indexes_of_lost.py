"""What never arrived is counted from an index of its own; nobody waits for it.

It may break off and is run again: what half an attempt left is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0018_hours_at_delivery")]

    operations = [
        operation
        for table in ("mail", "message")
        for operation in (
            migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {table}_lost", migrations.RunSQL.noop),
            AddIndexConcurrently(
                table,
                models.Index(
                    condition=models.Q(("state__in", ["failed", "undelivered"])),
                    fields=["created_at"],
                    name=f"{table}_lost",
                ),
            ),
        )
    ]
