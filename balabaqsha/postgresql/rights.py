"""What the portal's own role may do in the database, and nothing more (docs/adr/0014-two-database-roles.md).

The owner of the tables (`MIGRATE_DATABASE_URL`) makes and changes them. The portal (`DATABASE_URL`) reads and writes
rows, but may only read and append to a history: statements injected as the portal can't rewrite what
happened.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import encrypt_password

# The alias of `MIGRATE_DATABASE_URL` in the settings, if it is given.
OWNER: Final = "owner"

# A history is a table whose migration gave it this trigger.
APPEND_ONLY: Final = """
    SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname = 'append_only' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname
"""

# Two that grant at the same time would change the same rows of the catalogue.
_GRANT_LOCK = 0x72696768

# All are repeated at every set-up and change nothing that is already right. {role} is the portal's.
_GRANTS: Final = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    # For tables that a later migration makes.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
)
# What everybody may do in a new database: create objects that come before ours in the search path, and large objects.
_CLOSED: Final = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC",
)
# A statement whose reader has gone is ended, whatever it waits for: web processes leave one that takes too long.
_MANNERS: Final = ("ALTER DATABASE {database} SET client_connection_check_interval = '2s'",)
_LARGE_OBJECTS: Final = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(lo_.*|loread|lowrite)$'
"""

# What the connected role may do that the portal may not; one row, each with a name.
_TOO_MUCH: Final = """
    SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
        EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                AND pg_has_role(r.oid, c.relowner, 'MEMBER')),
        EXISTS (SELECT FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'append_only'
                WHERE has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE, TRIGGER')
                    OR has_any_column_privilege(r.oid, c.oid, 'UPDATE')),
        has_schema_privilege(r.oid, 'public', 'CREATE')
            OR has_database_privilege(r.oid, current_database(), 'CREATE, TEMPORARY'),
        EXISTS (SELECT FROM pg_roles m WHERE m.rolname LIKE 'pg\\_%%' AND pg_has_role(r.oid, m.oid, 'MEMBER'))
    FROM pg_roles r WHERE r.rolname = current_user
"""
_WORDS: Final = (
    "is a superuser, or may make roles or databases",
    "owns tables",
    "may change or empty a history",
    "may make objects in the database",
    "may act as one of PostgreSQL's own roles",
)


# Which database on which server: the same through any address, proxy or pool.
_WHICH: Final = (
    "SELECT pg_postmaster_start_time(), oid::bigint FROM pg_database WHERE datname = current_database()"
)


class RoleMissing(Exception):
    """The portal's role can't be made or used; the message says what an administrator of the server must do."""


def owner_alias() -> str:
    """The alias of the owner's connection: the portal's own if no other is given."""
    return OWNER if OWNER in settings.DATABASES else DEFAULT_DB_ALIAS


def has_own_role() -> bool:
    """Whether the portal's role differs from the owner of its tables."""
    return OWNER in settings.DATABASES and _user(OWNER) != _user(DEFAULT_DB_ALIAS)


def grant_rights() -> None:
    """Create the portal's role if it is missing, and give it exactly its rights. Safe to repeat.

    Does nothing if there is only one role. `DATABASE_PASSWORD` becomes its password if the owner may set it.
    Raises RoleMissing.
    """
    if not has_own_role():
        return
    role = _user(DEFAULT_DB_ALIAS)
    with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GRANT_LOCK])
        ensure_role(cursor, role=role, password=str(settings.DATABASES[DEFAULT_DB_ALIAS]["PASSWORD"]))
        give(cursor, role=role)
    try:
        connections[DEFAULT_DB_ALIAS].ensure_connection()
    except OperationalError as error:
        raise RoleMissing(
            f"The role {role} of DATABASE_URL can't sign in: {str(error).strip()}\n"
            f"Give it the password of DATABASE_PASSWORD: ALTER ROLE {role} PASSWORD '…';"
        ) from error
    if _which(DEFAULT_DB_ALIAS) != _which(OWNER):
        raise RoleMissing(
            "DATABASE_URL and MIGRATE_DATABASE_URL lead to different databases. Name the same one in both; only the "
            "tables of MIGRATE_DATABASE_URL were made or updated."
        )


def ensure_role(cursor: CursorWrapper, *, role: str, password: str) -> None:
    """A role that may sign in, with this password where it may be set. Raises RoleMissing."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if not cursor.fetchone() and not _try(cursor, "CREATE ROLE {role} LOGIN", role=role):
        raise RoleMissing(
            f"There is no role {role} (DATABASE_URL), and that of MIGRATE_DATABASE_URL may not make it. "
            f"As an administrator of the server: CREATE ROLE {role} LOGIN PASSWORD '…';"
        )
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    (makes_roles,) = cursor.fetchone()
    # Who may not is not tried: a server logs what it refuses, and here that holds the verifier of the password.
    if password and makes_roles:
        # The server gets, and might log, only a verifier that can't be used to sign in.
        sealed = encrypt_password(password, role, cursor.connection, "scram-sha-256")
        _try(cursor, "ALTER ROLE {role} PASSWORD %s", [sealed], role=role)


def give(cursor: CursorWrapper, *, role: str) -> None:
    """Give `role` the portal's rights in the connected database, and revoke public rights that nobody needs."""
    for statement in _GRANTS:
        _execute(cursor, statement, role=role)
    cursor.execute(APPEND_ONLY)
    for (table,) in cursor.fetchall():
        _execute(cursor, "REVOKE UPDATE, DELETE ON {table} FROM {role}", role=role, table=table)
    cursor.execute("SELECT current_database(), rolsuper FROM pg_roles WHERE rolname = current_user")
    database, is_superuser = cursor.fetchone()
    for statement in (*_CLOSED, *_MANNERS):
        _execute(cursor, statement, database=database)
    if is_superuser:
        cursor.execute(_LARGE_OBJECTS)
        for (function,) in cursor.fetchall():
            cursor.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")


def too_much() -> list[str]:
    """What the portal's role may do but must not, as the end of a sentence after "The role "; empty if all is well."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_TOO_MUCH)
        found = cursor.fetchone()
    return [words for words, applies in zip(_WORDS, found, strict=True) if applies]


def _which(alias: str) -> tuple[Any, ...]:
    with connections[alias].cursor() as cursor:
        cursor.execute(_WHICH)
        found: tuple[Any, ...] = cursor.fetchone()
    return found


def _user(alias: str) -> str:
    return str(settings.DATABASES[alias]["USER"])


def _execute(cursor: CursorWrapper, statement: str, values: Sequence[str] = (), **names: str) -> None:
    quoted = {key: sql.Identifier(name) for key, name in names.items()}
    cursor.execute(sql.SQL(statement).format(**quoted), values)


def _try(cursor: CursorWrapper, statement: str, values: Sequence[str] = (), **names: str) -> bool:
    """Execute it; False, with nothing done, if the connected role may not."""
    try:
        with transaction.atomic(using=cursor.db.alias):
            _execute(cursor, statement, values, **names)
    except DatabaseError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            return False
        raise
    return True
