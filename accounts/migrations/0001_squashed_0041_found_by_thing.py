"""All that the migrations up to 0041 make, at once, for an empty database: it saves most of the time.

A database that has some of them goes on with them.
"""

import uuid
from pathlib import Path

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models

import accounts.journal
import accounts.name_search
import accounts.registry.base
import notifications.fields


def _sql(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def _append_only(table: str, function: str) -> str:
    """Let a function refuse every change of a table and its being emptied as a whole."""
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}();"
        f"CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
    )


class Migration(migrations.Migration):
    replaces = [
        ("accounts", "0001_initial"),
        ("accounts", "0002_pause_actions"),
        ("accounts", "0003_award_action"),
        ("accounts", "0004_guardian_added"),
        ("accounts", "0005_phone_tie"),
        ("accounts", "0006_searches"),
        ("accounts", "0007_journal_is_never_emptied"),
        ("accounts", "0008_sign_in_codes"),
        ("accounts", "0009_stop"),
        ("accounts", "0010_actions_without_migrations"),
        ("accounts", "0011_phone_not_asked"),
        ("accounts", "0012_entries_about_objects"),
        ("accounts", "0013_found_by_object"),
        ("accounts", "0014_staff_iin"),
        ("accounts", "0015_leaving"),
        ("accounts", "0016_numbers_move"),
        ("accounts", "0017_entries_about_children"),
        ("accounts", "0018_data_export"),
        ("accounts", "0019_registry_asked"),
        ("accounts", "0020_contacts"),
        ("accounts", "0021_whose_session"),
        ("accounts", "0022_recovery_codes"),
        ("accounts", "0023_staff_iin_encrypted"),
        ("accounts", "0024_assisted_moves"),
        ("accounts", "0025_first_sign_in"),
        ("accounts", "0026_objection"),
        ("accounts", "0027_codes_outlive_keys"),
        ("accounts", "0028_claimants_outlive_keys"),
        ("accounts", "0029_papers_asked_for"),
        ("accounts", "0030_journal_follows_children"),
        ("accounts", "0031_words_of_moves"),
        ("accounts", "0032_who_claims_and_stops"),
        ("accounts", "0033_typed_profiles"),
        ("accounts", "0034_entries_of_forms"),
        ("accounts", "0035_audit_is_searched"),
        ("accounts", "0036_find_by_name"),
        ("accounts", "0037_newest_first"),
        ("accounts", "0038_employees_as_people"),
        ("accounts", "0039_employees_among_families"),
        ("accounts", "0040_employees_as_they_were"),
        ("accounts", "0041_found_by_thing"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(_sql("0036_folded_name"), "DROP FUNCTION folded_name(text, text, text)"),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "username",
                    models.CharField(
                        help_text="A parent's phone number, or an employee's name.",
                        max_length=60,
                        unique=True,
                        verbose_name="login",
                    ),
                ),
                (
                    "phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, null=True, region=None, unique=True, verbose_name="phone"
                    ),
                ),
                (
                    "language",
                    models.CharField(default="kk", max_length=2, verbose_name="language of messages"),
                ),
                ("is_staff", models.BooleanField(default=False, verbose_name="employee")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="registered at"),
                ),
                (
                    "phone_proven_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="phone proven at"
                    ),
                ),
                ("staff_iin_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
                (
                    "kept_iin",
                    notifications.fields.PatientEncryptedTextField(
                        blank=True, db_default="", default="", editable=False
                    ),
                ),
                (
                    "leaving_since",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="closed by its owner at"
                    ),
                ),
                (
                    "forgotten_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="forgotten at"),
                ),
                (
                    "email",
                    notifications.fields.PatientEncryptedTextField(
                        blank=True, db_default="", default="", verbose_name="e-mail address"
                    ),
                ),
                (
                    "mails_notices",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="notices by e-mail too"
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "indexes": [
                    models.Index(fields=["-date_joined", "-id"], name="user_newest"),
                    models.Index(
                        condition=models.Q(("is_staff", True)), fields=["username"], name="user_staff"
                    ),
                    models.Index(
                        condition=models.Q(("forgotten_at", None), ("leaving_since__isnull", False)),
                        fields=["leaving_since"],
                        name="user_leaving",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="time")),
                (
                    "action",
                    models.CharField(choices=accounts.journal.titles, max_length=40, verbose_name="action"),
                ),
                ("target", models.CharField(blank=True, max_length=200, verbose_name="object")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="address")),
                (
                    "about",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=100),
                ),
                ("child", models.UUIDField(editable=False, null=True)),
                ("changes", models.JSONField(editable=False, null=True, verbose_name="changes")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="journal",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="whom it concerns",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["subject", "-at", "-id"], name="audit_journal"),
                    models.Index(fields=["action", "-at", "-id"], name="audit_action"),
                    models.Index(fields=["actor", "action", "-at", "-id"], name="audit_actor"),
                    models.Index(
                        condition=models.Q(("target", ""), _negated=True),
                        fields=["target", "-at", "-id"],
                        name="audit_target",
                    ),
                    models.Index(
                        condition=models.Q(("about", ""), _negated=True),
                        fields=["about", "-at", "-id"],
                        name="audit_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code_hash", models.CharField(max_length=64)),
                ("session_hash", models.CharField(max_length=64)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("subject_hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "code to a contact",
                "verbose_name_plural": "codes to contacts",
                "indexes": [
                    models.Index(fields=["subject_hash", "-created_at"], name="contactcode_newest"),
                    models.Index(fields=["expires_at"], name="contactcode_expiry"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataExport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a worker"),
                            ("working", "is being made"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked for at")),
                ("taken_at", models.DateTimeField(editable=False, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("done", models.PositiveSmallIntegerField(default=0)),
                ("total", models.PositiveSmallIntegerField(default=0)),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="ready at")),
                ("file", models.FileField(blank=True, upload_to="exports/", verbose_name="file")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "copy of a person's data",
                "verbose_name_plural": "copies of people's data",
                "ordering": ["-asked_at"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "working"])),
                        fields=["asked_at"],
                        name="data_export_to_make",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Employee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, max_length=100, verbose_name="patronymic")),
                ("position", models.CharField(max_length=150, verbose_name="position")),
                (
                    "work_phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, region=None, verbose_name="work phone"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="work e-mail")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="employee",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "employee",
                "verbose_name_plural": "employees",
            },
        ),
        migrations.CreateModel(
            name="EmployeeVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, max_length=100, verbose_name="patronymic")),
                ("position", models.CharField(max_length=150, verbose_name="position")),
                ("since", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "employee as they were",
                "verbose_name_plural": "employees as they were",
                "indexes": [models.Index(fields=["user", "since"], name="employee_version_since")],
            },
        ),
        migrations.CreateModel(
            name="FirstSignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("registered_at", models.DateTimeField(verbose_name="registered at")),
                (
                    "code_digest",
                    notifications.fields.EncryptedTextField(
                        blank=True, db_default="", default="", editable=False
                    ),
                ),
                ("code_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="paper valid until")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("asked_at", models.DateTimeField(blank=True, null=True, verbose_name="paper asked for at")),
                (
                    "why",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=300, verbose_name="what happened"
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "registered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="registered by",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="first_sign_in",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "assisted registration",
                "verbose_name_plural": "assisted registrations",
                "ordering": ["-registered_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="NumberMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("change", "change of number"),
                            ("recovery", "lost number"),
                            ("assisted", "new number, with an employee"),
                            ("recycling", "number that another person claims"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "proof",
                    models.CharField(
                        choices=[
                            ("both_numbers", "password, codes to both numbers"),
                            ("new_number", "password, code to the new number"),
                            ("second_phone", "IIN, codes to the second phone and to the new number"),
                            ("email", "IIN, codes to the e-mail and to the new number"),
                            ("document", "document shown to an employee"),
                            ("claim", "code to the number, and another IIN"),
                        ],
                        max_length=12,
                        verbose_name="what was proven",
                    ),
                ),
                (
                    "old_phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True,
                        max_length=128,
                        null=True,
                        region=None,
                        verbose_name="number when it was asked for",
                    ),
                ),
                (
                    "new_phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, null=True, region=None, verbose_name="new number"
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due at")),
                ("stopped_at", models.DateTimeField(blank=True, null=True, verbose_name="stopped at")),
                (
                    "stopped_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_owner", "stopped by the owner of the account, or whoever has its number"),
                            ("proven", "the owner has entered a code that came to the number of the account"),
                            ("superseded", "another move was asked for"),
                            ("number_taken", "the new number was registered meanwhile"),
                            ("refused", "refused by an official"),
                            ("withdrawn", "withdrawn or declined by an employee"),
                        ],
                        max_length=14,
                        verbose_name="why it was stopped",
                    ),
                ),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="done at")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("password", models.CharField(blank=True, editable=False, max_length=128)),
                ("stamp", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "claimant",
                    notifications.fields.EncryptedTextField(
                        blank=True, verbose_name="who has the number now"
                    ),
                ),
                (
                    "claimant_identity",
                    notifications.fields.PatientEncryptedTextField(
                        blank=True, db_default="", default="", editable=False
                    ),
                ),
                ("claimant_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("claimant_tie", models.CharField(blank=True, editable=False, max_length=7)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="number_moves",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="whose account",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="done by",
                    ),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="stopped by",
                    ),
                ),
            ],
            options={
                "verbose_name": "move of a number",
                "verbose_name_plural": "moves of numbers",
                "ordering": ["-asked_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("stopped_at", None)),
                        fields=["due_at"],
                        name="numbermove_due",
                    ),
                    models.Index(
                        condition=models.Q(("done_at", None), ("stopped_at", None)),
                        fields=["old_phone"],
                        name="numbermove_from",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None), ("stopped_at", None)),
                        fields=("account",),
                        name="one_live_move_per_account",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None), ("stopped_at", None)),
                        fields=("new_phone",),
                        name="one_live_move_per_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stopped_at", None), ("done_at", None), _connector="OR"),
                        name="move_is_stopped_or_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "recycling"), ("new_phone", None)),
                            models.Q(
                                models.Q(("kind", "recycling"), _negated=True), ("new_phone__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="move_has_new_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssistedMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "document",
                    models.CharField(
                        choices=[
                            ("card", "identity card"),
                            ("passport", "passport"),
                            ("permit", "residence permit"),
                            ("other", "other document with a photo"),
                        ],
                        max_length=8,
                        verbose_name="document that was seen",
                    ),
                ),
                ("why", models.CharField(max_length=300, verbose_name="what happened")),
                (
                    "move",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assisted",
                        to="accounts.numbermove",
                        verbose_name="move of a number",
                    ),
                ),
            ],
            options={
                "verbose_name": "assisted move of a number",
                "verbose_name_plural": "assisted moves of numbers",
                "ordering": ["-move__asked_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Objection",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "about",
                    models.CharField(
                        choices=[
                            ("person", "parent: name, date of birth, sex"),
                            ("document", "parent: IIN or document"),
                            ("child", "child: name, date of birth, IIN"),
                            ("application", "application: date, benefit, decision"),
                            ("other", "other data"),
                        ],
                        max_length=11,
                        verbose_name="which data",
                    ),
                ),
                ("child", models.UUIDField(blank=True, null=True, verbose_name="child")),
                ("wrong", notifications.fields.EncryptedTextField(verbose_name="what is wrong")),
                ("right", notifications.fields.EncryptedTextField(verbose_name="what would be right")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("mended", "the data is mended"),
                            ("stands", "the data stands as it is"),
                            ("not_ours", "not ours to change"),
                        ],
                        max_length=8,
                        verbose_name="answer",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered at")),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="objections",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who objects",
                    ),
                ),
            ],
            options={
                "verbose_name": "objection to data",
                "verbose_name_plural": "objections to data",
                "ordering": ["-sent_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answer", "")), fields=["due_at"], name="objection_open"
                    ),
                    models.Index(fields=["answered_at"], name="objection_answered"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer", ""), ("answered_at", None), ("answered_by", None), ("reason", "")
                            ),
                            models.Q(
                                models.Q(("answer", ""), _negated=True),
                                models.Q(("reason", ""), _negated=True),
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="objection_answered_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("about__in", ["child", "application"]), _negated=True),
                            ("child__isnull", False),
                            _connector="OR",
                        ),
                        name="objection_names_child",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyConsent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=20, verbose_name="version")),
                ("given_at", models.DateTimeField(verbose_name="given at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "verbose_name_plural": "consents",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "version"), name="one_consent_per_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("iin", notifications.fields.EncryptedTextField(blank=True, verbose_name="IIN")),
                ("iin_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
                (
                    "document_number",
                    notifications.fields.EncryptedTextField(blank=True, verbose_name="document number"),
                ),
                ("document_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
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
                ("photo", models.ImageField(blank=True, upload_to="photos/", verbose_name="photo")),
                (
                    "phone_tie",
                    models.CharField(
                        choices=[
                            (accounts.registry.base.PhoneTie["YES"], "registered to this person"),
                            (accounts.registry.base.PhoneTie["NO"], "registered to somebody else"),
                            (accounts.registry.base.PhoneTie["UNKNOWN"], "not known"),
                            (accounts.registry.base.PhoneTie["UNASKED"], "not asked"),
                        ],
                        default=accounts.registry.base.PhoneTie["UNASKED"],
                        max_length=7,
                        verbose_name="phone in the base of mobile citizens",
                    ),
                ),
                (
                    "is_typed",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        verbose_name="typed from the document",
                    ),
                ),
                (
                    "registry_asked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="registry asked at"),
                ),
                (
                    "second_phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, region=None, verbose_name="second phone"
                    ),
                ),
                (
                    "second_phone_proven_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="second phone proven at"),
                ),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="address")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "profile",
                "verbose_name_plural": "profiles",
                "indexes": [
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            accounts.name_search.FoldedName("last_name", "first_name", "middle_name"),
                            name="text_pattern_ops",
                        ),
                        name="profile_folded_name",
                    ),
                    models.Index(
                        condition=models.Q(("second_phone", ""), _negated=True),
                        fields=["second_phone"],
                        name="profile_second_phone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("iin_hash__isnull", False), ("document_hash__isnull", False), _connector="OR"
                        ),
                        name="profile_has_identity",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code_digest",
                    notifications.fields.EncryptedTextField(db_default="", default="", editable=False),
                ),
                ("code_hash", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "recovery code",
                "verbose_name_plural": "recovery codes",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "code_hash"), name="one_recovery_code_of_a_kind")
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("seen_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("kept_until", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "db_table": "django_session",
            },
        ),
        migrations.CreateModel(
            name="SmsCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code_hash", models.CharField(max_length=64)),
                ("session_hash", models.CharField(max_length=64)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                (
                    "phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        max_length=128, region=None, verbose_name="phone"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("register", "registration"),
                            ("reset", "password reset"),
                            ("sign_in", "signing in"),
                            ("stop", "“Stop”"),
                            ("old_number", "change of number: the former one"),
                            ("new_number", "change of number: the new one"),
                            ("confirm", "confirming the number"),
                        ],
                        max_length=10,
                        verbose_name="purpose",
                    ),
                ),
            ],
            options={
                "verbose_name": "SMS code",
                "verbose_name_plural": "SMS codes",
                "indexes": [
                    models.Index(fields=["phone", "purpose", "-created_at"], name="smscode_newest"),
                    models.Index(fields=["expires_at"], name="smscode_expiry"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("link_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("expires_at", models.DateTimeField(verbose_name="counts until")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("voided_at", models.DateTimeField(blank=True, null=True, verbose_name="voided at")),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_links",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="employee",
                    ),
                ),
            ],
            options={
                "verbose_name": "link for an employee",
                "verbose_name_plural": "links for employees",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("used_at", None), ("voided_at", None)),
                        fields=("user",),
                        name="one_live_staff_link",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_at", None), ("voided_at", None), _connector="OR"),
                        name="staff_link_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("made_at"))), name="staff_link_lasts"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            _sql("0030_refuse_change_of_journal")
            + _append_only("accounts_auditentry", "refuse_change_of_journal")
            + _sql("0015_forget_in_journal")
            + _sql("0030_follow_in_journal"),
            "DROP FUNCTION refuse_change_of_journal() CASCADE; DROP FUNCTION forget_in_journal(uuid);"
            "DROP FUNCTION follow_in_journal(uuid[], uuid, uuid)",
        ),
        migrations.RunSQL(
            _sql("0040_note_employee") + "CREATE TRIGGER noted AFTER INSERT OR UPDATE ON accounts_employee "
            "FOR EACH ROW EXECUTE FUNCTION note_employee();"
            + _sql("0040_refuse_change_of_employees")
            + _append_only("accounts_employeeversion", "refuse_change_of_employees"),
            "DROP FUNCTION note_employee() CASCADE; DROP FUNCTION refuse_change_of_employees() CASCADE",
        ),
    ]
