"""A benefit is counted from the date of its paper."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0038_unclaimed_are_counted"),
    ]

    operations = [
        migrations.AlterField(
            model_name="benefitcategory",
            name="valid_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Empty: until the child gets a place.",
                null=True,
                verbose_name="valid from the date of the paper for, calendar days",
            ),
        ),
    ]
