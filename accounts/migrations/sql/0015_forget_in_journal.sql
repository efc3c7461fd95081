-- Takes the texts and network addresses out of the journal of a person who is forgotten. What was done, when and by
-- whom stays. It runs with the rights of its owner, since the portal may not change a journal; that nothing else is
-- changed, and nobody's who is not forgotten, is held by the trigger (refuse_change_of_journal).
CREATE OR REPLACE FUNCTION forget_in_journal(p_user uuid) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE accounts_auditentry SET target = '', reason = '', address = NULL
    WHERE subject_id = p_user AND (target <> '' OR reason <> '' OR address IS NOT NULL);
    -- In the journals of others, where they read whom it concerned.
    UPDATE accounts_auditentry SET address = NULL
    WHERE actor_id = p_user AND subject_id IS DISTINCT FROM p_user AND address IS NOT NULL;
$$;
