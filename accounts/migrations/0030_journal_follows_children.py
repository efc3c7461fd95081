"""A child by papers may become one with the same child by its IIN: then its journal goes with it."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0029_papers_asked_for")]

    operations = [
        migrations.RunSQL(
            (_SQL / "0030_refuse_change_of_journal.sql").read_text(),
            (_SQL / "0015_refuse_change_of_journal.sql").read_text(),
        ),
        migrations.RunSQL(
            (_SQL / "0030_follow_in_journal.sql").read_text(),
            "DROP FUNCTION follow_in_journal(uuid[], uuid, uuid)",
        ),
    ]
