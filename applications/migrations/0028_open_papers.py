"""Papers of families are opened by a permission of their own: an auditor reads without it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0027_contracts_end"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="application",
            options={
                "ordering": ["-filed_at", "-sequence"],
                "permissions": [("open_papers", "Can open the papers of families")],
                "verbose_name": "application",
                "verbose_name_plural": "applications",
            },
        ),
    ]
