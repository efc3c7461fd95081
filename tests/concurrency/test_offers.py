"""Places given back after an award: each goes to one family, and each family considers one at a time."""

from datetime import datetime, timedelta
from threading import Barrier, local

import pytest
from django.db import IntegrityError, transaction

from applications import moves
from applications.bidding import offers
from applications.bidding.award import award_collected
from applications.bidding.ending import withdraw_bid
from applications.bidding.publication import recall_vacancy
from applications.jobs.deadlines import pass_on_offers
from applications.models import Application, Bid, Offer
from applications.refusals import Refusal
from applications.states import LIVE_OFFERS, ApplicationState, BidState, OfferState
from applications.waiting.filing import archive
from bulletin.models import Vacancy
from notifications import locks
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.concurrency.test_bids import together
from tests.factories import ApplicationFactory, VacancyFactory, filer
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

CLOSES = NOW + timedelta(hours=1)
ENDS = datetime(2019, 6, 29, tzinfo=ZONE)
LAST = ENDS - timedelta(microseconds=1)


@pytest.fixture
def awarded(scene):
    """Two places with a winner each, and four families that got none, in the order of their numbers."""
    vacancy = VacancyFactory(
        group=scene.group,
        birth_years=[2017],
        seats_total=2,
        mode=Vacancy.Mode.QUEUE_ORDER,
        opens_at=NOW,
        closes_at=CLOSES,
    )
    families = [
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=scene.application.child.birth_date,
            languages=["ru"],
            filed_at=NOW - timedelta(days=20 - index),
        )
        for index in range(6)
    ]
    for family in families:
        place_bid(family, vacancy, actor=family.filed_by, now=NOW)
    award_collected(vacancy, now=CLOSES)
    return vacancy, families


def winners():
    return list(Bid.objects.filter(holds_seat=True, state=BidState.PENDING))


def give_back(bid):
    return lambda: withdraw_bid(bid, actor=bid.placed_by, now=CLOSES)


def offer(seeking):
    return lambda: offers.offer_to_the_next(seeking, now=CLOSES)


def offered_to(families):
    made = Offer.objects.filter(state=OfferState.OFFERED)
    return sorted(families.index(one.application) for one in made)


def consistent(vacancy):
    vacancy.refresh_from_db()
    holding = Bid.objects.filter(vacancy=vacancy, holds_seat=True).count()
    live = Offer.objects.filter(vacancy=vacancy, state__in=LIVE_OFFERS).count()
    return vacancy.seats_taken == holding + live


def test_control_without_asking_again_under_the_locks_one_family_gets_both(awarded, monkeypatch):
    """Both workers have found the same first family; only the constraint keeps it from two offers."""
    vacancy, families = awarded
    for bid in winners():
        give_back(bid)()
    both_have_read = Barrier(2)

    seen = local()

    def careless(vacancy, *, now):
        if not hasattr(seen, "once"):
            seen.once = True
            both_have_read.wait(timeout=PATIENCE)
        return families[2]

    monkeypatch.setattr(offers, "_first_in_order", careless)

    def refused_by_the_constraint(seeking):
        try:
            return offer(seeking)()
        except IntegrityError:
            return "IntegrityError"

    seeking = Offer.objects.filter(state=OfferState.SEEKING)
    results = together(*[lambda one=one: refused_by_the_constraint(one) for one in seeking])
    assert sorted(map(str, results)) == ["IntegrityError", "True"]
    assert consistent(vacancy)


def test_two_places_given_back_at_once_go_to_two_families(awarded):
    vacancy, families = awarded
    together(*map(give_back, winners()))
    assert Offer.objects.filter(state=OfferState.SEEKING).count() == 2
    seeking = list(Offer.objects.all())
    together(*[offer(one) for one in seeking] * 3)
    pass_on_offers(now=CLOSES)
    assert offered_to(families) == [2, 3]
    assert consistent(vacancy)


def test_the_last_microsecond_against_the_job_after_it(awarded):
    """Either the family has the place, or the next one is asked: never both, never neither."""
    vacancy, _families = awarded
    for bid in winners():
        give_back(bid)()
    pass_on_offers(now=CLOSES)
    made = list(Offer.objects.filter(state=OfferState.OFFERED))
    accept = [
        lambda one=one: offers.accept_offer(one, actor=one.application.filed_by, now=LAST) for one in made
    ]
    end = [lambda one=one: offers.end_if_over(one, now=ENDS) for one in made]
    results = together(*accept, *end)
    for index, one in enumerate(made):
        one.refresh_from_db()
        is_accepted = results[index] != Refusal.OFFER_ENDED
        assert one.state == (OfferState.ACCEPTED if is_accepted else OfferState.UNANSWERED)
        holds = Bid.objects.filter(application=one.application, holds_seat=True).exists()
        assert holds is is_accepted
    assert consistent(vacancy)


def test_two_guardians_accept_and_decline_at_once(awarded):
    vacancy, _families = awarded
    give_back(winners()[0])()
    pass_on_offers(now=CLOSES)
    made = Offer.objects.get()
    assert made.application is not None
    actor = filer(made.application)
    results = together(
        lambda: offers.accept_offer(made, actor=actor, now=CLOSES),
        lambda: offers.decline_offer(made, actor=actor, now=CLOSES),
        lambda: offers.accept_offer(made, actor=actor, now=CLOSES),
    )
    assert results.count(Refusal.OFFER_ENDED) == 2
    assert consistent(vacancy)


def test_the_family_leaves_the_queue_while_it_is_asked(awarded):
    vacancy, families = awarded
    give_back(winners()[0])()
    (seeking,) = Offer.objects.all()
    together(offer(seeking), lambda: archive(families[2], actor=families[2].filed_by, now=CLOSES))
    pass_on_offers(now=CLOSES)
    assert Application.objects.get(pk=families[2].pk).state == ApplicationState.ARCHIVED
    pass_on_offers(now=CLOSES)
    assert offered_to(families) == [3]
    assert consistent(vacancy)


def test_a_recall_against_the_offering(awarded, scene):
    vacancy, families = awarded
    for bid in winners():
        give_back(bid)()
    seeking = list(Offer.objects.all())
    together(
        *map(offer, seeking),
        lambda: recall_vacancy(vacancy, actor=scene.staff, reason="Жөндеу", now=CLOSES),
    )
    pass_on_offers(now=CLOSES)
    assert offered_to(families) == []
    assert consistent(vacancy)
    assert vacancy.seats_taken == 0


def test_a_family_at_work_holds_up_neither_the_recall_nor_the_others(awarded, scene, monkeypatch):
    vacancy, families = awarded
    for bid in winners():
        give_back(bid)()
    pass_on_offers(now=CLOSES)
    assert offered_to(families) == [2, 3]
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 100)
    with transaction.atomic():
        moves.lock_application(families[2].pk)
        (recalled,) = together(
            lambda: recall_vacancy(vacancy, actor=scene.staff, reason="Жөндеу", now=CLOSES)
        )
        assert recalled == vacancy
        assert offered_to(families) == [2]
    pass_on_offers(now=CLOSES)
    assert offered_to(families) == []
    assert consistent(vacancy)
    assert vacancy.seats_taken == 0
