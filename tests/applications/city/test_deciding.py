"""Lines that a file left out: each is taken in, left out for good or linked, by one official; two sign the whole."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity import iin_hash
from accounts.models import AuditEntry, StaffLink
from accounts.roles import Role
from accounts.services import enter_staff_iin
from applications.city.deciding import (
    application_numbered,
    corrected_in,
    decision_about,
    leave_out,
    link,
    take_back,
    take_in,
)
from applications.city.protocols import (
    decline_protocol,
    newest_signed,
    propose_protocol,
    sign_protocol,
    signed_protocols,
    sums_in,
)
from applications.city.queue_file import Queue
from applications.city.reconciling import Outcome, Reason, reconcile
from applications.city.sums import Sums, sums_of
from applications.city.taking_back import at_stake
from applications.decisions.former import undecided_lines
from applications.jobs.invariants import differences
from applications.jobs.retention import purge_former_lines
from applications.models import (
    Application,
    Event,
    FormerChange,
    FormerDecision,
    FormerLine,
    FormerProtocol,
    FormerRow,
)
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import ApplicationState, LineDecision, Move
from balabaqsha.demo.former_faults import planted_rows
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.problems import SENTENCES, Problem
from bulletin.importing.undoing import UNDOABLE_FOR, undo_batch
from bulletin.models import ImportBatch
from tests.applications.city.test_queue_file import about, load, one_row  # noqa: F401 - fixtures
from tests.applications.conftest import NOW
from tests.factories import GuardianshipFactory, LocalityFactory
from tests.staff import employee, inside, official_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

WHY = "Бұйрық бойынша тексерілді"


@pytest.fixture
def official():
    return employee(Role.OFFICIAL)


@pytest.fixture
def second():
    return employee(Role.OFFICIAL)


@pytest.fixture
def city(load, about):  # noqa: F811 - fixtures
    """A loaded file: eight lines as they stood, and two left out, of which the first one has a date of the future."""
    rows = [*rows_of(10, **about)]
    plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
    rows = [row | plain for row in rows]
    rows[3]["filed_at"] = "01.01.2031"
    rows[6] |= {"child_iin": rows[5]["child_iin"], "birth_date": rows[5]["birth_date"]}
    batch = ImportBatch.objects.get(pk=load(rows, skip_bad=True).batch)
    late, twice = FormerLine.objects.filter(batch=batch, application=None)
    return batch, late, twice


def refused(act, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        act(*args, **kwargs)
    return refusal.value.reason


def decide(act, *args, actor, now=NOW, **more):
    return act(*args, reason=WHY, actor=actor, now=now, **more)


def of_file(batch):
    return sums_of(reconcile(batch, now=NOW))


class TestTakingIn:
    def test_it_waits_at_its_old_date_like_the_rest_of_the_file(self, city, official):
        batch, late, _twice = city
        decide(take_in, late, values={"filed_at": "05.03.2018 10:00"}, actor=official)
        late.refresh_from_db()
        one = late.application
        assert (one.former.batch, one.former.line, one.filed_by) == (batch, late.line, None)
        assert f"{one.filed_at.astimezone(one.locality.zone):%d.%m.%Y %H:%M}" == "05.03.2018 10:00"
        assert one.former.old_number == json.loads(late.cells)["old_number"]
        assert (late.locality, late.birth_year) == (one.locality, one.birth_year)
        told = {line.line: line for line in reconcile(batch, now=NOW).lines}[late.line]
        assert told.new == position(one, now=NOW).number
        assert list(differences()) == []

    def test_what_is_still_wrong_is_said(self, city, official):
        _batch, late, _twice = city
        with pytest.raises(ValidationError) as error:
            decide(take_in, late, values={"filed_at": "05.03.2031"}, actor=official)
        assert str(SENTENCES[Problem.IN_FUTURE][0]) in error.value.messages[0]
        assert not FormerDecision.objects.exists()

    def test_what_was_corrected_is_kept_as_long_as_the_line(self, city, official):
        batch, late, _twice = city
        cells = json.loads(late.cells)
        values = {"filed_at": " 05.03.2018 ", "phone": "+7 701 000 11 22", "last_name": cells["last_name"]}
        decision = decide(take_in, late, values=values, actor=official)
        late.refresh_from_db()
        assert sorted(corrected_in(decision, late)) == [
            ("filed_at", "01.01.2031", "05.03.2018"),
            ("phone", cells["phone"], "+7 701 000 11 22"),
        ]
        assert of_file(batch).decisions == {LineDecision.TAKEN_IN: 1}
        assert Sums.of_json(of_file(batch).as_json()) == of_file(batch)
        purge_former_lines(now=batch.loaded_at + UNDOABLE_FOR)
        decision.refresh_from_db()
        late.refresh_from_db()
        assert corrected_in(decision, late) == []

    def test_a_number_that_another_line_has(self, city, official):
        batch, late, _twice = city
        number = FormerRow.objects.filter(batch=batch, locality=late.locality).first().old_number
        with pytest.raises(ValidationError):
            decide(take_in, late, values={"filed_at": "05.03.2018", "old_number": number}, actor=official)

    def test_a_child_who_is_here_is_linked_instead(self, city, official):
        _batch, _late, twice = city
        assert decide_refused(take_in, twice, actor=official, values={}) == Refusal.CHILD_HERE
        mine = here(json.loads(twice.cells)["child_iin"])
        found = application_numbered(mine.number.replace("-", ""), actor=official, now=NOW)
        decide(link, twice, found, actor=official)
        assert decision_about(twice).application == mine
        assert of_file(twice.batch).why(Outcome.LEFT_OUT)[Reason.LINKED] == 1

    def test_only_where_the_official_works(self, city, scene):
        _batch, late, twice = city
        foreign = official_of()
        with pytest.raises(PermissionDenied):
            decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=foreign)
        number = Application.objects.exclude(former=None).first().number
        assert refused(application_numbered, number, actor=foreign, now=NOW) == Refusal.NO_SUCH_APPLICATION
        with pytest.raises(PermissionDenied):
            decide(leave_out, twice, actor=employee(Role.AUDITOR))

    def test_nobody_decides_about_their_own(self, city, official):
        _batch, late, twice = city
        cells = json.loads(late.cells)
        enter_staff_iin(official, cells["guardian_iin"], actor=official, address=None, now=NOW)
        official.refresh_from_db()
        assert decide_refused(leave_out, late, actor=official) == Refusal.OWN_CHILD
        mother = GuardianshipFactory(child=Application.objects.exclude(former=None).first().child).user
        decide(leave_out, twice, actor=official)
        type(mother).objects.filter(pk=mother.pk).update(is_staff=True)
        mother.groups.set(official.groups.all())
        mother.user_permissions.set(official.user_permissions.all())
        mother = type(mother).objects.get(pk=mother.pk)
        child = mother.guardianships.get().child
        application = Application.objects.get(child=child)
        assert decide_refused(link, late, application, actor=mother) == Refusal.OWN_CHILD


def here(iin):
    return Application.objects.get(child__iin_hash=iin_hash(iin))


def decide_refused(act, *args, **kwargs):
    return refused(act, *args, reason=WHY, now=NOW, **kwargs)


class TestTakingBack:
    def test_it_leaves_the_queue_and_may_be_decided_anew(self, city, official):
        batch, late, _twice = city
        before = of_file(batch)
        for _ in range(2):
            decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
            late.refresh_from_db()
            taken = late.application
            decide(take_back, late, actor=official)
            late.refresh_from_db()
            taken.refresh_from_db()
            assert late.application is None
            assert taken.state == ApplicationState.ARCHIVED
            assert of_file(batch) == before
        assert Event.objects.filter(move=Move.TAKE_IMPORT_BACK).count() == 2
        assert list(differences()) == []
        decide(leave_out, late, actor=official)
        assert late.decisions.count() == 3

    def test_not_once_the_family_has_claimed_it(self, city, official):
        _batch, late, _twice = city
        decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
        late.refresh_from_db()
        Application.objects.filter(pk=late.application_id).update(filed_by=official)
        assert decide_refused(take_back, late, actor=official) == Refusal.GONE_ON

    def test_not_while_a_newer_file_has_changed_it(self, city, official):
        _batch, late, _twice = city
        decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
        late.refresh_from_db()
        newer = ImportBatch.objects.create(kind="queue", loaded_at=NOW)
        FormerChange.objects.create(batch=newer, line=2, application=late.application, before="{}")
        assert decide_refused(take_back, late, actor=official) == Refusal.GONE_ON
        ImportBatch.objects.filter(pk=newer.pk).update(undone_at=NOW)
        decide(take_back, late, actor=official)

    def test_nothing_is_taken_back_where_nothing_was_decided(self, city, official):
        assert decide_refused(take_back, city[1], actor=official) == Refusal.LINE_UNDECIDED

    def test_the_undoing_of_the_file_takes_it_along(self, city, official):
        batch, late, twice = city
        decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
        assert not undo_batch(batch, Queue(), by=official, now=NOW)
        assert not Application.objects.filter(former__batch=batch, state=ApplicationState.WAITING).exists()
        assert decide_refused(leave_out, twice, actor=official) == Refusal.FILE_UNDONE
        assert decide_refused(take_back, late, actor=official) == Refusal.FILE_UNDONE


def test_who_works_elsewhere_decides_about_no_line_and_signs_nothing(city, official):
    """The pages show them none; nor does anything else let them."""
    elsewhere = official_of(LocalityFactory.create(slug="aktau"))
    batch, *_lines = city
    left_out = FormerLine.objects.filter(batch=batch, application=None)
    line = left_out.exclude(locality=None)[0]
    with pytest.raises(PermissionDenied):
        leave_out(line, reason="по приказу", actor=elsewhere, now=NOW)
    for one in left_out:
        leave_out(one, reason="по приказу", actor=official, now=NOW)
    with pytest.raises(PermissionDenied):
        take_back(line, reason="по приказу", actor=elsewhere, now=NOW)
    with pytest.raises(PermissionDenied):
        propose_protocol(batch, actor=elsewhere, now=NOW)
    protocol = propose_protocol(batch, actor=official, now=NOW)
    with pytest.raises(PermissionDenied):
        sign_protocol(protocol, actor=elsewhere, now=NOW)
    with pytest.raises(PermissionDenied):
        decline_protocol(protocol, reason="по приказу", actor=elsewhere, now=NOW)


def test_a_line_that_was_taken_as_it_stood_has_no_decision(city, official):
    line = FormerLine.objects.exclude(application=None).first()
    assert decide_refused(leave_out, line, actor=official) == Refusal.LINE_NOT_LEFT_OUT


def test_every_decision_has_a_reason_and_stands_in_the_history(city, official):
    _batch, late, _twice = city
    assert refused(leave_out, late, reason=" ", actor=official, now=NOW) == Refusal.REASON_MISSING
    decide(leave_out, late, actor=official)
    decide(take_back, late, actor=official)
    entries = AuditEntry.objects.filter(about=f"applications.formerline:{late.pk}").order_by("pk")
    assert [(one.action, one.actor, one.reason) for one in entries] == [
        ("line_left_out", official, WHY),
        ("line_taken_back", official, WHY),
    ]


def test_the_database_keeps_one_decision_about_a_line(city, official):
    decision = decide(leave_out, city[1], actor=official)
    with pytest.raises(IntegrityError), transaction.atomic():
        FormerDecision.objects.create(
            line=city[1], kind=LineDecision.LEFT_OUT, reason="x", decided_at=NOW, decided_by=official
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        FormerDecision.objects.filter(pk=decision.pk).update(kind=LineDecision.LINKED)


def test_the_page_says_what_the_undoing_would_do(city, official, second, clock):
    batch, late, twice = city
    decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
    decide(leave_out, twice, actor=official)
    newer = ImportBatch.objects.create(
        kind="queue", file_name="newer.csv", loaded_at=NOW, places=batch.places[:1]
    )
    ImportBatch.objects.create(kind="queue", file_name="elsewhere.csv", loaded_at=NOW, places=[0])
    undo = reverse("admin:city_undo", args=[batch.pk])
    waits = propose_protocol(batch, actor=official, now=NOW)
    stake = at_stake(batch)
    assert (stake.leaving, stake.taken_in, stake.changed) == (9, 1, 0)
    assert (stake.newer, stake.signed, stake.proposed) == ([newer], None, waits)
    page = inside(official).get(undo).content.decode()
    assert all(word in page for word in ("newer.csv", str(official), 'name="reason"'))
    sign_protocol(waits, actor=second, now=NOW)
    page = inside(official).get(undo).content.decode()
    assert all(word in page for word in (str(official), str(second)))
    assert 'name="reason"' not in page
    inside(official).post(undo, {"reason": WHY})
    batch.refresh_from_db()
    assert batch.undone_at is None


class TestProtocol:
    @pytest.fixture
    def decided(self, city, official):
        batch, late, twice = city
        decide(take_in, late, values={"filed_at": "05.03.2018"}, actor=official)
        decide(leave_out, twice, actor=official)
        return batch

    def test_two_sign_and_the_sums_stand_still(self, decided, official, second):
        protocol = propose_protocol(decided, actor=official, now=NOW)
        assert refused(sign_protocol, protocol, actor=official, now=NOW) == Refusal.PROPOSER
        protocol = sign_protocol(protocol, actor=second, now=NOW)
        kept = sums_in(protocol)
        assert kept == of_file(decided)
        assert kept.lines == 10
        assert kept.outcomes[Outcome.LEFT_OUT] == 1
        gone = Application.objects.filter(former__batch=decided)
        gone.update(state=ApplicationState.ARCHIVED, archived_at=NOW)
        assert sums_in(signed_protocols()[0]) == kept != of_file(decided)

    def test_not_while_a_line_is_undecided(self, city, official, second):
        batch, late, twice = city
        decide(leave_out, twice, actor=official)
        assert refused(propose_protocol, batch, actor=official, now=NOW) == Refusal.LINES_UNDECIDED
        decide(leave_out, late, actor=official)
        protocol = propose_protocol(batch, actor=official, now=NOW)
        decide(take_back, late, actor=second)
        assert refused(sign_protocol, protocol, actor=second, now=NOW) == Refusal.LINES_UNDECIDED
        later = NOW + timedelta(seconds=1)
        decide(leave_out, late, actor=second, now=later)
        assert refused(sign_protocol, protocol, actor=second, now=later) == Refusal.DECIDED_SINCE

    def test_an_account_that_the_proposer_set_up_is_the_proposer(self, decided, official, second):
        StaffLink.objects.create(
            user=second,
            link_hash="x",
            made_at=NOW,
            made_by=official,
            expires_at=NOW + timedelta(days=1),
            used_at=NOW,
        )
        protocol = propose_protocol(decided, actor=official, now=NOW)
        for act in (sign_protocol, decline_protocol):
            more = {"reason": WHY} if act is decline_protocol else {}
            assert refused(act, protocol, actor=second, now=NOW, **more) == Refusal.PROPOSER

    def test_the_database_refuses_one_person_too(self, decided, official):
        protocol = propose_protocol(decided, actor=official, now=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            FormerProtocol.objects.filter(pk=protocol.pk).update(
                state="approved", decided_by=official, sums={}
            )

    def test_what_is_signed_is_not_taken_back_but_may_be_decided_anew(self, decided, city, official, second):
        _batch, late, twice = city
        sign_protocol(propose_protocol(decided, actor=official, now=NOW), actor=second, now=NOW)
        assert refused(propose_protocol, decided, actor=official, now=NOW) == Refusal.SIGNED_ALREADY
        later = NOW + timedelta(minutes=1)
        for line in (late, twice):
            assert refused(take_back, line, reason=WHY, actor=official, now=later) == Refusal.DECISION_SIGNED
        again = {"reason": WHY, "actor": official, "now": later}
        assert refused(leave_out, late, **again) == Refusal.ALREADY_DECIDED
        mine = here(json.loads(twice.cells)["child_iin"])
        link(twice, mine, **again)
        assert [one.kind for one in twice.decisions.all()] == [LineDecision.LINKED, LineDecision.LEFT_OUT]
        protocol = propose_protocol(decided, actor=second, now=later)
        sign_protocol(protocol, actor=official, now=later)
        assert sums_in(signed_protocols()[0]).why(Outcome.LEFT_OUT) == {Reason.LINKED: 1}

    def test_what_two_have_signed_nobody_undoes_alone(self, decided, official, second, undo, clock):
        sign_protocol(propose_protocol(decided, actor=official, now=NOW), actor=second, now=NOW)
        for one in (official, second):
            [fault] = undo_batch(decided, Queue(), by=one, reason=WHY, now=NOW)
            assert fault.problem == Problem.SIGNED
        code, said = undo(decided)
        assert (code, "Two officials have signed" in said) == (1, True)
        assert not undo_batch(decided, Queue(), by=None, reason=WHY, now=NOW)
        assert newest_signed(decided).batch.undone_at == NOW
        assert AuditEntry.objects.get(action="file_undone").reason == WHY
        gone = Event.objects.filter(move=Move.TAKE_IMPORT_BACK)
        assert set(gone.values_list("reason", flat=True)) == {WHY}
        assert refused(propose_protocol, decided, actor=official, now=NOW) == Refusal.FILE_UNDONE

    def test_a_declined_one_leaves_room_for_another(self, decided, official, second):
        protocol = propose_protocol(decided, actor=official, now=NOW)
        assert refused(propose_protocol, decided, actor=second, now=NOW) == Refusal.PROPOSAL_WAITS
        decline_protocol(protocol, actor=second, reason=WHY, now=NOW)
        assert newest_signed(decided) is None
        propose_protocol(decided, actor=second, now=NOW)

    def test_who_may(self, decided, second):
        for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.KINDERGARTEN, Role.CONTACT_CENTRE):
            with pytest.raises(PermissionDenied):
                propose_protocol(decided, actor=employee(role), now=NOW)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choices=st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_the_sums_close_whatever_is_decided(load, about, scene, official, choices):  # noqa: F811 - fixtures
    """Lines = same + moved + away + left out, and old - new = the sum of the reasons, after every decision."""
    with transaction.atomic():
        rows, _expected = planted_rows(36, every=6, **about)
        batch = ImportBatch.objects.get(pk=load(rows, skip_bad=True).batch)
        doubtful = list(FormerLine.objects.filter(batch=batch).exclude(problem=""))
        for line, choice in zip(doubtful, choices, strict=True):
            if choice == 1:
                decide(leave_out, line, actor=official)
            elif choice == 2:
                decide(link, line, scene.application, actor=official)
            elif choice >= 3:
                good = one_row(about, old_number=f"new {line.line}")
                fresh = [*rows_of(60, **about)][50 + line.line % 9]
                good |= {name: fresh[name] for name in ("child_iin", "birth_date", "guardian_iin")}
                _try_to_take_in(line, good, official)
                if choice == 4 and decision_about(line) is not None:
                    decide(take_back, line, actor=official)
            _closes(batch, lines=36)
        transaction.set_rollback(True)


def _try_to_take_in(line, values, official):
    try:
        with transaction.atomic():
            decide(take_in, line, values=values, actor=official)
    except (Refused, ValidationError):
        # The child is drawn for another line already.
        return


def _closes(batch, *, lines):
    found = reconcile(batch, now=NOW)
    sums = sums_of(found)
    assert sums.lines == lines == sum(sums.outcomes.values()) == len(found.lines)
    assert sums.outcomes[Outcome.LEFT_OUT] == sum(sums.why(Outcome.LEFT_OUT).values())
    assert sums.outcomes[Outcome.AWAY] == sum(sums.why(Outcome.AWAY).values())
    assert sum(sums.of(place).lines for place in sums.localities) == lines
    assert Sums.of_json(json.loads(json.dumps(sums.as_json()))) == sums
    for one in found.lines:
        if one.new is not None:
            assert one.old - one.new == sum(one.reasons.values())
    left_out = FormerLine.objects.filter(batch=batch, application=None).count()
    assert sums.outcomes[Outcome.LEFT_OUT] == left_out
    assert undecided_lines().filter(batch=batch).count() <= left_out
