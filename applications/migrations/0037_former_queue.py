"""Applications of the former queue, which nobody has claimed yet: they wait, and can't bid."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import notifications.fields

_SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0036_requests_end_by_themselves"),
        ("bulletin", "0012_answers_of_kindergartens"),
        ("children", "0007_find_by_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                ("batch", models.PositiveBigIntegerField(db_column="batch_id", verbose_name="import")),
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
                ("claimed_at", models.DateTimeField(blank=True, null=True, verbose_name="claimed at")),
                (
                    "proof",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phone", "the phone number of the account is that of the former queue"),
                            (
                                "registry",
                                "the state knows the phone number as that of the person of the former queue",
                            ),
                            ("official", "checked by an official"),
                        ],
                        max_length=10,
                        verbose_name="proof",
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
        migrations.AlterField(
            model_name="application",
            name="filed_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: it was brought in from the former queue, and its family has not claimed it yet.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="filed by",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="move",
            field=models.CharField(
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
        AddConstraintNotValid(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("filed_by__isnull", False), ("state__in", ("waiting", "archived")), _connector="OR"
                ),
                name="unclaimed_only_waits",
            ),
        ),
        migrations.RunSQL(
            (_SQL / "0037_press_for_a_place.sql").read_text(),
            (_SQL / "0019_press_for_a_place.sql").read_text(),
        ),
        migrations.RunSQL(
            (_SQL / "0037_look_at_the_bulletin.sql").read_text(),
            (_SQL / "0018_look_at_the_bulletin.sql").read_text(),
        ),
    ]
