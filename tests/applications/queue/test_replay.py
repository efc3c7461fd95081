"""Replaying events: every number is the naive one, and the reasons always add up to the whole difference."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from applications.queue.order import interleave
from applications.queue.replay import Standing, Step, Watch
from applications.states import Move, Tier

START = datetime(2019, 1, 1, tzinfo=UTC)
QUEUE, ELSEWHERE = "2017", "2018"
RATIO = 3


def naive_number(standings, watched):
    own = standings.get(watched)
    if own is None:
        return None
    waiting = [(pk, standing) for pk, standing in standings.items() if standing.queue == own.queue]
    tiers = {
        tier: sorted(
            (pk for pk, standing in waiting if standing.tier == tier), key=lambda pk: standings[pk][2:]
        )
        for tier in Tier
    }
    return interleave(tiers, general_per_priority=RATIO).index(watched) + 1


def random_standing(chance, sequence):
    return Standing(
        queue=chance.choices([QUEUE, ELSEWHERE], [9, 1])[0],
        tier=Tier(chance.choices([0, 1, 2], [1, 3, 16])[0]),
        filed_at=START + timedelta(minutes=chance.randrange(500)),
        sequence=sequence,
    )


def random_steps(chance, count, families):
    """Joins, leavings and changes of tier, queue and time, in any order that events could have."""
    standings: dict[int, Standing] = {}
    for number in range(count):
        application = chance.randrange(families)
        if application in standings and chance.random() < 0.5:
            del standings[application]
            move = Move.EXPIRE_REFERRAL
        else:
            standings[application] = random_standing(chance, application)
            move = Move.CORRECT
        yield Step(application, START + timedelta(seconds=number), move, standings.get(application))


def test_a_hundred_thousand_random_events_without_a_mismatch():
    chance = random.Random(2019)
    watched, families = 7, 400
    watch = Watch(watched, ratio_at=lambda queue, at: RATIO)
    standings: dict[int, Standing] = {}
    number, checked = None, 0
    for step in random_steps(chance, 100_000, families):
        for move in watch.run([step]):
            assert move.before == number
            number = move.after
        if step.after is None:
            standings.pop(step.application, None)
        else:
            standings[step.application] = step.after
        if chance.random() < 0.02 or step.application == watched:
            assert number == naive_number(standings, watched)
            checked += 1
    assert checked > 2000


@pytest.mark.parametrize("seed", range(20))
def test_the_reasons_add_up_between_any_two_moments(seed):
    chance = random.Random(seed)
    steps = list(random_steps(chance, 400, 30))
    watch = Watch(3, ratio_at=lambda queue, at: RATIO)
    moves = list(watch.run(steps))
    present = [index for index, move in enumerate(moves) if move.after is not None]
    for _ in range(20):
        first, last = sorted(chance.sample(present, 2))
        total = sum(move.forward for move in moves[first + 1 : last + 1])
        assert moves[first].after - moves[last].after == total


def test_a_new_ratio_is_a_reason_of_its_own():
    ratio = {"value": 3}
    watch = Watch("mine", ratio_at=lambda queue, at: ratio["value"])
    steps = [
        Step(
            name,
            START,
            Move.FILE,
            Standing(QUEUE, tier, START + timedelta(minutes=order), order),
        )
        for order, (name, tier) in enumerate(
            [("p1", Tier.PRIORITY), ("p2", Tier.PRIORITY), ("g1", Tier.GENERAL), ("mine", Tier.GENERAL)]
        )
    ]
    assert list(watch.run(steps))[-1].after == 3
    ratio["value"] = 1
    (move,) = watch.tick(START + timedelta(days=1))
    assert (move.cause, move.before, move.after, move.forward) == (None, 3, 4, -1)
