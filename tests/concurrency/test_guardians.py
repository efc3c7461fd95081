"""Guardians who add, stop, bid and archive at the same moment: real threads, real locks, and a control without them."""

from contextlib import contextmanager
from datetime import date, timedelta
from threading import Event as Signal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from accounts.crypto import keyed_hash
from accounts.models import Profile
from accounts.registry import simulated_people
from accounts.registry.simulator import SimulatedRegistry
from applications import moves
from applications.bidding.rush import Outcome, press
from applications.disputes import guardianships
from applications.models import Application, Bid, Referral
from applications.moves import lock_application
from applications.referrals import issuing
from applications.refusals import Refusal
from applications.states import ApplicationState
from applications.waiting import filing
from bulletin.models import Holiday, Vacancy
from children import services
from children.disputes import is_halted
from children.journal_actions import Action
from children.models import Child, Dispute, Guardianship
from children.services import ChildRefused, GuardianshipBarred, add_child, recheck_guardianship
from notifications.clock import read_clock
from notifications.models import Notice
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import GuardianshipFactory, UserFactory
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 8


@pytest.fixture(autouse=True)
def _calendar(scene):
    """A press goes by the clock of the database, and its promise by this year's calendar."""
    years = range(2019, read_clock().year + 2)
    days = [Holiday(date=date(year, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год") for year in years]
    Holiday.objects.bulk_create(days, ignore_conflicts=True)
    # By this year's clock everything of the scene has run out long ago; here nothing is to end by itself.
    Application.objects.update(runs_out_at=None)


@pytest.fixture(autouse=True)
def _known(scene):
    """The state knows the phone of the child's first guardian as theirs."""
    Profile.objects.filter(user=scene.parent).update(phone_tie="yes")


@pytest.fixture
def newcomer(scene):
    return added(scene)


def added(scene, *, hours_ago=1):
    when = NOW - timedelta(hours=hours_ago)
    return GuardianshipFactory(child=scene.application.child, verified_at=when).user


def stop(about, by):
    return lambda: guardianships.stop_guardian(about, by=by, is_tied=False, now=NOW)


def archive(scene, actor):
    return lambda: filing.archive(scene.application, actor=actor, now=NOW)


def bid(scene, user):
    return lambda: press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=scene.application.pk,
        vacancy_id=scene.vacancy.pk,
    )


def afresh(scene):
    Dispute.objects.all().delete()
    Bid.objects.all().delete()
    Vacancy.objects.update(seats_taken=0)
    Application.objects.update(state=ApplicationState.WAITING, archived_at=None, runs_out_at=None)


@contextmanager
def dawdling(work):
    """`work` in a transaction that is not committed before it is waited for, or the other side has come to its end."""
    is_done, is_over = Signal(), Signal()

    def slowly():
        with transaction.atomic():
            result = work()
            is_done.set()
            with connection.cursor() as cursor:
                is_waited_for = False
                while not (is_over.is_set() or is_waited_for):
                    cursor.execute(
                        "SELECT EXISTS (SELECT FROM pg_locks "
                        "WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
                    )
                    is_waited_for = cursor.fetchone()[0]
        return result

    yield slowly, is_done, is_over


def after_it_was_stopped(scene, work, stopper):
    """Let `work` end in a transaction of its own while «Stop» is pressed; what both answered.

    In the end: whether the act was committed although «Stop» had been answered before.
    """
    stopped_first = []
    with dawdling(work) as (slowly, is_done, is_over):

        def press_stop():
            try:
                assert is_done.wait(PATIENCE)
                answer = stopper()
                stopped_first.append(not is_committed(scene))
                return answer
            finally:
                is_over.set()

        together(slowly, press_stop)
    return stopped_first == [True]


def is_committed(scene):
    return Application.objects.get(pk=scene.application.pk).state != ApplicationState.WAITING


@pytest.mark.parametrize("act", ["archive", "bid"])
def test_control_without_the_applications_lock_an_act_ends_after_the_stop(scene, newcomer, monkeypatch, act):
    """The newcomer acted a moment before; the parent reads "stopped", and then it happens all the same."""
    monkeypatch.setattr(guardianships, "_lock_applications", lambda child: [])
    work = archive(scene, newcomer) if act == "archive" else bid(scene, newcomer)
    assert after_it_was_stopped(scene, work, stop(newcomer, scene.parent))


@pytest.mark.parametrize("act", ["archive", "bid"])
def test_nothing_happens_after_the_stop_was_answered(scene, newcomer, act):
    """A parent who is told "stopped" knows everything the newcomer could still do."""
    work = archive(scene, newcomer) if act == "archive" else bid(scene, newcomer)
    assert not after_it_was_stopped(scene, work, stop(newcomer, scene.parent))
    assert is_halted(scene.application.child)


def test_an_act_that_waited_asks_again_who_is_a_guardian(scene, newcomer):
    """The guardianship ends while the act waits for the application."""

    def end_the_guardianship():
        lock_application(scene.application.pk)
        Guardianship.objects.filter(user=newcomer).update(ended_at=NOW)

    with dawdling(end_the_guardianship) as (slowly, is_done, is_over):

        def act():
            try:
                assert is_done.wait(PATIENCE)
                archive(scene, newcomer)()
            except PermissionDenied:
                return "refused"
            finally:
                is_over.set()

        assert together(slowly, act)[1] == "refused"
    assert not is_committed(scene)


def test_the_stop_against_the_newcomers_bid(scene, newcomer):
    outcomes = set()
    for round_ in range(ROUNDS):
        calls = [bid(scene, newcomer), stop(newcomer, scene.parent)]
        placed, _stopped = _in_order(together(*(calls if round_ % 2 else reversed(calls))), round_)
        assert placed in (Outcome.PLACED, Refusal.DISPUTED)
        assert Bid.objects.count() == (placed == Outcome.PLACED)
        assert bid(scene, newcomer)() == (Outcome.AGAIN if Bid.objects.exists() else Refusal.DISPUTED)
        outcomes.add(placed)
        afresh(scene)
    assert outcomes


def test_the_stop_against_the_newcomers_archiving(scene, newcomer, monkeypatch):
    # The rounds are one day.
    monkeypatch.setattr(moves, "MOST_A_DAY", {})
    for round_ in range(ROUNDS):
        calls = [archive(scene, newcomer), stop(newcomer, scene.parent)]
        archived, _stopped = _in_order(together(*(calls if round_ % 2 else reversed(calls))), round_)
        state = Application.objects.get().state
        assert (archived == Refusal.HALTED) == (state == ApplicationState.WAITING)
        afresh(scene)


def _in_order(results, round_):
    return results if round_ % 2 else reversed(results)


def test_two_guardians_stop_each_other_at_once(scene, newcomer):
    """Only who was there before is heard: who came later can't answer by stopping the first."""
    for _ in range(ROUNDS):
        answers = together(stop(newcomer, scene.parent), stop(scene.parent, newcomer))
        assert answers[1] == Refusal.NOT_STOPPABLE
        assert Dispute.objects.get().guardianship.user == newcomer
        afresh(scene)


def test_two_guardians_stop_the_same_newcomer_at_once(scene):
    aunt, newcomer = added(scene, hours_ago=9), added(scene)
    for round_ in range(1, ROUNDS + 1):
        first, second = together(stop(newcomer, scene.parent), stop(newcomer, aunt))
        assert first == second == [Dispute.objects.get()]
        assert Notice.objects.filter(kind="guardian_stopped").count() == 3
        assert newcomer.journal.filter(action=Action.STOP_REPEATED).count() == round_
        Notice.objects.all().delete()
        afresh(scene)


def test_control_without_the_childs_lock_two_stops_are_an_error(scene, monkeypatch):
    aunt, newcomer = added(scene, hours_ago=9), added(scene)
    monkeypatch.setattr(guardianships, "lock_people", lambda *people: None)
    monkeypatch.setattr(guardianships, "_lock_children", lambda pks: None)
    monkeypatch.setattr(guardianships, "_lock_applications", lambda child: [])
    failed = 0
    for _ in range(ROUNDS):
        try:
            together(stop(newcomer, scene.parent), stop(newcomer, aunt))
        except IntegrityError:
            failed += 1
        Dispute.objects.all().delete()
    assert failed


def test_a_later_guardian_stops_who_came_after_while_being_stopped(scene):
    """A chain: the first stops the second while the second stops the third; nothing is lost, nothing locks up."""
    second, third = added(scene, hours_ago=2), added(scene)
    for _ in range(ROUNDS):
        answers = together(stop(second, scene.parent), stop(third, second))
        assert Dispute.objects.filter(guardianship__user=second).exists()
        third_is_stopped = Dispute.objects.filter(guardianship__user=third).exists()
        assert third_is_stopped == (answers[1] != Refusal.NOT_STOPPABLE)
        assert Refusal.BUSY not in answers
        afresh(scene)


def test_the_stop_against_the_decision_and_the_activation(scene, newcomer):
    """A referral that is issued while the stop comes or goes is held exactly while it is halted."""
    staff = scene.staff
    for round_ in range(ROUNDS):
        bid(scene, scene.parent)()
        placed = Bid.objects.get()
        activate = lambda placed=placed: issuing.activate_bid(placed, actor=staff, now=NOW)  # noqa: E731
        if round_ % 2:
            together(activate, stop(newcomer, scene.parent))
        else:
            (dispute,) = stop(newcomer, scene.parent)()
            together(
                activate,
                lambda dispute=dispute: guardianships.decide_guardianship(
                    dispute, outcome=Dispute.Outcome.STANDS, actor=staff, reason="x", now=NOW
                ),
            )
        referral = Referral.objects.get()
        assert (referral.held_since is not None) == is_halted(scene.application.child)
        Referral.objects.all().delete()
        afresh(scene)


def recheck_while_it_is_decided(scene, newcomer, monkeypatch):
    """The registry ends the guardianship between the reading and the writing of a decision that it stands."""
    guardianship = newcomer.guardianships.get()
    (dispute,) = stop(newcomer, scene.parent)()
    decide = services.decide_dispute
    has_read, is_over = Signal(), Signal()

    def slowly(*args, **facts):
        has_read.set()
        _wait_for_a_lock_or(is_over)
        decide(*args, **facts)

    monkeypatch.setattr(guardianships, "decide_dispute", slowly)
    monkeypatch.setattr(services, "ask_registry", _refuse)

    def recheck():
        try:
            assert has_read.wait(PATIENCE)
            recheck_guardianship(guardianship, now=NOW)
        finally:
            is_over.set()

    together(
        lambda: guardianships.decide_guardianship(
            dispute, outcome=Dispute.Outcome.STANDS, actor=scene.staff, reason="x", now=NOW
        ),
        recheck,
    )
    guardianship.refresh_from_db()
    return guardianship


def _refuse(*_asked, **_facts):
    raise ChildRefused


def _wait_for_a_lock_or(signal):
    """Until somebody waits for what this connection has locked, or `signal` says that nobody will."""
    with connection.cursor() as cursor:
        is_waited_for = False
        while not (signal.is_set() or is_waited_for):
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks "
                "WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
            )
            is_waited_for = cursor.fetchone()[0]


@pytest.fixture
def ended_when_told(newcomer, monkeypatch):
    """What `ended_at` was, as everybody sees it, each time a dispute was announced."""
    ended, tell = [], services._announce

    def announce(*args, **facts):
        ended.append(newcomer.guardianships.get().ended_at)
        tell(*args, **facts)

    monkeypatch.setattr(services, "_announce", announce)
    return ended


def test_control_without_the_childs_lock_a_recheck_ends_what_is_said_to_stand(
    scene, newcomer, monkeypatch, ended_when_told
):
    """It is over before the decision is written; everybody reads "stands" afterwards."""
    monkeypatch.setattr(services, "_lock_child", lambda pk: None)
    recheck_while_it_is_decided(scene, newcomer, monkeypatch)
    assert ended_when_told[-1] == NOW


def test_a_recheck_waits_for_the_decision(scene, newcomer, monkeypatch, ended_when_told):
    """What is told is true when it is told; what the registry ends afterwards is ended."""
    guardianship = recheck_while_it_is_decided(scene, newcomer, monkeypatch)
    assert ended_when_told[-1] is None
    assert guardianship.ended_at == NOW


def test_a_decision_never_undoes_what_the_registry_ended(scene, newcomer, monkeypatch):
    monkeypatch.setattr(services, "ask_registry", _refuse)
    for round_ in range(ROUNDS):
        Guardianship.objects.filter(user=newcomer).update(ended_at=None)
        (dispute,) = stop(newcomer, scene.parent)()
        calls = [
            lambda: recheck_guardianship(newcomer.guardianships.get(), now=NOW),
            lambda dispute=dispute: guardianships.decide_guardianship(
                dispute, outcome=Dispute.Outcome.STANDS, actor=scene.staff, reason="x", now=NOW
            ),
        ]
        _checked, decided = _in_order(together(*(calls if round_ % 2 else reversed(calls))), round_)
        assert newcomer.guardianships.get().ended_at == NOW
        told = Notice.objects.filter(recipient=newcomer, kind="guardianship_stands").exists()
        assert told == (decided != Refusal.ENDED_BY_REGISTRY)
        Notice.objects.all().delete()
        afresh(scene)


def test_filing_that_waited_for_the_stop_is_refused(scene, newcomer):
    """A stranger's application in the wrong place would keep the proven guardian from filing one."""
    Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=NOW)
    with dawdling(stop(newcomer, scene.parent)) as (slowly, is_done, is_over):

        def file():
            try:
                assert is_done.wait(PATIENCE)
                return filing.file_application(
                    child=scene.application.child,
                    locality=scene.locality,
                    languages=["kk"],
                    actor=newcomer,
                    now=NOW,
                )
            finally:
                is_over.set()

        _stopped, filed = together(slowly, file)
    assert filed == Refusal.DISPUTED
    assert not Application.objects.filter(state=ApplicationState.WAITING).exists()


@pytest.fixture
def parents(db):
    """A child with one guardian, and two more that the registry knows."""
    child_iin = simulated_people.MANUAL_CHILD_IIN
    people = [
        entry.person
        for entry in simulated_people.everyone(today=NOW.date())
        if any(ward.iin == child_iin for ward in entry.wards)
    ]
    first = GuardianshipFactory(child__iin=child_iin).user
    return child_iin, first, [UserFactory(profile__iin=person.iin) for person in people]


def both_add(parents):
    child_iin, _first, newcomers = parents
    together(*(lambda user=user: add_child(user, iin=child_iin, now=NOW) for user in newcomers))


def told_of_each_other(parents):
    return Notice.objects.filter(kind="guardian_added", recipient__in=parents[2]).count()


def test_control_without_the_childs_lock_nobody_is_told_of_the_other(parents, monkeypatch):
    monkeypatch.setattr(
        services,
        "_stored_child",
        lambda person, **facts: Child.objects.get(iin_hash=keyed_hash("iin", person.iin)),
    )
    seen = set()
    for _ in range(ROUNDS):
        both_add(parents)
        seen.add(told_of_each_other(parents))
        Notice.objects.all().delete()
        Guardianship.objects.filter(user__in=parents[2]).delete()
    assert 0 in seen


def test_of_two_who_are_added_at_once_one_is_told_of_the_other(parents):
    for _ in range(ROUNDS):
        both_add(parents)
        assert told_of_each_other(parents) == 1
        assert Notice.objects.filter(recipient=parents[1]).count() == 2
        Notice.objects.all().delete()
        Guardianship.objects.filter(user__in=parents[2]).delete()


@pytest.fixture
def siblings(db):
    """A proven mother with two children, of whom a stranger with the father's IIN has added the first."""
    father, mother = (entry.person for entry in simulated_people.everyone(today=NOW.date())[:2])
    registry = SimulatedRegistry()
    hers = {ward.iin for ward in registry.find_wards(guardian_iin=mother.iin)}
    first, second = [w.iin for w in registry.find_wards(guardian_iin=father.iin) if w.iin in hers][:2]
    parent = UserFactory(profile__iin=mother.iin, profile__phone_tie="yes")
    stranger = UserFactory(profile__iin=father.iin)
    for iin in (first, second):
        add_child(parent, iin=iin, now=NOW)
    add_child(stranger, iin=first, now=NOW)
    return parent, stranger, second


def stopped_while_adding(siblings):
    """Of how many of the stranger's children nobody has stopped them, after «Stop» and an adding at once."""
    parent, stranger, second = siblings
    with dawdling(lambda: add_child(stranger, iin=second, now=NOW)) as (slowly, is_done, is_over):

        def press_stop():
            try:
                assert is_done.wait(PATIENCE)
                return stop(stranger, parent)()
            finally:
                is_over.set()

        together(slowly, press_stop)
    return Guardianship.objects.filter(user=stranger, dispute=None).count()


def test_control_without_the_persons_lock_a_sibling_slips_through(siblings, monkeypatch):
    monkeypatch.setattr(guardianships, "lock_people", lambda *people: None)
    assert stopped_while_adding(siblings) == 1


def test_a_sibling_added_during_the_stop_is_stopped_too(siblings):
    assert stopped_while_adding(siblings) == 0


def test_nobody_is_added_after_a_stop_under_way(siblings):
    parent, stranger, second = siblings
    with dawdling(stop(stranger, parent)) as (slowly, is_done, is_over):

        def add():
            try:
                assert is_done.wait(PATIENCE)
                return add_child(stranger, iin=second, now=NOW)
            except ChildRefused as error:
                return type(error)
            finally:
                is_over.set()

        _stopped, added_one = together(slowly, add)
    assert added_one is GuardianshipBarred
    assert not Guardianship.objects.filter(user=stranger, child__iin_hash=keyed_hash("iin", second)).exists()
