"""A vacancy's life: the priority window, the recall, and the award by queue number."""

import re
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext

from accounts.roles import Role
from applications import tasks
from applications.bidding import award, publication
from applications.bidding.eligibility import why_not
from applications.bidding.ending import lose_bid, reject_bid, withdraw_bid
from applications.jobs import deadlines, telling
from applications.models import Application, Bid, Rules
from applications.moves import Refused
from applications.referrals.issuing import activate_bid
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import ApplicationState, BidState, OfferState, Tier
from bulletin.models import Holiday, Vacancy
from bulletin.services import pause_bidding
from notifications.clock import read_clock
from notifications.models import Message, Notice
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, VacancyFactory
from tests.staff import employee, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


def family(scene, *, day, **fields):
    return ApplicationFactory(
        **{
            "locality": scene.locality,
            "child__birth_date": date(2017, 1, 1),
            "filed_at": datetime(2019, 5, day, 12, tzinfo=ZONE),
        }
        | fields
    )


def draft(scene, **fields):
    return VacancyFactory(
        **{
            "group": scene.group,
            "birth_years": [2017],
            "seats_total": 1,
            "state": Vacancy.State.DRAFT,
            "published_at": None,
            "opens_at": datetime(2019, 6, 26, 18, tzinfo=ZONE),
        }
        | fields
    )


class TestPriorityWindow:
    def test_only_the_head_of_the_matching_queue_is_inside(self, scene):
        inside = [family(scene, day=day) for day in (1, 2, 3)]
        family(scene, day=1, languages=["kk"])
        outside = family(scene, day=4)
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        assert [why_not(application, vacancy, now=vacancy.opens_at) for application in inside] == [None] * 3
        assert why_not(outside, vacancy, now=vacancy.opens_at) == Refusal.PRIORITY

    def test_the_tiers_are_interleaved(self, scene):
        first = family(scene, day=20, tier=Tier.EXTRAORDINARY)
        second = family(scene, day=20, tier=Tier.PRIORITY)
        third = family(scene, day=1)
        fourth = family(scene, day=2)
        late_priority = family(scene, day=21, tier=Tier.PRIORITY)
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        refusals = [
            why_not(application, vacancy, now=vacancy.opens_at)
            for application in (first, second, third, fourth, late_priority)
        ]
        assert refusals == [None, None, None, Refusal.PRIORITY, Refusal.PRIORITY]

    @pytest.mark.parametrize("leaving", [1, 2, 3])
    def test_who_leaves_the_queue_meanwhile_holds_up_no_publication(self, scene, monkeypatch, leaving):
        """Nothing locks a queue between the count of its head and the look at the last one."""
        Application.objects.all().delete()
        families = [family(scene, day=day) for day in (1, 2, 3)]
        head_by_tier = publication.head_by_tier

        def counted(*args, **kwargs):
            leavers = [one.pk for one in families[-leaving:]]
            Application.objects.filter(pk__in=leavers).update(state=ApplicationState.ENROLLED)
            return head_by_tier(*args, **kwargs)

        monkeypatch.setattr(publication, "head_by_tier", counted)
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        staying = families[:-leaving]
        assert [cutoff.filed_at for cutoff in vacancy.cutoffs.all()] == [one.filed_at for one in staying[-1:]]

    def test_it_lasts_three_working_days_to_the_same_hour(self, scene):
        outside = [family(scene, day=day) for day in (1, 2, 3, 4)][-1]
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        assert vacancy.priority_until == datetime(2019, 7, 1, 18, tzinfo=ZONE)
        assert why_not(outside, vacancy, now=vacancy.priority_until - MICROSECOND) == Refusal.PRIORITY
        assert why_not(outside, vacancy, now=vacancy.priority_until) is None

    def test_who_files_later_is_not_inside(self, scene):
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        newcomer = ApplicationFactory(
            locality=scene.locality, child__birth_date=date(2017, 1, 1), filed_at=scene.now + MICROSECOND
        )
        assert why_not(newcomer, vacancy, now=vacancy.opens_at) == Refusal.PRIORITY

    def test_a_locality_may_do_without(self, scene):
        rules = rules_at(scene.locality, scene.now)
        rules.locality, rules.valid_from, rules.priority_working_days = scene.locality, date(2019, 1, 1), 0
        rules.save()
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        assert vacancy.priority_until is None


class TestPublication:
    def test_once(self, scene):
        vacancy = publication.publish_vacancy(draft(scene), actor=scene.staff, now=scene.now)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.NOT_A_DRAFT):
            publication.publish_vacancy(vacancy, actor=scene.staff, now=scene.now)

    @pytest.mark.parametrize(
        "ago", [timedelta(weeks=4), timedelta(hours=7), MICROSECOND, -timedelta(hours=1) + MICROSECOND]
    )
    def test_the_head_of_the_queue_is_not_passed_by_an_opening_in_the_past(self, scene, ago):
        late = draft(scene, opens_at=scene.now - ago)
        with pytest.raises(ValidationError) as refusal:
            publication.publish_vacancy(late, actor=scene.staff, now=scene.now)
        assert set(refusal.value.message_dict) == {"opens_at"}
        late.refresh_from_db()
        assert late.state == Vacancy.State.DRAFT

    def test_the_rules_of_the_place_say_how_long_before(self, scene):
        Rules.objects.create(locality=scene.locality, valid_from=date(2019, 1, 1), publication_lead_hours=12)
        soon = draft(scene, opens_at=scene.now + timedelta(hours=12) - MICROSECOND)
        with pytest.raises(ValidationError):
            publication.publish_vacancy(soon, actor=scene.staff, now=scene.now)
        Vacancy.objects.filter(pk=soon.pk).update(opens_at=scene.now + timedelta(hours=12))
        assert publication.publish_vacancy(soon, actor=scene.staff, now=scene.now).published_at == scene.now

    def test_at_short_notice_the_head_of_the_queue_still_has_its_window(self, scene):
        official = employee(Role.OFFICIAL)
        outside = [family(scene, day=day) for day in (1, 2, 3, 4)][-1]
        soon = draft(scene, opens_at=scene.now)
        published = publication.publish_vacancy(
            soon, actor=official, short_notice_reason="Топ бүгін ашылды", now=scene.now
        )
        assert published.priority_until == datetime(2019, 7, 1, 16, 20, tzinfo=ZONE)
        assert why_not(outside, published, now=scene.now) == Refusal.PRIORITY

    def test_only_an_official_shortens_it(self, scene):
        soon = draft(scene, opens_at=scene.now)
        with pytest.raises(PermissionDenied):
            publication.publish_vacancy(
                soon, actor=worker_of(scene.group.kindergarten), short_notice_reason="x", now=scene.now
            )


class TestRecall:
    def test_pending_bids_become_void_and_referrals_stay(self, scene):
        with_referral = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        activate_bid(with_referral, actor=scene.staff, now=scene.now)
        waiting = family(scene, day=1)
        pending = place_bid(waiting, scene.vacancy, actor=waiting.filed_by, now=scene.now)
        publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now)
        for changed in (pending, waiting, with_referral, scene.application, scene.vacancy):
            changed.refresh_from_db()
        assert (pending.state, pending.reason) == (BidState.VOID, "Жөндеу")
        assert waiting.state == ApplicationState.WAITING
        assert scene.application.state == ApplicationState.REFERRED
        assert scene.vacancy.seats_taken == 1

    @pytest.mark.parametrize("error", [RuntimeError("broken row"), Refused(Refusal.BID_ENDED)])
    def test_one_that_can_not_be_ended_holds_up_no_other(self, scene, monkeypatch, error):
        Vacancy.objects.update(seats_total=3, opens_at=scene.now)
        families = [family(scene, day=day) for day in (1, 2, 3)]
        bids = [place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now) for one in families]
        first = scene.vacancy.bids.filter(state=BidState.PENDING)[0]
        void_bid = publication.void_bid

        def broken(bid, **fields):
            if bid == first:
                raise error
            void_bid(bid, **fields)

        monkeypatch.setattr(publication, "void_bid", broken)
        publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now)
        assert Bid.objects.filter(state=BidState.VOID).count() == 2
        monkeypatch.undo()
        assert publication.void_recalled_bids(Vacancy.objects.get(), now=scene.now) == 1
        assert {Bid.objects.get(pk=bid.pk).state for bid in bids} == {BidState.VOID}

    def test_who_ends_the_bids_too_late_ends_none(self, scene):
        """The place is in the bulletin again, and the bid was given back, after it was read what is to be ended."""
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        publication.void_recalled_bids(scene.vacancy, now=scene.now)
        assert Bid.objects.get(pk=bid.pk).state == BidState.PENDING

    def test_it_needs_a_reason(self, scene):
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.REASON_MISSING):
            publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="", now=scene.now)


class TestClosing:
    def test_what_is_collected_ends_when_it_was_announced_and_not_before(self, scene):
        vacancy = VacancyFactory(
            group=scene.group,
            birth_years=[2017],
            mode=Vacancy.Mode.QUEUE_ORDER,
            opens_at=scene.now,
            closes_at=scene.now + timedelta(days=1),
        )
        for early in (scene.now - timedelta(hours=1), scene.now, vacancy.closes_at - MICROSECOND):
            with pytest.raises(Refused, check=lambda error: error.reason == Refusal.STILL_COLLECTING):
                publication.close_vacancy(vacancy, actor=scene.staff, now=early)
        closed = publication.close_vacancy(vacancy, actor=scene.staff, now=vacancy.closes_at)
        assert closed.state == Vacancy.State.CLOSED

    def test_nor_while_a_pause_holds_its_end_off(self, scene):
        vacancy = VacancyFactory(
            group=scene.group,
            mode=Vacancy.Mode.QUEUE_ORDER,
            opens_at=scene.now,
            closes_at=scene.now + timedelta(days=1),
        )
        pause_bidding(
            locality=None, notice_kk="Үзіліс", notice_ru="Перерыв", actor=scene.staff, now=scene.now
        )
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.STILL_COLLECTING):
            publication.close_vacancy(vacancy, actor=scene.staff, now=vacancy.closes_at + timedelta(days=1))

    def test_it_can_be_recalled_as_long_as_a_family_waits(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        publication.close_vacancy(scene.vacancy, actor=scene.staff, now=scene.now)
        publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now)
        bid.refresh_from_db()
        scene.vacancy.refresh_from_db()
        assert (bid.state, bid.reason) == (BidState.VOID, "Жөндеу")
        assert (scene.vacancy.state, scene.vacancy.seats_taken) == (Vacancy.State.RECALLED, 0)
        assert Notice.objects.filter(recipient=scene.parent, kind="bid_void").exists()

    def test_or_considers_a_place_that_was_given_back(self, scene):
        offer = offered_to(scene)
        publication.close_vacancy(offer.vacancy, actor=scene.staff, now=scene.now)
        publication.recall_vacancy(offer.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now)
        offer.refresh_from_db()
        assert offer.state == OfferState.RECALLED

    def test_and_not_when_nobody_does(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        activate_bid(bid, actor=scene.staff, now=scene.now)
        publication.close_vacancy(scene.vacancy, actor=scene.staff, now=scene.now)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.NOT_PUBLISHED):
            publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now)

    def test_one_closed_while_it_was_still_possible_is_awarded_at_its_end(self, scene, client_of, client):
        closes_at = scene.now + timedelta(days=1)
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=closes_at)
        scene.vacancy.refresh_from_db()
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        Vacancy.objects.update(state=Vacancy.State.CLOSED, ended_at=scene.now)

        for browser in (client, client_of(scene.parent)):
            page = browser.get(scene.vacancy.get_absolute_url()).content.decode()
            rows = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd>.*?<time[^>]*>(.*?)</time>", page))
            assert "26.06.2019" in rows[gettext("Applications are accepted until")]
            assert "27.06.2019" in rows[gettext("Places are given by queue number after")]
        page = client_of(scene.parent).get(scene.application.get_absolute_url()).content.decode()
        assert gettext("Places are given by queue number after") in page

        assert deadlines.award_bids(now=closes_at - MICROSECOND) == 0
        assert deadlines.award_bids(now=closes_at) == 1
        bid.refresh_from_db()
        assert bid.holds_seat
        activate_bid(bid, actor=scene.staff, now=closes_at)


class TestQueueOrder:
    @pytest.fixture
    def vacancy(self, scene):
        return VacancyFactory(
            group=scene.group,
            birth_years=[2017],
            seats_total=2,
            mode=Vacancy.Mode.QUEUE_ORDER,
            opens_at=scene.now,
            closes_at=scene.now + timedelta(days=1),
        )

    def bids(self, scene, vacancy, days):
        families = [family(scene, day=day) for day in days]
        return [
            place_bid(
                application, vacancy, actor=application.filed_by, now=scene.now + timedelta(minutes=minute)
            )
            for minute, application in enumerate(families)
        ]

    def test_the_smallest_numbers_win_whoever_was_quicker(self, scene, vacancy):
        bids = self.bids(scene, vacancy, days=[9, 2, 5, 1])
        assert award.award_collected(vacancy, now=vacancy.closes_at - MICROSECOND) == 0
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 2
        for placed in bids:
            placed.refresh_from_db()
        assert [placed.holds_seat for placed in bids] == [False, True, False, True]
        assert [placed.state for placed in bids].count(BidState.LOST) == 2
        vacancy.refresh_from_db()
        assert vacancy.seats_taken == 2

    def test_a_second_run_changes_nothing(self, scene, vacancy):
        self.bids(scene, vacancy, days=[1, 2, 3])
        award.award_collected(vacancy, now=vacancy.closes_at)
        before = list(Bid.objects.order_by("pk").values())
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 0
        assert list(Bid.objects.order_by("pk").values()) == before

    def test_who_withdrew_leaves_the_place_to_the_next(self, scene, vacancy):
        bids = self.bids(scene, vacancy, days=[1, 2, 3])
        withdraw_bid(bids[0], actor=bids[0].placed_by, now=scene.now)
        award.award_collected(vacancy, now=vacancy.closes_at)
        assert Bid.objects.filter(holds_seat=True).count() == 2

    def test_nobody_is_sent_away_while_a_place_is_free(self, scene, vacancy):
        """A run that broke after the decision; then a winner withdraws: the next in order gets the place."""
        bids = self.bids(scene, vacancy, days=[1, 2, 3, 4, 5])
        winners, others = award._give_places(vacancy, now=vacancy.closes_at)
        assert (winners, others) == (bids[:2], bids[2:])
        assert lose_bid(others[-1], now=vacancy.closes_at)
        withdraw_bid(winners[0], actor=winners[0].placed_by, now=vacancy.closes_at)
        assert not lose_bid(others[-2], now=vacancy.closes_at)
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 1
        assert [(placed.state, placed.holds_seat) for placed in Bid.objects.order_by("placed_at")] == [
            (BidState.WITHDRAWN, False),
            (BidState.PENDING, True),
            (BidState.PENDING, True),
            (BidState.LOST, False),
            (BidState.LOST, False),
        ]

    def test_no_place_is_given_that_is_not_there(self, scene, vacancy):
        """Whatever its caller counted."""
        (placed,) = self.bids(scene, vacancy, days=[1])
        Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=vacancy.seats_total)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.FULL):
            award.grant_seat(placed, vacancy, now=vacancy.closes_at)
        assert not placed.holds_seat

    def test_a_winner_is_not_sent_away(self, scene, vacancy):
        (placed,) = self.bids(scene, vacancy, days=[1])
        award.award_collected(vacancy, now=vacancy.closes_at)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.BID_ENDED):
            lose_bid(placed, now=vacancy.closes_at)

    def test_what_was_recalled_is_void_and_not_lost(self, scene, vacancy):
        self.bids(scene, vacancy, days=[1, 2, 3])
        Vacancy.objects.filter(pk=vacancy.pk).update(state=Vacancy.State.RECALLED, end_reason="Жөндеу")
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 0
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.BID_ENDED):
            lose_bid(Bid.objects.latest("placed_at"), now=vacancy.closes_at)
        deadlines.award_bids(now=vacancy.closes_at)
        assert set(Bid.objects.values_list("state", flat=True)) == {BidState.VOID}

    @pytest.mark.parametrize("error", [RuntimeError("broken row"), Refused(Refusal.NOT_ALLOWED)])
    def test_one_that_can_not_be_ended_holds_up_no_other(self, scene, vacancy, monkeypatch, caplog, error):
        bids = self.bids(scene, vacancy, days=[1, 2, 3, 4, 5])

        def break_for_the_last(bid, *, now):
            if bid == bids[-1]:
                raise error
            return lose_bid(bid, now=now)

        monkeypatch.setattr(award, "lose_bid", break_for_the_last)
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 2
        assert f"bid {bids[-1].pk} could not be ended" in caplog.text
        assert Bid.objects.filter(state=BidState.LOST).count() == 2
        monkeypatch.undo()
        assert deadlines.award_bids(now=vacancy.closes_at) == 1
        assert Bid.objects.filter(state=BidState.LOST).count() == 3

    def test_a_family_that_withdraws_meanwhile_is_no_failure(self, scene, vacancy, monkeypatch, caplog):
        bids = self.bids(scene, vacancy, days=[1, 2, 3, 4, 5])

        def withdrawn_just_before(bid, *, now):
            if bid == bids[-1]:
                withdraw_bid(bid, actor=bid.placed_by, now=now)
            return lose_bid(bid, now=now)

        monkeypatch.setattr(award, "lose_bid", withdrawn_just_before)
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 2
        assert not caplog.records
        assert list(Bid.objects.filter(state=BidState.LOST).order_by("placed_at")) == bids[2:4]

    def test_nobody_is_sent_away_before_one_with_a_larger_number_that_is_locked(
        self, scene, vacancy, monkeypatch
    ):
        bids = self.bids(scene, vacancy, days=[1, 2, 3, 4, 5])

        def locked(bid, *, now):
            if bid == bids[3]:
                raise Refused(Refusal.BUSY)
            return lose_bid(bid, now=now)

        monkeypatch.setattr(award, "lose_bid", locked)
        award.award_collected(vacancy, now=vacancy.closes_at)
        assert list(Bid.objects.filter(state=BidState.LOST)) == bids[4:]
        monkeypatch.undo()
        withdraw_bid(bids[0], actor=bids[0].placed_by, now=vacancy.closes_at)
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 1
        assert list(Bid.objects.filter(holds_seat=True).order_by("placed_at")) == bids[1:3]

    def test_the_decision_costs_no_statement_for_whoever_gets_nothing(self, scene, vacancy):
        """Ranking a thousand bids under the lock of the vacancy is one reading of the queue."""
        counts = []
        for number in (3, 9):
            self.bids(scene, vacancy, days=range(1, number))
            with CaptureQueriesContext(connection) as queries, transaction.atomic():
                award._give_places(vacancy, now=vacancy.closes_at)
                transaction.set_rollback(True)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_a_run_broken_off_is_continued_and_nobody_is_told_twice(self, scene, vacancy, monkeypatch):
        """A worker killed by the time limit leaves the rest to the next run, with the same winners."""
        bids = self.bids(scene, vacancy, days=range(1, 8))
        told: list[UUID] = []

        def killed_after_two(bid, *, now):
            if len(told) == 2:
                raise SystemExit
            told.append(bid.pk)
            return lose_bid(bid, now=now)

        monkeypatch.setattr(award, "lose_bid", killed_after_two)
        with pytest.raises(SystemExit):
            deadlines.award_bids(now=vacancy.closes_at)
        assert Notice.objects.filter(kind="bid_lost").count() == 2
        monkeypatch.undo()
        assert deadlines.award_bids(now=vacancy.closes_at + timedelta(seconds=30)) == 1
        assert deadlines.award_bids(now=vacancy.closes_at + timedelta(seconds=60)) == 0
        assert list(Bid.objects.filter(holds_seat=True).order_by("placed_at")) == bids[:2]
        for loser in bids[2:]:
            for model in (Notice, Message):
                assert model.objects.filter(recipient=loser.placed_by, kind="bid_lost").count() == 1
            assert loser.placed_by.journal.filter(action="bid_lost").count() == 1

    def test_a_loser_costs_seventeen_statements(self, scene, vacancy, django_assert_num_queries):
        """Ten thousand are told one by one: nothing is asked twice, and nothing that the others asked already."""
        self.bids(scene, vacancy, days=[1, 2, 3, 4])
        _winners, others = award._give_places(vacancy, now=vacancy.closes_at)
        for bid in others:
            with django_assert_num_queries(17):
                assert lose_bid(bid, now=vacancy.closes_at)

    def test_each_family_is_told_once_what_became_of_its_bid(self, scene, vacancy):
        bids = self.bids(scene, vacancy, days=[1, 2, 3])
        deadlines.award_bids(now=vacancy.closes_at)
        for _ in range(2):
            telling.tell_placed_bids(now=vacancy.closes_at + timedelta(seconds=1))
        kinds = ["bid_awarded", "bid_awarded", "bid_lost"]
        for placed, kind in zip(bids, kinds, strict=True):
            for model in (Notice, Message):
                told = model.objects.filter(recipient=placed.placed_by, kind__in=kinds)
                assert [(row.kind, row.created_at) for row in told] == [(kind, vacancy.closes_at)]
            assert placed.placed_by.journal.filter(action__in=kinds).get().action == kind
        # The second working day after the award.
        assert "01.07.2019" in Notice.objects.filter(kind="bid_awarded").first().text_kk
        assert "Кезектегі нөміріңіз сақталды: 3." in Notice.objects.get(kind="bid_lost").text_kk

    @pytest.mark.parametrize(
        ("closes_in", "worker_ahead", "given"),
        [
            (timedelta(hours=1), timedelta(hours=2), 0),
            (timedelta(hours=-1), timedelta(hours=-2), 1),
        ],
    )
    def test_the_clock_of_the_worker_decides_nothing(
        self, scene, vacancy, settings, closes_in, worker_ahead, given
    ):
        settings.DATABASE_CLOCK = True
        self.bids(scene, vacancy, days=[1])
        present = read_clock()
        Holiday.objects.bulk_create(
            Holiday(date=date(year, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")
            for year in (present.year, present.year + 1)
        )
        Vacancy.objects.filter(pk=vacancy.pk).update(closes_at=present + closes_in)
        with time_machine.travel(present + worker_ahead):
            tasks.award_collected_bids()
        assert Bid.objects.filter(holds_seat=True).count() == given

    def test_a_place_that_was_given_back_is_no_news(self, scene, vacancy):
        (placed,) = self.bids(scene, vacancy, days=[1])
        award.award_collected(vacancy, now=vacancy.closes_at)
        withdraw_bid(placed, actor=placed.placed_by, now=vacancy.closes_at)
        telling.tell_placed_bids(now=vacancy.closes_at)
        assert not Notice.objects.filter(kind="bid_awarded").exists()

    @pytest.mark.parametrize("answer", [activate_bid, partial(reject_bid, reason="Орын жоқ")])
    def test_no_employee_takes_a_bid_out_before_the_award(self, scene, vacancy, answer):
        """Whoever could refuse all smaller numbers would choose who gets the place."""
        bids = self.bids(scene, vacancy, days=[1, 2, 9])
        for now in (scene.now, vacancy.closes_at):
            for placed in bids:
                with pytest.raises(Refused, check=lambda error: error.reason == Refusal.NOT_AWARDED_YET):
                    answer(placed, actor=scene.staff, now=now)
        award.award_collected(vacancy, now=vacancy.closes_at)
        states = [placed.state for placed in Bid.objects.order_by("placed_at")]
        assert states == [BidState.PENDING, BidState.PENDING, BidState.LOST]
        answer(bids[0], actor=scene.staff, now=vacancy.closes_at)
        assert Bid.objects.get(pk=bids[0].pk).state != BidState.PENDING

    def test_not_even_between_the_decision_and_its_telling(self, scene, vacancy):
        bids = self.bids(scene, vacancy, days=[1, 2, 9])
        award._give_places(vacancy, now=vacancy.closes_at)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.NOT_AWARDED_YET):
            reject_bid(bids[2], actor=scene.staff, reason="Орын жоқ", now=vacancy.closes_at)
        reject_bid(bids[0], actor=scene.staff, reason="Құжат жоқ", now=vacancy.closes_at)
        assert award.award_collected(vacancy, now=vacancy.closes_at) == 1
        assert Bid.objects.get(pk=bids[2].pk).holds_seat


def test_what_keeps_a_bid_from_being_voided_is_for_the_job_that_comes_again(scene, monkeypatch):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)

    def busy(*_args, **_options):
        raise Refused(Refusal.BUSY)

    monkeypatch.setattr(publication, "void_bid", busy)
    with pytest.raises(Refused):
        publication._void_if_pending(bid, scene.vacancy, actor=None, now=scene.now)
