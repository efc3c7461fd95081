"""Where the calendar of working days ends: a sentence for users who need a day, and every page still works."""

import logging
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from applications.access import settling
from applications.bidding.ending import reject_bid
from applications.jobs import deadlines
from applications.models import Application, Bid, Referral
from applications.moves import Refused
from applications.referrals import ending, issuing, stops
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, ReferralState
from applications.waiting import filing
from bulletin.models import Holiday, Vacancy
from bulletin.seats import take
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, VacancyFactory
from tests.staff import inside, press, worker_of
from tests.thorough import THOROUGH, pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

FAMILY_PAGES = [
    "alert",
    "switch_alert",
    "application",
    "why",
    "delete",
    "restore",
    "interest",
    "languages",
    "move",
    "withdraw",
    "accept_offer",
    "decline_offer",
    "referral_pdf",
    "extend",
    "claim_benefit",
]


NO_CALENDARS = ["empty", "another year"]


@pytest.fixture(params=NO_CALENDARS)
def no_calendar(request, scene):
    """What takes the calendar away: no row is left, or only those of a year to come."""

    def end():
        Holiday.objects.all().delete()
        if request.param == "another year":
            Holiday.objects.create(date=date(2031, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")

    return end


@pytest.fixture
def bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


@pytest.fixture
def referral(scene, bid):
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def waiting(scene, clock):
    pass


def archived(scene, clock):
    filing.archive(scene.application, actor=scene.parent, now=scene.now)


def bid_placed(scene, clock):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


def rejected(scene, clock):
    bid_placed(scene, clock)
    reject_bid(Bid.objects.get(), actor=scene.staff, reason="Топ жабылды", now=scene.now)


def referred(scene, clock):
    bid_placed(scene, clock)
    issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)


def overdue(scene, clock):
    referred(scene, clock)
    clock.move_to(Referral.objects.get().valid_until)


def enrolled(scene, clock):
    referred(scene, clock)
    ending.sign_contract(Referral.objects.get(), actor=scene.staff, now=scene.now)


def stopped(scene, clock):
    overdue(scene, clock)
    ending.expire_referral(Referral.objects.get(), now=Referral.objects.get().valid_until)


def offered(scene, clock):
    offered_to(scene)


def stop_over(scene, clock):
    stopped(scene, clock)
    clock.move_to(scene.application.stops.get().until)


WAYS = {
    waiting: ApplicationState.WAITING,
    rejected: ApplicationState.WAITING,
    offered: ApplicationState.WAITING,
    archived: ApplicationState.ARCHIVED,
    bid_placed: ApplicationState.BID_PLACED,
    referred: ApplicationState.REFERRED,
    overdue: ApplicationState.REFERRED,
    enrolled: ApplicationState.ENROLLED,
    stopped: ApplicationState.STOP_LISTED,
    stop_over: ApplicationState.WAITING,
}


@pytest.mark.parametrize(
    ("way", "no_calendar"), list(pairs(list(WAYS), NO_CALENDARS)), indirect=["no_calendar"]
)
def test_every_page_of_a_family_is_shown(scene, clock, client_of, no_calendar, way):
    """In a quick run half of the pages in each state, by turns."""
    way(scene, clock)
    no_calendar()
    family = client_of(scene.parent)
    addresses = [
        *(reverse(f"applications:{name}", args=[scene.application.pk]) for name in FAMILY_PAGES),
        *(reverse(f"applications:{name}") for name in ("cabinet", "list", "archive", "new", "bulletin")),
        scene.vacancy.get_absolute_url(),
        reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]),
        reverse("applications:choose_child", args=[scene.vacancy.pk]),
    ]
    own = reverse("applications:application", args=[scene.application.pk])
    some = addresses if THOROUGH else [own, *addresses[list(WAYS).index(way) % 2 :: 2]]
    answers = {address: family.get(address).status_code for address in some}
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    assert answers[own] == 200
    scene.application.refresh_from_db()
    assert scene.application.state == WAYS[way]


def test_the_pages_walked_are_all_that_an_application_has():
    from applications.urls import urlpatterns

    of_one = {
        pattern.name
        for pattern in urlpatterns
        if set(pattern.pattern.converters) == {"pk"}
        and str(pattern.pattern).startswith("cabinet/applications/")
    }
    assert of_one == set(FAMILY_PAGES)


def test_a_referral_ends_as_soon_as_the_calendar_is_there(scene, referral, clock, no_calendar):
    days = list(Holiday.objects.all())
    at = referral.valid_until + timedelta(days=3)
    no_calendar()
    assert settling.settle(Application.objects.get(), now=at).state == ApplicationState.REFERRED
    Holiday.objects.all().delete()
    Holiday.objects.bulk_create(days)
    assert settling.settle(Application.objects.get(), now=at).state == ApplicationState.STOP_LISTED
    assert scene.application.stops.get().starts_at == referral.valid_until


def test_what_is_left_for_later_is_logged_once(scene, referral, no_calendar, caplog):
    no_calendar()
    with caplog.at_level(logging.WARNING):
        for _look in range(3):
            settling.settle(Application.objects.get(), now=referral.valid_until)
            deadlines.settle_what_ran_out(now=referral.valid_until)
    assert [record.getMessage() for record in caplog.records if referral.number in record.getMessage()] == [
        f"referral {referral.number} can't end yet: the calendar of working days is not loaded that far"
    ]


def test_jobs_go_on_with_others(scene, bid):
    """One referral ends inside the calendar, the other's stop would end beyond it."""
    Holiday.objects.filter(date__year=2020).delete()
    beyond = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    Referral.objects.filter(pk=beyond.pk).update(
        issued_at=datetime(2019, 12, 20, tzinfo=ZONE), valid_until=datetime(2019, 12, 28, tzinfo=ZONE)
    )
    other = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
    inside_it = issuing.activate_bid(
        place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now), actor=scene.staff, now=scene.now
    )
    deadlines.settle_what_ran_out(now=datetime(2019, 12, 28, tzinfo=ZONE))
    beyond.refresh_from_db()
    inside_it.refresh_from_db()
    assert (beyond.state, inside_it.state) == (ReferralState.ISSUED, ReferralState.EXPIRED)
    stop = other.stops.get()
    assert stops.lift_stop(stop, now=stop.until).state == ApplicationState.WAITING


class TestEmployees:
    @pytest.fixture
    def desk(self, scene):
        return inside(worker_of(scene.group.kindergarten))

    def said(self, answer):
        return [str(message) for message in get_messages(answer.wsgi_request)]

    def test_an_activation_is_refused_in_words(self, desk, bid, no_calendar):
        no_calendar()
        answer = desk.post(reverse("admin:applications_bid_work", args=[bid.pk, "activate"]))
        assert self.said(answer) == [str(Refusal.CALENDAR.label)]
        assert Bid.objects.get().state == BidState.PENDING

    def test_so_are_many_at_once(self, desk, scene, bid, no_calendar):
        other = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
        second = place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now)
        no_calendar()
        answer = desk.post(
            reverse("admin:applications_bid_changelist"),
            {
                "action": "activate_selected",
                "_selected_action": [str(bid.pk), str(second.pk)],
                "confirmed": "yes",
            },
        )
        (sentence,) = self.said(answer)
        assert ": 2." in sentence
        assert str(Refusal.CALENDAR.label) in sentence
        assert set(Bid.objects.values_list("state", flat=True)) == {BidState.PENDING}

    def test_a_publication_is_refused_in_words(self, scene, no_calendar):
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            opens_at=scene.now + timedelta(days=20),
        )
        desk = inside(worker_of(scene.group.kindergarten))
        no_calendar()
        work = reverse("admin:bulletin_vacancy_work", args=[draft.pk, "publish"])
        assert self.said(press(desk, work)) == [str(Refusal.CALENDAR.label)]
        answer = desk.post(
            reverse("admin:bulletin_vacancy_changelist"),
            {"action": "publish_selected", "_selected_action": [str(draft.pk)], "confirmed": "yes"},
        )
        assert any(str(Refusal.CALENDAR.label) in sentence for sentence in self.said(answer))
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT

    def test_their_pages_are_shown(self, desk, scene, referral, clock, no_calendar):
        clock.move_to(referral.valid_until)
        desk = inside(worker_of(scene.group.kindergarten))
        no_calendar()
        for address in (
            reverse("admin:index"),
            reverse("admin:applications_referral_changelist"),
            reverse("admin:applications_referral_change", args=[referral.pk]),
            reverse("admin:applications_bid_changelist"),
        ):
            assert desk.get(address).status_code == 200


class TestPress:
    # A press is a transaction of its own, and it fails here.
    @pytest.mark.django_db(transaction=True)
    def test_a_family_reads_that_nothing_was_sent(self, scene, client_of, no_calendar):
        family = client_of(scene.parent)
        no_calendar()
        answer = family.post(
            reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]),
            {"application": str(scene.application.pk)},
        )
        assert answer.status_code == 409
        assert str(Refusal.NO_LAST_DAY.label) in unescape(answer.content.decode())
        assert not Bid.objects.exists()
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.seats_taken == 0

    def test_collected_bids_need_no_day(self, scene, client_of, no_calendar):
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=scene.now + timedelta(days=2))
        family = client_of(scene.parent)
        no_calendar()
        family.post(
            reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]),
            {"application": str(scene.application.pk)},
        )
        assert Bid.objects.get().state == BidState.PENDING

    def test_step_by_step_is_refused_alike(self, scene, no_calendar):
        no_calendar()
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.CALENDAR):
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert not Bid.objects.exists()
        assert take(scene.vacancy)
