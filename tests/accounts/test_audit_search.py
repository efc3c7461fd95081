"""A page of the audit costs the same however many entries there are."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.audit_search import Place, Span, Wanted, entries, page, place_of, statement_for
from accounts.journal_actions import Action
from accounts.models import AuditEntry
from tests.factories import StaffFactory, UserFactory
from tests.shared import built_once
from tests.thorough import pairs

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def seed(*, entries, actors, subjects):
    """So many entries, a second apart, of people and about people who take turns; each tenth is a sign-in."""
    with connection.cursor() as cursor:
        # All of these people are there: looking up each of them for each entry would take half of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO accounts_auditentry (at, action, actor_id, subject_id, target, reason, about)"
            " SELECT %s::timestamptz + n * interval '1 second',"
            " CASE WHEN n %% 10 = 0 THEN 'signed_in' ELSE 'personal_data_viewed' END,"
            " (%s::uuid[])[1 + n %% %s], (%s::uuid[])[1 + n %% %s], '26-' || lpad((n %% 5000)::text, 6, '0'), '',"
            " 'children.child:' || n %% 40"
            " FROM generate_series(1, %s) n",
            [
                NOON,
                [str(one.pk) for one in actors],
                len(actors),
                [str(one.pk) for one in subjects],
                len(subjects),
                entries,
            ],
        )
        cursor.execute("SET LOCAL session_replication_role = origin; ANALYZE accounts_auditentry")


def plan_of(wanted, **options):
    """The rows that the search read, and the kinds of its steps on the table."""
    statement, values = statement_for(wanted, limit=50, **options)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        (found,) = cursor.fetchone()
    steps = list(_steps((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
    on_table = [step for step in steps if step.get("Relation Name") == "accounts_auditentry"]
    read = sum(
        step["Actual Loops"] * (step["Actual Rows"] + step.get("Rows Removed by Filter", 0))
        for step in on_table
    )
    return read, {step["Node Type"] for step in on_table}


def _steps(step):
    yield step
    for below in step.get("Plans", ()):
        yield from _steps(below)


@pytest.fixture(scope="class")
def actors_once(django_db_setup, django_db_blocker):
    """Those of 60,000 entries, which are written once."""

    def build():
        actors = StaffFactory.create_batch(100)
        seed(entries=60_000, actors=actors, subjects=UserFactory.create_batch(50))
        return actors

    with built_once(django_db_blocker, build) as actors:
        yield actors


class TestAmongVeryMany:
    @pytest.fixture
    def actors(self, actors_once):
        return actors_once()

    def test_no_search_reads_more_than_its_page(self, actors):
        """Whatever is asked for together, in the middle of the pages too."""
        who = [None, [actors[0].pk], [one.pk for one in actors[:3]], [uuid4()]]
        whom: list[dict[str, Any]] = [
            {},
            {"targets": ["26-000017"]},
            {"subjects": [], "targets": ["26-000017"]},
        ]
        what = [
            None,
            [Action.SIGNED_IN],
            [Action.SIGNED_IN, Action.PERSONAL_DATA_VIEWED],
            [Action.REGISTERED],
        ]
        when: list[dict[str, Any]] = [
            {},
            {"since": NOON + timedelta(hours=8), "until": NOON + timedelta(hours=9)},
        ]
        middle = Place(NOON + timedelta(hours=12), 7)
        asked, parts = list(product(who, what)), list(product(whom, when, [None, middle]))
        for (actor, actions), (about, time, before) in pairs(asked, parts):
            wanted = Wanted(actors=actor, actions=actions, **about, **time)
            read, kinds = plan_of(wanted, before=before)
            # At most a page of each action of each person, and the page itself.
            assert read <= 50 * 3 * 2 + 50, (wanted, read)
            assert kinds <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, (wanted, kinds)

    def test_what_was_done_to_a_thing_is_read_by_the_page_within_its_time(self, actors):
        """Such as a list that is opened every day, and held a child for a while."""
        begins, ends = NOON + timedelta(hours=8), NOON + timedelta(hours=16)
        lists = [Span("children.child:7", begins, ends), Span("children.child:8", None, NOON)]
        for before in (None, Place(NOON + timedelta(hours=12), 7)):
            read, kinds = plan_of(Wanted(spans=lists), before=before)
            assert read <= 50 * 2 + 50, (before, read)
            assert kinds <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
        found = list(entries(Wanted(spans=lists), limit=5000))
        assert {entry.about for entry in found} == {"children.child:7"}
        # Each fortieth second; the first instant belongs to it, the last does not.
        assert len(found) == 8 * 3600 / 40
        to_the_point = Span("children.child:7", found[-1].at, found[0].at)
        assert list(entries(Wanted(spans=[to_the_point]), limit=5000)) == found[1:]


def test_what_concerns_one_family_is_read_by_its_index():
    subjects = UserFactory.create_batch(200)
    seed(entries=20_000, actors=StaffFactory.create_batch(1), subjects=subjects)
    read, _kinds = plan_of(Wanted(subjects=[subjects[3].pk], actions=[Action.REGISTERED]))
    assert read <= 100
    assert len(page(Wanted(subjects=[subjects[3].pk]), limit=200)) == 100


def test_pages_follow_each_other_without_a_gap():
    """Also where many entries have one instant, and where their times are those of the days asked for."""
    one, other = StaffFactory.create_batch(2)
    made = AuditEntry.objects.bulk_create(
        AuditEntry(
            at=NOON + timedelta(microseconds=n // 4), action=Action.SIGNED_IN, actor=(one, other)[n % 2]
        )
        for n in range(40)
    )
    wanted = Wanted(actors=[one.pk, other.pk], actions=[Action.SIGNED_IN])
    found, before = [], None
    while step := page(wanted, before=before, limit=7):
        found += step
        before = place_of(step[-1])
    assert found == made[::-1] == list(entries(wanted, limit=100, at_once=7))
    assert list(entries(wanted, limit=9, at_once=4)) == made[::-1][:9]
    # The day that is asked for begins with its first instant, and ends before that of the next one.
    part = Wanted(since=NOON + timedelta(microseconds=2), until=NOON + timedelta(microseconds=4))
    assert {entry.at - NOON for entry in page(part, limit=50)} == {timedelta(microseconds=n) for n in (2, 3)}
    assert page(part, before=place_of(made[-1]), limit=50) == page(part, limit=50)


def test_whom_or_the_number_who_and_what_together():
    family, stranger, employee = UserFactory(), UserFactory(), StaffFactory()
    common = {"at": NOON, "actor": employee, "action": Action.PERSONAL_DATA_VIEWED}
    by_person = AuditEntry.objects.create(subject=family, **common)
    by_number = AuditEntry.objects.create(subject=stranger, target="26-000001", **common)
    both = AuditEntry.objects.create(subject=family, target="26-000001", **common)
    AuditEntry.objects.create(subject=stranger, target="26-000002", **common)
    AuditEntry.objects.create(subject=family, at=NOON, actor=family, action=Action.SIGNED_IN)
    wanted = Wanted(
        subjects=[family.pk],
        targets=["26-000001"],
        actors=[employee.pk],
        actions=[Action.PERSONAL_DATA_VIEWED],
    )
    assert page(wanted, limit=10) == [both, by_number, by_person]
    assert page(Wanted(subjects=[]), limit=10) == []
    assert page(Wanted(actors=[]), limit=10) == []
