"""Where the child is given a place is withheld from a guardian whom a proven one does not know.

The tests ask as the stranger asks: pages, the paper, the inbox, SMS, the journal, the check of a number by phone.
"""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Profile
from accounts.registry import PhoneTie
from applications.access.by_number import check
from applications.bidding.onlooker import look
from applications.disputes import guardianships
from applications.jobs import papers, telling
from applications.models import Application, Bid, Referral
from applications.referrals import issuing
from applications.states import ApplicationState
from applications.waiting import filing
from children.models import Dispute
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import GuardianshipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

STANDS, ENDS = Dispute.Outcome.STANDS, Dispute.Outcome.ENDS
WITHHELD = "Маман шешім қабылдағанша көрсетілмейді"


def know(user, tie=PhoneTie.YES):
    Profile.objects.filter(user=user).update(phone_tie=tie)
    user.profile.refresh_from_db()


@pytest.fixture
def stranger(scene):
    know(scene.parent)
    return GuardianshipFactory(child=scene.application.child, verified_at=scene.now - timedelta(hours=1)).user


@pytest.fixture
def referred(scene, stranger):
    """Calls that bring the child to a referral, each told to the family."""

    def go_on():
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        telling.tell_placed_bids(now=scene.now)
        issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        papers.store_pdf(Referral.objects.get())

    return go_on


@pytest.fixture
def stopped(scene, stranger):
    (dispute,) = guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
    return dispute


def read(answer):
    """What a person reads in the page, with every character as it is."""
    return html.unescape(answer.content.decode())


def decide(scene, dispute, outcome):
    return guardianships.decide_guardianship(
        dispute, outcome=outcome, actor=scene.staff, reason="Құжаттар көрсетілді", now=scene.now
    )


def secrets_of(scene):
    """What must not reach the stranger: the kindergarten, its address, the referral's number."""
    kindergarten = scene.vacancy.group.kindergarten
    told = [kindergarten.name_kk, kindergarten.address_kk, scene.vacancy.group.name]
    return [*filter(None, told), *Referral.objects.values_list("number", flat=True)]


PAGES = ["cabinet", "list", "archive", "new"]
OF_THE_APPLICATION = [
    "application",
    "referral_pdf",
    "why",
    "delete",
    "move",
    "languages",
    "extend",
    "withdraw",
]


class TestWhileItIsUndecided:
    @pytest.mark.parametrize("is_told_before", [True, False], ids=["referred before", "referred after"])
    def test_no_page_tells_where_the_child_will_be(
        self, scene, stranger, referred, client_of, is_told_before
    ):
        if is_told_before:
            referred()
        guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
        if not is_told_before:
            referred()
        browser = client_of(stranger)
        own = [reverse(f"applications:{name}", args=[scene.application.pk]) for name in OF_THE_APPLICATION]
        for address in own:
            answer = browser.get(address)
            assert (answer.status_code, answer["Content-Type"][:9]) == (403, "text/html")
            assert WITHHELD in read(answer)
            assert "құжаттарыңызды" in read(answer).lower()
        others = [
            *(reverse(f"applications:{name}") for name in PAGES),
            reverse("notifications:inbox"),
            reverse("accounts:journal"),
            reverse("children:child", args=[scene.application.child_id]),
        ]
        for address in [*own, *others]:
            page = read(browser.get(address, follow=True))
            assert [secret for secret in secrets_of(scene) if secret in page] == [], address
            assert str(ApplicationState.REFERRED.label) not in page

    def test_interest_is_confirmed_without_being_told_anything(
        self, scene, stranger, stopped, referred, client_of
    ):
        """Only who may know reads why not; and nobody lapses because they are disputed."""
        browser = client_of(stranger)
        press = reverse("applications:interest", args=[scene.application.pk])
        assert press in read(browser.get(scene.application.get_absolute_url()))
        Application.objects.update(state=ApplicationState.LAPSED)
        answers = [browser.post(press, follow=True)]
        assert Application.objects.get().state == ApplicationState.WAITING
        referred()
        answers.append(browser.post(press, follow=True))
        told = [[str(message) for message in answer.context["messages"]] for answer in answers]
        assert told[0] == told[1] != []
        assert {answer.status_code for answer in answers} == {403}

    def test_nor_the_page_of_the_place_that_the_bid_is_for(self, scene, stranger, stopped, client_of):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        page = read(client_of(stranger).get(scene.vacancy.get_absolute_url()))
        assert "сізді танымайды" in page
        assert "өтініміңіз жіберілген" not in page

    def test_the_other_guardian_reads_everything(self, scene, stranger, stopped, referred, client_of):
        referred()
        browser = client_of(scene.parent)
        paper_url = reverse("applications:referral_pdf", args=[scene.application.pk])
        assert browser.get(paper_url)["Content-Type"] == "application/pdf"
        page = read(browser.get(scene.application.get_absolute_url()))
        assert scene.vacancy.group.kindergarten.name in page

    def test_no_message_is_sent_and_none_is_shown(self, scene, stranger, referred, client_of):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        telling.tell_placed_bids(now=scene.now)
        guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
        before = Message.objects.filter(recipient=stranger).count()
        issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        assert Message.objects.filter(recipient=stranger).count() == before
        assert Message.objects.filter(recipient=scene.parent, kind="referral_issued").exists()
        kinds = set(Notice.objects.filter(recipient=stranger).values_list("kind", flat=True))
        assert "bid_placed" in kinds  # it is kept
        notice = Notice.objects.get(recipient=stranger, kind="bid_placed")
        browser = client_of(stranger)
        page = read(browser.get(reverse("notifications:inbox")))
        assert notice.text_kk not in page
        assert browser.post(reverse("notifications:open", args=[notice.pk])).status_code == 404
        browser.post(reverse("notifications:read_all"))
        notice.refresh_from_db()
        assert notice.read_at is None

    def test_the_bulletin_counts_only_what_the_inbox_shows(self, scene, stranger, referred, client_of):
        referred()
        guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
        browser = client_of(stranger)
        known = look(user_id=str(stranger.pk), password_stamp=stranger.get_session_auth_hash(), now=scene.now)
        shown = browser.get(reverse("notifications:inbox")).context["page"].paginator.count
        assert known.unread == shown == 1
        assert known.places == frozenset()

    def test_the_check_of_a_number_does_not_know_the_strangers_phone(self, scene, stranger, stopped, client):
        def asks(user):
            digits = str(user.phone)[-4:]
            return check(
                scene.application.number,
                digits=digits,
                address="10.9.8.7",
                is_known=lambda _u: False,
                now=scene.now,
            )

        assert str(stranger.phone)[-4:] != str(scene.parent.phone)[-4:]
        assert asks(stranger) is None
        assert asks(scene.parent) is not None

    def test_what_the_proven_parent_chose_is_no_default_for_the_stranger(self, stranger, stopped, client_of):
        address = reverse("applications:new")
        assert client_of(stranger).get(address).context["form"].initial["languages"] == []


class TestWhereNothingIsWithheld:
    def test_between_two_unproven_both_read_everything(self, scene, stranger, client_of):
        know(scene.parent, PhoneTie.UNKNOWN)
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
        issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        for user in (scene.parent, stranger):
            page = client_of(user).get(scene.application.get_absolute_url())
            assert page.status_code == 200
            assert scene.vacancy.group.kindergarten.name in read(page)
            assert Message.objects.filter(recipient=user, kind="referral_issued").exists()

    def test_nor_from_whom_the_state_knows(self, scene, stranger, referred, client_of):
        guardianships.stop_guardian(stranger, by=scene.parent, is_tied=True, now=scene.now)
        referred()
        assert client_of(stranger).get(scene.application.get_absolute_url()).status_code == 200
        assert Message.objects.filter(recipient=stranger, kind="referral_issued").exists()


class TestAfterTheDecision:
    def test_who_stays_a_guardian_reads_what_they_missed(self, scene, stranger, stopped, referred, client_of):
        referred()
        decide(scene, stopped, STANDS)
        browser = client_of(stranger)
        page = browser.get(scene.application.get_absolute_url())
        assert page.status_code == 200
        assert scene.vacancy.group.kindergarten.name in read(page)
        paper_url = reverse("applications:referral_pdf", args=[scene.application.pk])
        assert browser.get(paper_url)["Content-Type"] == "application/pdf"

    @pytest.mark.parametrize("outcome", [STANDS, ENDS])
    def test_notices_of_before(self, scene, stranger, referred, client_of, outcome):
        """They are kept, and shown again to whoever may know."""
        referred()
        (dispute,) = guardianships.stop_guardian(stranger, by=scene.parent, is_tied=False, now=scene.now)
        decide(scene, dispute, outcome)
        page = read(client_of(stranger).get(reverse("notifications:inbox")))
        shown = [secret for secret in secrets_of(scene) if secret in page]
        assert bool(shown) == (outcome == STANDS)
        assert Notice.objects.filter(recipient=stranger, kind="referral_issued").exists()
        assert "Шешім" in page  # what concerns them they read

    def test_nor_after_the_registry_ended_it(self, scene, stranger, referred, client_of):
        referred()
        stranger.guardianships.update(ended_at=scene.now)
        page = read(client_of(stranger).get(reverse("notifications:inbox")))
        assert [secret for secret in secrets_of(scene) if secret in page] == []


def test_what_the_stranger_filed_is_binned_by_the_proven_parent(scene, stranger, stopped, client_of):
    address = reverse("applications:delete", args=[scene.application.pk])
    assert client_of(stranger).post(address).status_code == 403
    assert client_of(scene.parent).post(address).status_code == 302
    assert Application.objects.get().state == ApplicationState.ARCHIVED
    assert filing.file_application(
        child=scene.application.child,
        locality=scene.locality,
        languages=["kk"],
        actor=scene.parent,
        now=scene.now,
    )
