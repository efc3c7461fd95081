"""A paper is being made while its referral is extended: the one that names the old day is never left behind."""

from contextlib import closing
from threading import Thread

import psycopg2
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from applications.access.handing_in import note_handing_in
from applications.jobs import papers
from applications.models import Referral
from applications.referrals import extending, issuing, paper
from notifications import locks
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(paper, "render", lambda referral: b"%PDF- of the old day")


@pytest.fixture
def referral(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    return issuing.activate_bid(bid, actor=scene.staff, now=NOW)


def kept_papers() -> int:
    return len(default_storage.listdir("referrals")[1])


def is_waited_for() -> bool:
    """Whether another connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        found: bool = cursor.fetchone()[0]
    return found


def extend_while_a_paper_is_stored(scene, referral, monkeypatch) -> None:
    """The extension has read the referral and not yet written it when the worker stores the paper of the old day."""

    def store() -> None:
        try:
            papers.store_pdf(Referral.objects.select_related("application__locality").get(pk=referral.pk))
        finally:
            connection.close()

    worker = Thread(target=store)
    real = extending._store_document

    def meanwhile(*args):
        worker.start()
        while worker.is_alive() and not is_waited_for():
            pass
        real(*args)

    monkeypatch.setattr(extending, "_store_document", meanwhile)
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=extending.longest_extension(referral),
        reason="illness",
        documents=[("a.pdf", ContentFile(b"%PDF-", name="a.pdf"))],
        now=NOW,
    )
    worker.join()


def test_control_without_the_lock_the_old_paper_stays_for_good(scene, referral, monkeypatch):
    monkeypatch.setattr(
        extending,
        "lock_referral",
        lambda pk: Referral.objects.select_related("application__locality").get(pk=pk),
    )
    extend_while_a_paper_is_stored(scene, referral, monkeypatch)
    assert kept_papers() == 1
    assert not Referral.objects.get().pdf


def test_the_old_paper_is_gone(scene, referral, monkeypatch):
    extend_while_a_paper_is_stored(scene, referral, monkeypatch)
    assert kept_papers() == 0
    assert not Referral.objects.get().pdf


def test_a_referral_that_stays_locked_is_not_waited_for_and_gets_no_note(scene, referral, monkeypatch):
    """Its papers count from when they are checked; the family is not sent away."""
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 50)
    with closing(psycopg2.connect(**connection.get_connection_params())) as other:
        with other.cursor() as cursor:
            cursor.execute("SELECT FROM applications_referral WHERE id = %s FOR UPDATE", [str(referral.pk)])
        note_handing_in(scene.parent, scene.application.pk, now=NOW)
        assert Referral.objects.get().handed_in_at is None
    note_handing_in(scene.parent, scene.application.pk, now=NOW)
    assert Referral.objects.get().handed_in_at == NOW
