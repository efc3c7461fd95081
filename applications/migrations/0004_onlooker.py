"""Who looks at the bulletin, as `applications.bidding.onlooker` asks it: a function, so that its plan is kept.

Planning the statement takes five times as long as running it, and psycopg2 can't prepare statements.
"""

from django.db import migrations

LOOK = """
-- The account p_user, if it is active with that password, with its unread notices; one row for each live application
-- of the children whose guardian it is, or one row without an application. is_overdue: something ran out that no job
-- has ended yet. refused_by: the vacancies whose kindergarten refused this application.
CREATE FUNCTION look_at_the_bulletin(p_user uuid, p_password_stamp text, p_now timestamptz)
RETURNS TABLE (
    unread bigint, state varchar, interest_confirmed_at timestamptz, is_overdue boolean, locality_id bigint,
    birth_year smallint, languages varchar[], tier smallint, filed_at timestamptz, sequence bigint, refused_by text[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT (SELECT count(*) FROM notifications_notice n WHERE n.recipient_id = u.id AND n.read_at IS NULL),
        a.state, a.interest_confirmed_at,
        EXISTS (SELECT FROM applications_referral r
                WHERE r.application_id = a.id AND r.state = 'issued' AND r.valid_until <= p_now)
            OR EXISTS (SELECT FROM applications_stoplistentry t
                       WHERE t.application_id = a.id AND t.lifted_at IS NULL AND t.until <= p_now)
            OR EXISTS (SELECT FROM applications_benefit f
                       WHERE f.application_id = a.id AND f.state = 'verified' AND f.valid_until <= p_now),
        a.locality_id, a.birth_year, a.languages::varchar[], a.tier, a.filed_at, a.sequence,
        ARRAY(SELECT b.vacancy_id::text FROM applications_bid b
              WHERE b.application_id = a.id AND b.state = 'rejected')
    FROM accounts_user u
    LEFT JOIN children_guardianship s ON s.user_id = u.id AND s.ended_at IS NULL
    LEFT JOIN applications_application a ON a.child_id = s.child_id
        AND a.state IN ('waiting', 'bid_placed', 'referred', 'stop_listed', 'lapsed')
    WHERE u.id = p_user AND u.is_active
        AND encode(sha256(convert_to(u.password, 'UTF8')), 'hex') = p_password_stamp;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_award_action"),
        ("children", "0001_initial"),
        ("notifications", "0001_initial"),
        ("applications", "0003_award"),
    ]

    operations = [migrations.RunSQL(LOOK, "DROP FUNCTION look_at_the_bulletin")]
