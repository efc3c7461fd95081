-- Events are append-only: called by the triggers append_only and append_only_as_a_whole of applications_event. The one
-- thing that may be done to an event is to take its text out, once the child is forgotten (forget_in_events).
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' AND NEW.reason = ''
            AND EXISTS (SELECT FROM public.applications_application a JOIN public.children_child c ON c.id = a.child_id
                        WHERE a.id = OLD.application_id AND c.iin_hash LIKE 'forgotten-%')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
