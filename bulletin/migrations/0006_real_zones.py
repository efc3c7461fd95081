"""A locality's time zone is a real one: the form offers a choice, and the database refuses the rest.

A name that is no zone stops every page of its locality, so nobody relies on one: it becomes the country's zone.
"""

from zoneinfo import available_timezones

from django.db import migrations, models

import bulletin.models

REAL = """
ALTER TABLE bulletin_locality ADD CONSTRAINT locality_zone_is_real
CHECK (timezone(timezone, 'epoch'::timestamptz) IS NOT NULL)
"""


def replace_what_is_no_zone(apps, schema_editor):
    localities = apps.get_model("bulletin", "Locality").objects.using(schema_editor.connection.alias)
    localities.exclude(timezone__in=available_timezones()).update(timezone="Asia/Almaty")


class Migration(migrations.Migration):
    dependencies = [("bulletin", "0005_moved_openings")]

    operations = [
        migrations.AlterField(
            model_name="locality",
            name="timezone",
            field=models.CharField(
                default="Asia/Almaty",
                max_length=40,
                validators=[bulletin.models.demand_zone],
                verbose_name="time zone",
            ),
        ),
        migrations.RunPython(replace_what_is_no_zone, migrations.RunPython.noop),
        migrations.RunSQL(REAL, "ALTER TABLE bulletin_locality DROP CONSTRAINT locality_zone_is_real"),
    ]
