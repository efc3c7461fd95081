"""All that the migrations up to 0015 make, at once, for an empty database: it saves most of the time.

A database that has some of them goes on with them.
"""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models

import bulletin.fields
import bulletin.models


class Migration(migrations.Migration):
    replaces = [
        ("bulletin", "0001_initial"),
        ("bulletin", "0002_pause"),
        ("bulletin", "0003_awarded"),
        ("bulletin", "0004_opens_after_publication"),
        ("bulletin", "0005_moved_openings"),
        ("bulletin", "0006_real_zones"),
        ("bulletin", "0007_group_bounds"),
        ("bulletin", "0008_employment_in_a_locality"),
        ("bulletin", "0009_officials_have_localities"),
        ("bulletin", "0010_newest_first"),
        ("bulletin", "0011_closings"),
        ("bulletin", "0012_answers_of_kindergartens"),
        ("bulletin", "0013_days_of_closings_move"),
        ("bulletin", "0014_loaded_files"),
        ("bulletin", "0015_order_of_russian_names"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField(unique=True, verbose_name="date")),
                (
                    "kind",
                    models.CharField(
                        choices=[("off", "day off"), ("work", "working day")],
                        default="off",
                        max_length=4,
                        verbose_name="kind",
                    ),
                ),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("source", models.CharField(blank=True, max_length=200, verbose_name="source")),
            ],
            options={
                "verbose_name": "holiday",
                "verbose_name_plural": "holidays",
                "ordering": ["date"],
            },
        ),
        migrations.CreateModel(
            name="Kindergarten",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="address on the site")),
                (
                    "ownership",
                    models.CharField(
                        choices=[
                            ("state", "state kindergarten"),
                            ("private", "private kindergarten"),
                            ("departmental", "departmental kindergarten"),
                        ],
                        max_length=12,
                        verbose_name="ownership",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("nursery", "nursery and kindergarten"),
                            ("kindergarten", "kindergarten"),
                            ("complex", "school and kindergarten complex"),
                            ("sanatorium", "sanatorium kindergarten"),
                            ("special", "special (correctional) kindergarten"),
                            ("mini", "mini-centre"),
                        ],
                        default="nursery",
                        max_length=12,
                        verbose_name="type",
                    ),
                ),
                ("address_kk", models.CharField(max_length=200, verbose_name="address in Kazakh")),
                ("address_ru", models.CharField(max_length=200, verbose_name="address in Russian")),
                (
                    "phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, region=None, verbose_name="phone"
                    ),
                ),
                ("head", models.CharField(blank=True, max_length=120, verbose_name="head")),
                ("sort_key", bulletin.fields.SortKeyField(default="", editable=False, max_length=400)),
                (
                    "sort_key_ru",
                    bulletin.fields.SortKeyField(
                        db_default="", default="", editable=False, max_length=400, of="name_ru"
                    ),
                ),
                ("search_text", bulletin.fields.SearchTextField(default="", editable=False)),
            ],
            options={
                "verbose_name": "kindergarten",
                "verbose_name_plural": "kindergartens",
                "ordering": ["sort_key", "id"],
                "permissions": [("stand_in", "Can decide for a kindergarten in which nobody may")],
            },
        ),
        migrations.CreateModel(
            name="Locality",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("slug", models.SlugField(unique=True, verbose_name="address on the site")),
                (
                    "timezone",
                    models.CharField(
                        default="Asia/Almaty",
                        max_length=40,
                        validators=[bulletin.models.demand_zone],
                        verbose_name="time zone",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "locality",
                "verbose_name_plural": "localities",
                "ordering": ["order", "name_kk"],
                "permissions": [("work_everywhere", "Can work in every locality")],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20, verbose_name="what was loaded")),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the file")),
                ("loaded_at", models.DateTimeField(verbose_name="loaded at")),
                ("added", models.PositiveIntegerField(default=0, verbose_name="added")),
                ("changed", models.PositiveIntegerField(default=0, verbose_name="changed")),
                ("unchanged", models.PositiveIntegerField(default=0, verbose_name="unchanged")),
                ("left_out", models.PositiveIntegerField(default=0, verbose_name="left out")),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), default=list, size=None
                    ),
                ),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone at")),
                (
                    "loaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="loaded by",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="undone by",
                    ),
                ),
            ],
            options={
                "verbose_name": "loaded file",
                "verbose_name_plural": "loaded files",
                "ordering": ["-loaded_at", "-id"],
                "permissions": [("load_files", "Can load files of the city")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
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
                (
                    "kindergarten",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="bulletin.kindergarten",
                        verbose_name="kindergarten",
                    ),
                ),
            ],
            options={
                "verbose_name": "group",
                "verbose_name_plural": "groups",
                "ordering": ["kindergarten", "age_group", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kindergarten", "name"), name="group_name_in_kindergarten"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity__gte", 1), ("capacity__lte", 50)),
                        name="group_capacity_bounds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Closing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("repair", "repair"),
                            ("licence", "licence withdrawn or suspended"),
                            ("accident", "accident or emergency"),
                            ("reorganised", "reorganisation"),
                            ("other", "other reason (of a closing)"),
                        ],
                        max_length=12,
                        verbose_name="cause",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("starts_on", models.DateField(verbose_name="closed from")),
                (
                    "reopens_on",
                    models.DateField(blank=True, null=True, verbose_name="planned to open again on"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "closed (kindergarten, group)"),
                            ("reopened", "reopened"),
                            ("undone", "undone: it was a mistake"),
                        ],
                        default="running",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="reopened or undone at"),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True, max_length=300, verbose_name="why it was reopened or undone"
                    ),
                ),
                (
                    "days_moved_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Who was told of it before is told again.",
                        null=True,
                        verbose_name="days changed at",
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Empty while families are still to be handled, of the closing or of its end.",
                        null=True,
                        verbose_name="all families handled at",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="reopened or undone by",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the whole kindergarten.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closings",
                        to="bulletin.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "kindergarten",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closings",
                        to="bulletin.kindergarten",
                        verbose_name="kindergarten",
                    ),
                ),
            ],
            options={
                "verbose_name": "closing of a kindergarten or group",
                "verbose_name_plural": "closings of kindergartens and groups",
                "ordering": ["-decided_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("group", None), ("state", "running")),
                        fields=("kindergarten",),
                        name="closing_one_running_of_kindergarten",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("group__isnull", False), ("state", "running")),
                        fields=("group",),
                        name="closing_one_running_of_group",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reopens_on", None), ("reopens_on__gt", models.F("starts_on")), _connector="OR"
                        ),
                        name="closing_reopens_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_by", None), ("state", "running")),
                            models.Q(
                                models.Q(("state", "running"), _negated=True),
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ended_closing_has_time_and_official",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="kindergarten",
            name="locality",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="kindergartens",
                to="bulletin.locality",
                verbose_name="locality",
            ),
        ),
        migrations.CreateModel(
            name="Employment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateField(verbose_name="since")),
                (
                    "until",
                    models.DateField(
                        blank=True, help_text="The last day, or empty.", null=True, verbose_name="until"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="employments",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="employee",
                    ),
                ),
                (
                    "kindergarten",
                    models.ForeignKey(
                        blank=True,
                        help_text="For whoever works in one kindergarten.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="employments",
                        to="bulletin.kindergarten",
                        verbose_name="kindergarten",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        help_text="For an official: the whole locality, with all its kindergartens.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="employments",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "employment",
                "verbose_name_plural": "employments",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "kindergarten"), name="one_employment"),
                    models.UniqueConstraint(fields=("user", "locality"), name="one_employment_in_a_locality"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kindergarten__isnull", False), ("locality", None)),
                            models.Q(("kindergarten", None), ("locality__isnull", False)),
                            _connector="OR",
                        ),
                        name="employment_is_in_one_place",
                        violation_error_message="Choose either a kindergarten or a locality.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until", None), ("until__gte", models.F("since")), _connector="OR"
                        ),
                        name="employment_runs_forward",
                        violation_error_message="The last day can't be earlier than the first.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("notice_kk", models.CharField(max_length=300, verbose_name="notice in Kazakh")),
                ("notice_ru", models.CharField(max_length=300, verbose_name="notice in Russian")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="ended by",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "pause of bidding",
                "verbose_name_plural": "pauses of bidding",
                "ordering": ["-started_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Coalesce("locality", models.Value(0)),
                        condition=models.Q(("ended_at", None)),
                        name="pause_one_running",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="pause_ends_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(max_length=1000, verbose_name="text")),
                ("answer", models.TextField(blank=True, max_length=1000, verbose_name="answer")),
                (
                    "answer_language",
                    models.CharField(
                        blank=True,
                        choices=[("kk", "Kazakh"), ("ru", "Russian")],
                        db_default="",
                        max_length=2,
                        verbose_name="language of the answer",
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered at")),
                (
                    "answer_hidden_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="answer hidden at"),
                ),
                (
                    "answer_hidden_reason",
                    models.CharField(
                        blank=True, db_default="", max_length=300, verbose_name="why the answer is hidden"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waits for moderation"),
                            ("published", "published"),
                            ("rejected", "not published"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "moderation_reason",
                    models.CharField(blank=True, max_length=300, verbose_name="reason for not publishing"),
                ),
                ("created_at", models.DateTimeField(verbose_name="written at")),
                ("moderated_at", models.DateTimeField(blank=True, null=True, verbose_name="moderated at")),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reviews",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "kindergarten",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="bulletin.kindergarten",
                        verbose_name="kindergarten",
                    ),
                ),
                (
                    "moderated_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="moderator",
                    ),
                ),
            ],
            options={
                "verbose_name": "review",
                "verbose_name_plural": "reviews",
                "ordering": ["-created_at", "-id"],
                "permissions": [("answer_review", "Can answer reviews of the own kindergarten")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "published")),
                        fields=["-created_at", "-id"],
                        name="review_public",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Vacancy",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "birth_years",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        size=None,
                        verbose_name="birth years of children",
                    ),
                ),
                (
                    "place_type",
                    models.CharField(
                        choices=[
                            ("vacant", "vacant places"),
                            ("temporary", "temporary places"),
                            ("early", "early booking"),
                        ],
                        default="vacant",
                        max_length=10,
                        verbose_name="place type",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("first_come", "the first bid takes the place"),
                            ("queue_order", "bids are collected, places go by queue number"),
                        ],
                        default="first_come",
                        max_length=12,
                        verbose_name="who gets a place",
                    ),
                ),
                ("seats_total", models.PositiveSmallIntegerField(verbose_name="places in all")),
                (
                    "seats_taken",
                    models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="places taken"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("published", "published"),
                            ("recalled", "recalled"),
                            ("closed", "closed"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("opens_at", models.DateTimeField(verbose_name="bids are accepted from")),
                (
                    "priority_until",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="only the head of the queue until"
                    ),
                ),
                (
                    "closes_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="bids are accepted until"),
                ),
                ("vacant_from", models.DateTimeField(verbose_name="the place is actually free from")),
                (
                    "published_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published at"),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="recalled or closed at"
                    ),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=300, verbose_name="reason for the recall"
                    ),
                ),
                (
                    "awarded_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="place given at"
                    ),
                ),
                ("responsible", models.CharField(max_length=120, verbose_name="responsible employee")),
                (
                    "short_notice_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=300, verbose_name="reason for the short notice"
                    ),
                ),
                (
                    "closing",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vacancies",
                        to="bulletin.closing",
                        verbose_name="recalled by a closing",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vacancies",
                        to="bulletin.group",
                        verbose_name="group",
                    ),
                ),
            ],
            options={
                "verbose_name": "vacancy",
                "verbose_name_plural": "vacancies",
                "ordering": ["-opens_at", "id"],
                "indexes": [
                    models.Index(fields=["-opens_at", "-id"], name="vacancy_newest"),
                    models.Index(
                        condition=models.Q(("state", "published")),
                        fields=["-opens_at", "id"],
                        name="vacancy_published",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("seats_taken__lte", models.F("seats_total"))),
                        name="vacancy_not_oversold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seats_total__gte", 1)), name="vacancy_has_seats"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("birth_years", []), _negated=True), name="vacancy_has_birth_years"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closes_at", None), ("closes_at__gt", models.F("opens_at")), _connector="OR"
                        ),
                        name="vacancy_closes_after_opening",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "queue_order"), _negated=True),
                            ("closes_at__isnull", False),
                            _connector="OR",
                        ),
                        name="vacancy_queue_order_closes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at", None),
                            ("opens_at__gte", models.F("published_at")),
                            _connector="OR",
                        ),
                        name="vacancy_opens_after_publication",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MovedOpening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("was", models.DateTimeField(verbose_name="was to open at")),
                ("becomes", models.DateTimeField(verbose_name="opens at")),
                ("moved_at", models.DateTimeField(verbose_name="moved at")),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="told to the families at"
                    ),
                ),
                (
                    "pause",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moved_openings",
                        to="bulletin.pause",
                        verbose_name="pause of bidding",
                    ),
                ),
                (
                    "vacancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moved_openings",
                        to="bulletin.vacancy",
                        verbose_name="vacancy",
                    ),
                ),
            ],
            options={
                "verbose_name": "moved opening",
                "verbose_name_plural": "moved openings",
                "ordering": ["moved_at", "id"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("told_at", None)), fields=["pause"], name="moved_opening_to_tell"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vacancy", "pause"), name="opening_moved_once_by_a_pause"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("becomes__gt", models.F("moved_at"))),
                        name="moved_opening_is_announced",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                ("model", models.CharField(max_length=60)),
                ("key", models.CharField(max_length=40)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="bulletin.importbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["model", "key"], name="imported_row_of")],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE bulletin_locality ADD CONSTRAINT locality_zone_is_real "
            "CHECK (timezone(timezone, 'epoch'::timestamptz) IS NOT NULL)",
            "ALTER TABLE bulletin_locality DROP CONSTRAINT locality_zone_is_real",
        ),
    ]
