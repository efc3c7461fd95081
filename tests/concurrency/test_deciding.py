"""Two officials decide about one line of the former queue at once: one wins, and the other reads so."""

from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError

from accounts.roles import Role
from applications.city import deciding
from applications.city.deciding import decision_about, leave_out, take_back, take_in
from applications.city.protocols import propose_protocol, sign_protocol
from applications.city.queue_file import Queue
from applications.models import Application, FormerDecision, FormerLine, FormerProtocol
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ApplicationState, LineDecision, ProposalState
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.running import run_import
from bulletin.importing.undoing import undo_batch
from bulletin.models import ImportBatch
from tests.applications.city.test_queue_file import file_of
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.staff import employee

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 4
WHY = "Екі маман бір сәтте шешті"


@pytest.fixture
def officials(scene):
    return [employee(Role.OFFICIAL, username=f"official-{number}") for number in range(2)]


@pytest.fixture
def lines(scene, officials):
    """Lines left out for a date of the future; each could be taken in with another one."""
    places = [scene.locality.slug]
    plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
    rows = [row | plain for row in rows_of(ROUNDS + 1, places=places, benefits=[], today=NOW.date())]
    rows = [rows[0], *(row | {"filed_at": "01.01.2031"} for row in rows[1:])]
    options = {"file_name": "queue.csv", "now": NOW, "by": officials[0], "skip_bad": True}
    run_import(Queue(), file_of(rows), **options)
    return list(FormerLine.objects.exclude(problem=""))


def taking(line, official):
    return partial(take_in, line, values={"filed_at": "05.03.2018"}, reason=WHY, actor=official, now=NOW)


def leaving(line, official):
    return partial(leave_out, line, reason=WHY, actor=official, now=NOW)


def test_one_decision_wins(lines, officials):
    for line in lines:
        results = together(taking(line, officials[0]), leaving(line, officials[1]))
        assert results.count(Refusal.ALREADY_DECIDED) == 1
        decision = decision_about(line)
        is_taken_in = decision.kind == LineDecision.TAKEN_IN
        assert decision.decided_by == officials[0 if is_taken_in else 1]
        assert Application.objects.filter(former__line=line.line).exists() == is_taken_in


def test_control_without_the_lock_both_decide(lines, officials, monkeypatch):
    """Both have looked before either writes: the second one runs into the constraint, and reads an error."""
    both = Barrier(2)

    def careless(line, *, actor, reason, now):
        line = FormerLine.objects.select_related("locality", "batch").get(pk=line.pk)
        assert decision_about(line) is None
        both.wait()
        return line

    def errors(act):
        try:
            return act()
        except IntegrityError:
            return "error"

    monkeypatch.setattr(deciding, "_begin", careless)
    line = lines[0]
    results = together(*(partial(errors, leaving(line, official)) for official in officials))
    assert results.count("error") == 1
    assert FormerDecision.objects.filter(line=line).count() == 1


def test_a_signature_and_a_decision_taken_back(lines, officials):
    for line in lines:
        leaving(line, officials[0])()
    batch = ImportBatch.objects.get()
    for line in lines[:ROUNDS]:
        protocol = propose_protocol(batch, actor=officials[0], now=NOW)
        results = together(
            partial(sign_protocol, protocol, actor=officials[1], now=NOW),
            partial(take_back, line, reason=WHY, actor=officials[0], now=NOW),
        )
        protocol.refresh_from_db()
        # Never is a protocol signed over a line that is undecided.
        is_signed = protocol.state == ProposalState.APPROVED
        assert is_signed == (decision_about(line) is not None)
        assert (Refusal.DECISION_SIGNED in results) == is_signed
        if is_signed:
            return
        FormerProtocol.objects.filter(pk=protocol.pk).delete()
        leaving(line, officials[0])()


def test_a_decision_and_the_undoing_of_the_file(lines, officials):
    batch = ImportBatch.objects.get()
    together(
        taking(lines[0], officials[0]),
        partial(undo_batch, batch, Queue(), by=officials[1], now=NOW),
    )
    batch.refresh_from_db()
    assert batch.undone_at == NOW
    waiting = Application.objects.filter(former__batch=batch, state=ApplicationState.WAITING)
    assert not waiting.exists()
    with pytest.raises(Refused):
        leaving(lines[1], officials[0])()
