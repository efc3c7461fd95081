"""Who has closed their account places no bid, and the events of a forgotten child lose their texts."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0018_notices_about_children"),
        ("accounts", "0015_leaving"),
    ]

    operations = [
        migrations.RunSQL(
            (_SQL / "0019_press_for_a_place.sql").read_text(),
            (_SQL / "0011_press_for_a_place.sql").read_text(),
        ),
        migrations.RunSQL(
            (_SQL / "0019_refuse_change.sql").read_text(), (_SQL / "0001_refuse_change.sql").read_text()
        ),
        migrations.RunSQL(
            (_SQL / "0019_forget_in_events.sql").read_text(), "DROP FUNCTION forget_in_events(uuid)"
        ),
    ]
