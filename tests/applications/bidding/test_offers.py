"""A place that was given back after an award by number goes to the next of its bidders, and only then to nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.access.settling import settle
from applications.bidding.eligibility import why_not
from applications.bidding.ending import reject_bid, withdraw_bid
from applications.bidding.offers import _end_recalled, accept_offer, decline_offer
from applications.bidding.publication import recall_vacancy
from applications.jobs.deadlines import award_bids, pass_on_offers
from applications.jobs.invariants import differences
from applications.jobs.telling import tell_placed_bids
from applications.models import Application, Bid, Event, Offer
from applications.moves import Refused, write_event
from applications.places.occupancy import occupancies_of
from applications.referrals.ending import expire_referral, revoke_referral
from applications.referrals.issuing import activate_bid
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, Move, OfferState
from applications.waiting.filing import archive, archive_undo_until, last_moves, restorable_of, restore
from bulletin.models import Vacancy
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE, build_calendar, build_scene
from tests.factories import ApplicationFactory, VacancyFactory, reckon_all
from tests.shared import built_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("award_once")]

MICROSECOND = timedelta(microseconds=1)
CLOSES = NOW + timedelta(hours=2)
# 26.06.2019 is a Wednesday: two working days later is Friday.
LAST_DAY_OVER = datetime(2019, 6, 29, tzinfo=ZONE)


class Award:
    """A vacancy with places for some of its bidders, awarded; bidders in the order of their numbers."""

    def __init__(self, scene, *, seats=1, bidders=3):
        self.scene = scene
        self.vacancy = VacancyFactory(
            group=scene.group,
            birth_years=[2017],
            seats_total=seats,
            mode=Vacancy.Mode.QUEUE_ORDER,
            opens_at=NOW,
            closes_at=CLOSES,
        )
        self.families: list[Any] = [
            ApplicationFactory(
                locality=scene.locality,
                child__birth_date=scene.application.child.birth_date,
                languages=["ru"],
                filed_at=NOW - timedelta(days=30 - index),
            )
            for index in range(bidders)
        ]
        filed = [scene.application] if not scene.application.events.exists() else []
        for family in [*filed, *self.families]:
            write_event(family, Move.FILE, before="", actor=family.filed_by, now=family.filed_at)
        for family in self.families:
            place_bid(family, self.vacancy, actor=family.filed_by, now=NOW)
        reckon_all()
        award_bids(now=CLOSES)

    def bid(self, index):
        return Bid.objects.filter(application=self.families[index]).first()

    def give_back(self, index=0, *, now=CLOSES):
        bid = self.bid(index)
        withdraw_bid(bid, actor=bid.placed_by, now=now)

    def offer_to(self, index):
        return Offer.objects.get(application=self.families[index], state=OfferState.OFFERED)

    @property
    def offered(self):
        offers = Offer.objects.filter(vacancy=self.vacancy, state=OfferState.OFFERED)
        return [self.families.index(offer.application) for offer in offers.order_by("application__filed_at")]

    @property
    def taken(self):
        self.vacancy.refresh_from_db()
        return self.vacancy.seats_taken


def build_award() -> Award:
    build_calendar()
    return Award(build_scene())


@pytest.fixture(scope="module")
def award_once(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, build_award) as award:
        yield award


@pytest.fixture
def award(award_once):
    return award_once()


@pytest.fixture
def scene(award):
    return award.scene


def held(year=2018, *, group):
    return max(one.total for one in occupancies_of([group], now=CLOSES)[group.pk])


def test_it_goes_to_the_next_by_number_and_stays_promised(award):
    before = held(group=award.scene.group)
    award.give_back()
    assert award.taken == 1
    assert held(group=award.scene.group) == before
    pass_on_offers(now=CLOSES)
    assert award.offered == [1]
    assert award.taken == 1
    offer = award.offer_to(1)
    assert offer.until == LAST_DAY_OVER
    assert Event.objects.filter(application=award.families[1], move=Move.OFFER_PLACE).exists()
    assert Notice.objects.filter(kind="place_offered", recipient=award.families[1].filed_by).count() == 1
    assert list(differences()) == []


def test_by_the_number_at_that_moment(award):
    award.give_back()
    later = award.families[2]
    Application.objects.filter(pk=later.pk).update(filed_at=NOW - timedelta(days=60))
    pass_on_offers(now=CLOSES)
    assert award.offered == [2]


def rejected(award):
    reject_bid(award.bid(0), actor=award.scene.staff, reason="Құжат", now=CLOSES)
    return CLOSES


def revoked(award):
    referral = activate_bid(award.bid(0), actor=award.scene.staff, now=CLOSES)
    revoke_referral(referral, actor=award.scene.staff, reason="Қателік", now=CLOSES)
    return CLOSES


def expired(award):
    referral = activate_bid(award.bid(0), actor=award.scene.staff, now=CLOSES)
    expire_referral(referral, now=referral.valid_until)
    return referral.valid_until


@pytest.mark.parametrize("end", [rejected, revoked, expired])
def test_however_the_place_was_given_back(award, end):
    at = end(award)
    pass_on_offers(now=at)
    assert award.offered == [1]
    assert award.taken == 1
    assert list(differences()) == []


def test_accepting_makes_a_bid_that_holds_the_place(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    family = award.families[1]
    bid = accept_offer(award.offer_to(1), actor=family.filed_by, now=LAST_DAY_OVER - MICROSECOND)
    family.refresh_from_db()
    assert family.state == ApplicationState.BID_PLACED
    assert (bid.state, bid.holds_seat) == (BidState.PENDING, True)
    # Accepted on Friday: the kindergarten has until Tuesday.
    assert bid.answer_due == datetime(2019, 7, 3, tzinfo=ZONE)
    assert award.taken == 1
    tell_placed_bids(now=LAST_DAY_OVER)
    # It is not told that bids are still being collected.
    told = Notice.objects.filter(recipient=family.filed_by, created_at__gt=CLOSES)
    assert [notice.kind for notice in told] == ["bid_awarded"]
    assert "02.07.2019" in told[0].text_ru
    assert list(differences()) == []
    # It is passed on as the first one was.
    withdraw_bid(bid, actor=family.filed_by, now=LAST_DAY_OVER)
    pass_on_offers(now=LAST_DAY_OVER)
    assert award.offered == [2]
    assert list(differences()) == []


@pytest.mark.parametrize("answer", [accept_offer, decline_offer])
def test_an_answer_at_the_end_is_too_late_even_if_every_job_is(award, answer):
    award.give_back()
    pass_on_offers(now=CLOSES)
    offer = award.offer_to(1)
    with pytest.raises(Refused) as refused:
        answer(offer, actor=award.families[1].filed_by, now=LAST_DAY_OVER)
    assert refused.value.reason == Refusal.OFFER_ENDED
    assert award.offered == [1]
    answer(offer, actor=award.families[1].filed_by, now=LAST_DAY_OVER - MICROSECOND)
    assert award.offered == []


def test_reading_ends_it_before_any_job_does(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    family = Application.objects.get(pk=award.families[1].pk)
    assert family.runs_out_at <= LAST_DAY_OVER
    assert settle(family, now=LAST_DAY_OVER - MICROSECOND).state == ApplicationState.WAITING
    assert award.offered == [1]
    settle(Application.objects.get(pk=family.pk), now=LAST_DAY_OVER)
    assert award.offered == []
    assert Offer.objects.get(application=family).state == OfferState.UNANSWERED
    assert Notice.objects.filter(kind="offer_ended", recipient=family.filed_by).count() == 1
    pass_on_offers(now=LAST_DAY_OVER)
    assert award.offered == [2]
    assert list(differences()) == []


def test_only_when_nobody_is_left_is_the_place_free(award):
    award.give_back()
    for index in (1, 2):
        pass_on_offers(now=CLOSES)
        assert award.offered == [index]
        assert award.taken == 1
        decline_offer(award.offer_to(index), actor=award.families[index].filed_by, now=CLOSES)
    pass_on_offers(now=CLOSES)
    assert award.taken == 0
    assert award.offered == []
    assert {family.state for family in Application.objects.filter(stops__isnull=False)} == set()
    assert list(differences()) == []


def test_where_nobody_lost_the_place_is_free_at_once(scene):
    award = Award(scene, seats=2, bidders=1)
    award.give_back()
    assert award.taken == 0
    assert not Offer.objects.exists()


def test_two_places_go_to_two_families(scene):
    award = Award(scene, seats=2, bidders=4)
    award.give_back(0)
    award.give_back(1)
    assert award.taken == 2
    pass_on_offers(now=CLOSES)
    assert award.offered == [2, 3]
    assert list(differences()) == []


def test_who_left_the_queue_meanwhile_is_passed_over(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    family = award.families[1]
    archive(family, actor=family.filed_by, now=CLOSES)
    with pytest.raises(Refused):
        accept_offer(award.offer_to(1), actor=family.filed_by, now=CLOSES)
    pass_on_offers(now=CLOSES)
    assert award.offered == [2]
    assert list(differences()) == []


def test_who_left_while_it_was_offered_can_come_back(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    family = award.families[1]
    left = archive(family, actor=family.filed_by, now=CLOSES)
    undo_until = archive_undo_until(left, by=family.filed_by, now=CLOSES)
    pass_on_offers(now=CLOSES)
    assert Event.objects.filter(application=family).last().move == Move.END_OFFER
    last = undo_until - MICROSECOND
    assert restorable_of(family.child, by=family.filed_by, now=last) == (left, undo_until)
    restored = restore(left, actor=family.filed_by, now=last)
    assert (restored.state, restored.filed_at) == (ApplicationState.WAITING, family.filed_at)
    assert list(differences()) == []


KEPT = "номер и дата постановки на очередь сохранены"


def test_only_who_still_waits_is_told_that_the_number_is_kept(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    gone, waits = award.families[1:]
    archive(gone, actor=gone.filed_by, now=CLOSES)
    pass_on_offers(now=CLOSES)
    pass_on_offers(now=LAST_DAY_OVER)
    ended = Notice.objects.filter(kind="offer_ended")
    assert KEPT not in ended.get(recipient=gone.filed_by).text_ru
    assert KEPT in ended.get(recipient=waits.filed_by).text_ru


def test_who_left_before_is_not_asked(award):
    archive(award.families[1], actor=award.families[1].filed_by, now=CLOSES)
    award.give_back()
    pass_on_offers(now=CLOSES)
    assert award.offered == [2]


def test_a_recall_ends_the_offer(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    recall_vacancy(award.vacancy, actor=award.scene.staff, reason="Жөндеу", now=CLOSES)
    assert award.offered == []
    assert award.taken == 0
    assert Offer.objects.get().state == OfferState.RECALLED
    notice = Notice.objects.get(kind="offer_ended", recipient=award.families[1].filed_by)
    assert "Жөндеу" in notice.text
    assert list(differences()) == []


def test_an_offer_that_ended_since_it_was_read_is_not_ended_again_by_a_recall(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    read = Offer.objects.get()
    Offer.objects.update(state=OfferState.DECLINED, ended_at=CLOSES)
    before = award.taken
    _end_recalled(read, reason="Жөндеу", now=CLOSES)
    assert Offer.objects.get().state == OfferState.DECLINED
    assert award.taken == before


def test_a_recall_ends_a_place_that_seeks(award):
    award.give_back()
    recall_vacancy(award.vacancy, actor=award.scene.staff, reason="Жөндеу", now=CLOSES)
    pass_on_offers(now=CLOSES)
    assert award.taken == 0
    assert award.offered == []
    assert list(differences()) == []


def test_nobody_presses_for_it_meanwhile(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    award.vacancy.refresh_from_db()
    assert why_not(award.families[2], award.vacancy, now=CLOSES) == Refusal.CLOSED
    assert award.vacancy.seats_free == 0


def test_a_late_job_shortens_nobodys_time(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    # A Monday, two days after the first family's last day; the next one has Tuesday and Wednesday.
    pass_on_offers(now=datetime(2019, 7, 1, 9, 0, tzinfo=ZONE))
    assert award.offered == [2]
    assert award.offer_to(2).until == datetime(2019, 7, 4, tzinfo=ZONE)


def test_nothing_is_locked_for_an_offer_that_goes_on(award):
    award.give_back()
    pass_on_offers(now=CLOSES)

    def locked(now):
        with CaptureQueriesContext(connection) as queries:
            pass_on_offers(now=now)
        return [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]

    assert locked(LAST_DAY_OVER - MICROSECOND) == []
    Application.objects.filter(pk=award.families[1].pk).update(languages=["kk"])
    assert locked(LAST_DAY_OVER - MICROSECOND) != []
    assert award.offered == [2]


def test_the_rules_of_the_place_say_for_how_long(award):
    award.scene.locality.rules_set.create(valid_from=NOW.date() - timedelta(days=1), offer_working_days=1)
    award.give_back()
    pass_on_offers(now=CLOSES)
    assert award.offer_to(1).until == datetime(2019, 6, 28, tzinfo=ZONE)


def test_who_let_it_pass_is_not_asked_again_and_may_bid_elsewhere(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    pass_on_offers(now=LAST_DAY_OVER)
    accept_offer(award.offer_to(2), actor=award.families[2].filed_by, now=LAST_DAY_OVER)
    award.give_back(2, now=LAST_DAY_OVER)
    pass_on_offers(now=LAST_DAY_OVER)
    assert award.offered == []
    assert award.taken == 0
    family = Application.objects.get(pk=award.families[1].pk)
    assert family.stops.count() == 0
    assert why_not(family, award.scene.vacancy, now=LAST_DAY_OVER) is None


NEW_YEAR = datetime(2020, 1, 1, tzinfo=ZONE)
# A Monday: two working days later it is the second of January.
TOO_LATE = datetime(2019, 12, 30, tzinfo=ZONE)


@pytest.fixture
def leaving(award):
    """The next in order is seven by birth year in 2019, so too old in 2020."""
    Application.objects.filter(pk=award.families[1].pk).update(birth_year=2012)
    Application.objects.update(interest_confirmed_at=datetime(2019, 9, 1, tzinfo=ZONE))
    Vacancy.objects.filter(pk=award.vacancy.pk).update(birth_years=[2012, 2017])
    reckon_all()
    return award.families[1]


@pytest.mark.parametrize(("now", "offered"), [(TOO_LATE - MICROSECOND, [1]), (TOO_LATE, [2])])
def test_no_offer_outlasts_the_last_day_of_a_child_that_leaves_by_age(award, leaving, now, offered):
    award.give_back(now=now)
    pass_on_offers(now=now)
    assert award.offered == offered
    assert Offer.objects.filter(until__gt=NEW_YEAR, application=leaving).count() == 0


def test_where_only_such_a_child_is_left_the_place_is_free(award, leaving):
    award.give_back(now=TOO_LATE)
    archive(award.families[2], actor=award.families[2].filed_by, now=TOO_LATE)
    pass_on_offers(now=TOO_LATE)
    assert award.taken == 0
    assert Offer.objects.get().state == OfferState.NOBODY


def test_accepted_in_its_last_microsecond_it_is_carried_through(award, leaving):
    award.give_back(now=TOO_LATE - MICROSECOND)
    pass_on_offers(now=TOO_LATE - MICROSECOND)
    accept_offer(award.offer_to(1), actor=leaving.filed_by, now=NEW_YEAR - MICROSECOND)
    family = settle(Application.objects.get(pk=leaving.pk), now=NEW_YEAR)
    assert family.state == ApplicationState.BID_PLACED


def test_unanswered_it_leaves_and_is_told_of_no_number(award, leaving):
    award.give_back(now=TOO_LATE - MICROSECOND)
    pass_on_offers(now=TOO_LATE - MICROSECOND)
    family = settle(Application.objects.get(pk=leaving.pk), now=NEW_YEAR)
    assert family.state == ApplicationState.ARCHIVED
    assert last_moves([family]) == {family.pk: Move.AGE_OUT}
    assert Offer.objects.get(application=family).state == OfferState.UNANSWERED
    assert KEPT not in Notice.objects.get(kind="offer_ended", recipient=leaving.filed_by).text_ru


def test_a_bid_for_another_place_gives_the_offer_up(award):
    award.give_back()
    pass_on_offers(now=CLOSES)
    family = award.families[1]
    place_bid(family, award.scene.vacancy, actor=family.filed_by, now=CLOSES)
    with pytest.raises(Refused) as refused:
        accept_offer(award.offer_to(1), actor=family.filed_by, now=CLOSES)
    assert refused.value.reason == Refusal.BID_UNDER_WAY
    pass_on_offers(now=CLOSES)
    assert award.offered == [2]
    assert list(differences()) == []


def test_the_nightly_check_counts_offers(award):
    award.give_back()
    Vacancy.objects.filter(pk=award.vacancy.pk).update(seats_taken=0)
    assert [line for line in differences() if "0 places taken, but 1 bids and offers hold one" in line]
