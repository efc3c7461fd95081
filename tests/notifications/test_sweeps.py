"""A sweep handles each row by itself, and tells of no row that is not committed."""

from datetime import UTC, datetime

import psycopg2
import pytest
from django.db import OperationalError, connection, transaction

from notifications import sweeps
from notifications.delivery import Counts, deliver_due
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice
from notifications.services import enqueue
from notifications.sweeps import sweep
from tests.factories import UserFactory
from tests.notifications.gateways import OBEDIENT, ObedientBackend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_by_itself")]

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NOTICES = 5


@pytest.fixture(autouse=True)
def _sound_connection_afterwards():
    yield
    connection.close()


@pytest.fixture
def notices():
    parent = UserFactory()
    for number in range(NOTICES):
        enqueue(
            parent,
            "stop_lifted",
            context=sample_context(KINDS["stop_lifted"]),
            dedupe_key=str(number),
            now=NOW,
        )
    return Notice.objects.order_by("pk")


@pytest.fixture
def others():
    """How another connection answers a question: it sees what is committed, and nothing else."""
    other = psycopg2.connect(**connection.get_connection_params())
    other.autocommit = True

    def answer(question):
        with other.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    yield answer
    other.close()


def test_rows_are_read_in_portions_and_in_their_order(notices, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(sweeps, "PORTION", 2)
    handled = []
    # Their keys, and three portions.
    with django_assert_num_queries(4):
        assert sweep(notices.reverse(), lambda notice: handled.append(notice.pk)) == NOTICES
    assert handled == [notice.pk for notice in notices.reverse()]


def test_what_is_not_found_any_more_is_left_out(notices, monkeypatch):
    monkeypatch.setattr(sweeps, "PORTION", 2)
    handled = []

    def read_all(notice):
        handled.append(notice.pk)
        Notice.objects.update(read_at=NOW)

    # Of the first portion, which was read before, both.
    assert sweep(notices.filter(read_at=None), read_all) == 2
    assert handled == [notice.pk for notice in notices[:2]]


def test_a_row_that_a_join_finds_twice_is_handled_once(notices):
    person = notices[0].recipient
    twice = type(person).objects.filter(notices__in=notices)
    assert twice.count() == NOTICES
    assert sweep(twice, lambda _user: None) == 1


def read_in_the_eyes_of(others):
    return others("SELECT count(*) FROM notifications_notice WHERE read_at IS NOT NULL")


def read(notice):
    with transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(read_at=NOW)


def read_but(trouble, *, at):
    """Work that reads every notice; with the one at this place there is trouble."""
    seen = []

    def work(notice):
        seen.append(notice)
        if len(seen) == at + 1:
            trouble(notice)
        else:
            read(notice)

    return work


def fail(notice):
    read(notice)
    raise RuntimeError


def fail_within(notice):
    with transaction.atomic():
        read(notice)
        raise RuntimeError


def leave_a_transaction(notice):
    transaction.set_autocommit(False)
    read(notice)


def fail_and_leave_a_transaction(notice):
    leave_a_transaction(notice)
    raise RuntimeError


def lose_the_connection(notice):
    with transaction.atomic():
        read(notice)
        connection.close()


def lose_the_server(notice):
    with transaction.atomic():
        read(notice)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("at", [0, 2, NOTICES - 1])
@pytest.mark.parametrize(
    "trouble",
    [fail_within, leave_a_transaction, fail_and_leave_a_transaction, lose_the_connection, lose_the_server],
)
def test_only_what_is_committed_is_told_and_one_bad_row_holds_up_no_other(
    notices, others, caplog, trouble, at
):
    assert sweep(notices, read_but(trouble, at=at)) == NOTICES - 1
    assert read_in_the_eyes_of(others) == NOTICES - 1
    assert f"could not handle Notice {notices[at].pk}" in caplog.text
    assert connection.get_autocommit()


def test_a_row_that_failed_after_its_commit_is_left_to_the_next_run(notices, others):
    assert sweep(notices, read_but(fail, at=1)) == NOTICES - 1
    assert read_in_the_eyes_of(others) == NOTICES


def test_a_transaction_that_was_open_before_is_no_part_of_it(notices, others):
    UserFactory()
    transaction.set_autocommit(False)
    UserFactory()
    assert sweep(notices, read) == NOTICES
    assert read_in_the_eyes_of(others) == NOTICES
    assert others("SELECT count(*) FROM accounts_user") == 2


def test_it_holds_no_lock_of_a_row_that_failed(notices, others):
    sweep(notices, read_but(fail_and_leave_a_transaction, at=0))
    others(f"SELECT id FROM notifications_notice WHERE id = '{notices[0].pk}' FOR UPDATE NOWAIT")


def test_it_ends_where_no_connection_can_be_had(notices, monkeypatch):
    handled = []

    def work(notice):
        handled.append(notice)
        monkeypatch.setattr(connection, "get_new_connection", unreachable)
        lose_the_server(notice)

    def unreachable(params):
        raise psycopg2.OperationalError("no server")

    with pytest.raises(OperationalError, match="no server"):
        sweep(notices, work)
    assert len(handled) == 1


def test_an_sms_is_recorded_as_sent_though_a_transaction_was_left_open_before(notices, others, settings):
    settings.SMS_BACKEND = OBEDIENT
    ObedientBackend.reset()
    transaction.set_autocommit(False)
    assert deliver_due(now=NOW) == Counts(sent=NOTICES)
    assert others("SELECT count(*) FROM notifications_message WHERE state = 'sent'") == NOTICES
    assert Message.objects.filter(state=Message.State.SENT).count() == len(ObedientBackend.sent) == NOTICES
