"""An account may be closed by its owner and is forgotten later: then its journal loses what names them."""

from pathlib import Path

from django.db import migrations, models

_SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_staff_iin")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="leaving_since",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="closed by its owner at"
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="forgotten_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="forgotten at"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("forgotten_at", None), ("leaving_since__isnull", False)),
                fields=["leaving_since"],
                name="user_leaving",
            ),
        ),
        migrations.RunSQL(
            (_SQL / "0015_refuse_change_of_journal.sql").read_text(),
            (_SQL / "0001_refuse_change_of_journal.sql").read_text(),
        ),
        migrations.RunSQL(
            (_SQL / "0015_forget_in_journal.sql").read_text(), "DROP FUNCTION forget_in_journal(uuid)"
        ),
    ]
