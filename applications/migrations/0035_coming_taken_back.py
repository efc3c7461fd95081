"""A coming that was noted by mistake: the move that takes it back, and the request for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0034_transfers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="event",
            name="move",
            field=models.CharField(
                choices=[
                    ("file", "Application filed"),
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
        migrations.AlterField(
            model_name="undorequest",
            name="kind",
            field=models.CharField(
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
    ]
