"""Claims of one application at the same moment: real threads, real locks, and a control without them."""

from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from accounts.models import Profile
from applications.models import Application, Event
from applications.refusals import Refusal
from applications.states import Move
from applications.waiting import claiming
from applications.waiting.bringing_in import InQueueAlready, OldRow, bring_in, take_back
from applications.waiting.claiming import claim
from applications.waiting.filing import file_application
from bulletin.models import ImportBatch
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory, unclaimed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 6


def guardian_of(child):
    user = GuardianshipFactory(child=child, user=UserFactory()).user
    Profile.objects.filter(user=user).update(phone_tie="yes")
    user.refresh_from_db()
    return user


def waiting_at(scene):
    return unclaimed(locality=scene.locality, filed_at=NOW - timedelta(days=500))


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
        row = OldRow(
            line=number + 1,
            old_number="1",
            iin=child.iin,
            paper_number="",
            last_name=child.last_name,
            first_name=child.first_name,
            middle_name="",
            birth_date=child.birth_date,
            sex=child.sex,
            locality=scene.locality,
            languages=["kk"],
            filed_at=NOW - timedelta(days=500),
        )

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
