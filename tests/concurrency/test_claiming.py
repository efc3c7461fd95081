"""Claims of one application at the same moment: real threads, real locks, and a control without them."""

from datetime import timedelta
from functools import partial
from threading import Barrier
from threading import Event as Signal

import pytest
from django.db import transaction

from accounts.models import Profile
from applications.models import Application, Event
from applications.refusals import Refusal
from applications.states import Move
from applications.waiting import bringing_anew, claiming
from applications.waiting.bringing_anew import Change, ChangedMeanwhile, change, said_of
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
            change([wanted], batch=batch, actor=None, now=NOW)
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
        found = list(Application.objects.filter(pk__in=keys).select_related("former", "locality"))
        looked.set()
        assert claimed.wait(20)
        return found

    def claim_it():
        assert looked.wait(20)
        try:
            return claim(application, actor=user, now=NOW)
        finally:
            claimed.set()

    monkeypatch.setattr(bringing_anew, "_locked", unlocked)
    together(claim_it, partial(change_it, newer(application), application.former.batch))
    application.refresh_from_db()
    assert (application.filed_by, application.filed_at != filed_at) == (user, True)
