"""When the registry was last asked about a guardian by itself; empty until then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("children", "0008_in_order_of_birth"),
    ]

    operations = [
        migrations.AddField(
            model_name="guardianship",
            name="asked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
