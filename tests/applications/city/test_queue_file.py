"""The former queue by file: good rows come in at their old dates, and every other line is named with its why."""

import csv
from datetime import datetime, timedelta
from io import BytesIO, StringIO

import pytest

from accounts.models import Sex
from applications.access.settling import settle
from applications.city.queue_file import Queue
from applications.jobs.invariants import differences
from applications.jobs.retention import purge_former_lines
from applications.models import (
    Application,
    Benefit,
    BenefitCategory,
    Event,
    FormerLine,
    FormerRow,
    StopListEntry,
)
from applications.moves import write_event
from applications.queue.position import position
from applications.states import ApplicationState, BenefitState, Move
from balabaqsha.demo.former_faults import PLANTED, planted_rows
from balabaqsha.demo.former_queue import COLUMNS, rows_of
from bulletin.importing.problems import Fault, Problem
from bulletin.importing.running import State, run_import
from bulletin.importing.undoing import UNDOABLE_FOR, undo_batch
from bulletin.models import ImportBatch
from children.models import Child
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    GuardianshipFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

TODAY = NOW.date()


@pytest.fixture
def about(scene):
    mine = scene.application
    write_event(mine, Move.FILE, before="", actor=mine.filed_by, now=mine.filed_at)
    BenefitCategoryFactory(slug="large-families")
    return {"places": [scene.locality.slug], "benefits": ["large-families"], "today": TODAY}


@pytest.fixture
def official():
    return StaffFactory()


def file_of(rows):
    text = StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(COLUMNS)
    # Under None stands what is too much.
    table.writerows([*(row[name] for name in COLUMNS), *row.get(None, ())] for row in rows)
    return BytesIO(text.getvalue().encode())


@pytest.fixture
def load(official):
    def run(rows, *, now=NOW, **options):
        return run_import(Queue(), file_of(rows), file_name="queue.csv", now=now, by=official, **options)

    return run


def one_row(about, **cells):
    [row] = rows_of(1, **about)
    return row | {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""} | cells


def brought(report):
    return Application.objects.filter(former__batch=report.batch).select_related(
        "former", "locality", "child"
    )


class TestGoodRows:
    def test_they_wait_at_their_dates(self, load, about, scene):
        rows = list(rows_of(60, **about))
        report = load(rows)
        assert (report.state, report.counts["added"], report.bad) == (State.LOADED, 60, 0)
        by_number = {row["old_number"]: row for row in rows}
        for one in brought(report):
            row = by_number[one.former.old_number]
            assert f"{one.filed_at.astimezone(scene.locality.zone):%d.%m.%Y %H:%M}" == row["filed_at"]
            assert one.child.iin == row["child_iin"]
            assert one.birth_year == one.child.birth_date.year
        assert list(differences()) == []
        lines = FormerLine.objects.filter(batch=report.batch)
        assert [one.line for one in lines] == list(range(2, 62))
        assert all(one.application_id and not one.problem and not one.cells for one in lines)

    def test_a_benefit_counts_until_its_last_day(self, load, about, official):
        report = load([one_row(about, benefit="large-families", benefit_until=f"{TODAY:%d.%m.%Y}")])
        one = brought(report).get()
        benefit = Benefit.objects.get(application=one)
        end = datetime(2019, 6, 27, tzinfo=ZONE)
        assert (benefit.state, benefit.decided_by, benefit.valid_until) == (
            BenefitState.VERIFIED,
            official,
            end,
        )
        assert one.runs_out_at == end
        one = settle(one, now=end - timedelta(microseconds=1))
        assert one.tier == benefit.category.tier
        assert settle(one, now=end).tier != benefit.category.tier

    def test_a_benefit_that_counts_for_some_days_needs_its_last_one(self, load, about):
        BenefitCategory.objects.update(valid_days=365)
        report = load([one_row(about, benefit="large-families")])
        assert (report.state, report.bad) == (State.REFUSED, 1)
        assert not Benefit.objects.exists()
        BenefitCategory.objects.update(valid_days=None)
        assert load([one_row(about, benefit="large-families")]).state == State.LOADED

    @pytest.mark.parametrize("state", ["stop_listed", "referred"])
    def test_whoever_is_held_waits_outside_until_the_day_is_over(self, load, about, state):
        one = brought(load([one_row(about, state=state, until=f"{TODAY:%d.%m.%Y}")])).get()
        end = datetime(2019, 6, 27, tzinfo=ZONE)
        assert (one.state, one.runs_out_at) == (ApplicationState.STOP_LISTED, end)
        assert StopListEntry.objects.get(application=one).until == end
        assert position(one, now=NOW) is None
        assert settle(one, now=end - timedelta(microseconds=1)).state == ApplicationState.STOP_LISTED
        one = settle(one, now=end)
        assert (one.state, position(one, now=end).number > 0) == (ApplicationState.WAITING, True)
        assert list(differences()) == []

    def test_a_child_without_an_iin_by_its_certificate(self, load, about):
        one = brought(load([one_row(about, child_iin="", certificate="аб 1234567", sex="F")])).get()
        assert (one.child.iin, one.child.sex, bool(one.child.paper_hash)) == ("", Sex.FEMALE, True)

    def test_a_day_alone_begins_at_midnight_there(self, load, about):
        one = brought(
            load(
                [
                    one_row(
                        about,
                        filed_at="05.06.2019",
                        birth_date="01.02.2016",
                        child_iin="",
                        certificate="AB1234567",
                        sex="M",
                    )
                ]
            )
        ).get()
        assert one.filed_at == datetime(2019, 6, 5, tzinfo=ZONE)

    def test_the_same_file_again_changes_nothing(self, load, about):
        rows = list(rows_of(20, **about))
        load(rows)
        report = load(rows)
        assert (report.state, report.counts["unchanged"], report.bad) == (State.SAME, 20, 0)
        assert FormerRow.objects.count() == 20

    def test_a_newer_file_changes_no_claimed_one(self, load, about):
        plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
        rows = [row | plain for row in rows_of(4, **about)]
        before = {one.pk: one.filed_at for one in brought(load(rows)).all()}
        Application.objects.update(filed_by=UserFactory())
        earlier, left = rows[0] | {"filed_at": "01.02.2016 09:00"}, rows[1] | {"state": "left", "until": ""}
        report = load([earlier, left, *rows[2:]])
        assert {fault.line: (fault.column, fault.problem) for fault in report.faults} == {
            2: ("filed_at", Problem.CLAIMED),
            3: ("state", Problem.CLAIMED),
        }
        assert (report.state, report.counts["unchanged"]) == (State.REFUSED, 2)
        assert rows[0]["old_number"] in report.faults[0].sentence
        assert dict(Application.objects.filter(pk__in=before).values_list("pk", "filed_at")) == before


def test_for_ninety_days_what_stood_in_a_line_left_out_is_kept(load, about):
    rows, expected = planted_rows(10, every=5, **about)
    load(rows, skip_bad=True)
    over = ImportBatch.objects.get().loaded_at + UNDOABLE_FOR
    assert purge_former_lines(now=over - timedelta(microseconds=1)) == 0
    assert purge_former_lines(now=over) == len(expected)
    left = list(FormerLine.objects.exclude(problem=""))
    assert all(one.cells == "" and one.faults for one in left)
    # Why, but not what stood there: that may be a name.
    assert {fault["value"] for one in left for fault in one.faults} == {""}
    assert all(Fault.of_json(fault).sentence for one in left for fault in one.faults)
    assert purge_former_lines(now=over) == 0


class TestFaults:
    def test_each_is_named_by_line_column_and_problem(self, load, about):
        rows, expected = planted_rows(3 * len(PLANTED), every=3, **about)
        report = load(rows)
        assert {fault.line: (fault.column, fault.problem) for fault in report.faults} == expected
        assert [fault.line for fault in report.faults] == sorted(expected)
        assert {problem for _, problem in expected.values()} == {problem for *_, problem in PLANTED.values()}
        assert report.state is State.REFUSED
        assert not FormerRow.objects.exists()
        assert not FormerLine.objects.exists()
        for fault in report.faults:
            assert fault.sentence
            assert fault.remedy
            if fault.column in ("child_iin", "certificate", "guardian_iin"):
                assert not any(row["child_iin"] and row["child_iin"] in fault.value for row in rows)

    def test_bad_rows_are_kept_with_their_why(self, load, about):
        rows, expected = planted_rows(3 * len(PLANTED), every=3, **about)
        report = load(rows, skip_bad=True)
        assert report.counts["added"] == len(rows) - len(expected)
        left = FormerLine.objects.filter(batch=report.batch, application=None)
        assert {one.line: one.problem for one in left} == {
            line: problem for line, (_, problem) in expected.items()
        }
        assert all(one.cells and one.faults for one in left)
        assert FormerLine.objects.filter(batch=report.batch).count() == len(rows)

    def test_a_child_who_is_here_already(self, load, about, scene):
        waits, enrolled = list(rows_of(2, **about))
        mine = GuardianshipFactory(child__iin=waits["child_iin"]).child
        ApplicationFactory(child=mine, locality=scene.locality)
        other = GuardianshipFactory(child__iin=enrolled["child_iin"]).child
        ApplicationFactory(child=other, locality=scene.locality, state=ApplicationState.ENROLLED)
        report = load([waits, enrolled])
        assert [fault.problem for fault in report.faults] == [Problem.IN_QUEUE, Problem.ENROLLED]

    def test_a_trial_says_the_same_and_keeps_nothing(self, load, about):
        rows, expected = planted_rows(2 * len(PLANTED), every=2, **about)
        trial = load(rows, dry_run=True)
        assert trial.state is State.CHECKED
        assert {fault.line for fault in trial.faults} == set(expected)
        assert not Child.objects.filter(iin__in=[row["child_iin"] for row in rows]).exists()
        assert not ImportBatch.objects.exists()


class TestUndoing:
    def test_all_of_it_leaves_the_queue(self, load, about, official):
        report = load(list(rows_of(30, **about)))
        assert not undo_batch(ImportBatch.objects.get(), Queue(), by=official, now=NOW)
        assert set(brought(report).values_list("state", flat=True)) == {ApplicationState.ARCHIVED}
        assert not StopListEntry.objects.filter(lifted_at=None).exists()
        assert Event.objects.filter(move=Move.TAKE_IMPORT_BACK).count() == 30
        assert list(differences()) == []

    def test_not_once_a_family_has_claimed_one(self, load, about, official):
        report = load(list(rows_of(5, **about)))
        one = brought(report).first()
        FormerRow.objects.filter(application=one).update(
            claimed_at=NOW, claimed_by=official, proof=FormerRow.Proof.PHONE
        )
        [fault] = undo_batch(ImportBatch.objects.get(), Queue(), by=official, now=NOW)
        assert (fault.problem, fault.line) == (Problem.BUILT_ON, one.former.line)
        assert not brought(report).filter(state=ApplicationState.ARCHIVED).exists()
