"""A page of the audit is found among millions of entries; nobody waits while the indexes are built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0034_entries_of_forms")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(fields=["action", "-at", "-id"], name="audit_action"),
        ),
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(fields=["actor", "action", "-at", "-id"], name="audit_actor"),
        ),
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("target", ""), _negated=True),
                fields=["target", "-at", "-id"],
                name="audit_target",
            ),
        ),
    ]
