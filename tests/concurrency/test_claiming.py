"""Claims of one application at the same moment: real threads, real locks, and a control without them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from threading import Event as Signal

import pytest
from django.db import connection, transaction
from django.utils.translation import override

from accounts.models import Profile
from accounts.registry import get_registry
from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN
from applications.models import Application, Event
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import Move
from applications.waiting import bringing_anew, claiming
from applications.waiting.bringing_anew import Change, ChangedMeanwhile, bring_anew
from applications.waiting.bringing_in import InQueueAlready, OldRow, bring_in, take_back
from applications.waiting.claiming import claim, unclaimed_of
from applications.waiting.filing import file_application
from applications.waiting.former_values import said_of
from bulletin.models import ImportBatch
from children.models import Guardianship
from children.services import ChildBusy, add_child
from notifications import locks
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory, unclaimed
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 6


def guardian_of(child):
    user = GuardianshipFactory(child=child, user=UserFactory()).user
    Profile.objects.filter(user=user).update(phone_tie="yes")
    user.refresh_from_db()
    return user


def waiting_at(scene):
    return unclaimed(locality=scene.locality, filed_at=NOW - timedelta(days=500))


def row_of(child, place, line=1):
    return OldRow(
        line=line,
        old_number="1",
        iin=child.iin,
        paper_number="",
        last_name=child.last_name,
        first_name=child.first_name,
        middle_name="",
        birth_date=child.birth_date,
        sex=child.sex,
        locality=place,
        languages=["kk"],
        filed_at=NOW - timedelta(days=500),
    )


def claims():
    return Event.objects.filter(move=Move.CLAIM).count()


def test_two_guardians_claim_at_once(scene):
    for _ in range(ROUNDS):
        before, application = claims(), waiting_at(scene)
        guardians = [guardian_of(application.child) for _ in range(2)]
        results = together(*(partial(claim, application, actor=user, now=NOW) for user in guardians))
        assert results.count(Refusal.CLAIMED_ALREADY) == 1
        assert claims() == before + 1
        application.refresh_from_db()
        assert application.filed_by == application.former.claimed_by


def test_without_the_lock_both_would_have_it(scene, monkeypatch):
    application = waiting_at(scene)
    guardians = [guardian_of(application.child) for _ in range(2)]
    barrier = Barrier(2)

    def unlocked(pk):
        found = Application.objects.select_related("locality", "child").get(pk=pk)
        barrier.wait()
        return found

    class Nobody:
        def __getattr__(self, _name):
            return lambda *args, **kwargs: self

    monkeypatch.setattr(claiming, "lock_application", unlocked)
    monkeypatch.setattr(claiming.Child, "objects", Nobody())
    before = claims()
    together(*(partial(claim, application, actor=user, now=NOW) for user in guardians))
    assert claims() == before + 2


def test_a_claim_and_the_undoing_of_the_import(scene):
    for _ in range(ROUNDS):
        application = waiting_at(scene)
        user, batch = guardian_of(application.child), application.former.batch
        together(
            partial(claim, application, actor=user, now=NOW),
            partial(take_back, batch, actor=None, reason="x", now=NOW),
        )
        application.refresh_from_db()
        # Either it is the family's, or it has left; never both.
        assert (application.state, application.is_claimed) in {("waiting", True), ("archived", False)}


def test_the_import_and_the_family_of_the_same_child(scene):
    for number in range(ROUNDS):
        child = ChildFactory()
        user = guardian_of(child)
        batch = ImportBatch.objects.create(kind="queue", loaded_at=NOW)
        row = row_of(child, scene.locality, line=number + 1)

        def import_it(row=row, batch=batch):
            try:
                return bring_in([row], batch=batch, actor=None, now=NOW)
            except InQueueAlready as refused:
                return refused.lines

        def file_it(child=child, user=user):
            return file_application(
                child=child, locality=scene.locality, languages=["kk"], actor=user, now=NOW
            )

        together(import_it, file_it)
        [application] = Application.objects.filter(child=child)
        assert application.is_claimed != hasattr(application, "former")


def newer(application):
    """What a newer file says of it: another date."""
    filed_at = (NOW - timedelta(days=900)).isoformat()
    said = said_of(application, now=NOW)
    return Change(
        application.pk, 2, {"filed_at": said["filed_at"]}, {"filed_at": filed_at, "filed_text": "x"}
    )


def change_it(wanted, batch):
    try:
        with transaction.atomic():
            bring_anew([wanted], [], batch=batch, actor=None, now=NOW)
    except ChangedMeanwhile:
        return "claimed"
    return "changed"


def test_a_claim_and_a_newer_file(scene):
    """Either the file was first, and the family has its date; or the family, and nothing of it is changed."""
    for _ in range(ROUNDS):
        application = waiting_at(scene)
        user, filed_at = guardian_of(application.child), application.filed_at
        _claimed, told = together(
            partial(claim, application, actor=user, now=NOW),
            partial(change_it, newer(application), application.former.batch),
        )
        application.refresh_from_db()
        assert application.filed_by == user
        assert (application.filed_at == filed_at) is (told == "claimed")
        moves = list(application.events.order_by("id").values_list("move", flat=True))
        assert moves[-1] == Move.CLAIM
        assert (Move.CHANGE_IMPORT in moves) is (told == "changed")


def test_without_the_lock_the_file_changes_what_a_family_has(scene, monkeypatch):
    """The control: the file has looked before the claim, and writes after it."""
    application = waiting_at(scene)
    user, filed_at = guardian_of(application.child), application.filed_at
    looked, claimed = Signal(), Signal()

    def unlocked(keys):
        assert not Application.objects.get(pk__in=keys).is_claimed
        looked.set()
        assert claimed.wait(PATIENCE)

    def claim_it():
        assert looked.wait(PATIENCE)
        try:
            return claim(application, actor=user, now=NOW)
        finally:
            claimed.set()

    monkeypatch.setattr(bringing_anew, "_hold", unlocked)
    together(claim_it, partial(change_it, newer(application), application.former.batch))
    application.refresh_from_db()
    assert (application.filed_by, application.filed_at != filed_at) == (user, True)


class TestWhileAFileIsLoaded:
    """The import's transaction is under way in a thread of its own, with the child of a family among its rows."""

    @pytest.fixture
    def loading(self, scene):
        """Hold the rows of a file, not committed, until the test is over."""
        begun, over = Signal(), Signal()
        batch = ImportBatch.objects.create(kind="queue", loaded_at=NOW)

        def load(row):
            try:
                with transaction.atomic():
                    bring_in([row], batch=batch, actor=None, now=NOW)
                    begun.set()
                    assert over.wait(PATIENCE)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:

            def start(child):
                self.loaded = pool.submit(load, row_of(child, scene.locality))
                assert begun.wait(PATIENCE)
                return over

            yield start
            over.set()
        self.loaded.result()

    def test_a_family_that_adds_the_child_is_told_so_and_can_go_on(self, scene, loading, monkeypatch):
        monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 200)
        father = UserFactory(profile__iin=MANUAL_PARENT_IIN)
        ward = get_registry().find_ward(guardian_iin=MANUAL_PARENT_IIN, child_iin=MANUAL_CHILD_IIN)
        over = loading(ward)
        with override("en"), pytest.raises(ChildBusy, match="in a minute"):
            add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        assert not Guardianship.objects.filter(user=father).exists()
        over.set()
        self.loaded.result()
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        # The one that the file brought in.
        assert unclaimed_of(child) is not None

    def test_who_files_for_the_child_is_told_so(self, scene, loading, monkeypatch):
        monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 200)
        child = ChildFactory()
        user = guardian_of(child)
        over = loading(child)
        with pytest.raises(Refused) as refused:
            file_application(child=child, locality=scene.locality, languages=["kk"], actor=user, now=NOW)
        assert refused.value.reason == Refusal.BUSY
        over.set()
        self.loaded.result()
        with pytest.raises(Refused) as refused:
            file_application(child=child, locality=scene.locality, languages=["kk"], actor=user, now=NOW)
        assert refused.value.reason == Refusal.UNCLAIMED

    def test_without_the_limit_it_waits_for_the_whole_file(self, scene, loading, monkeypatch):
        """The control: nothing comes until the file is over."""
        monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 0)
        father = UserFactory(profile__iin=MANUAL_PARENT_IIN)
        over = loading(get_registry().find_ward(guardian_iin=MANUAL_PARENT_IIN, child_iin=MANUAL_CHILD_IIN))

        def add():
            try:
                return add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            added = pool.submit(add)
            with pytest.raises(TimeoutError):
                added.result(timeout=1)
            over.set()
            assert added.result(timeout=PATIENCE).iin == MANUAL_CHILD_IIN
