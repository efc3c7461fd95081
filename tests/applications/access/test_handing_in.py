"""Papers that began to come before the end of the last day are in time, whatever happens until they are looked at."""

from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts import uploads
from accounts.safe_copy import Cause, Copy, FileType, Refused
from applications.access.handing_in import note_handing_in
from applications.jobs import deadlines
from applications.models import PAPERS_ON_THEIR_WAY, Extension, Referral, StopListEntry
from applications.referrals.ending import expire_referral
from applications.referrals.issuing import activate_bid
from applications.states import ReferralState
from balabaqsha.serving.contract import QUESTION
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

END = datetime(2019, 7, 4, tzinfo=ZONE)
MICROSECOND = timedelta(microseconds=1)
ANSWERS = {"until": "02.08.2019", "reason": "illness", "explanation": "", "confirmed": "on"}


@pytest.fixture
def referral(clock, scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return activate_bid(bid, actor=scene.staff, now=scene.now)


@pytest.fixture
def address(scene):
    return reverse("applications:extend", args=[scene.application.pk])


@pytest.fixture
def send(client_of, scene, referral, address, clock):
    """Press the button at an instant; what `meanwhile` does happens while the file is looked at."""

    def press(at, *, user=None, **options):
        clock.move_to(at)
        files = {"documents": [SimpleUploadedFile("a.pdf", b"x")]}
        return client_of(user or scene.parent).post(address, ANSWERS | files, **options)

    return press


@pytest.fixture
def looking(monkeypatch):
    """What happens while the file is looked at, and what is found."""

    def during(happens=lambda: None, *, cause: Cause | None = None):
        def safe_copy(content, **options):
            happens()
            if cause is not None:
                raise Refused(cause)
            return Copy(content=b"%PDF-", file_type=FileType.PDF)

        monkeypatch.setattr(uploads, "safe_copy", safe_copy)

    during()
    return during


def free_seats() -> int:
    return Vacancy.objects.get().seats_free


def sweep(clock, at):
    """The minute's job at `at`: how many referrals it ended."""
    clock.move_to(at)
    before = StopListEntry.objects.count()
    deadlines.settle_what_ran_out(now=at)
    return StopListEntry.objects.count() - before


def test_in_the_last_microsecond_it_is_in_time_however_long_the_look_takes(send, looking, clock):
    looking(lambda: clock.move_to(END + timedelta(seconds=20)))
    assert send(END - MICROSECOND).status_code == 302
    extension = Extension.objects.get()
    assert extension.made_at == END - MICROSECOND
    assert extension.referral.valid_until == datetime(2019, 8, 3, tzinfo=ZONE)


def test_a_microsecond_later_it_is_late(send, looking):
    response = send(END)
    assert response.status_code == 200
    assert "form" not in response.context
    assert not Extension.objects.exists()
    assert Referral.objects.get().handed_in_at is None


def test_a_job_that_comes_by_meanwhile_leaves_the_referral_alone(send, looking, clock):
    seats = free_seats()
    looking(lambda: sweep(clock, END + timedelta(seconds=10)))
    assert send(END - MICROSECOND).status_code == 302
    assert Referral.objects.get().state == ReferralState.ISSUED
    assert free_seats() == seats


def test_control_without_the_note_the_job_would_take_the_place_away(send, looking, clock):
    def meanwhile():
        Referral.objects.update(handed_in_at=None)
        sweep(clock, END + timedelta(seconds=10))

    looking(meanwhile)
    seats = free_seats()
    assert send(END - MICROSECOND).status_code == 200
    assert Referral.objects.get().state == ReferralState.EXPIRED
    assert free_seats() == seats + 1


def test_a_large_body_counts_from_the_question_whether_it_may_come(send, looking, clock):
    """The gateway asks with the head; the body comes minutes later, and jobs come by in between."""
    question = {QUESTION: "body"}
    assert send(END - MICROSECOND, **question).status_code == 204
    assert sweep(clock, END + timedelta(minutes=1)) == 0
    assert send(END + timedelta(minutes=14)).status_code == 302
    assert Extension.objects.get().made_at == END - MICROSECOND


def test_a_question_that_comes_too_late_holds_nothing(send, looking, clock):
    send(END, **{QUESTION: "body"})
    assert sweep(clock, END + MICROSECOND) == 1


def test_pages_that_are_looked_at_meanwhile_end_nothing(send, looking, clock, client_of, scene):
    note_handing_in(scene.parent, scene.application.pk, now=END - MICROSECOND)
    clock.move_to(END + timedelta(minutes=5))
    page = client_of(scene.parent).get(scene.application.get_absolute_url())
    assert page.status_code == 200
    assert Referral.objects.get().state == ReferralState.ISSUED


class TestAnotherFile:
    """Who sent a file in time and reads that it can't be taken chooses another one."""

    @pytest.fixture
    def refused(self, send, looking):
        looking(cause=Cause.DAMAGED)
        response = send(END - MICROSECOND)
        assert list(response.context["form"].errors) == ["documents"]
        looking()

    def test_the_page_says_until_when(self, refused, clock, client_of, scene, address):
        clock.move_to(END + timedelta(minutes=1))
        response = client_of(scene.parent).get(address)
        assert response.context["choose_until"] == "00:19"
        assert "00:19" in response.content.decode()

    def test_until_then(self, refused, send):
        assert send(END - 2 * MICROSECOND + PAPERS_ON_THEIR_WAY).status_code == 302

    def test_and_no_longer(self, refused, send, clock):
        late = END - MICROSECOND + PAPERS_ON_THEIR_WAY
        assert sweep(clock, late - MICROSECOND) == 0
        answer = send(late)
        assert answer.status_code == 200
        assert "form" not in answer.context
        assert not Extension.objects.exists()
        assert Referral.objects.get().state == ReferralState.EXPIRED

    def test_trying_again_after_the_end_wins_no_time(self, refused, send, looking):
        looking(cause=Cause.DAMAGED)
        send(END + timedelta(minutes=10))
        assert Referral.objects.get().handed_in_at == END - MICROSECOND


class TestNote:
    def note(self, user, scene, *, at=END - MICROSECOND):
        note_handing_in(user, scene.application.pk, now=at)
        return Referral.objects.get().handed_in_at

    def test_the_last_one_in_time_counts(self, scene, referral):
        assert self.note(scene.parent, scene, at=END - timedelta(hours=1)) == END - timedelta(hours=1)
        assert self.note(scene.parent, scene) == END - MICROSECOND
        assert self.note(scene.parent, scene, at=END) == END - MICROSECOND

    def test_a_stranger_holds_nothing(self, scene, referral):
        assert self.note(UserFactory.create(), scene) is None

    def test_visitors_and_other_pages_note_nothing(self, send, client, client_of, scene, address, clock):
        clock.move_to(END - MICROSECOND)
        client.post(address, ANSWERS)
        family = client_of(scene.parent)
        family.get(address)
        family.post(reverse("applications:claim_benefit", args=[scene.application.pk]))
        assert Referral.objects.get().handed_in_at is None

    def test_an_old_note_holds_nothing(self, scene, referral):
        self.note(scene.parent, scene, at=END - PAPERS_ON_THEIR_WAY)
        assert deadlines.settle_what_ran_out(now=END) == 1

    def test_after_the_contract_nothing_is_noted(self, scene, referral):
        Referral.objects.update(state=ReferralState.SIGNED)
        assert self.note(scene.parent, scene) is None

    def test_the_clock_that_was_set_back_holds_nothing(self, scene, referral):
        """A note from the future is none."""
        Referral.objects.update(handed_in_at=END + timedelta(days=1))
        assert expire_referral(Referral.objects.get(), now=END).state == "stop_listed"
