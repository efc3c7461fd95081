-- What officials told of incidents is append-only: called by the triggers append_only and append_only_as_a_whole of
-- bulletin_reportedincident and bulletin_incidentnote.
CREATE OR REPLACE FUNCTION refuse_change_of_incidents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
