"""The newest rows, and bids to answer, stand first in lists without a sort; nobody waits for the indexes."""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("applications", "0024_undo_by_mistake"),
        ("bulletin", "0010_newest_first"),
        ("children", "0006_day_of_decision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="application",
            index=models.Index(fields=["-filed_at", "-sequence", "-id"], name="application_newest"),
        ),
        AddIndexConcurrently(
            model_name="bid",
            index=models.Index(fields=["-placed_at", "-id"], name="bid_newest"),
        ),
        AddIndexConcurrently(
            model_name="bid",
            index=models.Index(
                condition=models.Q(("holds_seat", True), ("state", "pending")),
                fields=["answer_due", "placed_at"],
                name="bid_to_answer",
            ),
        ),
        AddIndexConcurrently(
            model_name="contract",
            index=models.Index(fields=["-signed_at", "-id"], name="contract_newest"),
        ),
        AddIndexConcurrently(
            model_name="referral",
            index=models.Index(fields=["-issued_at", "-id"], name="referral_newest"),
        ),
    ]
