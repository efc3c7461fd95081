from django.db import migrations, models


class Migration(migrations.Migration):
    """No gateway reports that a message arrived, so no row was ever in the state `delivered`."""

    dependencies = [("notifications", "0003_budgets")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("sending", "being sent"),
                    ("sent", "sent"),
                    ("failed", "failed"),
                    ("withheld", "withheld: inbox only"),
                ],
                default="queued",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]
