"""Two officials decide at the same moment: one decision stands."""

from datetime import date, datetime
from threading import Barrier

import pytest

from accounts.roles import Role
from applications.models import Correction, Event
from applications.queue import corrections
from applications.refusals import Refusal
from applications.states import CorrectionState, Move
from notifications.models import Notice
from tests.applications.conftest import NOW, ZONE
from tests.concurrency.test_bids import together
from tests.staff import employee

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def officials(scene):
    return [employee(Role.OFFICIAL, username=f"official-{number}") for number in range(4)]


def propose(scene, official):
    return corrections.propose_correction(
        scene.application,
        new_filed_at=datetime(2019, 4, 1, tzinfo=ZONE),
        reason="Қағаз өтініш ертерек тіркелген",
        document_number="114",
        document_date=date(2019, 6, 25),
        actor=official,
        now=NOW,
    )


def test_control_without_the_locks_it_is_carried_out_twice(scene, officials, monkeypatch):
    """With the locks off and each held back until both have looked, the race is real."""
    correction = propose(scene, officials[0])
    both = Barrier(2)

    def careless(correction, *, actor):
        correction = Correction.objects.get(pk=correction.pk)
        both.wait()
        return correction

    monkeypatch.setattr(corrections, "_lock_open", careless)
    monkeypatch.setattr(
        corrections,
        "lock_application",
        lambda pk: type(scene.application).objects.select_related("locality").get(pk=pk),
    )
    together(
        *(
            lambda official=official: corrections.approve_correction(correction, actor=official, now=NOW)
            for official in officials[1:3]
        )
    )
    assert Event.objects.filter(move=Move.CORRECT).count() == 2


def test_two_approve_at_once(scene, officials):
    correction = propose(scene, officials[0])
    results = together(
        *(
            lambda official=official: corrections.approve_correction(correction, actor=official, now=NOW)
            for official in officials[1:]
        )
    )
    assert results.count(Refusal.CORRECTION_DECIDED) == 2
    assert Event.objects.filter(move=Move.CORRECT).count() == 1
    assert Notice.objects.filter(kind="corrected").count() == 1


def test_one_approves_while_another_declines(scene, officials):
    correction = propose(scene, officials[0])
    before = scene.application.filed_at
    results = together(
        lambda: corrections.approve_correction(correction, actor=officials[1], now=NOW),
        lambda: corrections.decline_correction(correction, actor=officials[2], reason="Жоқ", now=NOW),
    )
    correction.refresh_from_db()
    scene.application.refresh_from_db()
    assert results.count(Refusal.CORRECTION_DECIDED) == 1
    assert (correction.state == CorrectionState.APPROVED) == (scene.application.filed_at != before)


def test_two_propose_at_once(scene, officials):
    results = together(*(lambda official=official: propose(scene, official) for official in officials))
    assert results.count(Refusal.CORRECTION_WAITS) == 3
    assert Correction.objects.count() == 1
