-- What employees were called is append-only: called by the triggers append_only and append_only_as_a_whole of
-- accounts_employeeversion.
CREATE OR REPLACE FUNCTION refuse_change_of_employees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
