-- Keeps `QueueCount` (applications.models.queue) for new applications: one addend for each bucket that a statement fills,
-- be it by one application or by a thousand. Called by the trigger count_queue_in of applications_application.
CREATE OR REPLACE FUNCTION count_new() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO applications_queuecount (locality_id, birth_year, tier, month, n, folded)
                SELECT locality_id, birth_year, tier, date_trunc('month', filed_at AT TIME ZONE 'UTC')::date AS month,
                       count(*), false
                FROM added WHERE state IN ('waiting', 'bid_placed', 'referred')
                GROUP BY locality_id, birth_year, tier, month;
                RETURN NULL;
            END $$;
