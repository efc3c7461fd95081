"""What was done to one thing stands in order in its index; nobody waits while that is built."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0040_employees_as_they_were")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("about", ""), _negated=True),
                fields=["about", "-at", "-id"],
                name="audit_thing",
            ),
        ),
        RemoveIndexConcurrently(model_name="auditentry", name="audit_about"),
    ]
