"""The file that brought a row in is one of those that are loaded."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0039_valid_from_the_paper"),
        ("bulletin", "0014_loaded_files"),
    ]

    operations = [
        migrations.AlterField(
            model_name="formerrow",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="bulletin.importbatch",
                verbose_name="loaded file",
            ),
        ),
    ]
