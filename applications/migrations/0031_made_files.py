"""Files that a worker makes for employees, and the right to read reports."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0030_why_officials_decide"),
        ("bulletin", "0010_newest_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MadeFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a worker"),
                            ("working", "is being made"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked for at")),
                ("taken_at", models.DateTimeField(editable=False, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("done", models.PositiveSmallIntegerField(default=0)),
                ("total", models.PositiveSmallIntegerField(default=0)),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="ready at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="employee",
                    ),
                ),
                ("what", models.CharField(max_length=40)),
                ("query", models.CharField(blank=True, max_length=200)),
                ("language", models.CharField(max_length=2)),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), default=list, size=None
                    ),
                ),
                ("names_people", models.BooleanField(default=False)),
                ("file", models.FileField(blank=True, upload_to="made/", verbose_name="file")),
            ],
            options={
                "verbose_name": "file for an employee",
                "verbose_name_plural": "files for employees",
                "ordering": ["-asked_at", "-id"],
                "permissions": [("read_reports", "Can read the reports")],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "working"))),
                        fields=["asked_at"],
                        name="made_file_to_make",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("waiting", "working"))),
                        fields=("user", "what", "query", "language"),
                        name="one_file_is_made_once",
                    )
                ],
            },
        ),
    ]
