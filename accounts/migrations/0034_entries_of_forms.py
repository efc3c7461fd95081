"""What a form changed stands beside what was done."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0033_typed_profiles")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="changes",
            field=models.JSONField(editable=False, null=True, verbose_name="changes"),
        ),
    ]
