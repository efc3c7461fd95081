"""When a gateway is left and when it comes back, and that all workers know it."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils.timezone import localtime
from hypothesis import given
from hypothesis import strategies as st

from notifications import gateways
from notifications.models import Gateway, GatewayMinute
from notifications.sms import health
from notifications.sms.base import Alarm, Outcome, Try, get_backend
from notifications.sms.health import FAILED_SHARE, LEAST_TRIES, LONGEST_REST, REST, Record, State
from tests.notifications.gateways import OBEDIENT, SECOND, ObedientBackend, SecondBackend

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WELL = State()


class TestDecision:
    @pytest.mark.parametrize(
        ("record", "is_left"),
        [
            (Record(taken=LEAST_TRIES), False),
            (Record(failed=LEAST_TRIES - 1), False),
            (Record(failed=LEAST_TRIES), True),
            (Record(taken=3, failed=3), True),
            (Record(taken=4, failed=3), False),
            (Record(taken=10, seconds=49.9), False),
            (Record(taken=10, seconds=50.0), True),
            # A wrong number is the number's fault.
            (Record(refused=100), False),
        ],
    )
    def test_what_is_too_bad(self, record, is_left):
        after = WELL.after(record, has_alarm=False, now=NOW)
        assert after == (State(1, NOW + REST) if is_left else WELL)

    def test_what_only_a_person_can_mend_needs_no_second_try(self):
        assert WELL.after(Record(failed=1), has_alarm=True, now=NOW) == State(1, NOW + REST)

    def test_it_is_on_trial_after_its_rest_and_comes_back_if_it_does_well(self):
        left = State(1, NOW)
        assert left.after(Record(taken=2), has_alarm=False, now=NOW) == left
        assert left.after(Record(taken=3), has_alarm=False, now=NOW) == State(0, NOW)

    def test_a_trial_that_is_neither_well_nor_ill_goes_on(self):
        left = State(1, NOW)
        assert left.after(Record(taken=2, failed=1), has_alarm=False, now=NOW) == left

    def test_it_rests_longer_each_time_it_fails_its_trial(self):
        state, rests = WELL, []
        for _ in range(7):
            now = state.left_until or NOW
            state = state.after(Record(failed=9), has_alarm=False, now=now)
            rests.append(state.left_until - now)
        assert rests == [REST, REST * 2, REST * 4, REST * 8, LONGEST_REST, LONGEST_REST, LONGEST_REST]

    def test_what_it_was_left_for_is_not_held_against_it_twice(self):
        assert State(0, NOW - timedelta(minutes=3)).counts_from(NOW) == NOW - timedelta(minutes=3)
        assert State(0, NOW - timedelta(hours=3)).counts_from(NOW) == NOW - health.WINDOW

    @given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 9))
    def test_nothing_both_leaves_and_brings_back(self, taken, failed, times):
        """Hysteresis: no record makes a gateway go and come."""
        record = Record(taken=taken, failed=failed)
        comes_back = State(times, NOW).after(record, has_alarm=False, now=NOW).times_left == 0
        if comes_back:
            assert record.failed_share < FAILED_SHARE
            assert WELL.after(record, has_alarm=False, now=NOW) == WELL


@pytest.fixture
def two(settings, db):
    settings.SMS_BACKEND = "notifications.sms.failover.FailoverBackend"
    settings.SMS_FAILOVER_BACKENDS = [OBEDIENT, SECOND]
    ObedientBackend.reset()
    SecondBackend.reset()
    health.tell_left([])
    yield
    health.tell_left([])


def tried(outcome, times=1, *, gateway="obedient", alarm=None, seconds=0.1, now=NOW, kind="stop_lifted"):
    gateways.note([(kind, Try(gateway, outcome, seconds, alarm))] * times, now=now)


def first_asked():
    ObedientBackend.reset()
    SecondBackend.reset()
    get_backend().send("+77017779876", "…", idempotency_key="k")
    return "obedient" if ObedientBackend.sent else "second"


class TestShared:
    def test_what_is_counted(self, two):
        tried(Outcome.ACCEPTED, 2)
        tried(Outcome.UNCLEAR)
        tried(Outcome.REFUSED)
        tried(Outcome.NOT_ASKED, 5)
        row = GatewayMinute.objects.get()
        assert (row.taken, row.refused, row.failed, row.milliseconds) == (2, 1, 1, 400)
        assert (row.gateway, row.kind, row.minute) == ("obedient", "stop_lifted", NOW)

    def test_one_that_fails_is_asked_last_and_the_log_says_so_once(self, two, caplog):
        assert first_asked() == "obedient"
        for _ in range(3):
            tried(Outcome.UNAVAILABLE, LEAST_TRIES)
        assert first_asked() == "second"
        (told,) = caplog.records
        assert told.levelno == logging.ERROR
        # By the clock of the log, to the second.
        assert f"until {localtime(NOW + REST):%Y-%m-%d %H:%M:%S}:" in told.getMessage()

    def test_another_process_learns_it(self, two):
        tried(Outcome.UNAVAILABLE, LEAST_TRIES)
        health.tell_left([])
        gateways.refresh(now=NOW)
        assert first_asked() == "second"

    def test_it_comes_back_after_its_rest_and_a_good_trial(self, two, caplog):
        tried(Outcome.UNAVAILABLE, LEAST_TRIES)
        later = NOW + REST
        gateways.refresh(now=later)
        assert first_asked() == "obedient"
        tried(Outcome.ACCEPTED, 3, now=later + timedelta(minutes=1))
        assert Gateway.objects.get().times_left == 0
        assert "does well again" in caplog.text
        assert gateways.in_trouble(now=later + timedelta(minutes=2)) == []
        # Nor do the failures of before send it away again.
        tried(Outcome.UNAVAILABLE, now=later + timedelta(minutes=2))
        assert first_asked() == "obedient"

    def test_a_trial_that_fails_ends_it_at_once_for_twice_as_long(self, two):
        tried(Outcome.UNAVAILABLE, LEAST_TRIES)
        later = NOW + REST
        tried(Outcome.UNAVAILABLE, 3, now=later)
        assert Gateway.objects.get().left_until == later + 2 * REST

    def test_where_all_are_left_they_are_still_asked(self, two):
        tried(Outcome.UNAVAILABLE, LEAST_TRIES)
        tried(Outcome.UNAVAILABLE, LEAST_TRIES, gateway="second")
        assert first_asked() == "obedient"

    def test_without_money_it_is_left_at_once_and_somebody_is_called_once(self, two, caplog):
        tried(Outcome.UNAVAILABLE, alarm=Alarm.MONEY)
        tried(Outcome.UNAVAILABLE, alarm=Alarm.MONEY)
        assert first_asked() == "second"
        assert caplog.text.count("no money") == 1
        (standing,) = gateways.in_trouble(now=NOW)
        assert (standing.name, standing.alarm, standing.left_until) == ("obedient", "no money", NOW + REST)

    def test_an_alarm_ends_when_it_takes_again(self, two, caplog):
        tried(Outcome.UNAVAILABLE, alarm=Alarm.BLOCKED)
        tried(Outcome.ACCEPTED, now=NOW + REST)
        assert Gateway.objects.get().alarm == ""
        assert "takes messages again" in caplog.text

    def test_one_alone_is_never_left_and_still_raises_its_alarm(self, two, settings):
        settings.SMS_BACKEND = OBEDIENT
        tried(Outcome.UNAVAILABLE, 9, alarm=Alarm.MONEY)
        (standing,) = gateways.in_trouble(now=NOW)
        assert (standing.left_until, standing.alarm) == (None, "no money")

    def test_what_goes_well_costs_three_statements_and_no_row_of_its_own(
        self, two, django_assert_num_queries
    ):
        with django_assert_num_queries(3):
            tried(Outcome.ACCEPTED, 50)
        assert not Gateway.objects.exists()

    def test_how_they_do(self, two):
        tried(Outcome.ACCEPTED, 3, seconds=0.5)
        tried(Outcome.UNAVAILABLE, 1, seconds=0.5, now=NOW - timedelta(minutes=11))
        first, second = gateways.standings(now=NOW)
        assert (first.name, first.record.tries, first.record.latency) == ("obedient", 3, 0.5)
        assert first.is_well
        assert second.record == Record()

    def test_who_looks_only_reads(self, two):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        gateways.standings(now=NOW)
        gateways.in_trouble(now=NOW)
