"""Numbers are read while families come and go: each equals what counting gives in the reader's own snapshot."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from threading import Event

import pytest
from django.db import connection, transaction

from applications import moves
from applications.models import Application, Rules
from applications.queue.buckets import bucket_differences, fold_buckets
from applications.queue.position import Position, count_position, position
from applications.referrals import ending, issuing, stops
from applications.states import QUEUED_STATES, ApplicationState, Move, Tier
from applications.waiting import filing
from tests.applications.bidding.reference import place_bid
from tests.factories import ApplicationFactory, ChildFactory, GuardianshipFactory, VacancyFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

BORN = date(2017, 1, 1)
READERS, ROUNDS = 2, 6


@pytest.fixture
def queue(scene, monkeypatch):
    """A queue of all tiers over four months, out of which and into which the workers move."""
    # As often as they like within the one day of the test.
    monkeypatch.setattr(moves, "MOST_A_DAY", {})
    Rules.objects.create(valid_from=date(2018, 1, 1), general_per_priority=2)
    scene.families = [
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=BORN,
            filed_at=datetime(2019, 1 + index % 4, 1 + index, tzinfo=UTC),
            tier=[Tier.GENERAL, Tier.PRIORITY, Tier.GENERAL, Tier.EXTRAORDINARY][index % 4],
        )
        for index in range(12)
    ]
    # One for each worker: on a crowded machine they would wait for each other's seats longer than they may.
    opened = scene.vacancy.opens_at
    scene.vacancies = [VacancyFactory(group=scene.group, seats_total=100, opens_at=opened) for _ in range(2)]
    scene.children = [ChildFactory(birth_date=BORN) for _ in range(2 * ROUNDS)]
    for child in scene.children:
        GuardianshipFactory(child=child, user=scene.parent)
    return scene


def come(queue, children):
    for child in children:
        filing.file_application(
            child=child, locality=queue.locality, languages=["ru"], actor=queue.parent, now=queue.now
        )


def leave_and_return(queue, application):
    for _ in range(ROUNDS):
        filing.archive(application, actor=application.filed_by, now=queue.now)
        filing.restore(application, actor=application.filed_by, now=queue.now)


def miss_the_referral(queue, application, vacancy):
    """To the stop-list and back."""
    now = queue.now
    for _ in range(ROUNDS // 2):
        bid = place_bid(application, vacancy, actor=application.filed_by, now=now)
        referral = issuing.activate_bid(bid, actor=queue.staff, now=now)
        ending.expire_referral(referral, now=referral.valid_until)
        stops.lift_stop(referral.stops.get(), actor=queue.staff, reason="Ауырды", now=referral.valid_until)
        now = referral.valid_until


def change_tier(application):
    for tier in [Tier.EXTRAORDINARY, Tier.GENERAL] * ROUNDS:
        with moves.locking():
            locked = moves.lock_application(application.pk)
            moves.move(locked, Move.VERIFY_BENEFIT, actor=None, now=locked.filed_at, tier=tier)


def read_numbers(queue, done):
    """The pairs (number, number by counting), each pair from one snapshot, until the others are done."""
    pairs: list[tuple[Position | None, Position | None]] = []
    while not done.is_set() or not pairs:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            waiting = Application.objects.filter(state__in=QUEUED_STATES).select_related("locality")
            one = random.choice(list(waiting))
            pairs.append((position(one, now=queue.now), count_position(one, now=queue.now)))
    return pairs


def fold(done):
    folded = 0
    while not done.is_set():
        folded += fold_buckets()
    return folded


def under_fire(queue, *, fold_too):
    """All that was read while six workers moved applications; and how many changes were folded meanwhile."""
    first, second, third, fourth, fifth = queue.families[:5]
    done = Event()

    def run(work, *arguments):
        with closing(connection):
            return work(*arguments)

    with ThreadPoolExecutor(16) as pool:
        reading = [pool.submit(run, read_numbers, queue, done) for _ in range(READERS)]
        folding = [pool.submit(run, fold, done)] if fold_too else []
        try:
            writing = [
                pool.submit(run, come, queue, queue.children[:ROUNDS]),
                pool.submit(run, come, queue, queue.children[ROUNDS:]),
                pool.submit(run, leave_and_return, queue, first),
                pool.submit(run, leave_and_return, queue, second),
                pool.submit(run, miss_the_referral, queue, third, queue.vacancies[0]),
                pool.submit(run, miss_the_referral, queue, fourth, queue.vacancies[1]),
                pool.submit(run, change_tier, fifth),
            ]
            for worker in writing:
                worker.result()
        finally:
            done.set()
        pairs = [pair for reader in reading for pair in reader.result()]
        return pairs, sum(worker.result() for worker in folding)


def test_control_without_the_trigger_numbers_are_wrong(queue):
    """With nobody keeping the buckets the readers see it: the test below means something."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE applications_application DISABLE TRIGGER count_queue_in")
        cursor.execute("ALTER TABLE applications_application DISABLE TRIGGER count_queue_moves")
    try:
        pairs, _ = under_fire(queue, fold_too=False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE applications_application ENABLE TRIGGER USER")
    assert any(quick != counted for quick, counted in pairs)
    assert bucket_differences()


def test_every_number_read_is_the_count_of_its_snapshot(queue):
    pairs, folded = under_fire(queue, fold_too=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    # The numbers did move under the readers, and the fold did its work meanwhile.
    assert len({(counted.number, counted.total) for _, counted in pairs}) > ROUNDS
    assert folded > 4 * ROUNDS
    assert bucket_differences() == []
    assert Application.objects.filter(state=ApplicationState.WAITING).count() == 13 + 2 * ROUNDS


def test_a_change_that_is_not_committed_moves_no_number(queue):
    """Neither the reader outside nor the fold sees half of a transaction."""
    one = queue.families[-1]
    before = position(one, now=queue.now)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Application.objects.exclude(pk=one.pk).update(tier=Tier.EXTRAORDINARY)
        assert position(one, now=queue.now) != before

        def outside():
            with closing(connection):
                return fold_buckets(), position(one, now=queue.now), bucket_differences()

        _, seen, wrong = pool.submit(outside).result()
        transaction.set_rollback(True)
    assert (seen, wrong) == (before, [])
    assert position(one, now=queue.now) == before


def test_two_folds_at_once_lose_nothing(queue):
    done = Event()

    def run(work, *arguments):
        with closing(connection):
            return work(*arguments)

    with ThreadPoolExecutor(4) as pool:
        folds = [pool.submit(run, fold, done) for _ in range(3)]
        pool.submit(run, come, queue, queue.children).result()
        done.set()
        for worker in folds:
            worker.result()
    fold_buckets()
    assert bucket_differences() == []
