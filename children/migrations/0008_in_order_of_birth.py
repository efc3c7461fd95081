"""Lists of children are in the order of birth; nobody waits for the index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("children", "0007_find_by_name"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="child",
            index=models.Index(fields=["birth_date", "id"], name="child_oldest"),
        ),
    ]
