"""Who is to be asked about, and what a report is about, is found at once; nobody waits for the indexes.

It may break off at any of them and is run again: what half an attempt left is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def _dropped(name):
    return migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0010_delivery_reports")]

    operations = [
        _dropped("message_asks"),
        AddIndexConcurrently(
            "message",
            models.Index(
                condition=models.Q(("ask_at__isnull", False)), fields=["ask_at"], name="message_asks"
            ),
        ),
        _dropped("message_at_provider"),
        AddIndexConcurrently(
            "message",
            models.Index(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=["provider_id"],
                name="message_at_provider",
            ),
        ),
    ]
