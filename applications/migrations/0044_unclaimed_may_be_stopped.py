"""The check that whoever is not claimed yet waits, is stopped or has left holds for all rows of before too."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("applications", "0043_lines_of_the_former_queue"),
    ]

    operations = [
        ValidateConstraint(model_name="application", name="unclaimed_only_waits"),
    ]
