"""«Мүдделілікті растау»: the yearly campaign, its reminders, who lapses, who comes back and until when."""

from datetime import UTC, date, datetime, timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from applications.access import settling
from applications.bidding import ending
from applications.bidding.eligibility import why_not
from applications.bidding.offers import decline_offer
from applications.jobs import deadlines, telling
from applications.models import Application, Event, Offer, Rules
from applications.moves import Refused
from applications.queue.position import position
from applications.referrals import issuing
from applications.refusals import Refusal
from applications.rules.interest import Stage, campaign_of, ended_campaign, next_campaign, running_campaign
from applications.states import ApplicationState, Move, OfferState
from applications.waiting import confirming, filing
from applications.waiting.campaigns import campaign_asking, ended_campaign_for
from notifications.models import Message, Notice
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, LocalityFactory, reckon_all

pytestmark = pytest.mark.usefixtures("scene_once")

MICROSECOND = timedelta(microseconds=1)
# The manual's values: by 1 October, from 60 days before, 90 days of grace.
BEGINS = datetime(2019, 8, 2, tzinfo=ZONE)
ENDS = datetime(2019, 10, 2, tzinfo=ZONE)
GRACE_ENDS = datetime(2019, 12, 31, tzinfo=ZONE)
FRIDAY = datetime(2019, 9, 27, tzinfo=ZONE)


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def state_of(application):
    application.refresh_from_db()
    return application.state


@pytest.fixture
def waiting(scene):
    """Filed and confirmed long before the campaign of 2019."""
    Application.objects.filter(pk=scene.application.pk).update(
        interest_confirmed_at=scene.application.filed_at
    )
    reckon_all()
    scene.application.refresh_from_db()
    return scene.application


@pytest.fixture
def lapsed(waiting):
    return confirming.lapse(waiting, now=ENDS)


class TestCampaign:
    """Pure: no database."""

    def campaign(self, *rules, year=2019):
        place = LocalityFactory.build(pk=1)
        return campaign_of(year, rules, locality=place)

    def test_without_rules_the_manuals_values_hold(self):
        campaign = self.campaign()
        assert (campaign.begins_at, campaign.ends_at) == (BEGINS, ENDS)
        assert campaign.grace_ends_at == GRACE_ENDS
        assert (campaign.last_day, campaign.last_grace_day) == (date(2019, 10, 1), date(2019, 12, 30))
        assert campaign.begins_at.tzinfo == UTC

    @pytest.mark.parametrize(
        ("now", "stage"),
        [
            (BEGINS - MICROSECOND, Stage.AHEAD),
            (BEGINS, Stage.RUNNING),
            (ENDS - MICROSECOND, Stage.RUNNING),
            (ENDS, Stage.GRACE),
            (GRACE_ENDS - MICROSECOND, Stage.GRACE),
            (GRACE_ENDS, Stage.OVER),
        ],
    )
    def test_the_stages_change_at_the_microsecond(self, now, stage):
        assert self.campaign().stage(now=now) == stage

    def test_days_are_those_of_the_locality(self):
        place = LocalityFactory.build(pk=1, timezone="Europe/London")
        campaign = campaign_of(2019, [], locality=place)
        assert campaign.ends_at == datetime(2019, 10, 1, 23, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("now", "name"),
        [
            (BEGINS - MICROSECOND, None),
            (BEGINS, "start"),
            (BEGINS + timedelta(days=3) - MICROSECOND, "start"),
            (BEGINS + timedelta(days=3), None),
            (datetime(2019, 9, 17, tzinfo=ZONE) - MICROSECOND, None),
            (datetime(2019, 9, 17, tzinfo=ZONE), "14"),
            (datetime(2019, 9, 29, tzinfo=ZONE) - MICROSECOND, None),
            (datetime(2019, 9, 29, tzinfo=ZONE), "2"),
            (ENDS - MICROSECOND, "2"),
            (ENDS, None),
        ],
    )
    def test_reminders_at_the_start_14_and_2_days_before(self, now, name):
        assert self.campaign().reminder(now=now) == name

    def test_confirmed_from_the_first_microsecond_on(self):
        assert self.campaign().is_confirmed(BEGINS)
        assert not self.campaign().is_confirmed(BEGINS - MICROSECOND)

    def test_it_may_begin_in_the_year_before(self):
        rules = [Rules(valid_from=date(2018, 1, 1), interest_month=1, interest_day=10)]
        place = LocalityFactory.build(pk=1)
        campaign = running_campaign(rules, locality=place, now=datetime(2018, 12, 1, tzinfo=ZONE))
        assert (campaign.year, campaign.last_day) == (2019, date(2019, 1, 10))

    def test_rules_that_come_while_it_runs_change_nothing(self):
        later = Rules(valid_from=date(2019, 8, 3), interest_month=9, interest_day=1, interest_grace_days=7)
        assert self.campaign(later) == self.campaign()

    def test_rules_that_come_before_it_begins_decide(self):
        earlier = Rules(valid_from=date(2019, 8, 2), interest_grace_days=7)
        assert self.campaign(earlier).last_grace_day == date(2019, 10, 8)

    def test_nobody_is_asked_with_less_time_than_the_rules_give(self):
        late = Rules(valid_from=date(2019, 7, 1), interest_month=8, interest_day=1)
        assert self.campaign(late) is None
        assert self.campaign(late, year=2020).last_day == date(2020, 8, 1)

    def test_a_localitys_own_rules_win(self):
        rules = [
            Rules(valid_from=date(2019, 1, 1), interest_month=11),
            Rules(valid_from=date(2019, 1, 1), locality_id=1, interest_month=12),
            Rules(valid_from=date(2019, 1, 1), locality_id=2, interest_month=6),
        ]
        assert self.campaign(*rules).last_day == date(2019, 12, 1)

    def test_which_campaign_is_over_and_which_is_next(self):
        place = LocalityFactory.build(pk=1)
        assert ended_campaign([], locality=place, now=ENDS).year == 2019
        assert ended_campaign([], locality=place, now=ENDS - MICROSECOND).year == 2018
        assert next_campaign([], locality=place, now=BEGINS - MICROSECOND).year == 2019
        assert next_campaign([], locality=place, now=BEGINS).year == 2020
        assert running_campaign([], locality=place, now=ENDS) is None

    def test_none_is_over_while_the_first_that_the_rules_give_is_ahead(self):
        place = LocalityFactory.build(pk=1)
        rules = [Rules(valid_from=date(2018, 7, 1), interest_month=8, interest_day=1)]
        over = campaign_of(2019, rules, locality=place).ends_at
        assert ended_campaign(rules, locality=place, now=over - MICROSECOND) is None
        assert ended_campaign(rules, locality=place, now=over).year == 2019


@pytest.mark.django_db
class TestLapse:
    def test_who_did_not_confirm_lapses_when_the_last_day_is_over(self, waiting, scene):
        assert confirming.lapse(waiting, now=ENDS - MICROSECOND).state == ApplicationState.WAITING
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.LAPSED
        assert position(scene.application, now=ENDS) is not None
        scene.application.refresh_from_db()
        assert position(scene.application, now=ENDS) is None
        assert why_not(scene.application, scene.vacancy, now=ENDS) == Refusal.LAPSED

    def test_the_family_is_told_until_when_it_can_come_back(self, lapsed, scene):
        notice = Notice.objects.get(kind="interest_lapsed", recipient=scene.parent)
        assert "30.12.2019" in notice.text_kk
        assert "30.12.2019" in notice.text_ru
        assert Message.objects.filter(kind="interest_lapsed").count() == 1

    def test_twice_is_once(self, lapsed):
        confirming.lapse(lapsed, now=ENDS)
        assert Event.objects.filter(move=Move.LAPSE).count() == 1

    @pytest.mark.parametrize("confirmed_at", [BEGINS, BEGINS + timedelta(days=3)])
    def test_filed_or_confirmed_after_the_start_counts(self, waiting, confirmed_at):
        Application.objects.update(interest_confirmed_at=confirmed_at)
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.WAITING

    def test_a_microsecond_before_the_start_does_not(self, waiting):
        Application.objects.update(interest_confirmed_at=BEGINS - MICROSECOND)
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.LAPSED

    def test_a_bid_since_the_start_answers_the_question(self, waiting, scene):
        now = BEGINS + timedelta(days=1)
        bid = place_bid(waiting, scene.vacancy, actor=scene.parent, now=now)
        ending.reject_bid(bid, actor=scene.staff, reason="Топ толық", now=now)
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.WAITING

    def test_a_bid_before_the_start_does_not(self, waiting, scene):
        bid = place_bid(waiting, scene.vacancy, actor=scene.parent, now=scene.now)
        ending.withdraw_bid(bid, actor=scene.parent, now=scene.now)
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.LAPSED

    def test_while_a_referral_is_under_way_nobody_lapses(self, waiting, scene):
        now = ENDS - timedelta(days=1)
        bid = place_bid(waiting, scene.vacancy, actor=scene.parent, now=now)
        issuing.activate_bid(bid, actor=scene.staff, now=now)
        assert confirming.lapse(waiting, now=ENDS).state == ApplicationState.REFERRED

    def offered(self, scene, *, now):
        scene.now = now
        return offered_to(scene)

    # Made on Thursday it ends on Monday, made on Friday on Tuesday, the last day of the campaign.
    @pytest.mark.parametrize(
        ("now", "until", "state"),
        [
            (FRIDAY - MICROSECOND, ENDS - timedelta(days=1), ApplicationState.LAPSED),
            (FRIDAY, ENDS, ApplicationState.WAITING),
        ],
    )
    def test_an_offer_to_the_end_answers_the_question(self, waiting, scene, now, until, state):
        offer = self.offered(scene, now=now)
        assert offer.until == until
        asked = Application.objects.get(pk=waiting.pk)
        assert (campaign_asking(asked, now=now) is not None) == (state == ApplicationState.LAPSED)
        deadlines.pass_on_offers(now=ENDS)
        assert Offer.objects.get(pk=offer.pk).state == OfferState.UNANSWERED
        assert state_of(waiting) == state
        kept = Notice.objects.get(kind="offer_ended").text_ru
        assert ("номер и дата постановки на очередь сохранены" in kept) == (offer.until == ENDS)

    @pytest.mark.parametrize(
        ("now", "state"),
        [(BEGINS - MICROSECOND, ApplicationState.LAPSED), (BEGINS, ApplicationState.WAITING)],
    )
    def test_a_declined_offer_answers_it_from_the_start_on(self, waiting, scene, now, state):
        decline_offer(self.offered(scene, now=BEGINS - MICROSECOND), actor=scene.parent, now=now)
        assert confirming.lapse(waiting, now=ENDS).state == state

    def test_reading_lapses_when_the_job_is_late(self, waiting):
        assert settling.settle(waiting, now=ENDS - MICROSECOND).state == ApplicationState.WAITING
        assert settling.settle(waiting, now=ENDS).state == ApplicationState.LAPSED

    def test_reading_lapses_and_closes_when_the_job_is_very_late(self, lapsed):
        assert settling.settle(lapsed, now=GRACE_ENDS - MICROSECOND).state == ApplicationState.LAPSED
        assert settling.settle(lapsed, now=GRACE_ENDS).state == ApplicationState.ARCHIVED


@pytest.mark.django_db
class TestConfirm:
    def confirm(self, application, *, now):
        return confirming.confirm_interest(application, actor=application.filed_by, now=now)

    def test_while_the_campaign_runs(self, waiting):
        with refused(Refusal.INTEREST_NOT_ASKED):
            self.confirm(waiting, now=BEGINS - MICROSECOND)
        confirmed = self.confirm(waiting, now=BEGINS)
        assert confirmed.interest_confirmed_at == BEGINS
        assert confirming.lapse(confirmed, now=ENDS).state == ApplicationState.WAITING

    def test_a_second_press_leaves_no_second_event(self, waiting):
        for now in (BEGINS, BEGINS + timedelta(minutes=1)):
            self.confirm(waiting, now=now)
        assert Event.objects.filter(move=Move.CONFIRM_INTEREST).count() == 1

    def test_a_lapsed_one_comes_back_at_its_date_and_number(self, waiting):
        later = ApplicationFactory(
            locality=waiting.locality,
            child__birth_date=date(2017, 1, 1),
            filed_at=waiting.filed_at + timedelta(days=1),
        )
        filed_at = waiting.filed_at
        confirming.lapse(waiting, now=ENDS)
        assert position(later, now=ENDS).number == 1
        back = self.confirm(waiting, now=GRACE_ENDS - MICROSECOND)
        assert (back.state, back.filed_at) == (ApplicationState.WAITING, filed_at)
        assert position(back, now=GRACE_ENDS).number == 1
        assert position(later, now=GRACE_ENDS).number == 2
        assert self.confirm(back, now=GRACE_ENDS).state == ApplicationState.WAITING
        assert Event.objects.filter(move=Move.CONFIRM_INTEREST).count() == 1

    def test_a_second_press_after_an_offer_is_as_good(self, lapsed, scene):
        back = self.confirm(lapsed, now=ENDS)
        offered_to(scene)
        assert back.events.last().move == Move.OFFER_PLACE
        assert self.confirm(back, now=ENDS).interest_confirmed_at == ENDS
        assert Event.objects.filter(move=Move.CONFIRM_INTEREST).count() == 1

    def test_not_after_the_grace(self, lapsed):
        with refused(Refusal.GRACE_OVER):
            self.confirm(lapsed, now=GRACE_ENDS)

    def test_rules_changed_meanwhile_do_not_shorten_the_grace(self, lapsed):
        Rules.objects.create(valid_from=date(2019, 10, 5), interest_grace_days=7)
        assert self.confirm(lapsed, now=GRACE_ENDS - MICROSECOND).state == ApplicationState.WAITING

    def test_before_a_late_job_it_lapses_and_comes_back(self, waiting):
        assert self.confirm(waiting, now=ENDS).state == ApplicationState.WAITING
        moves = list(Event.objects.values_list("move", flat=True))
        assert moves == [Move.LAPSE, Move.CONFIRM_INTEREST]

    def test_not_in_the_archive(self, lapsed):
        ended = confirming.end_lapsed(lapsed, now=GRACE_ENDS)
        with refused(Refusal.NOT_ALLOWED):
            self.confirm(ended, now=GRACE_ENDS)


@pytest.mark.django_db
class TestEnd:
    def test_after_the_grace_it_is_closed_for_good(self, lapsed, scene):
        assert confirming.end_lapsed(lapsed, now=GRACE_ENDS - MICROSECOND).state == ApplicationState.LAPSED
        ended = confirming.end_lapsed(lapsed, now=GRACE_ENDS)
        assert (ended.state, ended.archived_at) == (ApplicationState.ARCHIVED, GRACE_ENDS)
        assert Notice.objects.filter(kind="interest_ended", recipient=scene.parent).count() == 1
        assert not Message.objects.filter(kind="interest_ended").exists()
        with refused(Refusal.NOT_RESTORABLE):
            filing.restore(ended, actor=scene.parent, now=GRACE_ENDS)

    def test_the_family_does_not_archive_a_lapsed_one(self, lapsed, scene):
        with refused(Refusal.NOT_ALLOWED):
            filing.archive(lapsed, actor=scene.parent, now=ENDS)


@pytest.mark.django_db
class TestJobs:
    def test_each_date_is_heard_of_once(self, waiting, scene):
        days = [datetime(2019, 8, 2, 10, tzinfo=ZONE) + timedelta(days=number) for number in range(62)]
        for now in days:
            telling.remind_interest(now=now)
            telling.remind_interest(now=now + timedelta(hours=1))
        reminders = Notice.objects.filter(kind="interest_reminder", recipient=scene.parent)
        told = [notice.created_at.astimezone(ZONE).date() for notice in reminders.order_by("created_at")]
        assert told == [date(2019, 8, 2), date(2019, 9, 17), date(2019, 9, 29)]
        assert "01.10.2019" in reminders[0].text_kk

    def test_who_confirmed_hears_no_more(self, waiting):
        confirming.confirm_interest(waiting, actor=waiting.filed_by, now=BEGINS)
        assert telling.remind_interest(now=BEGINS + timedelta(hours=1)) == 0

    def test_the_jobs_lapse_and_close_at_their_instants(self, waiting):
        assert deadlines.settle_what_ran_out(now=ENDS - MICROSECOND) == 0
        assert deadlines.settle_what_ran_out(now=ENDS) == 1
        assert deadlines.settle_what_ran_out(now=ENDS) == 0
        assert state_of(waiting) == ApplicationState.LAPSED
        assert deadlines.settle_what_ran_out(now=GRACE_ENDS - MICROSECOND) == 0
        assert deadlines.settle_what_ran_out(now=GRACE_ENDS) == 1
        assert state_of(waiting) == ApplicationState.ARCHIVED

    def test_each_locality_has_its_own_day(self, waiting):
        other = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
        Rules.objects.create(valid_from=date(2019, 1, 1), locality=other, interest_month=11)
        there = ApplicationFactory(locality=other, interest_confirmed_at=waiting.filed_at)
        assert deadlines.settle_what_ran_out(now=ENDS) == 1
        assert state_of(there) == ApplicationState.WAITING
        assert ended_campaign_for(other, now=ENDS).year == 2018

    def run(self, *arguments):
        out = StringIO()
        call_command("interest_campaign", *arguments, stdout=out)
        return out.getvalue()

    def test_a_dry_run_prints_whom_it_would_touch_and_touches_nobody(self, waiting, clock):
        clock.move_to(BEGINS)
        printed = self.run("--dry-run")
        assert waiting.number in printed
        assert "2019-10-01" in printed
        clock.move_to(ENDS)
        assert f"would lapse: 1\n    {waiting.number}" in self.run("--dry-run")
        assert state_of(waiting) == ApplicationState.WAITING
        assert not Notice.objects.exists()

    def test_the_command_does_the_work(self, waiting, clock):
        clock.move_to(ENDS)
        assert "1 brought up to date" in self.run()
        assert waiting.number not in self.run("--dry-run")
        clock.move_to(GRACE_ENDS)
        assert f"closed for good: 1\n    {waiting.number}" in self.run("--dry-run")
        assert "1 brought up to date" in self.run()
        assert state_of(waiting) == ApplicationState.ARCHIVED


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def family(self, waiting, clock, client_of):
        def at(now):
            clock.move_to(now)
            return client_of(waiting.filed_by)

        return at

    def text(self, response):
        return unescape(response.content.decode())

    def url(self, application):
        return reverse("applications:interest", args=[application.pk])

    @pytest.mark.parametrize(("prefix", "language"), [("", "kk"), ("/ru", "ru")])
    def test_the_page_says_until_when_and_offers_one_button(self, family, waiting, prefix, language):
        page = self.text(family(BEGINS).get(prefix + waiting.get_absolute_url()))
        with translation.override(language):
            assert gettext("Do you still want a place?") in page
        assert "01.10.2019" in page
        assert page.count(self.url(waiting)) == 1

    def test_before_the_campaign_there_is_no_button(self, family, waiting):
        page = self.text(family(BEGINS - MICROSECOND).get(waiting.get_absolute_url()))
        assert self.url(waiting) not in page

    @pytest.mark.parametrize(("prefix", "language"), [("", "kk"), ("/ru", "ru")])
    def test_the_list_shows_the_state(self, family, waiting, prefix, language):
        address = prefix + reverse("applications:list")
        with translation.override(language):
            asked = gettext("Confirm by: %(day)s") % {"day": "01.10.2019"}
            interested, missed = gettext("Interested"), gettext("Not confirmed")
        page = self.text(family(BEGINS).get(address))
        assert asked in page
        assert f">{interested}<" not in page
        confirming.confirm_interest(waiting, actor=waiting.filed_by, now=BEGINS)
        page = self.text(family(BEGINS).get(address))
        assert asked not in page
        assert f">{interested}<" in page
        Application.objects.update(interest_confirmed_at=BEGINS - MICROSECOND)
        reckon_all()
        assert f">{missed}<" in self.text(family(ENDS).get(address))

    def test_pressing_twice_confirms_once(self, family, waiting):
        client = family(BEGINS)
        for _press in range(2):
            response = client.post(self.url(waiting), follow=True)
            assert [message.level_tag for message in response.context["messages"]] == ["success"]
        assert Event.objects.filter(move=Move.CONFIRM_INTEREST).count() == 1
        assert self.url(waiting) not in self.text(client.get(waiting.get_absolute_url()))

    def test_a_lapsed_one_shows_its_last_day_and_comes_back(self, family, waiting):
        client = family(ENDS)
        page = self.text(client.get(waiting.get_absolute_url()))
        assert "30.12.2019" in page
        client.post(self.url(waiting))
        assert state_of(waiting) == ApplicationState.WAITING

    def test_after_the_grace_it_is_in_the_archive_with_its_reason(self, family, waiting, lapsed):
        client = family(GRACE_ENDS)
        response = client.post(self.url(waiting), follow=True)
        assert "error" in [message.level_tag for message in response.context["messages"]]
        assert state_of(waiting) == ApplicationState.ARCHIVED
        assert waiting.number not in self.text(client.get(reverse("applications:list")))
        archive = self.text(client.get(reverse("applications:archive")))
        assert gettext("Interest in a place was not confirmed") in archive
        assert reverse("applications:restore", args=[waiting.pk]) not in archive
        russian = self.text(client.get("/ru" + reverse("applications:archive")))
        with translation.override("ru"):
            assert gettext("Interest in a place was not confirmed") in russian

    def test_a_stranger_confirms_nothing(self, family, waiting, clock):
        stranger = ApplicationFactory()
        assert family(BEGINS).post(self.url(stranger)).status_code == 404

    def test_the_bin_of_a_lapsed_one_explains_itself(self, family, waiting, lapsed):
        client = family(ENDS)
        response = client.get(reverse("applications:delete", args=[waiting.pk]))
        assert response.status_code == 200
        assert '<form method="post" class="form"' not in self.text(response)
