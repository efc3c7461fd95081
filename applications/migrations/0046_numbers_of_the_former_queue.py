"""A number of the former queue is found however it is typed."""

from django.db import migrations, models

from applications.models.former import number_key


def add_keys(apps, schema_editor):
    rows = apps.get_model("applications", "FormerRow").objects.using(schema_editor.connection.alias)
    for row in rows.exclude(old_number="").only("pk", "old_number").iterator():
        rows.filter(pk=row.pk).update(number_key=number_key(row.old_number))


class Migration(migrations.Migration):
    dependencies = [("applications", "0045_words_of_proofs_and_proposals")]

    operations = [
        migrations.AddField(
            model_name="formerrow",
            name="number_key",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
        migrations.RunPython(add_keys, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="formerrow", name="former_old_number"),
        migrations.AddIndex(
            model_name="formerrow",
            index=models.Index(fields=["number_key", "locality"], name="former_number_key"),
        ),
    ]
