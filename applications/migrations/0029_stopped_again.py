"""A referral that was restored may run out again: each time is a stop of its own. Nobody waits for the index."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("applications", "0028_open_papers"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="stoplistentry",
            index=models.Index(fields=["referral"], name="stop_of_referral"),
        ),
        migrations.AlterField(
            model_name="stoplistentry",
            name="referral",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stops",
                to="applications.referral",
                verbose_name="referral",
            ),
        ),
    ]
