"""A request to undo that has nothing left to decide is closed by itself, by nobody."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0035_coming_taken_back"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="undorequest",
            name="undorequest_is_decided_by_somebody",
        ),
        migrations.AlterField(
            model_name="groupproposal",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "waits for a decision"),
                    ("approved", "approved and carried out"),
                    ("declined", "declined"),
                    ("ended", "closed by itself: the referral has ended"),
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
                    ("ended", "closed by itself: the referral has ended"),
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
                    ("ended", "closed by itself: the referral has ended"),
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
                    ("ended", "closed by itself: the referral has ended"),
                ],
                default="proposed",
                max_length=10,
                verbose_name="state",
            ),
        ),
        AddConstraintNotValid(
            model_name="undorequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("proposed", "ended")), ("decided_by__isnull", False), _connector="OR"
                ),
                name="undorequest_is_decided_by_somebody",
            ),
        ),
        ValidateConstraint(model_name="undorequest", name="undorequest_is_decided_by_somebody"),
    ]
