"""Kindergartens are found by how their names sound."""

from django.db import migrations

from bulletin.sorting import sounds


# They are some hundreds in a large city: the table is written to by nobody else for less than a second.
def find_by_sound(apps, schema_editor):
    rows = apps.get_model("bulletin", "Kindergarten").objects.using(schema_editor.connection.alias)
    kindergartens = list(rows.only("pk", "name_kk", "name_ru"))
    for one in kindergartens:
        one.search_text = f"{sounds(one.name_kk)} {sounds(one.name_ru)}"
    rows.bulk_update(kindergartens, ["search_text"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0016_pages_of_kindergartens"),
    ]

    operations = [
        migrations.RunPython(find_by_sound, migrations.RunPython.noop, elidable=True),
    ]
