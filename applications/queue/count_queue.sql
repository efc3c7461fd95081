-- Keeps `QueueCount` (applications.models.queue): a +1 or a -1 for whatever brings an application out or elsewhere.
-- Called by the triggers count_queue_out and count_queue_moves of applications_application; `count_new` counts new ones.
CREATE OR REPLACE FUNCTION count_queue() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.state IN ('waiting', 'bid_placed', 'referred') THEN
                    INSERT INTO applications_queuecount (locality_id, birth_year, tier, month, n, folded)
                    VALUES (OLD.locality_id, OLD.birth_year, OLD.tier,
                            date_trunc('month', OLD.filed_at AT TIME ZONE 'UTC')::date, -1, false);
                END IF;
                IF TG_OP <> 'DELETE' AND NEW.state IN ('waiting', 'bid_placed', 'referred') THEN
                    INSERT INTO applications_queuecount (locality_id, birth_year, tier, month, n, folded)
                    VALUES (NEW.locality_id, NEW.birth_year, NEW.tier,
                            date_trunc('month', NEW.filed_at AT TIME ZONE 'UTC')::date, 1, false);
                END IF;
                RETURN NULL;
            END $$;
