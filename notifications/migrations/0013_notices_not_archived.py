"""An inbox is shown without what its reader has put away; nobody waits while the index is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0012_archived_notices")]

    operations = [
        # It may break off and is run again: what half an attempt left is dropped first.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS notice_not_archived", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "notice",
            models.Index(
                fields=["recipient", "-created_at"],
                condition=models.Q(archived_at=None),
                name="notice_not_archived",
            ),
        ),
    ]
