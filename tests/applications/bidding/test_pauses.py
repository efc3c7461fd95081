"""A pause of bidding: what families see and can't do, and the official's two buttons."""

import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import gettext

from accounts.roles import Role
from applications.bidding import resuming
from applications.bidding.award import award_collected
from applications.bidding.eligibility import why_not
from applications.bidding.ending import withdraw_bid
from applications.jobs import telling
from applications.jobs.deadlines import award_bids
from applications.jobs.telling import tell_moved_openings
from applications.models import Application, Bid, PriorityCutoff
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import MovedOpening, Pause, Vacancy
from bulletin.services import pause_bidding, resume_bidding
from notifications.clock import read_clock
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, LocalityFactory, VacancyFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

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


def button(response):
    [label] = re.findall(r'<button class="work" type="submit">(.*?)</button>', text(response))
    return label


def opened(at):
    """The place was published long ago and opened at that instant."""
    Vacancy.objects.update(published_at=at - timedelta(days=9), opens_at=at)


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

    def test_after_the_pause_bids_are_accepted_again(self, scene, pause, official, family, clock):
        opened(scene.now - timedelta(days=2))
        resume_bidding(pause, actor=official, now=scene.now + timedelta(hours=1))
        clock.move_to(scene.now + timedelta(hours=1))
        address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        assert family.post(address).status_code == 302
        assert Bid.objects.get().state == BidState.PENDING

    @pytest.mark.parametrize("since_opening", [timedelta(hours=-1), timedelta(hours=1)])
    def test_a_stopped_opening_is_refused_up_to_its_new_time(self, scene, pause, official, since_opening):
        """The page and the press agree to the microsecond."""
        opened(scene.now - since_opening)
        resume_bidding(pause, actor=official, now=scene.now + timedelta(hours=11))
        vacancy = Vacancy.objects.get()
        # By then it is the small hours of the 27th.
        assert vacancy.opens_at == scene.now - since_opening + timedelta(days=2)
        before = vacancy.opens_at - timedelta(microseconds=1)
        assert why_not(scene.application, vacancy, now=before) == Refusal.NOT_OPEN_YET
        assert why_not(scene.application, vacancy, now=vacancy.opens_at) is None
        with pytest.raises(Refused):
            place_bid(scene.application, vacancy, actor=scene.parent, now=before)
        place_bid(scene.application, vacancy, actor=scene.parent, now=vacancy.opens_at)

    @pytest.mark.parametrize(("prefix", "notice"), [("", "notice_kk"), ("/ru", "notice_ru")])
    def test_everyone_reads_the_new_opening_at_the_place(
        self, family, client, scene, pause, official, prefix, notice
    ):
        resume_bidding(pause, actor=official, now=scene.now + timedelta(hours=1))
        address = prefix + scene.vacancy.get_absolute_url()
        for browser in (family, client):
            page = browser.get(address).content.decode()
            page = unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))
            assert "26.06.2019 09:00" in page
            assert "27.06.2019 09:00" in page
            assert NOTICES[notice] in page

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
            assert list(page.context["listings"]) == []
        assert len(family.get(reverse("applications:bulletin")).context["listings"]) == 1


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


class TestTelling:
    """Everyone whom a moved place suits is told once for each pause, by SMS where it opens to them then."""

    def other(self, scene, **fields):
        values = {"locality": scene.locality, "child__birth_date": date(2017, 1, 1)} | fields
        return ApplicationFactory(**values)

    def resumed(self, pause, official, *, at, new_opening=None):
        return resuming.resume(pause, new_opening=new_opening, actor=official, now=at)

    def kinds(self, application):
        return list(Notice.objects.filter(recipient=application.filed_by).values_list("kind", flat=True))

    def test_all_who_match_and_nobody_else(self, scene, pause, official):
        same = self.other(scene)
        strangers = [
            self.other(scene, child__birth_date=date(2016, 1, 1)),
            self.other(scene, languages=["kk"]),
            self.other(scene, locality=LocalityFactory(slug="kentau")),
            self.other(scene, state=ApplicationState.LAPSED),
        ]
        later = scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        assert tell_moved_openings(now=later) == 2
        assert self.kinds(scene.application) == self.kinds(same) == ["opening_moved"]
        assert [self.kinds(one) for one in strangers] == [[], [], [], []]
        text_of_it = Notice.objects.get(recipient=scene.parent).text_ru
        assert "27.06.2019 09:00" in text_of_it
        assert Message.objects.filter(recipient=scene.parent, kind="opening_moved").count() == 1

    def test_once_however_often_it_runs(self, scene, pause, official):
        later = scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        assert tell_moved_openings(now=later) == 1
        assert tell_moved_openings(now=later) == 0
        MovedOpening.objects.update(told_at=None)
        tell_moved_openings(now=later)
        assert self.kinds(scene.application) == ["opening_moved"]

    def test_one_message_for_many_places_of_a_pause(self, scene, pause, official):
        for number in range(7):
            VacancyFactory(
                group=scene.group, opens_at=scene.now - timedelta(hours=number), birth_years=[2017, 2016]
            )
        later = scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        tell_moved_openings(now=later)
        notice = Notice.objects.get(recipient=scene.parent)
        assert notice.text_kk.count("Солнце") == 5
        assert "орындар: 3" in notice.text_kk

    def test_behind_the_priority_window_there_is_no_sms(self, scene, pause, official):
        Vacancy.objects.update(priority_until=scene.now + timedelta(days=3))
        head = self.other(scene, filed_at=scene.application.filed_at - timedelta(days=1))
        PriorityCutoff.objects.create(
            vacancy=scene.vacancy,
            birth_year=2017,
            tier=head.tier,
            filed_at=head.filed_at,
            sequence=head.sequence,
        )
        later = scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        tell_moved_openings(now=later)
        assert self.kinds(head) == ["opening_moved"]
        assert self.kinds(scene.application) == ["opening_moved_behind"]
        assert not Message.objects.filter(recipient=scene.parent).exists()

    def test_the_heads_of_the_queue_are_read_once_for_all_families(self, scene, pause, official):
        Vacancy.objects.update(priority_until=scene.now + timedelta(days=3))
        for _number in range(3):
            self.other(scene)
        later = scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        with CaptureQueriesContext(connection) as queries:
            assert tell_moved_openings(now=later) == 4
        of_heads = 'FROM "applications_prioritycutoff"'
        assert sum(of_heads in query["sql"] for query in queries.captured_queries) == 1

    def test_one_bad_row_holds_up_nobody_and_is_tried_again(self, scene, pause, official, monkeypatch):
        other, later = self.other(scene), scene.now + timedelta(hours=1)
        self.resumed(pause, official, at=later)
        remind = telling.remind

        def broken(application, *args, **kwargs):
            if application == other:
                raise RuntimeError
            remind(application, *args, **kwargs)

        monkeypatch.setattr(telling, "remind", broken)
        assert tell_moved_openings(now=later) == 1
        monkeypatch.undo()
        tell_moved_openings(now=later)
        assert self.kinds(scene.application) == self.kinds(other) == ["opening_moved"]
        assert tell_moved_openings(now=later) == 0

    @pytest.mark.parametrize(("late", "told"), [(timedelta(microseconds=-1), 1), (timedelta(0), 0)])
    def test_up_to_the_opening_itself(self, scene, pause, official, late, told):
        self.resumed(pause, official, at=scene.now + timedelta(hours=1))
        assert tell_moved_openings(now=MovedOpening.objects.get().becomes + late) == told

    def test_who_moved_it_again_is_believed(self, scene, pause, official):
        self.resumed(pause, official, at=scene.now + timedelta(hours=1))
        Vacancy.objects.update(opens_at=scene.now + timedelta(days=9))
        assert tell_moved_openings(now=scene.now + timedelta(hours=1)) == 0


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
        desk.post(resume_url(Pause.objects.get()), {"day": "2019-06-27", "at": "", "confirmed": "yes"})
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

    def test_resuming_asks_first(self, official, scene, pause, clock):
        clock.move_to(scene.now + timedelta(minutes=10))
        desk = inside(official)
        empty = desk.get(resume_url(pause))
        assert empty.context["form"].initial == {"day": date(2019, 6, 27)}
        # What the button does is written on it: it shows first, and does then.
        assert button(empty) == gettext("Continue")
        data = {"day": "2019-06-27", "at": ""}
        asked = desk.post(resume_url(pause), data)
        assert button(asked) == gettext("Resume bidding")
        assert [row["value"] for row in asked.context["effect"]] == [
            "26.06.2019 09:00 → 27.06.2019 09:00",
            0,
        ]
        pause.refresh_from_db()
        assert pause.ended_at is None
        assert desk.post(resume_url(pause), data | {"confirmed": "yes"}).status_code == 302
        pause.refresh_from_db()
        assert pause.ended_by == official
        assert resume_url(pause) not in text(
            desk.get(reverse("admin:bulletin_pause_change", args=[pause.pk]))
        )
        assert desk.post(resume_url(pause)).status_code == 302

    @pytest.mark.parametrize(
        ("day", "at"),
        [
            ("2019-06-26", "17:29"),  # an hour after now, less a minute
            ("2019-06-25", ""),
            ("0001-01-01", "00:00"),
            ("2019-07-28", ""),  # more than a month ahead
            ("", ""),
            ("2019-06-27", "25:00"),
            ("tomorrow", ""),
        ],
    )
    def test_a_new_opening_that_nobody_could_hear_of_is_refused(self, official, scene, pause, clock, day, at):
        clock.move_to(scene.now + timedelta(minutes=10))
        desk = inside(official)
        for confirmed in ({}, {"confirmed": "yes"}):
            answer = desk.post(resume_url(pause), {"day": day, "at": at} | confirmed)
            assert answer.status_code == 200
            assert answer.context["form"].errors
        assert Pause.objects.get().ended_at is None
        assert not MovedOpening.objects.exists()

    @pytest.mark.parametrize(("day", "at"), [("2019-06-26", "17:30"), ("2019-07-27", "")])
    def test_the_earliest_and_the_latest_one_are_accepted(self, official, scene, pause, clock, day, at):
        clock.move_to(scene.now + timedelta(minutes=10))
        desk = inside(official)
        desk.post(resume_url(pause), {"day": day, "at": at, "confirmed": "yes"})
        moved = MovedOpening.objects.get()
        expected = datetime.fromisoformat(f"{day} {at or '09:00'}").replace(tzinfo=ZONE)
        assert moved.becomes == expected

    def test_without_a_stopped_opening_the_day_does_not_matter(self, official, scene, pause, clock):
        clock.move_to(scene.now + timedelta(minutes=10))
        opened(scene.now - timedelta(days=3))
        desk = inside(official)
        asked = desk.post(resume_url(pause), {"day": "2019-06-26", "at": ""})
        assert [row["value"] for row in asked.context["effect"]] == [1]
        desk.post(resume_url(pause), {"day": "2019-06-26", "at": "", "confirmed": "yes"})
        assert Pause.objects.get().ended_at is not None

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
