"""Former numbers are found by their key, and changes of queue by a newer file, too; nobody waits for the indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("applications", "0052_fill_keys_of_former_numbers")]

    operations = [
        AddIndexConcurrently(
            model_name="formerrow",
            index=models.Index(fields=["number_key", "locality"], name="former_number_key"),
        ),
        RemoveIndexConcurrently(model_name="formerrow", name="former_old_number"),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(("move__in", ("move_house", "correct", "change_import"))),
                fields=["at"],
                name="event_other_queue",
            ),
        ),
        RemoveIndexConcurrently(model_name="event", name="event_between"),
    ]
