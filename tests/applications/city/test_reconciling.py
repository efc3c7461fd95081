"""The former queue beside the portal's: every line has one outcome, and what moved it adds up to the last child."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.city.reconciling import Outcome, Reason, Standing, compare, reconcile
from applications.models import Application, FormerLine
from applications.queue.position import position
from applications.states import ApplicationState, Tier
from balabaqsha.demo.former_faults import planted_rows
from bulletin.models import ImportBatch
from tests.applications.city.conftest import command
from tests.applications.city.test_queue_file import about, file_of, load, official  # noqa: F401 - fixtures
from tests.applications.conftest import NOW
from tests.thorough import THOROUGH

LEFT_OUT = [Reason.DUPLICATE, Reason.SCHOOL_AGE, Reason.OTHER_FAULT]


@st.composite
def queues(draw):
    """A file, some lines of which were left out or have left, and a queue with them and others in any order."""
    count = draw(st.integers(0, 12))
    file = [
        Standing(line, None if draw(st.booleans()) else f"old {line}", draw(st.sampled_from(LEFT_OUT)))
        for line in range(2, 2 + count)
    ]
    here = [one.application for one in file if one.application and draw(st.integers(0, 3))]
    others = [f"new {number}" for number in range(draw(st.integers(0, 6)))]
    absent = {one for one in others if draw(st.booleans())}
    queue = draw(st.permutations(here + others))
    return file, [(key, draw(st.sampled_from(Tier))) for key in queue], absent


@given(queues())
def test_the_sums_close(drawn):
    file, queue, absent = drawn
    numbers = {key: number for number, (key, _tier) in enumerate(queue, start=1)}
    compared = compare(file, queue, absent=absent)
    assert [one.line for one in compared] == [one.line for one in file]
    for standing, one in zip(file, compared, strict=True):
        assert one.new == numbers.get(standing.application)
        if one.new is None:
            assert one.outcome == (Outcome.AWAY if standing.application else Outcome.LEFT_OUT)
            assert one.reasons == {standing.reason: 1}
        else:
            assert one.old - one.new == sum(one.reasons.values())
            assert (one.outcome == Outcome.SAME) == (one.old == one.new)
            # Whoever is in no line counts once: as absent, or as new.
            ahead = [key for key, _tier in queue[: one.new - 1] if str(key).startswith("new")]
            assert -one.reasons.get(Reason.ABSENT, 0) == len(absent.intersection(ahead))
            assert -one.reasons.get(Reason.NEW, 0) == len(set(ahead) - absent)


def test_reasons_by_hand():
    """The second line was left out; the fourth has a benefit; somebody filed in the portal with another."""
    file = [
        Standing(2, "a", Reason.GONE),
        Standing(3, None, Reason.DUPLICATE),
        Standing(4, "c", Reason.GONE),
        Standing(5, "d", Reason.GONE),
    ]
    queue = [("d", Tier.PRIORITY), ("new", Tier.PRIORITY), ("c", Tier.GENERAL), ("a", Tier.GENERAL)]
    told = {one.line: (one.old, one.new, dict(one.reasons)) for one in compare(file, queue)}
    assert told == {
        2: (1, 4, {Reason.DATE: -1, Reason.BENEFIT: -1, Reason.NEW: -1}),
        3: (2, None, {Reason.DUPLICATE: 1}),
        4: (3, 3, {Reason.DATE: 1, Reason.BENEFIT: -1, Reason.NEW: -1, Reason.DUPLICATE: 1}),
        5: (4, 1, {Reason.BENEFIT: 2, Reason.DUPLICATE: 1}),
    }


@pytest.mark.django_db
class TestOfAFile:
    def test_every_line_of_a_city_with_faults_closes(self, load, about, scene):  # noqa: F811 - a fixture
        rows, expected = planted_rows(400, every=5, **about)
        report = load(rows, skip_bad=True)
        found = reconcile(ImportBatch.objects.get(pk=report.batch), now=NOW)
        assert [one.line for one in found.lines] == list(range(2, 402))
        assert found.outcomes.total() == 400
        assert found.outcomes[Outcome.LEFT_OUT] == len(expected)
        of_line = {
            one.line: one.application
            for one in FormerLine.objects.select_related("application__locality")
            if one.application
        }
        for one in found.lines:
            if one.new is not None:
                assert one.new == position(of_line[one.line], now=NOW).number
                assert one.old - one.new == sum(one.reasons.values())
        stopped = Application.objects.filter(state=ApplicationState.STOP_LISTED).count()
        assert found.outcomes[Outcome.AWAY] == stopped
        ranks = Counter((line.locality_id, line.birth_year) for line in FormerLine.objects.all())
        for queue, count in ranks.items():
            lines = set(
                FormerLine.objects.filter(locality=queue[0], birth_year=queue[1]).values_list(
                    "line", flat=True
                )
            )
            old = [one.old for one in found.lines if one.line in lines]
            assert old == (list(range(1, count + 1)) if None not in queue else [None] * count)

    def test_a_good_file_keeps_every_place(self, load, about, scene):  # noqa: F811 - a fixture
        # The one that is here already stands in another queue.
        Application.objects.filter(pk=scene.application.pk).update(birth_year=2011)
        rows = _good(about)
        found = reconcile(ImportBatch.objects.get(pk=load(rows).batch), now=NOW)
        assert found.outcomes == {Outcome.SAME: len(rows)}
        assert not found.reasons


@pytest.mark.django_db
def test_a_whole_city_with_a_fault_in_every_fiftieth_row(load, about):  # noqa: F811 - fixtures
    """From the file to the numbers: each fault is named where it stands, and every sum closes."""
    number = 50_000 if THOROUGH else 1_500
    rows, expected = planted_rows(number, every=50, **about)
    report = load(rows, skip_bad=True)
    assert {fault.line: (fault.column, fault.problem) for fault in report.faults} == expected
    assert report.counts["added"] == number - len(expected)
    found = reconcile(ImportBatch.objects.get(pk=report.batch), now=NOW)
    assert [one.line for one in found.lines] == list(range(2, number + 2))
    assert {one.line for one in found.lines if one.outcome == Outcome.LEFT_OUT} == set(expected)
    assert all(one.old - one.new == sum(one.reasons.values()) for one in found.lines if one.new is not None)
    numbered = FormerLine.objects.filter(batch=report.batch, application__state=ApplicationState.WAITING)
    new = {one.line: one.new for one in found.lines}
    for one in numbered.select_related("application__locality")[:: number // 300]:
        assert one.application is not None
        assert new[one.line] == position(one.application, now=NOW).number
    assert command("rebuild_queue", "--check") == (0, "Events, queue and counts agree.\n")


def _good(about):  # noqa: F811 - the value of a fixture
    from balabaqsha.demo.former_queue import rows_of

    plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
    return [row | plain for row in rows_of(40, **about)]


@pytest.mark.django_db
class TestTheCommand:
    def test_it_says_what_came_of_the_file(self, load, about, tmp_path):  # noqa: F811 - a fixture
        rows, expected = planted_rows(60, every=10, **about)
        path = tmp_path / "queue.csv"
        path.write_bytes(file_of(rows).read())
        assert command("reconcile_queue", str(path)) == (
            2,
            "This file was not loaded: import_queue it first.",
        )
        load(rows, skip_bad=True)
        code, said = command("reconcile_queue", str(path))
        assert code == 1
        assert "60  lines in the file" in said
        assert f"{len(expected)}  left out" in said
        assert f"Lines that were left out: {len(expected)}." in said

    def test_for_programs(self, load, about, tmp_path):  # noqa: F811 - a fixture
        rows = _good(about)
        path = tmp_path / "queue.csv"
        path.write_bytes(file_of(rows).read())
        load(rows)
        code, said = command("reconcile_queue", str(path), format="json")
        told = json.loads(said)
        assert code == 0
        assert sum(told["outcomes"].values()) == len(told["lines"]) == len(rows)
        assert all(before["line"] < after["line"] for before, after in pairwise(told["lines"]))
        assert not any(row["child_iin"] in said or row["old_number"] in said for row in rows)
