"""The journal refuses to be emptied as a whole, as it refuses to be changed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_searches")]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON accounts_auditentry "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_journal()",
            "DROP TRIGGER append_only_as_a_whole ON accounts_auditentry",
        ),
    ]
