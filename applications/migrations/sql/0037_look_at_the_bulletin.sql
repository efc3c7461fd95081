-- The account p_user, if it is active with that password, with its unread notices; one row for each live and claimed
-- application of the children whose guardian it is, or one row without an application. state is that of the application, or
-- 'disputed' where this guardian may not bid while nobody has decided who is one; whoever is disputed by a proven
-- guardian is told of no application and no notice about it (`children.access.informed_guardianships`). ran_out: something of it may have
-- ended that nobody has settled yet. refused_by: the vacancies whose kindergarten refused this application.
CREATE OR REPLACE FUNCTION look_at_the_bulletin(p_user uuid, p_password_stamp text, p_now timestamptz)
RETURNS TABLE (
    unread bigint, state varchar, ran_out boolean, locality_id bigint,
    birth_year smallint, languages varchar[], tier smallint, filed_at timestamptz, sequence bigint, refused_by text[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT (SELECT count(*) FROM notifications_notice n WHERE n.recipient_id = u.id AND n.read_at IS NULL
            AND (n.about IS NULL OR EXISTS (
                SELECT FROM children_guardianship k WHERE k.child_id = n.about AND k.user_id = u.id
                AND k.ended_at IS NULL AND NOT EXISTS (
                    SELECT FROM children_dispute w
                    WHERE w.guardianship_id = k.id AND w.freed_at IS NULL AND NOT w.is_mutual)))),
        CASE WHEN EXISTS (SELECT FROM children_guardianship o JOIN children_dispute d ON d.guardianship_id = o.id
                          WHERE o.child_id = s.child_id AND d.freed_at IS NULL
                          AND (o.id = s.id OR (d.is_mutual AND d.raised_by_id = p_user)))
            THEN 'disputed'::varchar ELSE a.state END,
        coalesce(a.runs_out_at <= p_now, false),
        a.locality_id, a.birth_year, a.languages::varchar[], a.tier, a.filed_at, a.sequence,
        ARRAY(SELECT b.vacancy_id::text FROM applications_bid b
              WHERE b.application_id = a.id AND b.state = 'rejected')
    FROM accounts_user u
    LEFT JOIN children_guardianship s ON s.user_id = u.id AND s.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM children_dispute w WHERE w.guardianship_id = s.id AND w.freed_at IS NULL AND NOT w.is_mutual)
    LEFT JOIN applications_application a ON a.child_id = s.child_id AND a.filed_by_id IS NOT NULL
        AND a.state IN ('waiting', 'bid_placed', 'referred', 'stop_listed', 'lapsed')
    WHERE u.id = p_user AND u.is_active
        AND encode(sha256(convert_to(u.password, 'UTF8')), 'hex') = p_password_stamp;
END $$;
