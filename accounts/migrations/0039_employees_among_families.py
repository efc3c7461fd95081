"""Employees are found among a hundred thousand families; nobody waits for the index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0038_employees_as_people"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(fields=["username"], condition=models.Q(is_staff=True), name="user_staff"),
        ),
    ]
