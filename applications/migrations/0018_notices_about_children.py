"""Notices that link to an application are about its child; the look at the bulletin counts those that are shown."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql"
_ABOUT = """
UPDATE notifications_notice n SET about = a.child_id
FROM applications_application a
WHERE n.about IS NULL
  AND a.id = substring(n.link FROM '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')::uuid
"""


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0017_larger_counts"),
        ("children", "0003_both_sides"),
        ("notifications", "0005_about"),
    ]

    operations = [
        migrations.RunSQL(_ABOUT, migrations.RunSQL.noop),
        migrations.RunSQL(
            (_SQL / "0018_look_at_the_bulletin.sql").read_text(),
            (_SQL / "0011_look_at_the_bulletin.sql").read_text(),
        ),
    ]
