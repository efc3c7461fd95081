-- What an employee is called from now on, whoever changed it: called by the trigger noted of accounts_employee.
CREATE OR REPLACE FUNCTION note_employee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.user_id, NEW.last_name, NEW.first_name, NEW.middle_name, NEW.position)
        IS NOT DISTINCT FROM (OLD.user_id, OLD.last_name, OLD.first_name, OLD.middle_name, OLD.position)
    THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.accounts_employeeversion (user_id, since, last_name, first_name, middle_name, position)
    VALUES (NEW.user_id, clock_timestamp(), NEW.last_name, NEW.first_name, NEW.middle_name, NEW.position);
    RETURN NULL;
END $$;
