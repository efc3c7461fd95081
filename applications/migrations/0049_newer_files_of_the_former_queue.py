"""A newer file of the former queue changes what earlier ones brought in, and can be undone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import notifications.fields


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0048_days_of_closings_told"),
        ("bulletin", "0001_squashed_0015_order_of_russian_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line of the file")),
                ("before", notifications.fields.EncryptedTextField(verbose_name="before")),
                (
                    "after",
                    notifications.fields.EncryptedTextField(blank=True, default="", verbose_name="after"),
                ),
                ("is_dropped", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "change by a newer file of the former queue",
                "verbose_name_plural": "changes by newer files of the former queue",
                "ordering": ["batch", "line", "id"],
                "default_permissions": (),
            },
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
                    ("change_import", "Changed by a newer file of the former queue"),
                    ("stop_import", "By a newer file of the former queue it waits outside of the queue"),
                    ("drop_import", "A newer file of the former queue has it no more"),
                    ("return_import", "The newer file of the former queue was undone: it is back"),
                    ("place_bid", "Bid for a place sent"),
                    ("withdraw_bid", "Bid for a place withdrawn"),
                    ("reject_bid", "Bid refused"),
                    ("lose_bid", "The place went to another child by queue number"),
                    ("void_bid", "The place was recalled"),
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
        migrations.AddField(
            model_name="formerchange",
            name="application",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="applications.application",
                verbose_name="application",
            ),
        ),
        migrations.AddField(
            model_name="formerchange",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="bulletin.importbatch",
                verbose_name="loaded file",
            ),
        ),
        migrations.AddConstraint(
            model_name="formerchange",
            constraint=models.UniqueConstraint(
                fields=("batch", "application"), name="one_former_change_by_a_file"
            ),
        ),
    ]
