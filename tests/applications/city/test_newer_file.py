"""A second, newer file of the former queue: what it changes, what it leaves, what is named for an official."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.roles import Role
from applications.access.settling import settle
from applications.admin import reconciling as reconciling_pages
from applications.admin.work import page_of
from applications.city.deciding import take_in
from applications.city.newer_file import headings
from applications.city.queue_file import Queue
from applications.city.reconciling import Outcome, reconcile
from applications.decisions.former import undecided_lines
from applications.files import making
from applications.jobs.invariants import differences as invariants
from applications.jobs.retention import empty_former_changes, purge_former_changes, purge_former_guardians
from applications.models import (
    Application,
    Benefit,
    Event,
    FormerChange,
    FormerLine,
    FormerRow,
    MadeFile,
    StopListEntry,
)
from applications.queue.history import differences, explain
from applications.queue.position import position
from applications.referrals.stops import lift_stop
from applications.states import ApplicationState, BenefitState, Move, Tier
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.problems import Problem, Unreadable
from bulletin.importing.running import State, run_import
from bulletin.importing.undoing import UNDOABLE_FOR, undo_batch
from bulletin.models import ImportBatch
from tests.applications.city.conftest import command
from tests.applications.city.test_queue_file import (  # noqa: F401 - fixtures
    TODAY,
    about,
    brought,
    file_of,
    load,
    official,
)
from tests.applications.conftest import NOW, ZONE
from tests.factories import ApplicationFactory, BenefitCategoryFactory, LocalityFactory, UserFactory
from tests.staff import employee, inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

LATER = NOW + timedelta(days=3)
PLAIN = {"benefit": "", "benefit_until": "", "state": "waiting", "until": "", "interest_confirmed_at": ""}


@pytest.fixture
def rows(about):  # noqa: F811 - a fixture
    return [row | PLAIN for row in rows_of(6, **about)]


@pytest.fixture
def old(load, rows):  # noqa: F811 - a fixture
    """The applications of the first file, in its order."""
    report = load(rows)
    return list(brought(report).order_by("former__line"))


def again(load, rows, **options):  # noqa: F811 - a fixture
    return load(rows, now=LATER, **options)


def file_with(names, rows):
    """The rows with these columns only."""
    text = StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerows([names, *([row[name] for name in names] for row in rows)])
    return BytesIO(text.getvalue().encode())


def sound():
    return [*differences(), *invariants()] == []


def as_it_is(application):
    found = Application.objects.select_related("former").get(pk=application.pk)
    row = found.former
    return (
        found.state, found.filed_at, found.locality_id, found.tier, found.languages, found.runs_out_at,
        found.interest_confirmed_at, found.archived_at, row.phone, row.phone_hash, row.guardian_iin,
        row.guardian_hash, row.old_number, row.number_key, row.locality_id,
        sorted(Benefit.objects.filter(application=found, state="verified").values_list("category", "valid_until")),
        sorted(StopListEntry.objects.filter(application=found, lifted_at=None).values_list("until")),
    )  # fmt: skip


UNTIL = f"{TODAY + timedelta(days=40):%d.%m.%Y}"
SOON = f"{LATER + timedelta(days=5):%d.%m.%Y}"
# What a newer file says, and how it is seen in the application.
CHANGES = {
    "date": ({"filed_at": "01.02.2018 09:00"}, lambda one: one.filed_at.year == 2018),
    "languages": ({"languages": "ru, kk, uz"}, lambda one: one.languages == ["ru", "kk", "uz"]),
    "phone": ({"phone": "+7 701 000 11 22"}, lambda one: one.former.phone == "+77010001122"),
    "guardian": (
        {"guardian_iin": ""},
        lambda one: one.former.guardian_iin == "" and not one.former.guardian_hash,
    ),
    "interest": (
        {"interest_confirmed_at": "01.05.2019"},
        lambda one: one.interest_confirmed_at < NOW,
    ),
    "benefit": (
        {"benefit": "large-families", "benefit_until": UNTIL},
        lambda one: one.tier < Tier.GENERAL and one.benefits.get().state == BenefitState.VERIFIED,
    ),
    "stop": (
        {"state": "stop_listed", "until": UNTIL},
        lambda one: one.state == ApplicationState.STOP_LISTED and position(one, now=LATER) is None,
    ),
    "left": ({"state": "left"}, lambda one: one.state == ApplicationState.ARCHIVED),
    "number": ({"old_number": "2019-77"}, lambda one: one.former.number_key == "201977"),
}


class TestWhatChanged:
    @pytest.mark.parametrize("name", CHANGES)
    def test_it_is_brought_and_can_be_undone(self, load, rows, old, official, name):  # noqa: F811
        cells, is_seen = CHANGES[name]
        before = [as_it_is(one) for one in old]
        newer = [rows[0] | cells, *rows[1:]]
        report = again(load, newer)
        assert (report.state, report.counts["changed"], report.counts["unchanged"]) == (State.LOADED, 1, 5)
        assert is_seen(Application.objects.select_related("former").get(pk=old[0].pk))
        assert [as_it_is(one) for one in old[1:]] == before[1:]
        event = Event.objects.filter(application=old[0]).latest("id")
        assert (event.data["batch"], event.actor) == (report.batch, official)
        assert sound()
        # The same once more is nothing new.
        assert again(load, newer).state == State.SAME
        batch = ImportBatch.objects.get(pk=report.batch)
        assert not undo_batch(batch, Queue(), by=official, now=LATER)
        assert [as_it_is(one) for one in old] == before
        assert not FormerChange.objects.exists()
        assert sound()

    def test_a_trial_says_it_by_the_first_rows_and_changes_nothing(self, load, rows, old):  # noqa: F811
        before = [as_it_is(one) for one in old]
        report = again(load, [rows[0] | CHANGES["date"][0] | CHANGES["phone"][0], *rows[1:]], dry_run=True)
        assert (report.state, report.counts["changed"]) == (State.CHECKED, 1)
        [(line, label)] = report.samples["changed"]
        assert line == 2
        assert label.startswith(f"{rows[0]['old_number']} (")
        assert [as_it_is(one) for one in old] == before

    def test_the_history_says_why_a_number_moved(self, load, rows, old):  # noqa: F811
        """The last of a queue says an earlier date; whoever stands behind it reads the cause."""
        queue: dict[tuple[int, int], list[Any]] = {}
        for row, one in zip(rows, old, strict=True):
            queue.setdefault((one.locality_id, one.birth_year), []).append((one.filed_at, row, one))
        longest = max(queue.values(), key=lambda waiting: len(waiting))
        waiting = sorted(longest, key=lambda item: item[0])
        assert len(waiting) > 1
        (_first_at, _row, first), (_last_at, row, last) = waiting[0], waiting[-1]
        was = position(first, now=NOW).number
        moved = row | {"filed_at": "02.03.2016 09:00", "birth_date": row["birth_date"]}
        again(load, [moved if one is row else one for one in rows])
        last.refresh_from_db()
        now = position(first, now=LATER).number
        assert now == was + 1
        told = explain(first, since=NOW, until=LATER)
        assert (told.new - told.old, len(told.rows)) == (1, 1)
        assert told.rows[0].before == was

    def test_a_benefit_over_meanwhile_is_no_difference_of_a_file_without_it(self, load, rows, old):  # noqa: F811
        newer = [rows[0] | {"benefit": "large-families", "benefit_until": UNTIL}, *rows[1:]]
        again(load, newer)
        assert again(load, rows).counts["changed"] == 1
        one = Application.objects.get(pk=old[0].pk)
        assert (one.tier, one.benefits.get().state) == (Tier.GENERAL, BenefitState.EXPIRED)
        assert sound()

    def test_a_new_benefit_has_no_end_of_the_former_one(self, load, rows, old, official):  # noqa: F811
        BenefitCategoryFactory(slug="other-benefit")
        again(load, [rows[0] | {"benefit": "large-families", "benefit_until": UNTIL}, *rows[1:]])
        newer = [rows[0] | {"benefit": "other-benefit"}, *rows[1:]]
        file = file_with([name for name in rows[0] if name != "benefit_until"], newer)
        report = run_import(Queue(), file, file_name="x.csv", now=LATER + timedelta(days=1), by=official)
        assert report.counts["changed"] == 1
        benefit = Benefit.objects.get(application=old[0], state=BenefitState.VERIFIED)
        assert (benefit.category.slug, benefit.valid_until) == ("other-benefit", None)

    def test_a_new_end_is_that_of_the_same_benefit(self, load, rows, old, official):  # noqa: F811
        until = {"benefit": "large-families", "benefit_until": UNTIL}
        again(load, [rows[0] | until, *rows[1:]])
        before = as_it_is(old[0])
        report = again(load, [rows[0] | until | {"benefit_until": SOON}, *rows[1:]])
        assert report.samples["changed"] == [(2, f"{rows[0]['old_number']} ({headings(['benefit_until'])})")]
        benefit = Benefit.objects.get(application=old[0])
        assert f"{benefit.valid_until.astimezone(ZONE) - timedelta(days=1):%d.%m.%Y}" == SOON
        # Over, it is given its longer time back.
        batch = ImportBatch.objects.get(pk=report.batch)
        settle(Application.objects.get(pk=old[0].pk), now=LATER + timedelta(days=7))
        assert not undo_batch(batch, Queue(), by=official, now=LATER + timedelta(days=7))
        assert as_it_is(old[0]) == before
        assert sound()

    def test_a_stop_ends_by_the_file_and_returns_by_another(self, load, rows, old):  # noqa: F811
        stopped = [rows[0] | {"state": "stop_listed", "until": UNTIL}, *rows[1:]]
        for newer, state in ((stopped, "stop_listed"), (rows, "waiting"), (stopped, "stop_listed")):
            assert again(load, newer).counts["changed"] == 1
            assert Application.objects.get(pk=old[0].pk).state == state
            assert sound()

    def test_a_column_that_is_not_there_says_nothing(self, load, rows, old):  # noqa: F811
        names = ["old_number", "locality", "filed_at", "child_iin", "certificate", "last_name", "first_name"]
        names += ["birth_date", "sex", "languages"]
        before = [as_it_is(one) for one in old]
        file = file_with(names, rows)
        report = run_import(Queue(), file, file_name="x.csv", now=LATER, by=UserFactory())
        assert (report.state, report.counts["unchanged"]) == (State.SAME, 6)
        assert [as_it_is(one) for one in old] == before

    def test_an_invitation_goes_to_the_new_phone(self, load, rows, old):  # noqa: F811
        FormerRow.objects.update(invited_at=NOW)
        again(load, [rows[0] | {"phone": "+7 701 000 11 22"}, *rows[1:]])
        assert list(FormerRow.objects.filter(invited_at=None)) == [old[0].former]


class TestLocality:
    def test_it_moves_with_its_date(self, load, rows, old, official):  # noqa: F811
        elsewhere = LocalityFactory.create(slug="aktau")
        before = as_it_is(old[0])
        report = again(load, [rows[0] | {"locality": "aktau"}, *rows[1:]])
        moved = Application.objects.get(pk=old[0].pk)
        assert (moved.locality, moved.filed_at) == (elsewhere, old[0].filed_at)
        assert position(moved, now=LATER).number == 1
        assert sound()
        assert not undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert as_it_is(old[0]) == before

    def test_not_where_the_number_is_another_child_s(self, load, rows, old):  # noqa: F811
        report = again(load, [rows[0], rows[1] | {"old_number": rows[0]["old_number"]}])
        # The row that has the number comes first in this file: it is a repetition of that one.
        assert [fault.problem for fault in report.faults] == [Problem.REPEATED]
        report = again(load, [rows[1] | {"old_number": rows[0]["old_number"]}])
        assert [fault.problem for fault in report.faults] == [Problem.NUMBER_TAKEN]


class TestNamedForAnOfficial:
    @pytest.mark.parametrize("name", ["date", "benefit", "stop", "left"])
    def test_a_claimed_one_is_unchanged(self, load, rows, old, name):  # noqa: F811
        Application.objects.filter(pk=old[0].pk).update(filed_by=UserFactory())
        before = as_it_is(old[0])
        report = again(load, [rows[0] | CHANGES[name][0], *rows[1:]], skip_bad=True)
        assert [fault.problem for fault in report.faults] == [Problem.CLAIMED]
        assert as_it_is(old[0]) == before

    def test_what_the_family_itself_changes_is_no_contradiction(self, load, rows, old):  # noqa: F811
        Application.objects.filter(pk=old[0].pk).update(filed_by=UserFactory(), languages=["uz"])
        report = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
        assert (report.state, report.bad) == (State.SAME, 0)

    def test_nor_that_the_family_moved(self, load, rows, old):  # noqa: F811
        elsewhere = LocalityFactory.create(slug="aktau")
        moved = {"locality": elsewhere, "filed_at": LATER, "filed_by": UserFactory()}
        Application.objects.filter(pk=old[0].pk).update(**moved)
        assert again(load, rows).state == State.SAME
        # A third locality, or another date, is one.
        LocalityFactory.create(slug="atyrau")
        for cells, column in (({"locality": "atyrau"}, "locality"), (CHANGES["date"][0], "filed_at")):
            [fault] = again(load, [rows[0] | cells, *rows[1:]]).faults
            assert (fault.problem, fault.column) == (Problem.CLAIMED, column)

    @pytest.mark.parametrize(("named", "is_cut_off"), [(3, False), (2, True)])
    def test_a_file_that_is_cut_off_empties_no_queue(self, load, rows, old, named, is_cut_off):  # noqa: F811
        """More may stay than leave, or as many: six children came by the first file."""
        if is_cut_off:
            with pytest.raises(Unreadable) as refused:
                again(load, rows[:named], take_absent=True)
            assert (refused.value.fault.problem, refused.value.fault.values["count"]) == (
                Problem.MOST_ABSENT,
                4,
            )
        else:
            assert again(load, rows[:named], take_absent=True).counts["changed"] == 3
        assert Application.objects.filter(state=ApplicationState.ARCHIVED).count() == (0 if is_cut_off else 3)

    def test_what_officials_decided_here_stays(self, load, rows, old, official):  # noqa: F811
        stopped = [rows[0] | {"state": "stop_listed", "until": UNTIL}, *rows[1:]]
        again(load, stopped)
        one = Application.objects.get(pk=old[0].pk)
        lift_stop(one.stops.get(), actor=official, reason="заявление семьи", now=LATER)
        report = again(load, stopped)
        assert [(fault.problem, fault.column) for fault in report.faults] == [(Problem.DECIDED_HERE, "state")]
        assert Application.objects.get(pk=old[0].pk).state == ApplicationState.WAITING

    def test_another_birth_year_is_decided_by_officials(self, load, rows, old):  # noqa: F811
        Application.objects.filter(pk=old[0].pk).update(birth_year=old[0].birth_year + 1)
        report = again(load, rows)
        assert [(f.problem, f.column) for f in report.faults] == [(Problem.BROUGHT_OTHERWISE, "birth_date")]


class TestAbsent:
    def test_they_stay_and_are_named(self, load, rows, old):  # noqa: F811
        report = again(load, rows[2:])
        [note] = report.notes
        assert (note.problem, note.values["count"], note.values["claimed"]) == (Problem.ABSENT, 2, 0)
        for row in rows[:2]:
            assert row["old_number"] in note.sentence
        assert report.state == State.SAME
        assert not Application.objects.filter(state=ApplicationState.ARCHIVED).exists()

    def test_they_are_taken_back_on_demand_but_not_a_family_s(self, load, rows, old, official):  # noqa: F811
        Application.objects.filter(pk=old[0].pk).update(filed_by=UserFactory())
        before = [as_it_is(one) for one in old]
        report = again(load, rows[2:], take_absent=True)
        assert (report.state, report.counts["changed"]) == (State.LOADED, 1)
        out, note = report.notes
        assert (out.problem, out.values["count"]) == (Problem.TAKEN_OUT, 1)
        assert rows[1]["old_number"] in out.sentence
        assert (note.values["count"], note.values["claimed"]) == (1, 1)
        states = dict(Application.objects.values_list("pk", "state"))
        assert (states[old[0].pk], states[old[1].pk]) == ("waiting", "archived")
        row = FormerRow.objects.get(application=old[1])
        assert (row.phone, row.guardian_hash) == ("", None)
        assert sound()
        # Undone, each is there as before.
        assert not undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert [as_it_is(one) for one in old] == before
        assert sound()

    @pytest.mark.parametrize(("named", "is_cut_off"), [(3, False), (2, True)])
    def test_a_file_that_is_cut_off_empties_no_queue(self, load, rows, old, named, is_cut_off):  # noqa: F811
        """More may stay than leave, or as many: six children came by the first file."""
        if is_cut_off:
            with pytest.raises(Unreadable) as refused:
                again(load, rows[:named], take_absent=True)
            assert (refused.value.fault.problem, refused.value.fault.values["count"]) == (
                Problem.MOST_ABSENT,
                4,
            )
        else:
            assert again(load, rows[:named], take_absent=True).counts["changed"] == 3
        assert Application.objects.filter(state=ApplicationState.ARCHIVED).count() == (0 if is_cut_off else 3)

    def test_what_officials_decided_here_stays(self, load, rows, old, official):  # noqa: F811
        again(load, [rows[0] | {"state": "stop_listed", "until": UNTIL}, *rows[1:]])
        stop = StopListEntry.objects.get(application=old[0])
        lift_stop(stop, actor=official, reason="заявление семьи", now=LATER)
        before = as_it_is(old[0])
        report = again(load, rows[2:], take_absent=True)
        assert report.counts["changed"] == 1
        _out, absent, decided = report.notes
        assert (absent.values["count"], absent.values["claimed"], decided.values["count"]) == (1, 0, 1)
        assert decided.problem == Problem.ABSENT_DECIDED
        assert as_it_is(old[0]) == before

    def test_a_line_that_an_official_took_in_stays(self, load, rows):  # noqa: F811
        load([rows[0] | {"filed_at": "01.01.2031"}, *rows[1:]], skip_bad=True)
        line = FormerLine.objects.get(application=None)
        values = {"filed_at": "05.03.2018 10:00"}
        take_in(line, values=values, reason="по приказу", actor=employee(Role.OFFICIAL), now=NOW)
        report = again(load, rows[1:], take_absent=True)
        line.refresh_from_db()
        assert (report.counts["changed"], report.notes[1].problem) == (0, Problem.ABSENT_DECIDED)
        assert line.application.state == ApplicationState.WAITING

    def test_who_stands_in_a_bad_row_is_not_missing(self, load, rows, old):  # noqa: F811
        bad = [rows[0] | {"filed_at": "весной"}, rows[1] | {"child_iin": "12"}, *rows[2:]]
        report = again(load, bad, skip_bad=True, take_absent=True)
        assert (report.bad, report.counts["changed"], report.notes) == (2, 0, [])
        nobody = {"child_iin": "", "old_number": "№"}
        report = again(load, [rows[0] | nobody, *rows[2:]], skip_bad=True, take_absent=True)
        # Row 2 may be any of the two.
        assert (report.counts["changed"], report.notes[0].values["count"]) == (0, 2)

    def test_a_file_of_another_locality_lacks_nobody_here(self, load, rows, old):  # noqa: F811
        LocalityFactory.create(slug="aktau")
        [other] = [row | PLAIN for row in rows_of(7, places=["aktau"], benefits=[], today=TODAY)][6:]
        report = again(load, [other], take_absent=True)
        assert (report.counts["added"], report.counts["changed"], report.notes) == (1, 0, [])

    def test_whoever_left_before_is_left(self, load, rows, old):  # noqa: F811
        left = [rows[0] | {"state": "left"}, *rows[1:]]
        assert again(load, left).counts["changed"] == 1
        assert (again(load, left).state, again(load, left).counts["unchanged"]) == (State.SAME, 6)


class TestUndoing:
    def test_not_once_a_family_has_claimed_one_that_it_changed(self, load, rows, old, official):  # noqa: F811
        report = again(load, [rows[0] | CHANGES["date"][0], *rows[1:]])
        Application.objects.filter(pk=old[0].pk).update(filed_by=UserFactory())
        [fault] = undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert (fault.problem, fault.line) == (Problem.BUILT_ON, 2)

    def test_not_what_a_third_file_changed_since(self, load, rows, old, official):  # noqa: F811
        report = again(load, [rows[0] | CHANGES["date"][0], *rows[1:]])
        load([rows[0] | {"filed_at": "05.05.2018 10:00"}, *rows[1:]], now=LATER + timedelta(days=1))
        [fault] = undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert fault.problem == Problem.CHANGED_SINCE

    def test_who_was_taken_back_with_its_own_file_stays_out(self, load, rows, old, official):  # noqa: F811
        first = ImportBatch.objects.get()
        second = again(load, rows[1:], take_absent=True)
        assert not undo_batch(first, Queue(), by=official, now=LATER)
        assert not undo_batch(ImportBatch.objects.get(pk=second.batch), Queue(), by=official, now=LATER)
        assert not Application.objects.filter(former__batch=first, state="waiting").exists()
        assert sound()

    def test_not_whom_it_dropped_and_who_has_a_place_now(self, load, rows, old, official):  # noqa: F811
        report = again(load, rows[1:], take_absent=True)
        ApplicationFactory(child=old[0].child, locality=old[0].locality, state=ApplicationState.ENROLLED)
        [fault] = undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert fault.problem == Problem.CHANGED_SINCE
        assert Application.objects.get(pk=old[0].pk).state == ApplicationState.ARCHIVED

    @pytest.mark.parametrize(
        "cells",
        [{"state": "stop_listed", "until": SOON}, {"benefit": "large-families", "benefit_until": SOON}],
        ids=["stop", "benefit"],
    )
    def test_what_ended_by_itself_is_no_change(self, load, rows, old, official, cells):  # noqa: F811
        before = as_it_is(old[0])
        report = again(load, [rows[0] | cells, *rows[1:]])
        after_it = LATER + timedelta(days=7)
        settle(Application.objects.get(pk=old[0].pk), now=after_it)
        batch = ImportBatch.objects.get(pk=report.batch)
        assert not undo_batch(batch, Queue(), by=official, now=after_it)
        assert as_it_is(old[0]) == before
        assert sound()

    def test_a_stop_that_an_official_lifted_is_one(self, load, rows, old, official):  # noqa: F811
        report = again(load, [rows[0] | {"state": "stop_listed", "until": SOON}, *rows[1:]])
        stop = StopListEntry.objects.get(application=old[0])
        lift_stop(stop, actor=official, reason="заявление семьи", now=LATER + timedelta(hours=1))
        batch = ImportBatch.objects.get(pk=report.batch)
        for now in (LATER + timedelta(hours=2), LATER + timedelta(days=7)):
            [fault] = undo_batch(batch, Queue(), by=official, now=now)
            assert fault.problem == Problem.CHANGED_SINCE

    def test_who_reached_school_age_since_stands_in_nobody_s_way(self, load, rows, old, official):  # noqa: F811
        report = again(load, [rows[0] | CHANGES["phone"][0], rows[1] | CHANGES["date"][0], *rows[2:]])
        grown = Application.objects.get(pk=old[0].pk)
        with_date = as_it_is(old[1])
        Application.objects.filter(pk=grown.pk).update(state=ApplicationState.ARCHIVED, archived_at=LATER)
        purge_former_guardians(now=LATER)
        assert not undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert as_it_is(old[1])[1] == old[1].filed_at != with_date[1]
        grown.refresh_from_db()
        assert grown.state == ApplicationState.ARCHIVED

    def test_nothing_is_left_of_what_its_first_file_took_along(self, load, rows, old, official):  # noqa: F811
        first = ImportBatch.objects.get()
        second = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
        assert not undo_batch(first, Queue(), by=official, now=LATER)
        assert not undo_batch(ImportBatch.objects.get(pk=second.batch), Queue(), by=official, now=LATER)
        assert not FormerChange.objects.exists()
        assert as_it_is(old[0])[0] == ApplicationState.ARCHIVED

    def test_not_one_file_before_the_later_one_that_dropped_it(self, load, rows, old, official):  # noqa: F811
        second = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
        third = again(load, rows[1:], take_absent=True)
        batches = [ImportBatch.objects.get(pk=report.batch) for report in (second, third)]
        [fault] = undo_batch(batches[0], Queue(), by=official, now=LATER)
        assert fault.problem == Problem.CHANGED_SINCE
        for batch in reversed(batches):
            assert not undo_batch(batch, Queue(), by=official, now=LATER)
        assert FormerRow.objects.get(application=old[0]).phone == rows[0]["phone"].replace(" ", "")

    @pytest.mark.parametrize("newer", ["dropped", "phone"])
    def test_nobody_is_invited_a_second_time(self, load, rows, old, official, newer):  # noqa: F811
        FormerRow.objects.update(invited_at=NOW)
        if newer == "phone":
            report = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
        else:
            report = again(load, rows[1:], take_absent=True)
        assert not undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=LATER)
        assert not FormerRow.objects.filter(invited_at=None).exists()


@pytest.mark.parametrize(
    "cells",
    [
        {"benefit": "large-families", "benefit_until": "{day}.07.2019"},
        {"state": "stop_listed", "until": "{day}.07.2019"},
        {"phone": "+7 701 000 {day} 0{line}"},
        {"old_number": "{day}/{line}"},
    ],
    ids=["benefit", "stop", "phone", "number"],
)
def test_statements_do_not_grow_with_the_rows(load, rows, old, cells):  # noqa: F811
    """After a first file about all rows one says it otherwise of two rows, and one of all."""
    before, counted = rows, []
    for file, count in enumerate((6, 2, 6)):
        before = [
            row | {name: text.format(day=10 + file, line=line) for name, text in cells.items()}
            if line < count
            else row
            for line, row in enumerate(before)
        ]
        with CaptureQueriesContext(connection) as queries:
            report = load(before, now=LATER + timedelta(hours=file))
        assert (report.state, report.counts["changed"]) == (State.LOADED, count)
        counted.append(len(queries))
    assert counted[2] <= counted[1]


def test_the_reconciliation_says_what_the_newer_file_changed_and_lacks(load, rows, old):  # noqa: F811
    report = again(load, [rows[0] | CHANGES["date"][0], *rows[1:5]])
    found = reconcile(ImportBatch.objects.get(pk=report.batch), now=LATER)
    assert [one.line for one in found.lines if one.is_changed] == [2]
    assert found.absent == [old[5].number]
    assert FormerLine.objects.filter(batch=report.batch).count() == 5
    for one in found.lines:
        assert one.old - one.new == sum(one.reasons.values())


def test_a_bad_row_stands_for_whom_it_names(load, rows, old):  # noqa: F811
    """Whoever waits by an earlier file is in the queue and in the file: neither left out nor absent."""
    swapped = {"birth_date": rows[1]["birth_date"], "child_iin": rows[2]["child_iin"]}
    bad = [
        rows[0] | {"filed_at": "01.01.2031"},
        rows[1] | {"child_iin": "1"},
        rows[2] | {"filed_at": "nonsense"},
        # A second line of a child stands for nobody.
        rows[3] | {"old_number": "again", **swapped},
    ]
    newer = [rows[3] | CHANGES["phone"][0], *bad, *rows[4:5]]
    report = again(load, newer, skip_bad=True)
    batch = ImportBatch.objects.get(pk=report.batch)
    lines = list(FormerLine.objects.filter(batch=batch).order_by("line"))
    assert [line.application for line in lines] == [old[3], old[0], old[1], old[2], None, old[4]]
    found = reconcile(batch, now=LATER)
    assert [one.line for one in found.lines if one.is_kept] == [3, 4, 5]
    assert [one.outcome for one in found.lines].count(Outcome.LEFT_OUT) == 1
    assert found.absent == [old[5].number]
    of_line = {line.line: line.application for line in lines if line.application}
    for one in found.lines:
        if one.new is not None:
            assert one.new == position(of_line[one.line], now=LATER).number
            assert one.old - one.new == sum(one.reasons.values())
    assert undecided_lines().filter(batch=batch).count() == 4
    # Its undoing, and that of the first one, find it as it was.
    assert not undo_batch(batch, Queue(), by=UserFactory(), now=LATER)
    assert sound()


def test_the_page_of_such_a_line_names_the_application(load, rows, old, clock):  # noqa: F811
    again(load, [rows[0] | {"filed_at": "01.01.2031"}, rows[1] | CHANGES["phone"][0]], skip_bad=True)
    line = FormerLine.objects.exclude(problem="").get()
    desk = inside(employee(Role.OFFICIAL))
    for name in ("take-in", "link"):
        page = desk.get(reverse("admin:applications_formerline_work", args=[line.pk, name]))
        assert old[0].number in page.content.decode()
    assert page.context["form"].initial == {"number": old[0].number}
    assert old[0].number in desk.get(page_of(line)).content.decode()


@pytest.mark.parametrize("take_absent", [False, True], ids=["stay", "taken-out"])
def test_all_whom_it_lacks_can_be_read(load, rows, old, clock, monkeypatch, take_absent):  # noqa: F811
    monkeypatch.setattr(reconciling_pages, "SHOWN", 2)
    Application.objects.filter(pk=old[5].pk).update(filed_by=UserFactory())
    report = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:3]], take_absent=take_absent)
    desk = inside(employee(Role.OFFICIAL))
    address = reverse("admin:reconciliation", args=[report.batch])
    told = {}
    for page in (1, 2):
        for row in desk.get(address, {"absent": page}).context["absent_rows"]:
            told[row.old_number] = row.became
    assert set(told) == {row["old_number"] for row in rows[3:]}
    assert len(set(told.values())) == 2
    desk.post(address)
    making.make_due(now=LATER)
    made = desk.get(reverse("admin:made_file", args=[MadeFile.objects.get().pk]))
    sheet = load_workbook(BytesIO(made.content)).active
    assert set(told) <= {row[1].value for row in sheet.iter_rows()}


def test_for_ninety_days_it_is_kept_what_was_there_before(load, rows, old):  # noqa: F811
    report = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
    kept = FormerChange.objects.get()
    assert rows[0]["phone"].replace(" ", "") in kept.before
    over = ImportBatch.objects.get(pk=report.batch).loaded_at + UNDOABLE_FOR
    assert purge_former_changes(now=over - timedelta(microseconds=1)) == 0
    assert purge_former_changes(now=over) == 1
    assert not FormerChange.objects.exists()
    assert Event.objects.filter(application=old[0], move=Move.CHANGE_IMPORT).get().data["changed"] == [
        "phone"
    ]


def test_of_a_claimed_application_nothing_is_kept_for_undoing(load, rows, old, official):  # noqa: F811
    report = again(load, [rows[0] | CHANGES["phone"][0], rows[1] | CHANGES["date"][0], *rows[2:]])
    claimed = LATER + timedelta(hours=1)
    Application.objects.filter(pk=old[0].pk).update(filed_by=official)
    FormerRow.objects.filter(application=old[0]).update(
        claimed_at=claimed, claimed_by=official, proof=FormerRow.Proof.PHONE
    )
    assert empty_former_changes(now=claimed - timedelta(microseconds=1)) == 0
    assert empty_former_changes(now=claimed) == 1
    assert empty_former_changes(now=claimed) == 0
    emptied, kept = FormerChange.objects.order_by("line")
    assert (emptied.before, emptied.after, kept.before != "") == ("", "", True)
    # Still it says that the file changed what a family has.
    [fault] = undo_batch(ImportBatch.objects.get(pk=report.batch), Queue(), by=official, now=claimed)
    assert fault.problem == Problem.BUILT_ON


def test_once_its_first_file_is_undone_nothing_is_kept_of_it(load, rows, old, official):  # noqa: F811
    first = ImportBatch.objects.get()
    second = again(load, [rows[0] | CHANGES["phone"][0], *rows[1:]])
    assert not undo_batch(first, Queue(), by=official, now=LATER)
    assert empty_former_changes(now=LATER) == 1
    assert not undo_batch(ImportBatch.objects.get(pk=second.batch), Queue(), by=official, now=LATER)


def test_nobody_answers_for_a_file_without_an_employee(rows):
    with pytest.raises(ValueError, match="employee"):
        run_import(Queue(), file_of(rows), file_name="x.csv", now=LATER, by=None)
    assert not ImportBatch.objects.exists()


class TestTheCommand:
    def test_it_names_the_absent_and_takes_them_back(self, load, rows, old, official, clock, tmp_path):  # noqa: F811
        official.is_superuser = True
        official.save()
        path = tmp_path / "newer.csv"
        path.write_bytes(file_of(rows[1:]).read())
        code, said = command("import_queue", str(path), by=official.username)
        assert (code, rows[0]["old_number"] in said) == (0, True)
        code, said = command("import_queue", str(path), by=official.username, absent="take-back")
        assert (code, "changed 1" in said) == (0, True)
        code, said = command("reconcile_queue", str(path))
        assert (code, "5  lines in the file" in said) == (0, True)
