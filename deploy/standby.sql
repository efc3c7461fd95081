-- Who may copy the database and who may say whether commits wait for the standby (docs/going-live.md), for psql as a
-- superuser: psql -v replicator=… -v guard=… -f deploy/standby.sql, with the two passwords.
CREATE ROLE balabaqsha_replicator LOGIN REPLICATION PASSWORD :'replicator';
-- What pg_rewind reads of the new primary when the former one comes back.
GRANT EXECUTE ON FUNCTION
    pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean), pg_read_binary_file(text),
    pg_read_binary_file(text, bigint, bigint, boolean) TO balabaqsha_replicator;
CREATE ROLE balabaqsha_guard LOGIN PASSWORD :'guard';
GRANT pg_monitor TO balabaqsha_guard;
GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO balabaqsha_guard;
GRANT EXECUTE ON FUNCTION pg_reload_conf() TO balabaqsha_guard;
