"""Thousands of new applications are counted by one statement, not each by itself."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql"

_TOGETHER = """
    DROP TRIGGER count_queue_in_or_out ON applications_application;
    CREATE TRIGGER count_queue_in AFTER INSERT ON applications_application
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_new();
    CREATE TRIGGER count_queue_out AFTER DELETE ON applications_application
    FOR EACH ROW EXECUTE FUNCTION count_queue();
"""
_ONE_BY_ONE = """
    DROP TRIGGER count_queue_in ON applications_application;
    DROP TRIGGER count_queue_out ON applications_application;
    DROP FUNCTION count_new();
    CREATE TRIGGER count_queue_in_or_out AFTER INSERT OR DELETE ON applications_application
    FOR EACH ROW EXECUTE FUNCTION count_queue();
"""


class Migration(migrations.Migration):
    dependencies = [("applications", "0049_newer_files_of_the_former_queue")]

    operations = [
        migrations.RunSQL(
            (_SQL / "0050_count_new.sql").read_text()
            + _TOGETHER
            + (_SQL / "0050_count_queue.sql").read_text(),
            (_SQL / "0001_count_queue.sql").read_text() + _ONE_BY_ONE,
        ),
    ]
