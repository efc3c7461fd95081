"""All that the migrations up to 0045 make, at once, for an empty database: it saves most of the time.

A database that has some of them goes on with them.
"""

import datetime
import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import notifications.fields

_COUNTING = """
CREATE TRIGGER count_queue_in_or_out AFTER INSERT OR DELETE ON applications_application
FOR EACH ROW EXECUTE FUNCTION count_queue();

-- A bid and a referral leave the number as it is and so cost nothing here.
CREATE TRIGGER count_queue_moves
AFTER UPDATE OF state, locality_id, birth_year, tier, filed_at ON applications_application
FOR EACH ROW WHEN (
    (OLD.state IN ('waiting', 'bid_placed', 'referred'))
    <> (NEW.state IN ('waiting', 'bid_placed', 'referred'))
    OR (OLD.locality_id, OLD.birth_year, OLD.tier, OLD.filed_at)
    IS DISTINCT FROM (NEW.locality_id, NEW.birth_year, NEW.tier, NEW.filed_at)
) EXECUTE FUNCTION count_queue();

-- Both are read through indexes alone where the vacuum has been.
ALTER TABLE applications_application SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE applications_queuecount SET (autovacuum_vacuum_scale_factor = 0.01);
"""


def _sql(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


class Migration(migrations.Migration):
    replaces = [
        ("applications", "0001_initial"),
        ("applications", "0002_rush"),
        ("applications", "0003_award"),
        ("applications", "0004_onlooker"),
        ("applications", "0005_events_are_never_emptied"),
        ("applications", "0006_numbers_of_referrals"),
        ("applications", "0007_papers_handed_in"),
        ("applications", "0008_disputes"),
        ("applications", "0009_publication_lead"),
        ("applications", "0010_both_sides"),
        ("applications", "0011_runs_out_at"),
        ("applications", "0012_rules_by_two"),
        ("applications", "0013_days_promised"),
        ("applications", "0014_registry_proposes"),
        ("applications", "0015_places"),
        ("applications", "0016_offers_of_places"),
        ("applications", "0017_larger_counts"),
        ("applications", "0018_notices_about_children"),
        ("applications", "0019_leaving"),
        ("applications", "0020_offers_stand_still"),
        ("applications", "0021_stand_ins"),
        ("applications", "0022_told_employees"),
        ("applications", "0023_coming_noted"),
        ("applications", "0024_undo_by_mistake"),
        ("applications", "0025_newest_first"),
        ("applications", "0026_answer_owed_since"),
        ("applications", "0027_contracts_end"),
        ("applications", "0028_open_papers"),
        ("applications", "0029_stopped_again"),
        ("applications", "0030_why_officials_decide"),
        ("applications", "0031_made_files"),
        ("applications", "0032_events_by_time"),
        ("applications", "0033_closings"),
        ("applications", "0034_transfers"),
        ("applications", "0035_coming_taken_back"),
        ("applications", "0036_requests_end_by_themselves"),
        ("applications", "0037_former_queue"),
        ("applications", "0038_unclaimed_are_counted"),
        ("applications", "0039_valid_from_the_paper"),
        ("applications", "0040_former_rows_name_their_file"),
        ("applications", "0041_city_export"),
        ("applications", "0042_brought_files"),
        ("applications", "0043_lines_of_the_former_queue"),
        ("applications", "0044_unclaimed_may_be_stopped"),
        ("applications", "0045_words_of_proofs_and_proposals"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("bulletin", "0001_squashed_0015_order_of_russian_names"),
        ("children", "0001_squashed_0009_registry_asked_again"),
    ]

    operations = [
        migrations.CreateModel(
            name="Application",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "number",
                    models.CharField(
                        editable=False, max_length=20, unique=True, verbose_name="application number"
                    ),
                ),
                ("birth_year", models.PositiveSmallIntegerField(verbose_name="birth year")),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("kk", "Kazakh (language of education)"),
                                ("ru", "Russian (language of education)"),
                                ("uz", "Uzbek (language of education)"),
                            ],
                            max_length=2,
                        ),
                        size=None,
                        verbose_name="languages of education",
                    ),
                ),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "extraordinary"), (1, "priority"), (2, "general")],
                        default=2,
                        verbose_name="part of the queue",
                    ),
                ),
                ("filed_at", models.DateTimeField(verbose_name="time of filing")),
                ("sequence", models.BigIntegerField(editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a place"),
                            ("bid_placed", "Waiting for the kindergarten's answer"),
                            ("referred", "Referral issued"),
                            ("enrolled", "Contract signed"),
                            ("stop_listed", "On the stop-list"),
                            ("lapsed", "Interest not confirmed"),
                            ("archived", "In the archive"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="application status",
                    ),
                ),
                ("interest_confirmed_at", models.DateTimeField(verbose_name="interest confirmed at")),
                ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived at")),
                (
                    "runs_out_at",
                    models.DateTimeField(
                        db_default=datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        default=datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        editable=False,
                        null=True,
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="children.child",
                        verbose_name="child",
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: it was brought in from the former queue, and its family has not claimed it yet.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="filed by",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "application",
                "verbose_name_plural": "applications",
                "ordering": ["-filed_at", "-sequence"],
                "permissions": [("open_papers", "Can open the papers of families")],
                "indexes": [
                    models.Index(fields=["-filed_at", "-sequence", "-id"], name="application_newest"),
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "bid_placed", "referred"))),
                        fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                        name="application_queue",
                    ),
                    models.Index(
                        condition=models.Q(("filed_by", None), ("state", "waiting")),
                        fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                        name="application_unclaimed",
                    ),
                    models.Index(
                        condition=models.Q(("runs_out_at__isnull", False)),
                        fields=["runs_out_at"],
                        name="application_runs_out",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("waiting", "bid_placed", "referred", "stop_listed", "lapsed"))
                        ),
                        fields=("child",),
                        name="one_live_application_per_child",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("languages", []), _negated=True), name="application_has_languages"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("archived_at__isnull", False), ("state", "archived")),
                            models.Q(models.Q(("state", "archived"), _negated=True), ("archived_at", None)),
                            _connector="OR",
                        ),
                        name="archived_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("filed_by__isnull", False),
                            ("state__in", ("waiting", "stop_listed", "archived")),
                            _connector="OR",
                        ),
                        name="unclaimed_only_waits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BenefitCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(unique=True, verbose_name="code")),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("proof_kk", models.CharField(max_length=300, verbose_name="required proof in Kazakh")),
                ("proof_ru", models.CharField(max_length=300, verbose_name="required proof in Russian")),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "extraordinary"), (1, "priority")], verbose_name="part of the queue"
                    ),
                ),
                (
                    "valid_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: until the child gets a place.",
                        null=True,
                        verbose_name="valid from the date of the paper for, calendar days",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="can be claimed")),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "benefit category",
                "verbose_name_plural": "benefit categories",
                "ordering": ["tier", "order", "slug"],
            },
        ),
        migrations.CreateModel(
            name="Benefit",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "waits for a check"),
                            ("verified", "verified"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn by the family"),
                            ("expired", "expired"),
                        ],
                        default="claimed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("document", models.FileField(upload_to="benefits/", verbose_name="document")),
                ("original_name", models.CharField(max_length=150, verbose_name="name of the file")),
                ("claimed_at", models.DateTimeField(verbose_name="claimed at")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "valid_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="The first instant at which it does not count; empty: without an end.",
                        null=True,
                        verbose_name="valid until",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benefits",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="claimed by",
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
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benefits",
                        to="applications.benefitcategory",
                        verbose_name="benefit category",
                    ),
                ),
            ],
            options={
                "verbose_name": "benefit",
                "verbose_name_plural": "benefits",
                "ordering": ["-claimed_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "verified")),
                        fields=["valid_until"],
                        name="benefit_expiry",
                    ),
                    models.Index(
                        condition=models.Q(("state", "claimed")),
                        fields=["claimed_at"],
                        name="benefit_to_check",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "claimed")),
                        fields=("application", "category"),
                        name="one_open_claim_per_category",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "verified")),
                        fields=("application", "category"),
                        name="one_counted_benefit_per_category",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Bid",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waits for activation"),
                            ("activated", "activated"),
                            ("rejected", "refused"),
                            ("withdrawn", "withdrawn by the family"),
                            ("lost", "not awarded"),
                            ("void", "place recalled"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("placed_at", models.DateTimeField(verbose_name="sent at")),
                ("holds_seat", models.BooleanField(default=False, verbose_name="holds a place")),
                (
                    "answer_due",
                    models.DateTimeField(blank=True, null=True, verbose_name="the kindergarten answers by"),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "stand_in",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("late", "the kindergarten had not answered in time"),
                            (
                                "nobody_else",
                                "nobody in the kindergarten could decide: it is about a child of their own",
                            ),
                            ("nobody", "nobody works in the kindergarten who could decide"),
                            ("department", "the kindergarten could still have decided itself"),
                        ],
                        db_default="",
                        default="",
                        help_text="Empty: the kindergarten decided itself.",
                        max_length=12,
                        verbose_name="decided by the education department because",
                    ),
                ),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When the family's notices about the sent bid were written.",
                        null=True,
                        verbose_name="told to the family at",
                    ),
                ),
                (
                    "awarded_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="place given at"
                    ),
                ),
                (
                    "award_told_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="place told to the family at"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="answer owed since"
                    ),
                ),
                (
                    "listed_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="in the digest at"
                    ),
                ),
                (
                    "reminded_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="kindergarten reminded of it at"
                    ),
                ),
                (
                    "escalated_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="officials told of it at"
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bids",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
                (
                    "vacancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bids",
                        to="bulletin.vacancy",
                        verbose_name="vacancy",
                    ),
                ),
            ],
            options={
                "verbose_name": "bid",
                "verbose_name_plural": "bids",
                "ordering": ["-placed_at", "-id"],
                "indexes": [
                    models.Index(fields=["-placed_at", "-id"], name="bid_newest"),
                    models.Index(
                        condition=models.Q(("holds_seat", True), ("state", "pending")),
                        fields=["answer_due", "placed_at"],
                        name="bid_to_answer",
                    ),
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["vacancy", "placed_at"],
                        name="bid_pending",
                    ),
                    models.Index(
                        condition=models.Q(("told_at", None)), fields=["placed_at"], name="bid_to_tell"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("award_told_at", None), ("awarded_at__isnull", False), ("holds_seat", True)
                        ),
                        fields=["awarded_at"],
                        name="bid_award_to_tell",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "pending")),
                        fields=("application",),
                        name="one_live_bid_per_application",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BroughtFile",
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
                ("kind", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=200, verbose_name="file")),
                ("language", models.CharField(max_length=2)),
                ("file", models.FileField(blank=True, upload_to="brought/", verbose_name="file")),
                (
                    "step",
                    models.CharField(
                        choices=[("check", "is checked"), ("load", "is loaded")],
                        default="check",
                        max_length=5,
                    ),
                ),
                ("skip_bad", models.BooleanField(default=False)),
                ("report", models.JSONField(null=True)),
                ("trouble", models.JSONField(null=True)),
                ("links", notifications.fields.EncryptedTextField(default="")),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="bulletin.importbatch",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="employee",
                    ),
                ),
            ],
            options={
                "verbose_name": "brought file",
                "verbose_name_plural": "brought files",
                "ordering": ["-asked_at", "-id"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "working"))),
                        fields=["asked_at"],
                        name="brought_file_to_do",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CityExport",
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
                            ("ended", "closed by itself"),
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
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("keys", models.TextField(max_length=1000, verbose_name="public keys of the receiver")),
                ("made_at", models.DateTimeField(blank=True, null=True, verbose_name="made at")),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256 of the file")),
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
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "export of the city",
                "verbose_name_plural": "exports of the city",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "proposed"), ("decided_by__isnull", False), _connector="OR"
                        ),
                        name="cityexport_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="export_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("made_at", None), ("state", "approved"), _connector="OR"),
                        name="only_allowed_exports_are_made",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")), fields=("state",), name="one_open_export"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "new_filed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="new time of filing"),
                ),
                (
                    "new_birth_year",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="new birth year"),
                ),
                ("previous_filed_at", models.DateTimeField(verbose_name="previous time of filing")),
                ("previous_birth_year", models.PositiveSmallIntegerField(verbose_name="previous birth year")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "document_number",
                    models.CharField(blank=True, max_length=60, verbose_name="number of the order"),
                ),
                ("document_date", models.DateField(verbose_name="date of the order")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "waits for the second official"),
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
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="applications.application",
                        verbose_name="application",
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
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the portal itself, since the person registry has another birth year.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction",
                "verbose_name_plural": "corrections",
                "ordering": ["-proposed_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("new_filed_at__isnull", False),
                            ("new_birth_year__isnull", False),
                            _connector="OR",
                        ),
                        name="correction_changes_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            ("proposed_by", None),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="correction_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document_number", ""), ("new_filed_at", None), ("proposed_by", None)),
                            models.Q(
                                ("proposed_by__isnull", False),
                                models.Q(("document_number", ""), _negated=True),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="correction_has_its_source",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("application",),
                        name="one_open_correction_per_application",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="time")),
                (
                    "move",
                    models.CharField(
                        choices=[
                            ("file", "Application filed"),
                            ("import", "Brought in from the former queue"),
                            ("claim", "The family claimed its application of the former queue"),
                            ("take_import_back", "It was brought in from the former queue by mistake"),
                            ("place_bid", "Bid for a place sent"),
                            ("withdraw_bid", "Bid for a place withdrawn"),
                            ("reject_bid", "Bid refused"),
                            ("lose_bid", "The place went to another child by queue number"),
                            ("void_bid", "The place was recalled by the kindergarten"),
                            ("offer_place", "A place that was given back is offered to the family"),
                            ("accept_offer", "Offered place accepted"),
                            ("decline_offer", "Offered place declined"),
                            ("end_offer", "The offer of a place has ended"),
                            ("issue_referral", "Referral issued"),
                            ("extend_referral", "Referral extended"),
                            ("note_coming", "The kindergarten noted that the family came with its papers"),
                            (
                                "take_coming_back",
                                "It was noted by mistake that the family came: the referral has its last day of before",
                            ),
                            ("confirm_coming", "The referral is valid again: the family had come in time"),
                            ("lengthen_referral", "Last day of the referral moved by a day off"),
                            ("revoke_referral", "Referral revoked"),
                            ("undo_refusal", "The refusal of the bid was a mistake and is undone"),
                            ("restore_bid", "The closing was undone: the bid is valid again"),
                            ("undo_revocation", "The referral was revoked by mistake and is valid again"),
                            ("undo_closing", "The closing was undone: the referral is valid again"),
                            ("undo_contract", "The contract was a mistake and is undone"),
                            ("expire_referral", "Referral expired"),
                            ("lift_stop", "Application returned from the stop-list"),
                            ("sign_contract", "Contract signed"),
                            ("transfer", "The child moved to another group of the kindergarten"),
                            ("undo_transfer", "The move to another group was a mistake and is undone"),
                            (
                                "return_to_queue",
                                "The group closes: the child is in the queue again, at its original date",
                            ),
                            ("end_contract", "The child left the kindergarten: the contract has ended"),
                            ("undo_leaving", "The contract was ended by mistake and goes on"),
                            ("confirm_interest", "Interest in a place confirmed"),
                            ("lapse", "Interest was not confirmed in time"),
                            ("end_lapsed", "The time to confirm interest is over"),
                            ("age_out", "The child has reached school age"),
                            ("verify_benefit", "Benefit verified"),
                            ("end_benefit", "Benefit no longer counts"),
                            ("change_languages", "Languages of education changed"),
                            ("move_house", "Moved to another locality"),
                            ("correct", "Corrected by an official decision"),
                            ("archive", "Application moved to the archive"),
                            ("restore", "Application restored from the archive"),
                        ],
                        max_length=20,
                        verbose_name="event",
                    ),
                ),
                (
                    "from_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("waiting", "Waiting for a place"),
                            ("bid_placed", "Waiting for the kindergarten's answer"),
                            ("referred", "Referral issued"),
                            ("enrolled", "Contract signed"),
                            ("stop_listed", "On the stop-list"),
                            ("lapsed", "Interest not confirmed"),
                            ("archived", "In the archive"),
                        ],
                        max_length=12,
                        verbose_name="from",
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a place"),
                            ("bid_placed", "Waiting for the kindergarten's answer"),
                            ("referred", "Referral issued"),
                            ("enrolled", "Contract signed"),
                            ("stop_listed", "On the stop-list"),
                            ("lapsed", "Interest not confirmed"),
                            ("archived", "In the archive"),
                        ],
                        max_length=12,
                        verbose_name="to",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "data",
                    models.JSONField(
                        default=dict, help_text="What the state does not say: a bid, a referral."
                    ),
                ),
                ("birth_year", models.PositiveSmallIntegerField(verbose_name="birth year")),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "extraordinary"), (1, "priority"), (2, "general")],
                        verbose_name="part of the queue",
                    ),
                ),
                ("filed_at", models.DateTimeField(verbose_name="time of filing")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the portal itself, by a deadline.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["application", "id"], name="event_history"),
                    models.Index(fields=["locality", "birth_year", "id"], name="event_queue"),
                    models.Index(
                        condition=models.Q(
                            models.Q(
                                ("to_state__in", ("waiting", "bid_placed", "referred")),
                                models.Q(
                                    ("from_state__in", ("waiting", "bid_placed", "referred")), _negated=True
                                ),
                            ),
                            models.Q(
                                models.Q(
                                    ("to_state__in", ("waiting", "bid_placed", "referred")), _negated=True
                                ),
                                ("from_state__in", ("waiting", "bid_placed", "referred")),
                            ),
                            _connector="OR",
                        ),
                        fields=["at"],
                        include=("locality", "birth_year", "from_state", "to_state", "move", "id"),
                        name="event_in_or_out",
                    ),
                    models.Index(
                        condition=models.Q(("move__in", ("move_house", "correct"))),
                        fields=["at"],
                        name="event_between",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Extension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("illness", "illness of the child or a parent"),
                            ("hospital", "treatment in a hospital or a sanatorium"),
                            ("travel", "business trip or leave"),
                            ("medical", "the medical examination is not finished"),
                            ("other", "other reason"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("explanation", models.CharField(blank=True, max_length=500, verbose_name="explanation")),
                ("previous_valid_until", models.DateTimeField(verbose_name="was valid until")),
                ("made_at", models.DateTimeField(verbose_name="extended at")),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="extended by",
                    ),
                ),
            ],
            options={
                "verbose_name": "extension",
                "verbose_name_plural": "extensions",
            },
        ),
        migrations.CreateModel(
            name="ExtensionDocument",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("file", models.FileField(upload_to="extensions/", verbose_name="file")),
                ("original_name", models.CharField(max_length=150, verbose_name="name of the file")),
                (
                    "extension",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="documents",
                        to="applications.extension",
                        verbose_name="extension",
                    ),
                ),
            ],
            options={
                "verbose_name": "supporting document",
                "verbose_name_plural": "supporting documents",
            },
        ),
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
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_lines",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_lines",
                        to="bulletin.importbatch",
                        verbose_name="loaded file",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of the former queue",
                "verbose_name_plural": "lines of the former queue",
                "ordering": ["batch", "line"],
                "default_permissions": ("view", "change"),
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "line"), name="one_outcome_per_former_line"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("application__isnull", False),
                            models.Q(("problem", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="former_line_has_outcome",
                    ),
                ],
            },
        ),
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
                            ("ended", "closed by itself"),
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
                    "group",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a new group.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proposals",
                        to="bulletin.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "kindergarten",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="bulletin.kindergarten",
                        verbose_name="kindergarten",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "proposal of a group",
                "verbose_name_plural": "proposals of groups",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "proposed"), ("decided_by__isnull", False), _connector="OR"
                        ),
                        name="groupproposal_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity__gte", 1), ("capacity__lte", 50)),
                        name="group_proposal_capacity_bounds",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("group",),
                        name="one_open_proposal_per_group",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("kindergarten", "name"),
                        name="one_open_proposal_per_name",
                    ),
                ],
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
                            ("ended", "closed by itself"),
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
                        validators=[django.core.validators.MaxValueValidator(500)],
                        verbose_name="children in the group",
                    ),
                ),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
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
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="headcounts",
                        to="bulletin.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of children",
                "verbose_name_plural": "counts of children",
                "ordering": ["-counted_at", "-id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "proposed"), ("decided_by__isnull", False), _connector="OR"
                        ),
                        name="headcount_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("children__lte", 500)), name="headcount_children_bounds"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("school_year__gte", 2015), ("school_year__lte", 2099)),
                        name="headcount_school_year_bounds",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("group", "school_year"),
                        name="one_open_count_per_group_and_year",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MadeFile",
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
                ("what", models.CharField(max_length=40)),
                ("query", models.CharField(blank=True, max_length=200)),
                ("language", models.CharField(max_length=2)),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), default=list, size=None
                    ),
                ),
                ("names_people", models.BooleanField(default=False)),
                ("file", models.FileField(blank=True, upload_to="made/", verbose_name="file")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="employee",
                    ),
                ),
            ],
            options={
                "verbose_name": "file for an employee",
                "verbose_name_plural": "files for employees",
                "ordering": ["-asked_at", "-id"],
                "permissions": [("read_reports", "Can read the reports")],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "working"))),
                        fields=["asked_at"],
                        name="made_file_to_make",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("waiting", "working"))),
                        fields=("user", "what", "query", "language"),
                        name="one_file_is_made_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("seeking", "looks for the next in the queue"),
                            ("offered", "offered to the family"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("unanswered", "not answered in time"),
                            ("void", "no longer possible for the family"),
                            ("nobody", "nobody is left to offer it to"),
                            ("recalled", "place recalled"),
                        ],
                        default="seeking",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("freed_at", models.DateTimeField(verbose_name="place free since")),
                ("made_at", models.DateTimeField(blank=True, null=True, verbose_name="offered at")),
                (
                    "until",
                    models.DateTimeField(
                        blank=True,
                        help_text="The first instant at which it can't be accepted.",
                        null=True,
                        verbose_name="can be accepted until",
                    ),
                ),
                (
                    "held_since",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="While a guardian is disputed, not everybody may answer, and it does not end by itself.",
                        null=True,
                        verbose_name="last day stands still since",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "vacancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="bulletin.vacancy",
                        verbose_name="vacancy",
                    ),
                ),
            ],
            options={
                "verbose_name": "offer of a place",
                "verbose_name_plural": "offers of places",
                "ordering": ["-freed_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("seeking", "offered"))),
                        fields=["vacancy"],
                        name="offer_live",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "offered")),
                        fields=("application",),
                        name="one_live_offer_per_application",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("application", None),
                                ("made_at", None),
                                ("state__in", ["seeking", "nobody"]),
                                ("until", None),
                            ),
                            ("state", "recalled"),
                            models.Q(
                                ("application__isnull", False),
                                ("made_at__isnull", False),
                                ("until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="offer_has_family_and_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ("seeking", "offered"))),
                            models.Q(
                                models.Q(("state__in", ("seeking", "offered")), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ended_offer_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held_since", None), ("state", "offered"), _connector="OR"),
                        name="held_offer_is_made",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriorityCutoff",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("birth_year", models.PositiveSmallIntegerField(verbose_name="birth year")),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "extraordinary"), (1, "priority"), (2, "general")],
                        verbose_name="part of the queue",
                    ),
                ),
                ("filed_at", models.DateTimeField(verbose_name="last time of filing inside")),
                ("sequence", models.BigIntegerField()),
                (
                    "vacancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cutoffs",
                        to="bulletin.vacancy",
                        verbose_name="vacancy",
                    ),
                ),
            ],
            options={
                "verbose_name": "priority cut-off",
                "verbose_name_plural": "priority cut-offs",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vacancy", "birth_year", "tier"), name="one_cutoff_per_tier"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QueueCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("birth_year", models.PositiveSmallIntegerField()),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "extraordinary"), (1, "priority"), (2, "general")]
                    ),
                ),
                ("month", models.DateField()),
                ("n", models.IntegerField()),
                ("folded", models.BooleanField(default=False)),
                (
                    "locality",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="bulletin.locality",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        fields=["locality", "birth_year", "tier", "month"],
                        include=("n",),
                        name="queue_count_sum",
                    ),
                    models.Index(
                        condition=models.Q(("folded", False)),
                        fields=["locality", "birth_year", "tier", "month"],
                        name="queue_count_loose",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "number",
                    models.CharField(
                        editable=False, max_length=20, unique=True, verbose_name="referral number"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "issued"),
                            ("signed", "contract signed"),
                            ("expired", "expired"),
                            ("revoked", "revoked"),
                            ("ended", "contract ended"),
                        ],
                        default="issued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                (
                    "valid_until",
                    models.DateTimeField(
                        help_text="The first instant at which it is not valid.", verbose_name="valid until"
                    ),
                ),
                (
                    "working_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        editable=False,
                        help_text="After the day of issue. Empty once it is extended: an extension counts calendar days.",
                        null=True,
                        verbose_name="working days promised",
                    ),
                ),
                (
                    "held_since",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="While a guardian is disputed, the extension is halted, and it does not expire.",
                        null=True,
                        verbose_name="last day stands still since",
                    ),
                ),
                (
                    "came_on",
                    models.DateField(
                        blank=True,
                        editable=False,
                        help_text="The day on which the family came to the kindergarten with its papers.",
                        null=True,
                        verbose_name="came on",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("pdf", models.FileField(blank=True, upload_to="referrals/", verbose_name="PDF")),
                (
                    "handed_in_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="papers handed in at"
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "bid",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral",
                        to="applications.bid",
                        verbose_name="bid",
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="issued by",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "ordering": ["-issued_at", "-id"],
                "indexes": [
                    models.Index(fields=["-issued_at", "-id"], name="referral_newest"),
                    models.Index(
                        condition=models.Q(("state", "issued")),
                        fields=["valid_until"],
                        name="referral_expiry",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "issued")),
                        fields=("application",),
                        name="one_live_referral",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gt", models.F("issued_at"))),
                        name="referral_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held_since", None), ("state", "issued"), _connector="OR"),
                        name="held_referral_is_issued",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="extension",
            name="referral",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="extension",
                to="applications.referral",
                verbose_name="referral",
            ),
        ),
        migrations.CreateModel(
            name="Contract",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, verbose_name="contract number")),
                ("signed_at", models.DateTimeField(verbose_name="signed at")),
                ("left_on", models.DateField(blank=True, editable=False, null=True, verbose_name="left on")),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="end entered at"
                    ),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        max_length=300,
                        verbose_name="why the child left",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="end entered by",
                    ),
                ),
                (
                    "moved_to",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="Empty: the group of its vacancy.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.group",
                        verbose_name="moved to the group",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="signed by",
                    ),
                ),
                (
                    "referral",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract",
                        to="applications.referral",
                        verbose_name="referral",
                    ),
                ),
            ],
            options={
                "verbose_name": "contract",
                "verbose_name_plural": "contracts",
                "indexes": [models.Index(fields=["-signed_at", "-id"], name="contract_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_by", None), ("left_on", None)),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                                ("left_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ended_contract_has_day_and_employee",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Rules",
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
                    "coming_working_days",
                    models.PositiveSmallIntegerField(
                        db_default=5,
                        default=5,
                        help_text="After the kindergarten noted that the family came with its papers, or after something was undone.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="the contract is signed after the family came within, working days",
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
                    "offer_working_days",
                    models.PositiveSmallIntegerField(
                        db_default=2,
                        default=2,
                        help_text="Of a place that was given back after places had been given by queue number.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="a family answers the offer of a place within, working days",
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
                    "most_in_group",
                    models.PositiveSmallIntegerField(
                        db_default=26,
                        default=26,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="a group holds at most, children (sanitary norm)",
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
                        validators=[
                            django.core.validators.MinValueValidator(datetime.date(2015, 1, 1)),
                            django.core.validators.MaxValueValidator(datetime.date(2099, 12, 31)),
                        ],
                        verbose_name="valid from",
                    ),
                ),
                (
                    "early_from",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="in an emergency already from"
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: for all localities that have no rules of their own.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "rules",
                "verbose_name_plural": "rules",
                "ordering": [
                    "-valid_from",
                    models.OrderBy(models.F("early_from"), descending=True, nulls_last=True),
                ],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("referral_working_days__gte", 1), ("referral_working_days__lte", 20)
                        ),
                        name="rules_referral_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("coming_working_days__gte", 1), ("coming_working_days__lte", 20)),
                        name="rules_coming_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("extension_calendar_days__gte", 1), ("extension_calendar_days__lte", 90)
                        ),
                        name="rules_extension_calendar_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stop_working_days__gte", 1), ("stop_working_days__lte", 60)),
                        name="rules_stop_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority_working_days__gte", 0), ("priority_working_days__lte", 10)
                        ),
                        name="rules_priority_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority_seats_multiple__gte", 1), ("priority_seats_multiple__lte", 100)
                        ),
                        name="rules_priority_seats_multiple_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("general_per_priority__gte", 1), ("general_per_priority__lte", 20)
                        ),
                        name="rules_general_per_priority_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("activation_working_days__gte", 1), ("activation_working_days__lte", 10)
                        ),
                        name="rules_activation_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offer_working_days__gte", 1), ("offer_working_days__lte", 10)),
                        name="rules_offer_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("publication_lead_hours__gte", 1), ("publication_lead_hours__lte", 336)
                        ),
                        name="rules_publication_lead_hours_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("most_in_group__gte", 5), ("most_in_group__lte", 50)),
                        name="rules_most_in_group_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("archive_undo_hours__gte", 1), ("archive_undo_hours__lte", 168)),
                        name="rules_archive_undo_hours_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("youngest_age__gte", 0), ("youngest_age__lte", 6)),
                        name="rules_youngest_age_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("oldest_age__gte", 3), ("oldest_age__lte", 10)),
                        name="rules_oldest_age_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interest_month__gte", 1), ("interest_month__lte", 12)),
                        name="rules_interest_month_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interest_day__gte", 1), ("interest_day__lte", 28)),
                        name="rules_interest_day_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("interest_campaign_days__gte", 14), ("interest_campaign_days__lte", 180)
                        ),
                        name="rules_interest_campaign_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("interest_grace_days__gte", 7), ("interest_grace_days__lte", 300)
                        ),
                        name="rules_interest_grace_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("youngest_age__lte", models.F("oldest_age"))),
                        name="rules_youngest_below_oldest",
                    ),
                    models.UniqueConstraint(
                        fields=("locality", "valid_from", "early_from"),
                        name="one_set_of_rules_per_instant",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__gte", datetime.date(2015, 1, 1)),
                            ("valid_from__lte", datetime.date(2099, 12, 31)),
                        ),
                        name="rules_valid_from_bounds",
                    ),
                ],
            },
        ),
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
                    "state",
                    models.CharField(
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
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                (
                    "decision_reason",
                    models.CharField(blank=True, max_length=300, verbose_name="reason for declining"),
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
                    "coming_working_days",
                    models.PositiveSmallIntegerField(
                        db_default=5,
                        default=5,
                        help_text="After the kindergarten noted that the family came with its papers, or after something was undone.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="the contract is signed after the family came within, working days",
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
                    "offer_working_days",
                    models.PositiveSmallIntegerField(
                        db_default=2,
                        default=2,
                        help_text="Of a place that was given back after places had been given by queue number.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="a family answers the offer of a place within, working days",
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
                    "most_in_group",
                    models.PositiveSmallIntegerField(
                        db_default=26,
                        default=26,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="a group holds at most, children (sanitary norm)",
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
                    "locality",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "proposal of rules",
                "verbose_name_plural": "proposals of rules",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("referral_working_days__gte", 1), ("referral_working_days__lte", 20)
                        ),
                        name="rulesproposal_referral_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("coming_working_days__gte", 1), ("coming_working_days__lte", 20)),
                        name="rulesproposal_coming_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("extension_calendar_days__gte", 1), ("extension_calendar_days__lte", 90)
                        ),
                        name="rulesproposal_extension_calendar_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stop_working_days__gte", 1), ("stop_working_days__lte", 60)),
                        name="rulesproposal_stop_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority_working_days__gte", 0), ("priority_working_days__lte", 10)
                        ),
                        name="rulesproposal_priority_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority_seats_multiple__gte", 1), ("priority_seats_multiple__lte", 100)
                        ),
                        name="rulesproposal_priority_seats_multiple_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("general_per_priority__gte", 1), ("general_per_priority__lte", 20)
                        ),
                        name="rulesproposal_general_per_priority_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("activation_working_days__gte", 1), ("activation_working_days__lte", 10)
                        ),
                        name="rulesproposal_activation_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offer_working_days__gte", 1), ("offer_working_days__lte", 10)),
                        name="rulesproposal_offer_working_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("publication_lead_hours__gte", 1), ("publication_lead_hours__lte", 336)
                        ),
                        name="rulesproposal_publication_lead_hours_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("most_in_group__gte", 5), ("most_in_group__lte", 50)),
                        name="rulesproposal_most_in_group_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("archive_undo_hours__gte", 1), ("archive_undo_hours__lte", 168)),
                        name="rulesproposal_archive_undo_hours_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("youngest_age__gte", 0), ("youngest_age__lte", 6)),
                        name="rulesproposal_youngest_age_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("oldest_age__gte", 3), ("oldest_age__lte", 10)),
                        name="rulesproposal_oldest_age_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interest_month__gte", 1), ("interest_month__lte", 12)),
                        name="rulesproposal_interest_month_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interest_day__gte", 1), ("interest_day__lte", 28)),
                        name="rulesproposal_interest_day_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("interest_campaign_days__gte", 14), ("interest_campaign_days__lte", 180)
                        ),
                        name="rulesproposal_interest_campaign_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("interest_grace_days__gte", 7), ("interest_grace_days__lte", 300)
                        ),
                        name="rulesproposal_interest_grace_days_bounds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("youngest_age__lte", models.F("oldest_age"))),
                        name="rulesproposal_youngest_below_oldest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "proposed"), ("decided_by__isnull", False), _connector="OR"
                        ),
                        name="rulesproposal_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="rules_four_eyes",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("locality",),
                        name="one_open_proposal_of_rules",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StopListEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                (
                    "until",
                    models.DateTimeField(
                        help_text="The first instant at which it does not hold.", verbose_name="until"
                    ),
                ),
                ("lifted_at", models.DateTimeField(blank=True, null=True, verbose_name="lifted at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stops",
                        to="applications.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lifted by",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stops",
                        to="applications.referral",
                        verbose_name="referral",
                    ),
                ),
            ],
            options={
                "verbose_name": "stop",
                "verbose_name_plural": "stop-list",
                "ordering": ["-starts_at"],
                "indexes": [
                    models.Index(condition=models.Q(("lifted_at", None)), fields=["until"], name="stop_due"),
                    models.Index(fields=["referral"], name="stop_of_referral"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("application",),
                        name="one_running_stop",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gte", models.F("starts_at"))), name="stop_runs_forward"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ToldOfClosing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("told_at", models.DateTimeField(verbose_name="told to the family at")),
                (
                    "over_told_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="end told to the family at"),
                ),
                (
                    "closing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="told",
                        to="bulletin.closing",
                        verbose_name="closing of a kindergarten or group",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="told_of_closings",
                        to="applications.contract",
                        verbose_name="contract",
                    ),
                ),
            ],
            options={
                "verbose_name": "family told of a closing",
                "verbose_name_plural": "families told of a closing",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("closing", "contract"), name="told_once_of_a_closing")
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="moved at")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="moved by",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transfers",
                        to="applications.contract",
                        verbose_name="contract",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.group",
                        verbose_name="from the group",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.group",
                        verbose_name="to the group",
                    ),
                ),
                (
                    "undoes",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="undone_by",
                        to="applications.transfer",
                        verbose_name="undoes",
                    ),
                ),
            ],
            options={
                "verbose_name": "move to another group",
                "verbose_name_plural": "moves to other groups",
                "ordering": ["at", "id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True),
                        name="transfer_leads_elsewhere",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UndoRequest",
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
                            ("ended", "closed by itself"),
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("coming", "the family came in time, and it was not noted"),
                            ("noted", "it was noted by mistake that the family came"),
                            ("refusal", "the bid was refused by mistake"),
                            ("revocation", "the referral was revoked by mistake"),
                            ("contract", "the contract was signed for the wrong child"),
                            ("leaving", "the contract was ended by mistake"),
                        ],
                        max_length=10,
                        verbose_name="what happened",
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("came_on", models.DateField(blank=True, null=True, verbose_name="came on")),
                (
                    "bid",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undo_requests",
                        to="applications.bid",
                        verbose_name="bid",
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
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "request to undo",
                "verbose_name_plural": "requests to undo",
                "ordering": ["-proposed_at", "-id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("proposed", "ended")),
                            ("decided_by__isnull", False),
                            _connector="OR",
                        ),
                        name="undorequest_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="undo_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("came_on__isnull", False), ("kind", "coming")),
                            models.Q(models.Q(("kind", "coming"), _negated=True), ("came_on", None)),
                            _connector="OR",
                        ),
                        name="only_who_came_has_a_day",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("bid",),
                        name="one_open_undo_per_bid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerRow",
            fields=[
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="former",
                        serialize=False,
                        to="applications.application",
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line of the file")),
                (
                    "old_number",
                    models.CharField(blank=True, max_length=40, verbose_name="number in the former queue"),
                ),
                (
                    "filed_text",
                    models.CharField(blank=True, max_length=40, verbose_name="date as it stood in the file"),
                ),
                (
                    "guardian_iin",
                    notifications.fields.EncryptedTextField(
                        blank=True, default="", verbose_name="IIN of the guardian in the file"
                    ),
                ),
                ("guardian_hash", models.CharField(db_index=True, editable=False, max_length=64, null=True)),
                (
                    "phone",
                    notifications.fields.EncryptedTextField(
                        blank=True, default="", verbose_name="phone number in the file"
                    ),
                ),
                ("phone_hash", models.CharField(db_index=True, editable=False, max_length=64, null=True)),
                (
                    "invited_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="invited by SMS at"
                    ),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True, verbose_name="claimed at")),
                (
                    "proof",
                    models.CharField(
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
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.importbatch",
                        verbose_name="loaded file",
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="claimed by",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bulletin.locality",
                        verbose_name="locality",
                    ),
                ),
            ],
            options={
                "verbose_name": "row of the former queue",
                "verbose_name_plural": "rows of the former queue",
                "ordering": ["batch", "line"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["locality", "old_number"], name="former_old_number")],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "line"), name="one_former_row_per_line"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claimed_at", None), ("claimed_by", None), ("proof", "")),
                            models.Q(
                                ("claimed_at__isnull", False),
                                ("claimed_by__isnull", False),
                                models.Q(("proof", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="former_claimed_or_not",
                    ),
                ],
            },
        ),
        migrations.RunSQL("CREATE SEQUENCE application_sequence", "DROP SEQUENCE application_sequence"),
        migrations.RunSQL(
            _sql("0019_refuse_change")
            + "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON applications_event "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change();"
            "CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON applications_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();" + _sql("0019_forget_in_events"),
            "DROP FUNCTION refuse_change() CASCADE; DROP FUNCTION forget_in_events(uuid)",
        ),
        migrations.RunSQL(_sql("0001_count_queue") + _COUNTING, "DROP FUNCTION count_queue() CASCADE"),
        migrations.RunSQL(
            _sql("0012_bid_answer_due") + _sql("0037_press_for_a_place") + _sql("0037_look_at_the_bulletin"),
            "DROP FUNCTION bid_answer_due; DROP FUNCTION press_for_a_place; DROP FUNCTION look_at_the_bulletin",
        ),
    ]
