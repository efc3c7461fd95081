"""Django's table of sessions becomes ours and learns whose each is. Sessions of the former release live on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class CreateMissingModel(migrations.CreateModel):
    """Makes the table where there is none: in a new database, since Django's own app is not installed any more."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if table not in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """The former release reads the table as it is."""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_contacts")]
    operations = [
        CreateMissingModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
            ],
            options={
                "db_table": "django_session",
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
            },
        ),
        migrations.AddField(
            "session",
            "user",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sessions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("session", "seen_at", models.DateTimeField(null=True)),
        migrations.AddField("session", "ends_at", models.DateTimeField(null=True)),
        migrations.AddField("session", "kept_until", models.DateTimeField(null=True)),
    ]
