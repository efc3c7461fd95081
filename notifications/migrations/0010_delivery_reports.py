"""What becomes of an SMS after a gateway took it: whether it arrived, what it cost, and how the gateways do."""

from django.db import migrations, models

STATES = [
    ("queued", "queued"),
    ("sending", "being sent"),
    ("sent", "sent"),
    ("delivered", "delivered"),
    ("undelivered", "not delivered"),
    ("failed", "failed"),
    ("withheld", "withheld: inbox only"),
]


def _state() -> models.CharField:
    return models.CharField(choices=STATES, default="queued", max_length=12, verbose_name="state")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0009_unclear_attempts")]

    operations = [
        migrations.CreateModel(
            name="Gateway",
            fields=[
                (
                    "name",
                    models.CharField(
                        max_length=20, primary_key=True, serialize=False, verbose_name="SMS gateway"
                    ),
                ),
                ("left_until", models.DateTimeField(null=True)),
                ("times_left", models.PositiveSmallIntegerField(default=0)),
                ("alarm", models.CharField(blank=True, max_length=20)),
                ("alarm_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="GatewayMinute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("kind", models.CharField(max_length=40)),
                ("minute", models.DateTimeField()),
                ("taken", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("milliseconds", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["minute", "gateway", "kind"], name="gateway_minute_once")
                ],
            },
        ),
        migrations.AddField(
            "message",
            "segments",
            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="segments"),
        ),
        migrations.AddField(
            "message",
            "cost",
            models.DecimalField(
                blank=True, decimal_places=2, max_digits=8, null=True, verbose_name="cost, ₸"
            ),
        ),
        migrations.AddField("message", "ask_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField(
            "message",
            "delivered_at",
            models.DateTimeField(blank=True, null=True, verbose_name="delivered at"),
        ),
        migrations.AddField("message", "instead_of", models.UUIDField(editable=False, null=True)),
        migrations.AlterField("message", "state", _state()),
        migrations.AlterField("mail", "state", _state()),
    ]
