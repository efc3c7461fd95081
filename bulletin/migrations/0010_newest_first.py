"""The newest vacancies stand first in lists without a sort; nobody waits for the index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("bulletin", "0009_officials_have_localities"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="vacancy",
            index=models.Index(fields=["-opens_at", "-id"], name="vacancy_newest"),
        ),
    ]
