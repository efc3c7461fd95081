"""What was merged into a message is found at once when that is deleted; nobody waits for the index.

It may break off and is run again: what half an attempt left is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0016_merged_messages")]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS message_merged", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "message",
            models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="message_merged",
            ),
        ),
    ]
