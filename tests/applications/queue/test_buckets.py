"""The buckets under the numbers: kept by the database for every writer, folded, checked, repaired."""

import logging
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from applications import tasks
from applications.models import Application, QueueCount
from applications.queue import buckets
from applications.queue.buckets import (
    bucket_differences,
    bucket_month,
    fold_buckets,
    rebuild_buckets,
    repair_buckets,
)
from applications.queue.position import count_position, position
from applications.referrals import ending, issuing
from applications.states import QUEUED_STATES, ApplicationState, Tier
from notifications.copied_rows import copy_rows
from tests.applications.bidding.reference import place_bid
from tests.factories import ApplicationFactory, ChildFactory
from tests.patience import PATIENCE


def sums():
    rows = QueueCount.objects.values_list("birth_year", "tier", "month", "n")
    found: dict[tuple[Any, ...], int] = {}
    for *key, n in rows:
        found[tuple(key)] = found.get(tuple(key), 0) + n
    return {key: n for key, n in found.items() if n}


def go_round_the_trigger(sql):
    with connection.cursor() as cursor:
        # Foreign keys leave checks behind, and a table with open checks can't be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE applications_application DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE applications_application ENABLE TRIGGER USER")


@pytest.mark.parametrize("state", ApplicationState)
def test_the_trigger_knows_the_states_that_hold_a_number(scene, state):
    archived_at = scene.now if state == ApplicationState.ARCHIVED else None
    before = sum(sums().values())
    ApplicationFactory(state=state, archived_at=archived_at)
    assert sum(sums().values()) - before == (state in QUEUED_STATES)
    assert bucket_differences() == []


def test_a_bid_and_a_referral_write_nothing(scene):
    rows = QueueCount.objects.count()
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    assert QueueCount.objects.count() == rows
    ending.sign_contract(referral, actor=scene.staff, now=scene.now)
    assert QueueCount.objects.count() == rows + 1
    assert sums() == {}


def test_what_one_statement_brings_in_is_one_addend_for_each_bucket(scene):
    """A thousand rows of a former queue leave no thousand addends to be folded."""
    about = {
        "locality": scene.locality,
        "languages": ["kk"],
        "filed_at": scene.now,
        "interest_confirmed_at": scene.now,
    }
    waiting, stopped = ApplicationState.WAITING, ApplicationState.STOP_LISTED
    new = [
        Application(
            child=ChildFactory(),
            number=f"n{at}",
            sequence=900_000 + at,
            birth_year=year,
            state=state,
            **about,
        )
        for at, (year, state) in enumerate(
            [(2016, waiting), (2017, waiting), (2016, waiting), (2017, stopped)]
        )
    ]
    for write in (Application.objects.bulk_create, copy_rows):
        QueueCount.objects.all().delete()
        write(new)
        added = QueueCount.objects.values_list("birth_year", "n", "folded").order_by("birth_year")
        assert list(added) == [(2016, 2, False), (2017, 1, False)]
        Application.objects.filter(pk__in=[one.pk for one in new]).delete()
        assert sum(sums().values()) == 0


def test_every_way_of_writing_counts(scene):
    new = Application(
        child=ChildFactory(), number="26-1", sequence=1, languages=["kk"], filed_by=scene.parent, birth_year=2018,
        locality=scene.locality, filed_at=scene.now, interest_confirmed_at=scene.now,
    )  # fmt: skip
    Application.objects.bulk_create([new])
    assert bucket_differences() == []
    new.tier, new.birth_year = Tier.PRIORITY, 2019
    Application.objects.bulk_update([new], ["tier", "birth_year"])
    assert (2019, Tier.PRIORITY, bucket_month(scene.now)) in sums()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE applications_application SET filed_at = filed_at - interval '1 year'")
    assert bucket_differences() == []
    new.delete()
    assert bucket_differences() == []
    assert sum(sums().values()) == 1


def test_the_month_of_a_bucket_is_that_of_the_database(scene):
    """At the turn of a month in Almaty it is still the month before in UTC, for both."""
    turn = datetime(2019, 5, 31, 19, 0, tzinfo=UTC)
    Application.objects.update(filed_at=turn)
    assert list(sums()) == [(2017, Tier.GENERAL, bucket_month(turn))]
    assert bucket_month(turn) == turn.date().replace(day=1)


def test_folding_changes_rows_but_no_sum(scene):
    ApplicationFactory.create_batch(3, filed_at=scene.application.filed_at, birth_year=2017)
    ApplicationFactory(birth_year=2018).delete()
    before = sums()
    assert fold_buckets() == 6
    assert sums() == before
    assert [(row.n, row.folded) for row in QueueCount.objects.all()] == [(4, True)]
    assert fold_buckets() == 0
    assert position(scene.application, now=scene.now) == count_position(scene.application, now=scene.now)


def test_folding_leaves_what_did_not_change(scene):
    fold_buckets()
    (kept,) = QueueCount.objects.all()
    ApplicationFactory(birth_year=2018)
    fold_buckets()
    assert QueueCount.objects.filter(pk=kept.pk).exists()
    assert QueueCount.objects.count() == 2


def test_an_emptied_bucket_leaves_no_row(scene):
    fold_buckets()
    Application.objects.update(state=ApplicationState.ENROLLED)
    fold_buckets()
    assert not QueueCount.objects.exists()


def test_what_went_round_the_trigger_is_found_and_repaired(scene, caplog):
    go_round_the_trigger("UPDATE applications_application SET state = 'enrolled'")
    (wrong,) = bucket_differences()
    assert (wrong.birth_year, wrong.tier, wrong.month, wrong.kept, wrong.counted) == (
        2017, Tier.GENERAL, bucket_month(scene.application.filed_at), 1, 0,
    )  # fmt: skip
    with caplog.at_level(logging.ERROR):
        assert repair_buckets() == [wrong]
    assert "buckets of the queue were wrong" in caplog.text
    assert bucket_differences() == []


def test_a_bucket_that_is_missing_is_found(scene):
    QueueCount.objects.all().delete()
    (wrong,) = bucket_differences()
    assert (wrong.kept, wrong.counted) == (0, 1)
    assert rebuild_buckets() == 1
    assert bucket_differences() == []


def test_nothing_is_rebuilt_where_nothing_is_wrong(scene):
    rows = list(QueueCount.objects.values_list("pk"))
    assert repair_buckets() == []
    assert list(QueueCount.objects.values_list("pk")) == rows


def test_the_tasks_fold_and_repair(scene):
    tasks.fold_buckets()
    assert not QueueCount.objects.filter(folded=False).exists()
    QueueCount.objects.all().delete()
    tasks.repair_buckets()
    assert bucket_differences() == []


@pytest.mark.django_db(transaction=True)
def test_a_fold_leaves_the_work_to_the_one_that_runs(db):
    ApplicationFactory()
    folded = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [buckets._FOLD_LOCK])
        before = sums()
        other = Thread(target=in_a_connection_of_its_own, args=[lambda: folded.append(fold_buckets())])
        other.start()
        other.join(PATIENCE)
        assert not other.is_alive()
    assert folded == [0]
    assert sums() == before


def in_a_connection_of_its_own(act):
    try:
        act()
    finally:
        connection.close()
