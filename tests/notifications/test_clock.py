"""The one clock: asked when something is decided, estimated when something is shown, never the machine's own."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st

from notifications import clock
from notifications.clock import Estimate, counted_clock, estimate_clock, note_reading, read_clock

START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def _by_the_database(settings, monkeypatch):
    """The database's clock, in a process that has not asked it yet."""
    settings.DATABASE_CLOCK = True
    monkeypatch.setattr(clock, "_estimate", Estimate())


class TestEstimate:
    def test_before_the_first_reading_it_knows_nothing(self):
        assert Estimate().at(5.0) is None
        assert not Estimate().is_fresh(5.0)

    @pytest.mark.parametrize(("age", "fresh"), [(0.0, True), (0.999999, True), (1.0, False), (3600.0, False)])
    def test_it_is_fresh_for_a_second(self, age, fresh):
        estimate = Estimate()
        estimate.note(START, asked=7.0, answered=7.5)
        assert estimate.is_fresh(7.5 + age) is fresh

    @given(
        rate=st.floats(1 - 0.0009, 1 + 0.0009),
        steps=st.lists(
            st.tuples(st.floats(0, 3), st.floats(0, 0.3), st.floats(0, 0.3)), min_size=1, max_size=20
        ),
    )
    def test_it_is_never_ahead_and_hardly_behind(self, rate, steps):
        """However slow the answers, and with a counter that goes a little faster or slower than the clock."""
        estimate, moment = Estimate(), 100.0

        def shown(at):
            return START + timedelta(seconds=(at - 100.0) * rate)

        for pause, there, back in steps:
            asked = moment + pause
            answered = asked + there + back
            estimate.note(shown(asked + there), asked=asked, answered=answered)
            for moment in (answered, answered + 1):
                behind = shown(moment) - estimate.at(moment)
                assert -MICROSECOND <= behind <= timedelta(seconds=there + back + 0.01)

    def test_a_slow_answer_does_not_set_it_back(self):
        estimate = Estimate()
        estimate.note(START, asked=10.0, answered=10.0)
        before = estimate.at(11.0)
        estimate.note(START + timedelta(seconds=0.6), asked=10.5, answered=11.0)
        assert estimate.at(11.0) == before

    def test_a_clock_that_was_set_back_is_followed(self):
        estimate = Estimate()
        estimate.note(START, asked=10.0, answered=10.001)
        estimate.note(START - HOUR, asked=11.0, answered=11.001)
        assert estimate.at(11.001) == START - HOUR

    def test_a_clock_that_was_set_forward_is_followed(self):
        estimate = Estimate()
        estimate.note(START, asked=10.0, answered=10.001)
        estimate.note(START + HOUR, asked=11.0, answered=11.001)
        assert estimate.at(11.001) == START + HOUR


@pytest.mark.django_db
@pytest.mark.usefixtures("_by_the_database")
class TestTheDatabasesClock:
    def test_an_estimate_lies_between_two_readings(self):
        before = read_clock()
        for _ in range(100):
            assert before <= estimate_clock() <= read_clock()

    def test_it_costs_one_statement_a_second(self, django_assert_num_queries, monkeypatch):
        moment = 1000.0
        monkeypatch.setattr("notifications.clock.time.monotonic", lambda: moment)
        with django_assert_num_queries(1):
            estimate_clock()
        with django_assert_num_queries(0):
            moment += 0.999
            estimate_clock()
        with django_assert_num_queries(1):
            moment += 0.001
            estimate_clock()

    @pytest.mark.parametrize("ahead", [HOUR, -HOUR, timedelta(days=400)])
    def test_the_process_s_own_clock_may_be_set_at_any_time(self, ahead):
        before = read_clock()
        with time_machine.travel(before + ahead):
            assert before <= estimate_clock() <= read_clock() < before + timedelta(minutes=5)

    def test_while_the_database_is_silent_it_counts_on(self, monkeypatch):
        moment = 1000.0
        monkeypatch.setattr("notifications.clock.time.monotonic", lambda: moment)
        at_first = read_clock()
        moment += 60
        with connection.execute_wrapper(_refuse), time_machine.travel(at_first + HOUR):
            shown = estimate_clock()
        assert timedelta(seconds=59.9) < shown - at_first <= timedelta(seconds=60)

    def test_before_the_first_answer_there_is_only_the_process_s_own(self):
        with connection.execute_wrapper(_refuse), time_machine.travel(START, tick=False):
            assert estimate_clock() == START
            assert counted_clock() is None

    def test_a_reading_that_another_statement_brought_is_as_good(
        self, django_assert_num_queries, monkeypatch
    ):
        monkeypatch.setattr("notifications.clock.time.monotonic", lambda: 1000.0)
        note_reading(START, asked=1000.0)
        with django_assert_num_queries(0):
            assert estimate_clock() == counted_clock() == START


def test_tests_stop_it(clock):
    assert estimate_clock() == counted_clock() == datetime(2019, 6, 26, 10, 20, tzinfo=UTC)


def _refuse(execute, sql, params, many, context):
    raise OperationalError("server closed the connection unexpectedly")
