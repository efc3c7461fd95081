"""No group of hundreds. What there is stays until somebody writes the group anew: it is listed as over-promised."""

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0006_real_zones"),
    ]

    operations = [
        migrations.AlterField(
            model_name="group",
            name="capacity",
            field=models.PositiveSmallIntegerField(
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(50),
                ],
                verbose_name="capacity",
            ),
        ),
        AddConstraintNotValid(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity__gte", 1), ("capacity__lte", 50)), name="group_capacity_bounds"
            ),
        ),
    ]
