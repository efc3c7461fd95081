"""When the collected bids of a vacancy were first awarded: from then on no pause moves its deadlines."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0002_pause"),
    ]

    operations = [
        migrations.AddField(
            model_name="vacancy",
            name="awarded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="place given at"),
        ),
    ]
