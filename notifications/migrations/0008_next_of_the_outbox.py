"""What goes next is found in an outbox of thousands without sorting it; nobody waits while the indexes are built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

WAITING = models.Q(state__in=["queued", "sending"])
ORDER = ["give_up_at", "created_at", "id"]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0007_mail")]

    operations = [
        AddIndexConcurrently("mail", models.Index(fields=ORDER, condition=WAITING, name="mail_next")),
        AddIndexConcurrently("mail", models.Index(fields=["kind"], condition=WAITING, name="mail_kind")),
        AddIndexConcurrently("message", models.Index(fields=ORDER, condition=WAITING, name="message_next")),
        AddIndexConcurrently(
            "message", models.Index(fields=["kind"], condition=WAITING, name="message_kind")
        ),
    ]
