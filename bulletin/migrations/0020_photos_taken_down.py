from django.db import migrations, models

# Until now a photo that its kindergarten took down was told from a refused one by having no reason.
TAKEN_DOWN = (
    "UPDATE bulletin_photo SET state = 'taken_down' WHERE state = 'rejected' AND decision_reason = ''"
)
BACK = "UPDATE bulletin_photo SET state = 'rejected' WHERE state = 'taken_down'"


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0019_incidents_that_officials_tell"),
    ]

    operations = [
        migrations.AlterField(
            model_name="photo",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "waits for moderation"),
                    ("published", "published"),
                    ("rejected", "not published"),
                    ("taken_down", "taken down by the kindergarten"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.RunSQL(TAKEN_DOWN, BACK),
    ]
