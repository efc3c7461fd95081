"""Every line of a file of the former queue, and stops that came with it."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import notifications.fields


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0042_brought_files"),
        ("bulletin", "0014_loaded_files"),
        ("children", "0008_in_order_of_birth"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line of the file")),
                (
                    "birth_year",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="birth year"),
                ),
                ("problem", models.CharField(blank=True, max_length=30, verbose_name="why it was left out")),
                ("faults", models.JSONField(default=list, verbose_name="what is wrong")),
                (
                    "cells",
                    notifications.fields.EncryptedTextField(
                        blank=True, default="", verbose_name="what stands in the line"
                    ),
                ),
            ],
            options={
                "verbose_name": "line of the former queue",
                "verbose_name_plural": "lines of the former queue",
                "ordering": ["batch", "line"],
                "default_permissions": ("view", "change"),
            },
        ),
        migrations.RemoveConstraint(
            model_name="application",
            name="unclaimed_only_waits",
        ),
        migrations.AddField(
            model_name="formerrow",
            name="invited_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="invited by SMS at"
            ),
        ),
        migrations.AlterField(
            model_name="stoplistentry",
            name="referral",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stops",
                to="applications.referral",
                verbose_name="referral",
            ),
        ),
        AddConstraintNotValid(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("filed_by__isnull", False),
                    ("state__in", ("waiting", "stop_listed", "archived")),
                    _connector="OR",
                ),
                name="unclaimed_only_waits",
            ),
        ),
        migrations.AddField(
            model_name="formerline",
            name="application",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="former_lines",
                to="applications.application",
                verbose_name="application",
            ),
        ),
        migrations.AddField(
            model_name="formerline",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="former_lines",
                to="bulletin.importbatch",
                verbose_name="loaded file",
            ),
        ),
        migrations.AddField(
            model_name="formerline",
            name="locality",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="bulletin.locality",
                verbose_name="locality",
            ),
        ),
        migrations.AddConstraint(
            model_name="formerline",
            constraint=models.UniqueConstraint(fields=("batch", "line"), name="one_outcome_per_former_line"),
        ),
        migrations.AddConstraint(
            model_name="formerline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("application__isnull", False), models.Q(("problem", ""), _negated=True), _connector="OR"
                ),
                name="former_line_has_outcome",
            ),
        ),
    ]
