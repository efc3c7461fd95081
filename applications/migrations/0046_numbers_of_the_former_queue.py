"""A number of the former queue is found however it is typed: the column, which 0052 fills."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0045_words_of_proofs_and_proposals")]

    operations = [
        migrations.AddField(
            model_name="formerrow",
            name="number_key",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
    ]
