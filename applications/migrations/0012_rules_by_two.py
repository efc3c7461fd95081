"""Bounds on every value of the rules, a second official for those of all localities, and rules of an emergency.

Rules from before explain the promises of their time, so they stay as they are, whatever their values: the constraints
hold for what is written from now on.
"""

import datetime
from importlib import import_module
from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

_BEFORE = import_module("applications.migrations.0002_rush")
_ANSWER_DUE = (Path(__file__).parent / "sql" / "0012_bid_answer_due.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0011_runs_out_at"),
        ("bulletin", "0006_real_zones"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RulesProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "referral_working_days",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="referral is valid, working days",
                    ),
                ),
                (
                    "extension_calendar_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="longest extension, calendar days",
                    ),
                ),
                (
                    "stop_working_days",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="stop-list, working days",
                    ),
                ),
                (
                    "priority_working_days",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="priority window, working days",
                    ),
                ),
                (
                    "priority_seats_multiple",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="families in the priority window per seat",
                    ),
                ),
                (
                    "general_per_priority",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="general children after each priority child",
                    ),
                ),
                (
                    "activation_working_days",
                    models.PositiveSmallIntegerField(
                        default=2,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="kindergarten answers a bid within, working days",
                    ),
                ),
                (
                    "publication_lead_hours",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Collected bids are collected for so long, too. Twelve hours let all who match hear of it.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(336),
                        ],
                        verbose_name="a place is published before its opening by, hours",
                    ),
                ),
                (
                    "archive_undo_hours",
                    models.PositiveSmallIntegerField(
                        default=24,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(168),
                        ],
                        verbose_name="archive can be undone for, hours",
                    ),
                ),
                (
                    "youngest_age",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(6),
                        ],
                        verbose_name="youngest age by birth year",
                    ),
                ),
                (
                    "oldest_age",
                    models.PositiveSmallIntegerField(
                        default=7,
                        validators=[
                            django.core.validators.MinValueValidator(3),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="oldest age by birth year",
                    ),
                ),
                (
                    "interest_month",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(12),
                        ],
                        verbose_name="interest is confirmed every year by, month",
                    ),
                ),
                (
                    "interest_day",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(28),
                        ],
                        verbose_name="interest is confirmed every year by, day",
                    ),
                ),
                (
                    "interest_campaign_days",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(14),
                            django.core.validators.MaxValueValidator(180),
                        ],
                        verbose_name="the campaign begins before that date by, calendar days",
                    ),
                ),
                (
                    "interest_grace_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        validators=[
                            django.core.validators.MinValueValidator(7),
                            django.core.validators.MaxValueValidator(300),
                        ],
                        verbose_name="a lapsed application can be restored for, calendar days",
                    ),
                ),
                (
                    "moving_keeps_date",
                    models.BooleanField(
                        default=True,
                        verbose_name="who moves here from another locality keeps the date of filing",
                    ),
                ),
                (
                    "valid_from",
                    models.DateField(
                        blank=True,
                        help_text="Empty: an emergency, from the approval on.",
                        null=True,
                        verbose_name="valid from",
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "waits for a decision"),
                            ("approved", "approved and carried out"),
                            ("declined", "declined"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                (
                    "decision_reason",
                    models.CharField(blank=True, max_length=300, verbose_name="reason for declining"),
                ),
            ],
            options={
                "verbose_name": "proposal of rules",
                "verbose_name_plural": "proposals of rules",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
            },
        ),
        migrations.AlterModelOptions(
            name="rules",
            options={
                "ordering": [
                    "-valid_from",
                    models.OrderBy(models.F("early_from"), descending=True, nulls_last=True),
                ],
                "verbose_name": "rules",
                "verbose_name_plural": "rules",
            },
        ),
        migrations.RemoveConstraint(
            model_name="rules",
            name="one_set_of_rules_per_date",
        ),
        migrations.AddField(
            model_name="rules",
            name="early_from",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="in an emergency already from"
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="activation_working_days",
            field=models.PositiveSmallIntegerField(
                default=2,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(10),
                ],
                verbose_name="kindergarten answers a bid within, working days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="archive_undo_hours",
            field=models.PositiveSmallIntegerField(
                default=24,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(168),
                ],
                verbose_name="archive can be undone for, hours",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="extension_calendar_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(90),
                ],
                verbose_name="longest extension, calendar days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="general_per_priority",
            field=models.PositiveSmallIntegerField(
                default=3,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(20),
                ],
                verbose_name="general children after each priority child",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="interest_campaign_days",
            field=models.PositiveSmallIntegerField(
                default=60,
                validators=[
                    django.core.validators.MinValueValidator(14),
                    django.core.validators.MaxValueValidator(180),
                ],
                verbose_name="the campaign begins before that date by, calendar days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="interest_grace_days",
            field=models.PositiveSmallIntegerField(
                default=90,
                validators=[
                    django.core.validators.MinValueValidator(7),
                    django.core.validators.MaxValueValidator(300),
                ],
                verbose_name="a lapsed application can be restored for, calendar days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="oldest_age",
            field=models.PositiveSmallIntegerField(
                default=7,
                validators=[
                    django.core.validators.MinValueValidator(3),
                    django.core.validators.MaxValueValidator(10),
                ],
                verbose_name="oldest age by birth year",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="priority_seats_multiple",
            field=models.PositiveSmallIntegerField(
                default=3,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
                verbose_name="families in the priority window per seat",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="priority_working_days",
            field=models.PositiveSmallIntegerField(
                default=3,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(10),
                ],
                verbose_name="priority window, working days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="referral_working_days",
            field=models.PositiveSmallIntegerField(
                default=5,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(20),
                ],
                verbose_name="referral is valid, working days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="stop_working_days",
            field=models.PositiveSmallIntegerField(
                default=10,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(60),
                ],
                verbose_name="stop-list, working days",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="valid_from",
            field=models.DateField(
                validators=[
                    django.core.validators.MinValueValidator(datetime.date(2015, 1, 1)),
                    django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31)),
                ],
                verbose_name="valid from",
            ),
        ),
        migrations.AlterField(
            model_name="rules",
            name="youngest_age",
            field=models.PositiveSmallIntegerField(
                default=0,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(6),
                ],
                verbose_name="youngest age by birth year",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("referral_working_days__gte", 1), ("referral_working_days__lte", 20)),
                name="rules_referral_working_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("extension_calendar_days__gte", 1), ("extension_calendar_days__lte", 90)),
                name="rules_extension_calendar_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("stop_working_days__gte", 1), ("stop_working_days__lte", 60)),
                name="rules_stop_working_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority_working_days__gte", 0), ("priority_working_days__lte", 10)),
                name="rules_priority_working_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("priority_seats_multiple__gte", 1), ("priority_seats_multiple__lte", 100)
                ),
                name="rules_priority_seats_multiple_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("general_per_priority__gte", 1), ("general_per_priority__lte", 20)),
                name="rules_general_per_priority_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("activation_working_days__gte", 1), ("activation_working_days__lte", 10)),
                name="rules_activation_working_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("publication_lead_hours__gte", 1), ("publication_lead_hours__lte", 336)),
                name="rules_publication_lead_hours_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("archive_undo_hours__gte", 1), ("archive_undo_hours__lte", 168)),
                name="rules_archive_undo_hours_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("youngest_age__gte", 0), ("youngest_age__lte", 6)),
                name="rules_youngest_age_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("oldest_age__gte", 3), ("oldest_age__lte", 10)),
                name="rules_oldest_age_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_month__gte", 1), ("interest_month__lte", 12)),
                name="rules_interest_month_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_day__gte", 1), ("interest_day__lte", 28)),
                name="rules_interest_day_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_campaign_days__gte", 14), ("interest_campaign_days__lte", 180)),
                name="rules_interest_campaign_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_grace_days__gte", 7), ("interest_grace_days__lte", 300)),
                name="rules_interest_grace_days_bounds",
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("youngest_age__lte", models.F("oldest_age"))),
                name="rules_youngest_below_oldest",
            ),
        ),
        migrations.AddConstraint(
            model_name="rules",
            constraint=models.UniqueConstraint(
                fields=("locality", "valid_from", "early_from"),
                name="one_set_of_rules_per_instant",
                nulls_distinct=False,
            ),
        ),
        AddConstraintNotValid(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from__gte", datetime.date(2015, 1, 1)),
                    ("valid_from__lte", datetime.date(2099, 12, 31)),
                ),
                name="rules_valid_from_bounds",
            ),
        ),
        migrations.AddField(
            model_name="rulesproposal",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="rulesproposal",
            name="locality",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="bulletin.locality",
                verbose_name="locality",
            ),
        ),
        migrations.AddField(
            model_name="rulesproposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("referral_working_days__gte", 1), ("referral_working_days__lte", 20)),
                name="rulesproposal_referral_working_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("extension_calendar_days__gte", 1), ("extension_calendar_days__lte", 90)),
                name="rulesproposal_extension_calendar_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("stop_working_days__gte", 1), ("stop_working_days__lte", 60)),
                name="rulesproposal_stop_working_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority_working_days__gte", 0), ("priority_working_days__lte", 10)),
                name="rulesproposal_priority_working_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("priority_seats_multiple__gte", 1), ("priority_seats_multiple__lte", 100)
                ),
                name="rulesproposal_priority_seats_multiple_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("general_per_priority__gte", 1), ("general_per_priority__lte", 20)),
                name="rulesproposal_general_per_priority_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("activation_working_days__gte", 1), ("activation_working_days__lte", 10)),
                name="rulesproposal_activation_working_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("publication_lead_hours__gte", 1), ("publication_lead_hours__lte", 336)),
                name="rulesproposal_publication_lead_hours_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("archive_undo_hours__gte", 1), ("archive_undo_hours__lte", 168)),
                name="rulesproposal_archive_undo_hours_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("youngest_age__gte", 0), ("youngest_age__lte", 6)),
                name="rulesproposal_youngest_age_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("oldest_age__gte", 3), ("oldest_age__lte", 10)),
                name="rulesproposal_oldest_age_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_month__gte", 1), ("interest_month__lte", 12)),
                name="rulesproposal_interest_month_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_day__gte", 1), ("interest_day__lte", 28)),
                name="rulesproposal_interest_day_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_campaign_days__gte", 14), ("interest_campaign_days__lte", 180)),
                name="rulesproposal_interest_campaign_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_grace_days__gte", 7), ("interest_grace_days__lte", 300)),
                name="rulesproposal_interest_grace_days_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("youngest_age__lte", models.F("oldest_age"))),
                name="rulesproposal_youngest_below_oldest",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="rules_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("locality",),
                name="one_open_proposal_of_rules",
                nulls_distinct=False,
            ),
        ),
        migrations.RunSQL(
            _ANSWER_DUE, _BEFORE.ANSWER_DUE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
        ),
    ]
