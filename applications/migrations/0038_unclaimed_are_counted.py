"""The index by which those are counted who wait and are not claimed yet; and the check of who waits already."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("applications", "0037_former_queue"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="application",
            index=models.Index(
                condition=models.Q(("filed_by", None), ("state", "waiting")),
                fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                name="application_unclaimed",
            ),
        ),
        ValidateConstraint(model_name="application", name="unclaimed_only_waits"),
    ]
