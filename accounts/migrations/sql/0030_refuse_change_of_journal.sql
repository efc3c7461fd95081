-- The journal is append-only: called by the triggers append_only and append_only_as_a_whole of accounts_auditentry. Two
-- things may be done to an entry: to take texts and the address out of it, once a person whom it names is forgotten
-- (forget_in_journal), and to name another child, once the one it named is gone, having become that one
-- (follow_in_journal).
CREATE OR REPLACE FUNCTION refuse_change_of_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erased text[] := ARRAY['target', 'reason', 'address'];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - erased = to_jsonb(OLD) - erased
            AND NEW.target IN ('', OLD.target) AND NEW.reason IN ('', OLD.reason)
            AND (NEW.address IS NULL OR NEW.address = OLD.address)
            AND EXISTS (SELECT FROM public.accounts_user
                        WHERE id IN (OLD.subject_id, OLD.actor_id) AND forgotten_at IS NOT NULL)
        THEN
            RETURN NEW;
        END IF;
        IF to_jsonb(NEW) - 'child' = to_jsonb(OLD) - 'child' AND OLD.child IS NOT NULL
            AND NOT EXISTS (SELECT FROM public.children_child WHERE id = OLD.child)
            AND EXISTS (SELECT FROM public.children_child WHERE id = NEW.child)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
