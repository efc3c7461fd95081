"""Former numbers are found by their key, and changes of queue by a newer file, too; nobody waits for the indexes.

It may break off at any of them and is run again: what half an attempt left is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def _dropped(name):
    return migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", migrations.RunSQL.noop)


def _removed(model_name, name):
    return migrations.SeparateDatabaseAndState(
        database_operations=[_dropped(name)], state_operations=[migrations.RemoveIndex(model_name, name)]
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("applications", "0052_fill_keys_of_former_numbers")]

    operations = [
        _dropped("former_number_key"),
        AddIndexConcurrently(
            model_name="formerrow",
            index=models.Index(fields=["number_key", "locality"], name="former_number_key"),
        ),
        _removed("formerrow", "former_old_number"),
        _dropped("event_other_queue"),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(("move__in", ("move_house", "correct", "change_import"))),
                fields=["at"],
                name="event_other_queue",
            ),
        ),
        _removed("event", "event_between"),
    ]
