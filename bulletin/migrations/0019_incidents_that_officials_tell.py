"""Incidents and planned work that officials tell of: two tables that are only appended to."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_SQL = Path(__file__).parent / "sql"
_TABLES = ("bulletin_reportedincident", "bulletin_incidentnote")


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0018_who_is_on_a_photo"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportedIncident",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title_kk", models.CharField(max_length=120, verbose_name="title in Kazakh")),
                ("title_ru", models.CharField(max_length=120, verbose_name="title in Russian")),
                ("broken_kk", models.CharField(max_length=600, verbose_name="what doesn't work, in Kazakh")),
                ("broken_ru", models.CharField(max_length=600, verbose_name="what doesn't work, in Russian")),
                ("works_kk", models.CharField(max_length=600, verbose_name="what works, in Kazakh")),
                ("works_ru", models.CharField(max_length=600, verbose_name="what works, in Russian")),
                ("started_at", models.DateTimeField(verbose_name="beginning")),
                (
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "incident",
                "verbose_name_plural": "incidents and planned work",
                "ordering": ["-started_at", "-id"],
                "default_permissions": ("add", "change", "view"),
            },
        ),
        migrations.CreateModel(
            name="IncidentNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("text_kk", models.CharField(max_length=600, verbose_name="what is done, in Kazakh")),
                ("text_ru", models.CharField(max_length=600, verbose_name="what is done, in Russian")),
                ("until", models.DateTimeField(null=True, verbose_name="end")),
                ("is_over", models.BooleanField(verbose_name="it is over")),
                ("written_at", models.DateTimeField(verbose_name="written at")),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="bulletin.reportedincident",
                        verbose_name="incident",
                    ),
                ),
            ],
            options={
                "verbose_name": "note about an incident",
                "verbose_name_plural": "notes about incidents",
                "ordering": ["incident", "number"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="reportedincident",
            constraint=models.UniqueConstraint(
                fields=("locality", "title_kk", "started_at"), name="incident_told_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentnote",
            constraint=models.UniqueConstraint(fields=("incident", "number"), name="incident_note_number"),
        ),
        migrations.AddConstraint(
            model_name="incidentnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_over", False),
                    ("until", None),
                    ("until__lte", models.F("written_at")),
                    _connector="OR",
                ),
                name="incident_is_over_when_it_ended",
            ),
        ),
        migrations.RunSQL(
            (_SQL / "0019_refuse_change_of_incidents.sql").read_text()
            + "".join(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_incidents();"
                f"CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_incidents();"
                for table in _TABLES
            ),
            "DROP FUNCTION refuse_change_of_incidents() CASCADE",
        ),
    ]
