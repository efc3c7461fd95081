"""All that the migrations up to 0009 make, at once, for an empty database: it saves most of the time.

A database that has some of them goes on with them.
"""

import uuid

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import accounts.name_search
import notifications.fields


class Migration(migrations.Migration):
    replaces = [
        ("children", "0001_initial"),
        ("children", "0002_dispute"),
        ("children", "0003_both_sides"),
        ("children", "0004_guardians_by_papers"),
        ("children", "0005_words_of_grounds"),
        ("children", "0006_day_of_decision"),
        ("children", "0007_find_by_name"),
        ("children", "0008_in_order_of_birth"),
        ("children", "0009_registry_asked_again"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Child",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("iin", notifications.fields.EncryptedTextField(verbose_name="IIN")),
                ("iin_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, max_length=100, verbose_name="patronymic")),
                ("birth_date", models.DateField(verbose_name="birth date")),
                (
                    "sex",
                    models.CharField(
                        choices=[("m", "male"), ("f", "female")], max_length=1, verbose_name="sex"
                    ),
                ),
                (
                    "nationality",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("kazakh", "Kazakh (nationality)"),
                            ("russian", "Russian (nationality)"),
                            ("uzbek", "Uzbek (nationality)"),
                            ("ukrainian", "Ukrainian (nationality)"),
                            ("uyghur", "Uyghur (nationality)"),
                            ("tatar", "Tatar (nationality)"),
                            ("german", "German (nationality)"),
                            ("turkish", "Turkish (nationality)"),
                            ("azerbaijani", "Azerbaijani (nationality)"),
                            ("korean", "Korean (nationality)"),
                            ("dungan", "Dungan (nationality)"),
                            ("belarusian", "Belarusian (nationality)"),
                            ("tajik", "Tajik (nationality)"),
                            ("kurdish", "Kurdish (nationality)"),
                            ("kyrgyz", "Kyrgyz (nationality)"),
                            ("other", "other nationality"),
                        ],
                        max_length=60,
                        verbose_name="nationality",
                    ),
                ),
                (
                    "paper_number",
                    notifications.fields.EncryptedTextField(
                        blank=True, db_default="", default="", verbose_name="number of the certificate"
                    ),
                ),
                ("paper_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="added at")),
            ],
            options={
                "verbose_name": "child",
                "verbose_name_plural": "children",
                "ordering": ["birth_date", "id"],
                "permissions": [
                    ("look_at_family", "Can look at the families they have to do with"),
                    ("read_whole_card_of_family", "Can read the whole card of a family"),
                    ("read_names_of_family", "Can read the names of a family in full"),
                    ("send_to_family_again", "Can send a message to a family again"),
                ],
                "indexes": [
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            accounts.name_search.FoldedName("last_name", "first_name", "middle_name"),
                            name="text_pattern_ops",
                        ),
                        name="child_folded_name",
                    ),
                    models.Index(fields=["birth_date", "id"], name="child_oldest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="GuardianClaim",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("no_iin", "the child has no IIN"),
                            (
                                "not_in_registry",
                                "the registry does not name the person as the child's representative",
                            ),
                        ],
                        max_length=20,
                        verbose_name="why on paper",
                    ),
                ),
                ("iin", notifications.fields.EncryptedTextField(blank=True, verbose_name="IIN")),
                (
                    "paper_number",
                    notifications.fields.EncryptedTextField(
                        blank=True, verbose_name="number of the certificate"
                    ),
                ),
                ("child_hash", models.CharField(editable=False, max_length=64)),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, max_length=100, verbose_name="patronymic")),
                ("birth_date", models.DateField(verbose_name="birth date")),
                (
                    "sex",
                    models.CharField(
                        choices=[("m", "male"), ("f", "female")], max_length=1, verbose_name="sex"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("handed_in", "waits for a check"),
                            ("checked", "checked, waits for the second official"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                        ],
                        default="handed_in",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="handed in at")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="decision by")),
                ("checked_at", models.DateTimeField(blank=True, null=True, verbose_name="checked at")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="what was checked")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "checked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="checked by",
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        blank=True,
                        help_text="Once it is approved.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="children.child",
                        verbose_name="child",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="guardian",
                    ),
                ),
            ],
            options={
                "verbose_name": "guardian by papers",
                "verbose_name_plural": "guardians by papers",
                "ordering": ["-made_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["handed_in", "checked"])),
                        fields=["made_at"],
                        name="claim_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["handed_in", "checked"])),
                        fields=("user", "child_hash"),
                        name="one_open_claim_per_guardian",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "approved"), _negated=True),
                            models.Q(
                                models.Q(
                                    ("checked_by__isnull", False),
                                    ("child__isnull", False),
                                    ("decided_by__isnull", False),
                                ),
                                models.Q(("checked_by", models.F("decided_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="claim_approved_by_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("state__in", ["handed_in", "checked"])),
                            models.Q(("decided_at__isnull", False), ("state__in", ["approved", "refused"])),
                            _connector="OR",
                        ),
                        name="claim_decided_or_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClaimPaper",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("file", models.FileField(upload_to="claims/", verbose_name="document")),
                ("original_name", models.CharField(max_length=150, verbose_name="name of the file")),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="papers",
                        to="children.guardianclaim",
                        verbose_name="guardian by papers",
                    ),
                ),
            ],
            options={
                "verbose_name": "paper of a claim",
                "verbose_name_plural": "papers of claims",
                "ordering": ["original_name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Guardianship",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("registry", "person registry"), ("official", "checked by an official")],
                        max_length=10,
                        verbose_name="proof",
                    ),
                ),
                (
                    "added_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="added at"
                    ),
                ),
                ("verified_at", models.DateTimeField(verbose_name="checked at")),
                ("asked_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="guardianships",
                        to="children.child",
                        verbose_name="child",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="guardianships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="guardian",
                    ),
                ),
            ],
            options={
                "verbose_name": "guardianship",
                "verbose_name_plural": "guardianships",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("child", "user"),
                        name="one_live_guardianship",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("raised_at", models.DateTimeField(verbose_name="stopped at")),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="The first instant at which the decision is late.",
                        verbose_name="decision due",
                    ),
                ),
                (
                    "freed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="costly acts free since"),
                ),
                (
                    "is_mutual",
                    models.BooleanField(
                        default=False,
                        help_text="Nothing proves who pressed “Stop” either: both sides have the same restrictions.",
                        verbose_name="neither side can bid",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stands", "the guardianship stands"),
                            ("ends", "the guardianship is ended"),
                        ],
                        max_length=6,
                        verbose_name="decision",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the portal itself, because the registry no longer confirms the guardianship.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "raised_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="stopped by",
                    ),
                ),
                (
                    "guardianship",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispute",
                        to="children.guardianship",
                        verbose_name="guardianship",
                    ),
                ),
            ],
            options={
                "verbose_name": "disputed guardianship",
                "verbose_name_plural": "disputed guardianships",
                "ordering": ["-raised_at", "-id"],
                "indexes": [
                    models.Index(condition=models.Q(("outcome", "")), fields=["due_at"], name="dispute_open"),
                    models.Index(
                        condition=models.Q(("freed_at", None)),
                        fields=["guardianship"],
                        name="dispute_halting",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("outcome", "")),
                            models.Q(
                                models.Q(("outcome", ""), _negated=True),
                                ("decided_at__isnull", False),
                                ("freed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="dispute_decided_or_open",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="child",
            name="guardians",
            field=models.ManyToManyField(
                related_name="children",
                through="children.Guardianship",
                to=settings.AUTH_USER_MODEL,
                verbose_name="guardians",
            ),
        ),
        migrations.CreateModel(
            name="OverruledDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("stands", "the guardianship stands"),
                            ("ends", "the guardianship is ended"),
                        ],
                        max_length=6,
                        verbose_name="decision",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="overruled",
                        to="children.dispute",
                        verbose_name="disputed guardianship",
                    ),
                ),
            ],
            options={
                "verbose_name": "overruled decision",
                "verbose_name_plural": "overruled decisions",
                "ordering": ["decided_at", "id"],
            },
        ),
    ]
