-- One press of the button: everything is asked twice. First without a lock, where the answer may only be no: of ten
-- thousand presses for twenty places nearly all end here. Then under the locks of the application and the vacancy, in
-- this order, where it is decided. The clock is the database's (p_at is for tests), read again once the locks are had.
-- Answers 'placed', 'again' (this very bid is already sent), 'unknown' (no such person, application or place for them:
-- the ordinary page says which), 'ran_out' (something of the application may have ended that nobody has settled yet: no
-- right that is over counts here), or a value of `applications.refusals.Refusal` in the order of `eligibility.why_not`.
-- A bid leaves `runs_out_at` as it is: with a bid less may end than before, so it stays a lower bound.
CREATE OR REPLACE FUNCTION press_for_a_place(
    p_user uuid, p_password_stamp text, p_application uuid, p_vacancy uuid, p_at timestamptz
) RETURNS text LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    clock timestamptz;
    answer text;
    is_first_come boolean;
    v_locality bigint;
    bid uuid := gen_random_uuid();
BEGIN
    FOR locked IN 0..1 LOOP
        IF locked = 1 THEN
            PERFORM FROM applications_application WHERE id = p_application FOR NO KEY UPDATE;
            IF is_first_come THEN
                PERFORM FROM bulletin_vacancy WHERE id = p_vacancy FOR NO KEY UPDATE;
            ELSE
                -- Collected bids don't compete yet: they only have to be in before the award, which locks the row.
                PERFORM FROM bulletin_vacancy WHERE id = p_vacancy FOR SHARE;
            END IF;
        END IF;
        clock := coalesce(p_at, clock_timestamp());
        SELECT v.mode = 'first_come', k.locality_id, CASE
            WHEN a.runs_out_at <= clock THEN 'ran_out'
            WHEN EXISTS (SELECT FROM applications_bid b WHERE b.application_id = a.id AND b.vacancy_id = v.id
                         AND b.state = 'pending') THEN 'again'
            WHEN EXISTS (SELECT FROM children_dispute d WHERE d.guardianship_id = s.id AND d.freed_at IS NULL
                         AND NOT d.is_mutual) THEN 'disputed'
            WHEN EXISTS (SELECT FROM children_guardianship o JOIN children_dispute d ON d.guardianship_id = o.id
                         WHERE o.child_id = s.child_id AND d.freed_at IS NULL AND d.is_mutual
                         AND (o.id = s.id OR d.raised_by_id = p_user)) THEN 'unproven'
            WHEN v.state = 'draft' THEN 'not_published'
            WHEN v.state = 'recalled' THEN 'recalled'
            WHEN v.state = 'closed' OR least(clock, pause.since) >= v.closes_at THEN 'closed'
            WHEN a.locality_id <> k.locality_id THEN 'other_locality'
            WHEN a.birth_year <> ALL (v.birth_years) THEN 'other_birth_year'
            WHEN g.language <> ALL (a.languages) THEN 'other_language'
            WHEN a.filed_by_id IS NULL THEN 'unclaimed'
            WHEN a.state = 'bid_placed' THEN 'bid_under_way'
            WHEN a.state = 'referred' THEN 'referral_under_way'
            WHEN a.state <> 'waiting' THEN a.state
            WHEN clock < v.opens_at THEN 'not_open_yet'
            WHEN v.seats_taken >= v.seats_total THEN 'full'
            WHEN pause.since IS NOT NULL THEN 'paused'
            WHEN EXISTS (SELECT FROM applications_bid b WHERE b.application_id = a.id AND b.vacancy_id = v.id
                         AND b.state = 'rejected') THEN 'rejected_here'
            WHEN clock < v.priority_until AND NOT EXISTS (
                SELECT FROM applications_prioritycutoff c
                WHERE c.vacancy_id = v.id AND c.birth_year = a.birth_year AND c.tier = a.tier
                  AND (a.filed_at, a.sequence) <= (c.filed_at, c.sequence)) THEN 'priority'
            ELSE 'placed' END
        INTO is_first_come, v_locality, answer
        FROM applications_application a
        JOIN children_guardianship s ON s.child_id = a.child_id AND s.user_id = p_user AND s.ended_at IS NULL
        JOIN accounts_user u ON u.id = p_user AND u.is_active AND u.leaving_since IS NULL
            AND encode(sha256(convert_to(u.password, 'UTF8')), 'hex') = p_password_stamp
        JOIN bulletin_vacancy v ON v.id = p_vacancy
        JOIN bulletin_group g ON g.id = v.group_id
        JOIN bulletin_kindergarten k ON k.id = g.kindergarten_id
        CROSS JOIN LATERAL (
            SELECT min(started_at) AS since FROM bulletin_pause
            WHERE ended_at IS NULL AND (locality_id IS NULL OR locality_id = k.locality_id)
        ) AS pause
        WHERE a.id = p_application;
        IF answer IS DISTINCT FROM 'placed' THEN
            RETURN coalesce(answer, 'unknown');
        END IF;
    END LOOP;

    IF is_first_come THEN
        UPDATE bulletin_vacancy SET seats_taken = seats_taken + 1 WHERE id = p_vacancy;
    END IF;
    UPDATE applications_application SET state = 'bid_placed' WHERE id = p_application;
    INSERT INTO applications_bid
        (id, application_id, vacancy_id, state, placed_at, placed_by_id, holds_seat, answer_due, reason)
    VALUES (bid, p_application, p_vacancy, 'pending', clock, p_user, is_first_come,
            CASE WHEN is_first_come THEN bid_answer_due(v_locality, clock) END, '');
    INSERT INTO applications_event
        (application_id, at, move, from_state, to_state, actor_id, reason, data, locality_id, birth_year, tier,
         filed_at)
    SELECT id, clock, 'place_bid', 'waiting', state, p_user, '', jsonb_build_object('bid', bid), locality_id,
           birth_year, tier, filed_at
    FROM applications_application WHERE id = p_application;
    RETURN answer;
END $$;
