"""What a notice is about, so that it can be withheld from who may not know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_no_delivered")]

    operations = [migrations.AddField("notice", "about", models.UUIDField(editable=False, null=True))]
