"""Words alone: how a claim was proven, and how what nobody decided ended. No table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0044_unclaimed_may_be_stopped"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cityexport",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="formerrow",
            name="proof",
            field=models.CharField(
                blank=True,
                choices=[
                    ("phone", "the phone number of the account is that of the former queue"),
                    ("registry", "the state knows the phone number of the account as its owner's"),
                    ("official", "checked by an official"),
                ],
                max_length=10,
                verbose_name="proof",
            ),
        ),
        migrations.AlterField(
            model_name="groupproposal",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="headcount",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="rulesproposal",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="undorequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]
