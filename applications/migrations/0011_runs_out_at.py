"""When an application may next end by itself; the press and the look at the bulletin go by it.

Nothing is reckoned here: a live application says that it was never looked at, so that nobody goes by it before it is
settled. The sweep does so within minutes, whoever looks or presses does so at once.
"""

import datetime
from importlib import import_module
from pathlib import Path

from django.db import migrations, models

_SQL = Path(__file__).parent / "sql"
_BEFORE = import_module("applications.migrations.0010_both_sides")
_DROP_LOOK = "DROP FUNCTION look_at_the_bulletin(uuid, text, timestamptz);"


def _copy(name: str) -> str:
    return (_SQL / f"0011_{name}.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("applications", "0010_both_sides")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="runs_out_at",
            field=models.DateTimeField(
                db_default=datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC),
                default=datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC),
                editable=False,
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("runs_out_at__isnull", False)),
                fields=["runs_out_at"],
                name="application_runs_out",
            ),
        ),
        migrations.RunSQL(
            "UPDATE applications_application SET runs_out_at = NULL WHERE state IN ('enrolled', 'archived')",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(_copy("press_for_a_place"), _BEFORE.PRESS),
        # Other columns come out of it.
        migrations.RunSQL(_DROP_LOOK + _copy("look_at_the_bulletin"), _DROP_LOOK + _BEFORE.LOOK),
    ]
