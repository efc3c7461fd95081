"""Who is no longer a guardian: no page, notice, SMS or name on a paper; what they did themselves stays theirs."""

import html
import io
import os
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from pypdf import PdfReader

from accounts import audit
from accounts.data import leaving
from accounts.registry import PersonNotFound
from accounts.registry.simulator import SimulatedRegistry
from applications.disputes import guardianships
from applications.jobs import papers, telling
from applications.models import Bid, Referral
from applications.referrals import ending as referral_ending
from applications.referrals import issuing
from applications.waiting import changes
from children.models import Dispute, Guardianship
from children.services import recheck_guardianship
from notifications.delivery import deliver_due
from notifications.models import Message, Notice
from notifications.services import send_again
from tests.applications.bidding.reference import place_bid
from tests.factories import GuardianshipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


@pytest.fixture
def former(scene):
    """Still a guardian: asked for the place, whose referral waits."""
    return GuardianshipFactory(
        child=scene.application.child,
        verified_at=scene.now - timedelta(hours=1),
        user__profile__last_name="ОМАРОВ",
    ).user


class Denies(SimulatedRegistry):
    def find_ward(self, **_asked):
        raise PersonNotFound


@pytest.fixture(params=["official", "registry"])
def end(request, scene, former, settings):
    """Ends the guardianship, by an official's decision or by the registry's recheck."""

    def by_official(*, now):
        (dispute,) = guardianships.stop_guardian(former, by=scene.parent, is_tied=False, now=now)
        guardianships.decide_guardianship(
            dispute, outcome=Dispute.Outcome.ENDS, actor=scene.staff, reason="Сот шешімі", now=now
        )

    def by_registry(*, now):
        settings.PERSON_REGISTRY = f"{__name__}.Denies"
        assert not recheck_guardianship(Guardianship.objects.get(user=former), now=now)

    return by_official if request.param == "official" else by_registry


def test_everything_ends_at_once(scene, former, end, client_of, clock):
    changes.change_languages(scene.application, languages=["ru"], actor=former, now=scene.now)
    place_bid(scene.application, scene.vacancy, actor=former, now=scene.now)
    telling.tell_placed_bids(now=scene.now)
    referral = issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
    papers.store_pdf(referral)
    referral = Referral.objects.get()
    stored = str(referral.pdf.name)
    with default_storage.open(stored) as file:
        assert "ОМАРОВ" in _paper(file.read())
    # By the disk's clock, which nobody can stop, it was made years later.
    made_at = (scene.now + timedelta(minutes=1)).timestamp()
    os.utime(default_storage.path(stored), (made_at, made_at))
    browser = client_of(former)
    page = reverse("applications:application", args=[scene.application.pk])
    assert browser.get(page).status_code == 200
    waiting = Message.objects.filter(recipient=former, kind="referral_issued", state=Message.State.QUEUED)
    assert waiting.count() == 1

    clock.shift(timedelta(minutes=2))
    end(now=scene.now + timedelta(minutes=2))

    # A page that is still open: whatever is pressed there finds nothing.
    own = [scene.application.pk]
    for name in ("application", "referral_pdf", "why", "delete", "extend", "withdraw"):
        address = reverse(f"applications:{name}", args=own)
        assert browser.get(address).status_code == 404, name
        assert browser.post(address).status_code in (404, 405), name
    assert browser.get(reverse("children:child", args=[scene.application.child_id])).status_code == 404
    # What the worker finds now, and what an employee sends again, stays unsent; the others get theirs.
    deliver_due(now=scene.now + timedelta(minutes=3))
    (unsent,) = Message.objects.filter(recipient=former, kind="referral_issued")
    assert (unsent.state, "no longer told" in unsent.error) == (Message.State.WITHHELD, True)
    assert send_again(unsent, now=scene.now + timedelta(minutes=4))
    deliver_due(now=scene.now + timedelta(minutes=4))
    unsent.refresh_from_db()
    assert unsent.state == Message.State.WITHHELD
    assert Message.objects.get(recipient=scene.parent, kind="referral_issued").state == Message.State.SENT
    # Nothing of the family is read any more, neither what was written before nor what comes.
    inbox = html.unescape(browser.get(reverse("notifications:inbox")).content.decode())
    assert scene.vacancy.group.kindergarten.name not in inbox
    entries = audit.journal_of(former).exclude(child=None)
    assert entries
    assert {entry.actor for entry in entries} == {former}
    assert audit.journal_of(scene.parent).exclude(child=None).exclude(actor=former).exists()
    # The paper that the other guardian downloads in the same minute names nobody who has left.
    answer = client_of(scene.parent).get(reverse("applications:referral_pdf", args=own))
    assert answer.status_code == 202
    papers.store_pdf(Referral.objects.get())
    answer = client_of(scene.parent).get(reverse("applications:referral_pdf", args=own))
    assert "ОМАРОВ" not in _paper(answer.content)
    assert "КАМЕНОВ" in _paper(answer.content)
    before = [Notice.objects.filter(recipient=former).count(), former.journal.count()]
    referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now + timedelta(minutes=5))
    assert [Notice.objects.filter(recipient=former).count(), former.journal.count()] == before


def _paper(content):
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_a_paper_of_after_the_end_is_not_made_again_and_again(scene, former, client_of):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
    Guardianship.objects.filter(user=former).update(ended_at=scene.now - timedelta(seconds=1))
    papers.store_pdf(Referral.objects.get())
    address = reverse("applications:referral_pdf", args=[scene.application.pk])
    assert client_of(scene.parent).get(address).status_code == 200


def test_a_paper_that_names_who_closed_their_account_is_made_again(scene, former, client_of):
    place_bid(scene.application, scene.vacancy, actor=former, now=scene.now)
    issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
    papers.store_pdf(Referral.objects.get())
    address = reverse("applications:referral_pdf", args=[scene.application.pk])
    assert "ОМАРОВ" in _paper(client_of(scene.parent).get(address).content)
    made_at = default_storage.get_modified_time(str(Referral.objects.get().pdf.name))
    leaving.leave(former, address=None, now=made_at + timedelta(microseconds=1))
    assert client_of(scene.parent).get(address).status_code == 202
    papers.store_pdf(Referral.objects.get())
    assert "ОМАРОВ" not in _paper(client_of(scene.parent).get(address).content)
