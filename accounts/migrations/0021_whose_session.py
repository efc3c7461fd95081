"""Django's table of sessions becomes ours and learns whose each is. Sessions of the former release live on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A new database has none: Django's own app is not installed any more.
_MAKE = """
CREATE TABLE IF NOT EXISTS django_session (
    session_key varchar(40) NOT NULL PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS django_session_expire_date_a5c62663 ON django_session (expire_date);
CREATE INDEX IF NOT EXISTS django_session_session_key_c0390e0f_like
    ON django_session (session_key varchar_pattern_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_contacts")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_MAKE, migrations.RunSQL.noop)],
            state_operations=[
                migrations.CreateModel(
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
                )
            ],
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
