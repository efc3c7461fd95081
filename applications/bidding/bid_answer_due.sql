-- Until when the kindergarten answers a bid placed at p_at: `applications.bidding.award.grant_seat` in SQL.
CREATE OR REPLACE FUNCTION bid_answer_due(p_locality bigint, p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone text;
    today date;
    days int;
    last_day date;
BEGIN
    SELECT timezone INTO STRICT zone FROM bulletin_locality WHERE id = p_locality;
    today := (p_at AT TIME ZONE zone)::date;
    SELECT activation_working_days INTO days FROM applications_rules
    WHERE (valid_from <= today OR early_from <= p_at) AND coalesce(locality_id, p_locality) = p_locality
    ORDER BY locality_id IS NULL, valid_from DESC, early_from DESC NULLS LAST LIMIT 1;
    SELECT day INTO last_day
    FROM generate_series(0, 400) AS ahead, LATERAL (SELECT today + 1 + ahead AS day) AS next_day
    LEFT JOIN bulletin_holiday AS holiday ON holiday.date = day
    WHERE coalesce(holiday.kind = 'work', extract(isodow FROM day) < 6)
    ORDER BY day OFFSET coalesce(days, 2) - 1 LIMIT 1;
    -- A year whose 1 January has no row is not loaded: its days off are unknown, and a promise would be a guess.
    IF NOT EXISTS (SELECT FROM bulletin_holiday WHERE date = date_trunc('year', today)::date)
        OR NOT EXISTS (SELECT FROM bulletin_holiday WHERE date = date_trunc('year', last_day)::date)
    THEN
        RAISE EXCEPTION 'The working-day calendar does not reach %: manage.py load_holidays', last_day;
    END IF;
    RETURN (last_day + 1)::timestamp AT TIME ZONE zone;
END $$;
