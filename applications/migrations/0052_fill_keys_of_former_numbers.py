"""Each number of the former queue gets its key, some thousand rows a transaction; what breaks off goes on."""

from django.db import migrations

from applications.models.former import number_key

PORTION = 2000


def fill(apps, schema_editor):
    rows = apps.get_model("applications", "FormerRow").objects.using(schema_editor.connection.alias)
    empty = rows.filter(number_key="").exclude(old_number="").order_by("pk")
    last = None
    while portion := list((empty.filter(pk__gt=last) if last else empty).only("pk", "old_number")[:PORTION]):
        for row in portion:
            row.number_key = number_key(row.old_number)
        rows.bulk_update(portion, ["number_key"])
        last = portion[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("applications", "0051_files_without_whom_they_lack")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
