"""The portal's own role in the database: what it can't do, whatever statement it sends, and that it can do its work."""

from types import SimpleNamespace

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django.utils.connection import ConnectionDoesNotExist
from psycopg2.errors import InsufficientPrivilege, RaiseException

from accounts import stored_files
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Employee, User
from applications.models import Event
from balabaqsha.management.commands.migrate import not_as_the_portal
from balabaqsha.postgresql import rights
from balabaqsha.servers.postgres import WEB_ROLE
from tests import test_every_url
from tests.city import build_city
from tests.factories import ReportedIncidentFactory, StaffFactory
from tests.web_role import as_web_role

pytestmark = pytest.mark.django_db(transaction=True)

OWN_APPS = ("accounts", "applications", "bulletin", "children", "notifications")
HISTORIES = (
    "applications_event",
    "accounts_auditentry",
    "accounts_employeeversion",
    "bulletin_incidentnote",
)


@pytest.fixture
def web_role(transactional_db):
    with as_web_role():
        yield


def send(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def refused(statement: str) -> type[BaseException]:
    with pytest.raises(DatabaseError) as refusal:
        send(statement)
    return type(refusal.value.__cause__)


@pytest.fixture
def history(transactional_db):
    """A city in which things happened."""
    build_city()
    AuditEntry.objects.create(at=timezone.now(), action=Action.REGISTERED)
    Employee.objects.create(user=StaffFactory(), last_name="Серік", first_name="Айгүл", position="әдіскер")
    ReportedIncidentFactory()
    assert Event.objects.exists()


@pytest.mark.parametrize("table", HISTORIES)
class TestAHistory:
    CHANGES = ("UPDATE {} SET id = -1", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE")

    def test_refuses_its_owner(self, table, history):
        """The control: who may do anything to the table is stopped by its triggers."""
        for change in self.CHANGES:
            assert refused(change.format(table)) is RaiseException, change

    ATTACKS = (
        *CHANGES,
        "ALTER TABLE {} DISABLE TRIGGER append_only",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON {}",
        "ALTER TABLE {} ADD COLUMN x int",
        "CREATE TRIGGER mine BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING",
        "CREATE INDEX mine ON {} (id)",
        "DROP TABLE {} CASCADE",
        "DO $$BEGIN LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; END$$",
        "SELECT * FROM {} FOR UPDATE",
        "ALTER TABLE {} OWNER TO CURRENT_USER",
        "INSERT INTO {0} SELECT * FROM {0} ON CONFLICT (id) DO UPDATE SET id = -1",
        "MERGE INTO {0} USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    )

    def test_refuses_the_portal(self, table, history, web_role):
        got = {attack: refused(attack.format(table)) for attack in self.ATTACKS}
        assert got == dict.fromkeys(self.ATTACKS, InsufficientPrivilege)
        send(f"GRANT ALL ON {table} TO CURRENT_USER")  # a warning, and nothing else
        assert rights.too_much() == []

    def test_is_read_and_appended_to(self, table, history, web_role):
        before = Event.objects.count(), AuditEntry.objects.count()
        event = Event.objects.last()
        event.pk = None
        event.save()
        AuditEntry.objects.create(at=timezone.now(), action=Action.REGISTERED)
        assert (Event.objects.count(), AuditEntry.objects.count()) == (before[0] + 1, before[1] + 1)


ATTACKS = (
    "TRUNCATE applications_bid CASCADE",
    "ALTER TABLE accounts_user ADD COLUMN x int",
    "ALTER TABLE applications_application DISABLE TRIGGER USER",
    "DROP TABLE accounts_profile",
    "DROP FUNCTION count_queue() CASCADE",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION count_queue() SET search_path = mine",
    "CREATE TABLE mine (x int)",
    "CREATE TEMPORARY TABLE applications_event (x int)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE LANGUAGE mine HANDLER plpgsql_call_handler",
    "CREATE ROLE mine",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION refuse_change()",
    "SET ROLE balabaqsha",
    "SET SESSION AUTHORIZATION balabaqsha",
    "SET session_replication_role = replica",
    f"ALTER ROLE {WEB_ROLE} SUPERUSER",
    f"GRANT pg_read_all_data TO {WEB_ROLE}",
    "ALTER SYSTEM SET log_statement = 'none'",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY accounts_user FROM PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/mine')",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user",
    "SELECT setval('application_sequence', 1)",
    "DELETE FROM django_migrations",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
)


def test_no_statement_takes_more(web_role):
    """Each on a connection of the portal's role; nothing of it is done."""
    assert {attack: refused(attack) for attack in ATTACKS} == dict.fromkeys(ATTACKS, InsufficientPrivilege)


def test_the_role_is_found_to_own_nothing(web_role):
    assert rights.too_much() == []


def test_the_role_may_know_which_database_it_is(web_role):
    """A worker marks the folder of the files with it."""
    assert stored_files._database()


def test_an_owner_is_found_to_be_one(transactional_db):
    assert "owns tables" in rights.too_much()
    assert "may change or empty a history" in rights.too_much()


@pytest.fixture
def owner(transactional_db):
    """A cursor of the owner, beside the portal's connection."""
    other = psycopg2.connect(**connection.get_connection_params())
    other.autocommit = True
    with other.cursor() as cursor:
        yield cursor
    other.close()


@pytest.mark.parametrize(
    ("right", "word"),
    [
        ("GRANT UPDATE ON applications_event TO {}", "history"),
        ("GRANT UPDATE (reason) ON applications_event TO {}", "history"),
        ("GRANT DELETE ON accounts_auditentry TO {}", "history"),
        ("GRANT TRUNCATE ON applications_event TO {}", "history"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "make objects"),
        ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "make objects"),
    ],
)
def test_a_right_that_somebody_gave_is_found_and_taken_back(right, word, owner, web_role):
    owner.execute(right.format(WEB_ROLE, database=connection.settings_dict["NAME"]))
    [found] = rights.too_much()
    assert word in found
    rights.give(owner, role=WEB_ROLE)
    assert rights.too_much() == []


def test_a_table_that_comes_later_is_the_portals_to_fill(owner, web_role):
    owner.execute("CREATE TABLE later (id bigserial, x int)")
    try:
        send("INSERT INTO later (x) VALUES (1); UPDATE later SET x = 2; DELETE FROM later")
        assert refused("TRUNCATE later") is InsufficientPrivilege
    finally:
        owner.execute("DROP TABLE later")


def test_a_later_history_is_closed_by_its_trigger_and_then_by_right(owner, web_role):
    owner.execute(
        "CREATE TABLE later (x int, reason text, application_id uuid); "
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON later "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change(); INSERT INTO later VALUES (1)"
    )
    try:
        assert refused("UPDATE later SET x = 2") is RaiseException
        rights.give(owner, role=WEB_ROLE)
        assert refused("UPDATE later SET x = 2") is InsufficientPrivilege
        send("INSERT INTO later VALUES (2)")
    finally:
        owner.execute("DROP TABLE later")


LOADER = MigrationLoader(None, replace_migrations=False)
CHANGES_OF_DATA = [
    (key, name, code)
    for key, migration in sorted(LOADER.disk_migrations.items())
    if type(migration).__module__.split(".")[0] in OWN_APPS
    for operation in migration.operations
    if isinstance(operation, RunPython)
    for name, code in (("code", operation.code), ("reverse_code", operation.reverse_code))
    if code is not RunPython.noop
]


@pytest.mark.parametrize(
    ("key", "name", "code"), CHANGES_OF_DATA, ids=lambda one: getattr(one, "__name__", str(one))
)
def test_a_migration_changes_rows_as_their_owner(key, name, code):
    """On the connection that it is given: the portal's own role may not, where tables are only being made."""
    before = LOADER.project_state(key, at_end=False).apps
    with pytest.raises(ConnectionDoesNotExist):
        code(before, SimpleNamespace(connection=SimpleNamespace(alias="of the owner")))


def test_a_migration_that_asks_as_the_portal_ends_instead_of_waiting_for_itself():
    with not_as_the_portal("owner"):
        with pytest.raises(RuntimeError, match="schema_editor"):
            User.objects.exists()
        with pytest.raises(RuntimeError, match="schema_editor"):
            list(User.objects.iterator())
    assert not User.objects.exists()
    with not_as_the_portal("default"):
        assert not User.objects.exists()


visitors = test_every_url.visitors


@pytest.fixture
def city(transactional_db):
    return test_every_url.city_with_a_notice()


def test_it_does_its_work(web_role, city, visitors):
    """Every page of a family and of an employee. The browser's tests are the portal's role as well."""
    of_whom = ("parent", "worker")
    answers = test_every_url.asked("kk", city, visitors, of_whom=of_whom)
    assert {visitor for visitor, _row in answers} == {*of_whom}
    test_every_url.TestEveryAddress().test_as_every_visitor("kk", lambda language: answers)


@pytest.mark.parametrize("may", ["NOCREATEROLE", "CREATEROLE"])
def test_a_password_is_set_only_by_who_may(may):
    """What a server refuses it writes into its log, here with the verifier of the password."""
    sent: list[str] = []

    def note(execute, statement, *rest):
        sent.append(str(statement))
        return execute(statement, *rest)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE makes_the_tables {may}")
        cursor.execute("SET LOCAL ROLE makes_the_tables")
        with connection.execute_wrapper(note):
            rights.ensure_role(cursor, role=WEB_ROLE, password="of-the-portal")
        transaction.set_rollback(True)
    assert any("ALTER ROLE" in statement for statement in sent) == (may == "CREATEROLE")
