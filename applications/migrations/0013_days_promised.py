"""How many working days a referral was promised, so that a day off added later takes none of them.

Of referrals under way they are counted by the calendar by which their last day was computed.
"""

from django.db import migrations, models

COUNT = """
UPDATE applications_referral AS referral SET working_days = (
    SELECT count(*)
    FROM applications_application AS application
    JOIN bulletin_locality AS place ON place.id = application.locality_id
    CROSS JOIN LATERAL generate_series(
        (referral.issued_at AT TIME ZONE place.timezone)::date + 1,
        ((referral.valid_until - interval '1 microsecond') AT TIME ZONE place.timezone)::date,
        interval '1 day'
    ) AS day
    LEFT JOIN bulletin_holiday AS holiday ON holiday.date = day::date
    WHERE application.id = referral.application_id
      AND coalesce(holiday.kind = 'work', extract(isodow FROM day) < 6)
)
WHERE referral.state = 'issued'
  AND NOT EXISTS (SELECT FROM applications_extension AS extension WHERE extension.referral_id = referral.id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0012_rules_by_two"),
    ]

    operations = [
        migrations.AddField(
            model_name="referral",
            name="working_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                editable=False,
                help_text="After the day of issue. Empty once it is extended: an extension counts calendar days.",
                null=True,
                verbose_name="working days promised",
            ),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="event",
            name="move",
            field=models.CharField(
                choices=[
                    ("file", "Application filed"),
                    ("place_bid", "Bid for a place sent"),
                    ("withdraw_bid", "Bid for a place withdrawn"),
                    ("reject_bid", "Bid refused by the kindergarten"),
                    ("lose_bid", "The place went to another child by queue number"),
                    ("void_bid", "The place was recalled by the kindergarten"),
                    ("issue_referral", "Referral issued"),
                    ("extend_referral", "Referral extended"),
                    ("lengthen_referral", "Last day of the referral moved by a day off"),
                    ("revoke_referral", "Referral revoked"),
                    ("expire_referral", "Referral expired"),
                    ("lift_stop", "Application returned from the stop-list"),
                    ("sign_contract", "Contract signed"),
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
    ]
