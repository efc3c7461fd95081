"""A kept connection that died is replaced before anybody notices, and one that lives is not asked all the time."""

from threading import Thread

import psycopg2
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.models import User
from balabaqsha.postgresql.base import CHECKED_FOR_SECONDS, DatabaseWrapper
from tests.balabaqsha.silent import silent_server
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def begin_request():
    connection.close_if_unusable_or_obsolete()


def end_the_backend():
    """As a restart of the server would: the process behind our connection is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = psycopg2.connect(**connection.get_connection_params())
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


@pytest.fixture
def monotonic(monkeypatch):
    """A clock of the machine that the test moves."""
    now = [100.0]
    monkeypatch.setattr("balabaqsha.postgresql.base.time.monotonic", lambda: now[0])
    connection.close()
    connection.health_check_enabled = True
    yield now
    connection.health_check_enabled = False
    connection.close()


@pytest.fixture
def asked(monotonic, monkeypatch):
    """One entry for each time that the connection was asked whether it lives."""
    times: list[int] = []
    real = connection.is_usable

    def is_usable():
        times.append(1)
        return real()

    monkeypatch.setattr(connection, "is_usable", is_usable)
    return times


def test_a_dead_connection_is_replaced(monotonic):
    User.objects.count()
    end_the_backend()
    monotonic[0] += CHECKED_FOR_SECONDS
    begin_request()
    assert User.objects.count() == 0


def test_a_living_one_is_asked_once_in_a_second(monotonic, asked):
    User.objects.count()
    for elapsed in (0, CHECKED_FOR_SECONDS / 2, CHECKED_FOR_SECONDS / 2, CHECKED_FOR_SECONDS / 2):
        monotonic[0] += elapsed
        begin_request()
        User.objects.count()
    assert len(asked) == 1


def test_it_is_asked_before_a_transaction(monotonic, asked):
    User.objects.count()
    end_the_backend()
    monotonic[0] += CHECKED_FOR_SECONDS
    begin_request()
    with transaction.atomic():
        UserFactory()
    assert len(asked) == 1
    assert User.objects.count() == 1


class TestATransactionThatOutlivesTheSecond:
    """The check of the request was spared, since the last one was a moment ago; then the second ends inside."""

    @pytest.fixture(autouse=True)
    def request_begun(self, monotonic, asked):
        User.objects.count()
        begin_request()

    def test_is_committed_and_what_waits_for_the_commit_is_done(self, monotonic, asked):
        done = []
        with transaction.atomic():
            UserFactory()
            transaction.on_commit(lambda: done.append(User.objects.count()))
            monotonic[0] += CHECKED_FOR_SECONDS
        assert done == [1]
        assert connection.get_autocommit()
        assert asked == []

    def test_tells_why_it_was_rolled_back(self, monotonic):
        @transaction.atomic
        def refuse():
            UserFactory()
            monotonic[0] += CHECKED_FOR_SECONDS
            raise PermissionError

        with pytest.raises(PermissionError):
            refuse()
        assert connection.get_autocommit()
        assert User.objects.count() == 0

    def test_goes_on_after_a_statement_that_failed(self, monotonic):
        user = UserFactory()
        with transaction.atomic():
            other = UserFactory()
            with pytest.raises(IntegrityError), transaction.atomic():
                UserFactory(phone=user.phone)
            monotonic[0] += CHECKED_FOR_SECONDS
        assert set(User.objects.all()) == {user, other}

    def test_keeps_its_connection_where_a_statement_failed_for_good(self, monotonic):
        user = UserFactory()
        before = connection.connection

        @transaction.atomic
        def collide():
            monotonic[0] += CHECKED_FOR_SECONDS
            UserFactory(phone=user.phone)

        with pytest.raises(IntegrityError):
            collide()
        assert connection.connection is before
        assert connection.get_autocommit()

    def test_by_hand_is_not_asked_either(self, monotonic, asked):
        transaction.set_autocommit(False)
        try:
            UserFactory()
            monotonic[0] += CHECKED_FOR_SECONDS
            # As at the beginning of whatever asks whether a check is due, while another one's transaction is open.
            connection.health_check_done = False
            User.objects.count()
            transaction.commit()
        finally:
            transaction.set_autocommit(True)
        assert asked == []
        assert User.objects.count() == 1


def test_a_server_that_restarts_within_a_transaction_costs_this_request_alone(monotonic):
    @transaction.atomic
    def be_cut_off():
        UserFactory()
        end_the_backend()
        monotonic[0] += CHECKED_FOR_SECONDS
        User.objects.count()

    with pytest.raises(OperationalError):
        be_cut_off()
    begin_request()
    with transaction.atomic():
        UserFactory()
    assert User.objects.count() == 1


def test_a_server_that_restarts_within_the_second_costs_one_request(monotonic):
    User.objects.count()
    end_the_backend()
    begin_request()
    with pytest.raises(OperationalError):
        User.objects.count()
    begin_request()
    assert User.objects.count() == 0


def test_the_check_of_one_thread_spares_no_other_its_own(monotonic):
    """Each thread has a connection, so the knowledge that one lives says nothing of another."""
    User.objects.count()
    done = []

    def ask():
        connection.health_check_enabled = True
        try:
            User.objects.count()
            end_the_backend()
            monotonic[0] += CHECKED_FOR_SECONDS
            begin_request()
            User.objects.count()
            done.append(True)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len(done) == 2


def test_a_server_that_accepts_and_says_nothing_is_given_up():
    with silent_server() as server:
        address = connection.settings_dict | {"HOST": "127.0.0.1", "PORT": server.port}
        address["OPTIONS"] = {name: value for name, value in address["OPTIONS"].items() if name != "host"}
        with pytest.raises(OperationalError, match="timeout expired"):
            DatabaseWrapper(address).ensure_connection()


def test_a_server_that_is_cut_off_is_given_up_while_it_is_waited_for():
    """A cable that is cut says nothing: only the kernel can tell, and it is told for how long to try."""
    options = connection.get_connection_params()
    silence = options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    assert silence <= 15
    assert options["tcp_user_timeout"] <= 15_000


def test_a_server_that_breaks_off_in_its_answer_is_told_like_one_that_has_gone():
    """The driver has another word for it, which would be an error of ours."""
    with pytest.raises(OperationalError), connection.wrap_database_errors:
        raise psycopg2.DatabaseError("server closed the connection unexpectedly")
    assert connection.errors_occurred
    connection.close()
