"""The events refuse to be emptied as a whole, as they refuse to be changed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("applications", "0004_onlooker")]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON applications_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER append_only_as_a_whole ON applications_event",
        ),
    ]
