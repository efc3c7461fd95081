"""Reports read who came into the queues and left them by time; nobody waits for the indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("applications", "0031_made_files")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    models.Q(
                        ("to_state__in", ("waiting", "bid_placed", "referred")),
                        models.Q(("from_state__in", ("waiting", "bid_placed", "referred")), _negated=True),
                    ),
                    models.Q(
                        models.Q(("to_state__in", ("waiting", "bid_placed", "referred")), _negated=True),
                        ("from_state__in", ("waiting", "bid_placed", "referred")),
                    ),
                    _connector="OR",
                ),
                fields=["at"],
                include=("locality", "birth_year", "from_state", "to_state", "move", "id"),
                name="event_in_or_out",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(("move__in", ("move_house", "correct"))),
                fields=["at"],
                name="event_between",
            ),
        ),
    ]
