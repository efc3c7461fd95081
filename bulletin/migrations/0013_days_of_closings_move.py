"""The days of an announced closing can change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0012_answers_of_kindergartens"),
    ]

    operations = [
        migrations.AddField(
            model_name="closing",
            name="days_moved_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Who was told of it before is told again.",
                null=True,
                verbose_name="days changed at",
            ),
        ),
    ]
