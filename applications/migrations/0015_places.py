"""Groups and counts of children: proposed by kindergartens, confirmed by officials. What there is counts as confirmed."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0014_registry_proposes"),
        ("bulletin", "0007_group_bounds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                (
                    "name",
                    models.CharField(
                        help_text="A proper name, the same in both languages.",
                        max_length=80,
                        verbose_name="group name",
                    ),
                ),
                (
                    "age_group",
                    models.CharField(
                        choices=[
                            ("1-2", "early age group (1 to 2 years)"),
                            ("2-3", "first junior group (2 to 3 years)"),
                            ("3-4", "second junior group (3 to 4 years)"),
                            ("4-5", "middle group (4 to 5 years)"),
                            ("5-6", "senior group (5 to 6 years)"),
                            ("mixed", "mixed age group"),
                        ],
                        max_length=5,
                        verbose_name="age group",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("kk", "Kazakh (language of education)"),
                            ("ru", "Russian (language of education)"),
                            ("uz", "Uzbek (language of education)"),
                        ],
                        max_length=2,
                        verbose_name="language of education",
                    ),
                ),
                (
                    "regime",
                    models.CharField(
                        choices=[
                            ("day", "day group"),
                            ("part", "part-day group"),
                            ("round", "round-the-clock group"),
                        ],
                        default="day",
                        max_length=5,
                        verbose_name="group type",
                    ),
                ),
                (
                    "capacity",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="capacity",
                    ),
                ),
            ],
            options={
                "verbose_name": "proposal of a group",
                "verbose_name_plural": "proposals of groups",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Headcount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                (
                    "school_year",
                    models.PositiveSmallIntegerField(verbose_name="school year, from September of"),
                ),
                (
                    "children",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MaxValueValidator(50)],
                        verbose_name="children in the group",
                    ),
                ),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
            ],
            options={
                "verbose_name": "count of children",
                "verbose_name_plural": "counts of children",
                "ordering": ["-counted_at", "-id"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="rules",
            name="most_in_group",
            field=models.PositiveSmallIntegerField(
                db_default=26,
                default=26,
                validators=[
                    django.core.validators.MinValueValidator(5),
                    django.core.validators.MaxValueValidator(50),
                ],
                verbose_name="a group holds at most, children (sanitary norm)",
            ),
        ),
        migrations.AddField(
            model_name="rulesproposal",
            name="most_in_group",
            field=models.PositiveSmallIntegerField(
                db_default=26,
                default=26,
                validators=[
                    django.core.validators.MinValueValidator(5),
                    django.core.validators.MaxValueValidator(50),
                ],
                verbose_name="a group holds at most, children (sanitary norm)",
            ),
        ),
        migrations.AddConstraint(
            model_name="rules",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_in_group__gte", 5), ("most_in_group__lte", 50)),
                name="rules_most_in_group_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_in_group__gte", 5), ("most_in_group__lte", 50)),
                name="rulesproposal_most_in_group_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "proposed"), ("decided_by__isnull", False), _connector="OR"),
                name="rulesproposal_is_decided_by_somebody",
            ),
        ),
        migrations.AddField(
            model_name="groupproposal",
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
            model_name="groupproposal",
            name="group",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: a new group.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="bulletin.group",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="groupproposal",
            name="kindergarten",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="bulletin.kindergarten",
                verbose_name="kindergarten",
            ),
        ),
        migrations.AddField(
            model_name="groupproposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddField(
            model_name="headcount",
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
            model_name="headcount",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="headcounts",
                to="bulletin.group",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="headcount",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "proposed"), ("decided_by__isnull", False), _connector="OR"),
                name="groupproposal_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity__gte", 1), ("capacity__lte", 50)),
                name="group_proposal_capacity_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("group",),
                name="one_open_proposal_per_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("kindergarten", "name"),
                name="one_open_proposal_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="headcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "proposed"), ("decided_by__isnull", False), _connector="OR"),
                name="headcount_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="headcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("children__lte", 50)), name="headcount_children_bounds"
            ),
        ),
        migrations.AddConstraint(
            model_name="headcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("school_year__gte", 2015), ("school_year__lte", 2099)),
                name="headcount_school_year_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="headcount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("group", "school_year"),
                name="one_open_count_per_group_and_year",
            ),
        ),
    ]
