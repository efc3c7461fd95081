"""Of every referral the disk holds the paper that is in force, and no other."""

import os
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts.stored_files import sweep_orphans
from applications.jobs import papers, retention
from applications.models import Referral
from applications.referrals import ending, extending, issuing
from applications.referrals.check_codes import code_of
from applications.states import ReferralState
from applications.tasks import render_referral_pdf
from tests.applications.bidding.reference import place_bid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def _blank_sheet(monkeypatch):
    """Which papers there are, not what they say, which is tests/applications/referrals/test_paper.py."""

    def blank(referral):
        code_of(referral)
        return b"%PDF-1.7"

    monkeypatch.setattr("applications.referrals.paper.render", blank)


@pytest.fixture
def referral(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    papers.store_pdf(referral)
    return Referral.objects.get()


def kept_papers() -> list[str]:
    return [f"referrals/{name}" for name in default_storage.listdir("referrals")[1]]


def extend(scene, referral):
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=extending.longest_extension(referral),
        reason="illness",
        documents=[("a.pdf", ContentFile(b"%PDF-", name="a.pdf"))],
        now=scene.now,
    )


def revoke(scene, referral):
    ending.revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=scene.now)


def expire(scene, referral):
    ending.expire_referral(referral, now=referral.valid_until)


def sign(scene, referral):
    ending.sign_contract(referral, actor=scene.staff, now=scene.now)


@pytest.mark.parametrize("end", [extend, revoke, expire])
def test_the_old_paper_goes_with_the_move(scene, referral, end):
    assert kept_papers() == [referral.pdf.name]
    end(scene, referral)
    assert kept_papers() == []
    assert not Referral.objects.get().pdf


def test_an_extended_referral_gets_a_new_one(scene, referral):
    extend(scene, referral)
    assert papers.render_missing() == 1
    assert kept_papers() == [Referral.objects.get().pdf.name]


class TestOfAFormerGuardian:
    """The paper may name them, so another one is made: once, and only if it is older."""

    def made_at(self, referral, at):
        os.utime(default_storage.path(referral.pdf.name), (at.timestamp(), at.timestamp()))

    def end(self, referral, at):
        referral.application.child.guardianships.update(ended_at=at)

    def test_a_paper_from_before_is_made_anew(self, scene, referral):
        self.made_at(referral, scene.now)
        self.end(referral, scene.now + timedelta(microseconds=1))
        assert papers.render_missing() == 1
        newer = Referral.objects.get()
        assert kept_papers() == [newer.pdf.name]
        self.made_at(newer, scene.now + timedelta(minutes=2))
        assert papers.render_missing() == 0

    @pytest.mark.parametrize(("seconds", "made"), [(59, 1), (60, 0)])
    def test_one_made_meanwhile_counts_as_from_before(self, scene, referral, seconds, made):
        self.end(referral, scene.now)
        self.made_at(referral, scene.now + timedelta(seconds=seconds))
        assert papers.render_missing() == made

    def test_a_lost_one_is_made_anew(self, scene, referral):
        default_storage.delete(referral.pdf.name)
        self.end(referral, scene.now)
        assert papers.render_missing() == 1

    def test_without_an_end_none_is(self, scene, referral):
        self.made_at(referral, scene.now - timedelta(days=1))
        assert papers.render_missing() == 0


def test_with_the_contract_the_paper_stays(scene, referral):
    sign(scene, referral)
    assert kept_papers() == [referral.pdf.name]


@pytest.mark.parametrize("end", [revoke, expire])
def test_no_paper_is_made_of_a_referral_that_ended(scene, referral, end):
    end(scene, referral)
    assert papers.render_missing() == 0
    render_referral_pdf(str(referral.pk))
    assert kept_papers() == []


@pytest.mark.parametrize("end", [extend, revoke, expire])
def test_a_paper_that_the_move_outran_is_not_kept(scene, referral, end):
    Referral.objects.update(pdf="")
    stale = Referral.objects.get()
    end(scene, stale)
    papers.store_pdf(stale)
    # The first one is an orphan of this test's own making.
    assert kept_papers() == [referral.pdf.name]
    assert not Referral.objects.get().pdf


def test_papers_from_before_are_purged(scene, referral):
    Referral.objects.update(state=ReferralState.REVOKED, ended_at=scene.now)
    assert retention.papers_of_ended_referrals(now=scene.now).count() == 0
    assert retention.purge_papers(now=scene.now + timedelta(microseconds=1)) == 1
    assert kept_papers() == []
    assert retention.purge_papers(now=scene.now + timedelta(days=1)) == 0


@pytest.mark.parametrize("state", [ReferralState.ISSUED, ReferralState.SIGNED])
def test_papers_that_a_family_can_download_are_not(scene, referral, state):
    Referral.objects.update(state=state, ended_at=scene.now)
    assert retention.purge_papers(now=scene.now + timedelta(days=400)) == 0
    assert kept_papers() == [referral.pdf.name]


def test_after_everything_the_disk_holds_what_rows_name(scene, referral):
    """A family's way with everything that may happen to its papers, then the sweep: nothing is there to sweep."""
    extend(scene, referral)
    papers.render_missing()
    revoke(scene, Referral.objects.get())
    for folder in default_storage.listdir("")[0]:
        for name in default_storage.listdir(folder)[1]:
            os.utime(default_storage.path(f"{folder}/{name}"), (0, 0))
    assert sweep_orphans() == 0
    assert kept_papers() == []
    assert len(default_storage.listdir("extensions")[1]) == 1


def test_an_employee_reads_that_the_paper_is_no_longer_kept(scene, referral, client_of, clock):
    from tests.staff import inside, worker_of

    worker = worker_of(scene.group.kindergarten)
    revoke(scene, referral)
    answer = inside(worker).get(reverse("admin:applications_referral_pdf", args=[referral.pk]), follow=True)
    assert "қағазы енді сақталмайды" in answer.content.decode()
