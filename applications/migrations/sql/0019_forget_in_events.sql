-- Takes the texts that employees wrote out of the events of a child that is forgotten. What a number in the queue is
-- worked out from stays as it was. It runs with the rights of its owner, since the portal may not change an event; that
-- nothing else is changed, and no child's that is not forgotten, is held by the trigger (refuse_change).
CREATE OR REPLACE FUNCTION forget_in_events(p_child uuid) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE applications_event e SET reason = '' FROM applications_application a
    WHERE a.id = e.application_id AND a.child_id = p_child AND e.reason <> '';
$$;
