"""Confirming at the border: the family's press and the job's lapse meet, in every interleaving of real threads."""

from datetime import datetime, timedelta
from threading import Barrier

import pytest

from applications.models import Application, Event
from applications.states import ApplicationState, Move
from applications.waiting import confirming
from tests.applications.conftest import ZONE
from tests.concurrency.test_bids import together
from tests.factories import ApplicationFactory
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ENDS = datetime(2019, 10, 2, tzinfo=ZONE)
LAST = ENDS - timedelta(microseconds=1)
FAMILIES = 12


@pytest.fixture
def families(scene):
    return ApplicationFactory.create_batch(
        FAMILIES,
        locality=scene.locality,
        filed_at=datetime(2019, 1, 1, tzinfo=ZONE),
        interest_confirmed_at=datetime(2019, 1, 1, tzinfo=ZONE),
    )


def confirm(application, *, now):
    return lambda: confirming.confirm_interest(application, actor=application.filed_by, now=now)


def lapse(application, *, now):
    return lambda: confirming.lapse(application, now=now)


def moves_of(application):
    return list(application.events.order_by("id").values_list("move", flat=True))


def test_control_without_the_lock_a_confirmed_family_lapses(families, monkeypatch):
    """With the lock off the race is real: the tests below mean something."""

    def careless_lock(pk):
        return Application.objects.select_related("locality").get(pk=pk)

    def slow_move(application, step, **changes):
        # Long enough for the other thread to have read the same row.
        together_once.wait(timeout=PATIENCE)
        return move(application, step, **changes)

    move, application = confirming.move, families[0]
    together_once = Barrier(2)
    monkeypatch.setattr(confirming, "lock_application", careless_lock)
    monkeypatch.setattr(confirming, "move", slow_move)
    together(confirm(application, now=LAST), lapse(application, now=ENDS))
    assert sorted(moves_of(application)) == [Move.CONFIRM_INTEREST, Move.LAPSE]
    events = application.events.order_by("id")
    assert [event.from_state for event in events] == [ApplicationState.WAITING] * 2


def test_who_pressed_in_the_last_microsecond_and_the_job_after_it(families):
    """Either the press is first and nobody lapses, or the job is first and the press brings the family back."""
    calls = [confirm(application, now=LAST) for application in families]
    calls += [lapse(application, now=ENDS) for application in families]
    together(*[call for pair in zip(calls[:FAMILIES], calls[FAMILIES:], strict=True) for call in pair])
    for application in families:
        application.refresh_from_db()
        assert application.state == ApplicationState.WAITING
        assert application.filed_at == datetime(2019, 1, 1, tzinfo=ZONE)
        assert moves_of(application) in ([Move.CONFIRM_INTEREST], [Move.LAPSE, Move.CONFIRM_INTEREST])


def test_many_presses_and_many_jobs_make_each_move_once(families):
    application = families[0]
    calls = [confirm(application, now=ENDS), lapse(application, now=ENDS)] * 5
    together(*calls)
    application.refresh_from_db()
    assert application.state == ApplicationState.WAITING
    assert moves_of(application) == [Move.LAPSE, Move.CONFIRM_INTEREST]


def test_the_end_of_the_grace_and_the_last_press(families):
    """At one instant both can't be right: the archived is not brought back, the confirmed is not archived."""
    grace_ends = datetime(2019, 12, 31, tzinfo=ZONE)
    for application in families:
        confirming.lapse(application, now=ENDS)
    calls = []
    for application in families:
        calls.append(confirm(application, now=grace_ends - timedelta(microseconds=1)))
        calls.append(lambda application=application: confirming.end_lapsed(application, now=grace_ends))
    together(*calls)
    ends = {moves_of(application)[1] for application in families}
    assert ends <= {Move.CONFIRM_INTEREST, Move.END_LAPSED}
    for application in families:
        application.refresh_from_db()
        archived = application.state == ApplicationState.ARCHIVED
        assert moves_of(application) == [Move.LAPSE, Move.END_LAPSED if archived else Move.CONFIRM_INTEREST]
    assert Event.objects.count() == 2 * FAMILIES
