"""A pause of bidding: what families see and can't do, and the official's two buttons."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from accounts.roles import Role
from applications.bidding.award import award_collected
from applications.bidding.eligibility import why_not
from applications.bidding.ending import withdraw_bid
from applications.jobs.deadlines import award_bids
from applications.models import Application, Bid
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import Pause, Vacancy
from bulletin.services import pause_bidding, resume_bidding
from notifications.clock import read_clock
from tests.applications.bidding.reference import place_bid
from tests.factories import LocalityFactory, VacancyFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADD = reverse("admin:bulletin_pause_add")
NOTICES = {"notice_kk": "Серверді жөндеу <b>", "notice_ru": "Ремонт сервера <b>"}


@pytest.fixture
def official(db):
    return employee(Role.OFFICIAL)


@pytest.fixture
def pause(scene, official):
    return pause_bidding(locality=scene.locality, **NOTICES, actor=official, now=scene.now)


@pytest.fixture
def family(scene, client_of):
    return client_of(scene.parent)


def text(response):
    return unescape(response.content.decode())


def resume_url(pause):
    return reverse("admin:bulletin_pause_work", args=[pause.pk, "resume"])


class TestFamilies:
    def test_no_bid_is_accepted_and_the_reason_is_said(self, scene, pause):
        assert why_not(scene.application, scene.vacancy, now=scene.now) == Refusal.PAUSED
        with pytest.raises(Refused) as refused:
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert refused.value.reason == Refusal.PAUSED
        assert not Bid.objects.exists()

    def test_a_pause_elsewhere_stops_nobody_here(self, scene, official):
        pause_bidding(locality=LocalityFactory(slug="kentau"), **NOTICES, actor=official, now=scene.now)
        assert why_not(scene.application, scene.vacancy, now=scene.now) is None

    def test_a_bid_already_sent_stays(self, scene, official):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        pause_bidding(locality=None, **NOTICES, actor=official, now=scene.now)
        bid.refresh_from_db()
        assert (bid.state, bid.holds_seat) == (BidState.PENDING, True)

    def test_after_the_pause_bids_are_accepted_again(self, scene, pause, official):
        resume_bidding(pause, actor=official, now=scene.now + timedelta(hours=1))
        vacancy = Vacancy.objects.get()
        place_bid(scene.application, vacancy, actor=scene.parent, now=scene.now + timedelta(hours=1))

    @pytest.mark.parametrize(("prefix", "notice"), [("", "notice_kk"), ("/ru", "notice_ru")])
    def test_the_notice_is_on_the_pages(self, family, client, scene, pause, prefix, notice):
        for url in (reverse("applications:bulletin"), scene.vacancy.get_absolute_url()):
            for browser in (family, client):
                page = browser.get(prefix + url)
                assert page.status_code == 200
                assert NOTICES[notice] in text(page)
                assert "<b>" not in page.content.decode()

    def test_the_button_gives_way_to_the_reason(self, family, scene, pause):
        apply_url = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        page = text(family.get(scene.vacancy.get_absolute_url()))
        assert apply_url not in page
        assert str(Refusal.PAUSED.label) in page
        refused = family.post(apply_url)
        assert refused.status_code == 409
        assert str(Refusal.PAUSED.label) in text(refused)

    def test_nothing_is_available_meanwhile(self, family, scene, pause):
        for status in ("open", "me"):
            page = family.get(reverse("applications:bulletin"), {"status": status})
            assert list(page.context["offers"]) == []
        assert len(family.get(reverse("applications:bulletin")).context["offers"]) == 1


class TestCollectedBids:
    def test_the_award_waits_for_the_deadline_that_the_pause_moves(self, scene, official):
        closes = scene.now + timedelta(hours=1)
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=closes)
        bid = place_bid(scene.application, Vacancy.objects.get(), actor=scene.parent, now=scene.now)
        pause = pause_bidding(locality=None, **NOTICES, actor=official, now=scene.now)
        later = scene.now + timedelta(hours=2)
        assert award_bids(now=later) == 0
        assert award_collected(Vacancy.objects.get(), now=later) == 0
        resume_bidding(pause, actor=official, now=later)
        assert award_bids(now=closes + timedelta(hours=2, microseconds=-1)) == 0
        assert award_bids(now=closes + timedelta(hours=2)) == 1
        bid.refresh_from_db()
        assert bid.holds_seat
        assert Application.objects.get().state == ApplicationState.BID_PLACED

    def test_what_was_awarded_does_not_open_again(self, scene, official):
        """The pause read the clock before the end, and was there only after the award had not seen it."""
        closes = scene.now + timedelta(hours=1)
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=closes)
        bid = place_bid(scene.application, Vacancy.objects.get(), actor=scene.parent, now=scene.now)
        assert award_bids(now=closes) == 1
        withdraw_bid(bid, actor=scene.parent, now=closes)
        begun, ended = closes - timedelta(seconds=1), closes + timedelta(hours=1)
        pause = pause_bidding(locality=None, **NOTICES, actor=official, now=begun)
        assert why_not(scene.application, Vacancy.objects.get(), now=closes) == Refusal.PAUSED
        assert resume_bidding(pause, actor=official, now=ended) == []
        vacancy = Vacancy.objects.get()
        assert (vacancy.closes_at, vacancy.awarded_at) == (closes, closes)
        assert why_not(Application.objects.get(), vacancy, now=ended) == Refusal.CLOSED

    def test_what_nobody_wanted_opens_again_for_the_time_it_lost(self, scene, official):
        closes = scene.now + timedelta(hours=1)
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=closes)
        assert award_bids(now=closes) == 0
        begun, ended = closes - timedelta(seconds=1), closes + timedelta(hours=1)
        pause = pause_bidding(locality=None, **NOTICES, actor=official, now=begun)
        assert [one.closes_at for one in resume_bidding(pause, actor=official, now=ended)] == [
            closes + (ended - begun)
        ]


class TestOfficialsPages:
    def test_beginning_asks_shows_the_effect_and_then_begins(self, official, scene):
        desk = inside(official)
        VacancyFactory(group=scene.group, state=Vacancy.State.DRAFT)
        data = NOTICES | {"locality": str(scene.locality.pk)}
        assert desk.get(ADD).status_code == 200
        asked = desk.post(ADD, data)
        assert [row["value"] for row in asked.context["effect"]][-1] == 1
        assert not Pause.objects.exists()
        done = desk.post(ADD, data | {"confirmed": "yes"})
        pause = Pause.objects.get()
        assert done["Location"] == reverse("admin:bulletin_pause_change", args=[pause.pk])
        assert (pause.locality, pause.started_by, pause.started_at) == (scene.locality, official, scene.now)
        assert resume_url(pause) in text(desk.get(done["Location"]))

    def test_it_begins_and_ends_by_the_clock_that_decides_over_bids(self, official, settings, clock):
        settings.DATABASE_CLOCK = True
        before = read_clock()
        clock.move_to(before - timedelta(hours=1))
        desk = inside(official)
        desk.post(ADD, NOTICES | {"locality": "", "confirmed": "yes"})
        desk.post(resume_url(Pause.objects.get()))
        pause = Pause.objects.get()
        assert before < pause.started_at < pause.ended_at < read_clock()

    def test_everywhere_is_the_choice_without_a_locality(self, official):
        inside(official).post(ADD, NOTICES | {"locality": "", "confirmed": "yes"})
        assert Pause.objects.get().locality is None

    @pytest.mark.parametrize(
        "change",
        [
            {"notice_kk": ""},
            {"notice_ru": "   "},
            {"notice_kk": "а" * 301},
            {"notice_kk": "\x00"},
            {"locality": "0"},
            {"locality": "' OR 1=1"},
        ],
    )
    def test_mistakes_are_said(self, official, scene, change):
        answer = inside(official).post(ADD, NOTICES | {"locality": "", "confirmed": "yes"} | change)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert not Pause.objects.exists()

    def test_a_second_pause_of_the_place_is_refused_in_words(self, official, scene, pause):
        answer = inside(official).post(ADD, NOTICES | {"locality": scene.locality.pk, "confirmed": "yes"})
        assert answer.status_code == 200
        assert answer.context["form"].non_field_errors()
        assert Pause.objects.count() == 1

    def test_resuming_asks_first(self, official, pause, clock):
        desk = inside(official)
        assert desk.get(resume_url(pause)).status_code == 200
        pause.refresh_from_db()
        assert pause.ended_at is None
        assert desk.post(resume_url(pause)).status_code == 302
        pause.refresh_from_db()
        assert pause.ended_by == official
        assert resume_url(pause) not in text(
            desk.get(reverse("admin:bulletin_pause_change", args=[pause.pk]))
        )
        assert desk.post(resume_url(pause)).status_code == 302

    def test_a_running_pause_can_not_be_edited_or_deleted(self, official, pause):
        desk = inside(official)
        assert desk.post(reverse("admin:bulletin_pause_change", args=[pause.pk]), NOTICES).status_code == 403
        assert desk.post(reverse("admin:bulletin_pause_delete", args=[pause.pk])).status_code == 403
        assert Pause.objects.filter(ended_at=None).exists()

    def test_kindergarten_workers_have_no_part_in_it(self, scene, pause):
        desk = inside(worker_of(scene.group.kindergarten))
        assert desk.get(ADD).status_code == 403
        assert desk.post(ADD, NOTICES | {"confirmed": "yes"}).status_code == 403
        assert desk.get(reverse("admin:bulletin_pause_changelist")).status_code == 403
        assert desk.post(resume_url(pause)).status_code == 403
        assert Pause.objects.filter(ended_at=None).count() == 1

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_pages_are_there_in_both_languages(self, official, pause, prefix):
        desk = inside(official)
        pages = [
            ADD,
            reverse("admin:bulletin_pause_changelist"),
            reverse("admin:bulletin_pause_change", args=[pause.pk]),
            resume_url(pause),
        ]
        assert [desk.get(prefix + url).status_code for url in pages] == [200] * 4
