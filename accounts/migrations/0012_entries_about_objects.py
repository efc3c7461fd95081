from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_phone_not_asked")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="about",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=100),
        ),
    ]
