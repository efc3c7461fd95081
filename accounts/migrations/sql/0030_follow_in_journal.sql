-- Two children have become one: what the journals of these people say about the one that is gone is about the other from
-- now on. It runs with the rights of its owner, since the portal may not change a journal; that nothing else is changed,
-- and nothing about a child that is still there, is held by the trigger (refuse_change_of_journal).
CREATE OR REPLACE FUNCTION follow_in_journal(p_people uuid[], p_gone uuid, p_child uuid) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE accounts_auditentry SET child = p_child WHERE subject_id = ANY (p_people) AND child = p_gone;
$$;
