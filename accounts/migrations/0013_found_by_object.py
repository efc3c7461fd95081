"""The history of an object is found in a log of millions; nobody waits while the index is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0012_entries_about_objects")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("about", ""), _negated=True),
                fields=["about", "-at"],
                name="audit_about",
            ),
        ),
    ]
