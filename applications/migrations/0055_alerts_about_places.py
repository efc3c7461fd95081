"""Who asked to be told of places, and which places are told of."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0054_corrected_values_of_former_lines"),
        ("bulletin", "0001_squashed_0015_order_of_russian_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Wave",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("begun_at", models.DateTimeField(verbose_name="begun at")),
                ("told_to", models.UUIDField(null=True)),
                ("told", models.PositiveIntegerField(default=0, verbose_name="told")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done at")),
            ],
            options={
                "verbose_name": "wave of alerts",
                "verbose_name_plural": "waves of alerts",
                "ordering": ["begun_at", "id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ToldPlace",
            fields=[
                (
                    "vacancy",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="told",
                        serialize=False,
                        to="bulletin.vacancy",
                        verbose_name="vacancy",
                    ),
                ),
                (
                    "wave",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="applications.wave",
                        verbose_name="wave",
                    ),
                ),
            ],
            options={
                "verbose_name": "place told of",
                "verbose_name_plural": "places told of",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("kk", "Kazakh (language of education)"),
                                ("ru", "Russian (language of education)"),
                                ("uz", "Uzbek (language of education)"),
                            ],
                            max_length=2,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="languages of education",
                    ),
                ),
                ("is_on", models.BooleanField(default=True, verbose_name="switched on")),
                ("changed_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "kindergartens",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="bulletin.kindergarten", verbose_name="kindergartens"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "alert about places",
                "verbose_name_plural": "alerts about places",
                "default_permissions": (),
                "indexes": [
                    models.Index(condition=models.Q(("is_on", True)), fields=["id"], name="alert_on")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("application", "user"), name="one_alert_each")
                ],
            },
        ),
    ]
