"""Kindergartens in the order of their Russian names, for who reads Russian."""

from django.db import migrations

import bulletin.fields
from bulletin.sorting import name_sort_key


# While it runs nobody reads kindergartens: the column's lock lasts until the keys are there. They are some hundreds in
# a large city, and a thousand take a second at most. What has a row for each family is filled in batches, by a
# migration of its own with `atomic = False` (docs/how-to.md).
def reckon_keys(apps, schema_editor):
    # By the connection that has just added the column: another one would wait for it for ever.
    rows = apps.get_model("bulletin", "Kindergarten").objects.using(schema_editor.connection.alias)
    kindergartens = list(rows.only("pk", "name_ru"))
    for one in kindergartens:
        one.sort_key_ru = name_sort_key(one.name_ru)[:400]
    rows.bulk_update(kindergartens, ["sort_key_ru"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0014_loaded_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="kindergarten",
            name="sort_key_ru",
            field=bulletin.fields.SortKeyField(
                db_default="", default="", editable=False, max_length=400, of="name_ru"
            ),
        ),
        migrations.RunPython(reckon_keys, migrations.RunPython.noop, elidable=True),
    ]
