"""Eligibility without a page: the head of the queue, an earlier refusal, what is left at the opening."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from applications.bidding.eligibility import is_inside, refusal_at_opening, why_not
from applications.bidding.ending import reject_bid, withdraw_bid
from applications.models import PriorityCutoff
from applications.refusals import Refusal
from applications.states import Tier
from bulletin.models import Vacancy
from bulletin.services import pause_bidding
from children.disputes import Side
from tests.applications.bidding.reference import place_bid
from tests.factories import GroupFactory, VacancyFactory

AT = datetime(2019, 6, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def seeker(**fields):
    stands = {"birth_year": 2017, "tier": Tier.GENERAL, "filed_at": AT, "sequence": 7}
    return SimpleNamespace(**(stands | fields))


def cutoff(**fields):
    ends = {"birth_year": 2017, "tier": Tier.GENERAL, "filed_at": AT, "sequence": 7}
    return PriorityCutoff(**(ends | fields))


class TestTheHeadOfTheQueue:
    @pytest.mark.parametrize(
        ("stands", "inside"),
        [
            ({}, True),
            ({"filed_at": AT - MICROSECOND, "sequence": 9}, True),
            ({"filed_at": AT + MICROSECOND, "sequence": 1}, False),
            ({"sequence": 6}, True),
            ({"sequence": 8}, False),
            ({"birth_year": 2016}, False),
            ({"tier": Tier.PRIORITY}, False),
        ],
    )
    def test_ends_with_its_last_one(self, stands, inside):
        assert is_inside(seeker(**stands), [cutoff()]) is inside

    def test_has_an_end_for_each_year_and_part_of_the_queue(self):
        ends = [cutoff(birth_year=2016), cutoff(tier=Tier.PRIORITY, sequence=3), cutoff(sequence=1)]
        assert not is_inside(seeker(sequence=2), ends)
        assert is_inside(seeker(sequence=2, tier=Tier.PRIORITY), ends)

    def test_holds_nobody_where_it_has_no_end(self):
        assert not is_inside(seeker(), [])


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestOneAfterTheOther:
    @pytest.mark.parametrize(
        ("side", "refusal"),
        [
            (Side.DISPUTED, Refusal.DISPUTED),
            (Side.UNPROVEN, Refusal.UNPROVEN),
            (Side.REPORTED, None),
            (None, None),
        ],
    )
    def test_who_asks_comes_before_what_suits(self, scene, side, refusal):
        """A disputed guardian reads that, whatever the place; who may choose reads of the place."""
        scene.application.asker_side = side
        assert why_not(scene.application, scene.vacancy, now=scene.now) == refusal
        scene.application.birth_year = 2016
        mismatched = refusal or Refusal.OTHER_BIRTH_YEAR
        assert why_not(scene.application, scene.vacancy, now=scene.now) == mismatched

    def test_only_a_refusal_at_this_place_stands_in_the_way(self, scene):
        elsewhere = VacancyFactory(
            group=GroupFactory(kindergarten=scene.group.kindergarten), opens_at=scene.vacancy.opens_at
        )
        bid = place_bid(scene.application, elsewhere, actor=scene.parent, now=scene.now)
        application = reject_bid(bid, actor=scene.staff, reason="Құжаттар сәйкес емес", now=scene.now)
        assert why_not(application, elsewhere, now=scene.now) == Refusal.REJECTED_HERE
        assert why_not(application, scene.vacancy, now=scene.now) is None

    def test_a_bid_that_was_withdrawn_here_does_not(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        application = withdraw_bid(bid, actor=scene.parent, now=scene.now)
        assert why_not(application, scene.vacancy, now=scene.now) is None

    def test_in_the_window_stands_who_is_not_of_the_head(self, scene):
        scene.vacancy.priority_until = scene.now + MICROSECOND
        assert why_not(scene.application, scene.vacancy, now=scene.now) == Refusal.PRIORITY
        scene.vacancy.cutoffs.create(
            birth_year=2017,
            tier=scene.application.tier,
            filed_at=scene.application.filed_at,
            sequence=scene.application.sequence,
        )
        assert why_not(scene.application, scene.vacancy, now=scene.now) is None
        scene.vacancy.cutoffs.all().delete()
        assert why_not(scene.application, scene.vacancy, now=scene.now + MICROSECOND) is None

    def test_at_the_opening_an_announced_place_is_open_and_a_pause_over(self, scene):
        scene.vacancy.opens_at = scene.now + timedelta(days=1)
        assert why_not(scene.application, scene.vacancy, now=scene.now) == Refusal.NOT_OPEN_YET
        assert refusal_at_opening(scene.application, scene.vacancy) is None
        pause_bidding(
            locality=scene.locality,
            actor=scene.staff,
            notice_kk="Тоқтатылды",
            notice_ru="Остановлено",
            now=scene.now,
        )
        paused = Vacancy.objects.get(pk=scene.vacancy.pk)
        paused.opens_at = scene.now
        assert why_not(scene.application, paused, now=scene.now) == Refusal.PAUSED
        assert refusal_at_opening(scene.application, paused) is None

    def test_at_the_opening_what_does_not_pass_is_still_in_the_way(self, scene):
        scene.application.birth_year = 2016
        assert refusal_at_opening(scene.application, scene.vacancy) == Refusal.OTHER_BIRTH_YEAR
