"""Numbers of the former queue in a newer file: one child of a locality has a number, and a child is here once."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.roles import Role
from applications.city.deciding import take_in
from applications.models import Application, FormerLine, FormerRow
from applications.states import LIVE_STATES, ApplicationState
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.problems import SENTENCES, Problem
from bulletin.importing.running import State
from tests.applications.city.test_newer_file import LATER, PLAIN, old, rows, sound  # noqa: F401 - fixtures
from tests.applications.city.test_queue_file import about, load, official  # noqa: F401 - fixtures
from tests.applications.conftest import NOW
from tests.factories import UserFactory
from tests.staff import employee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]
CERTIFICATE = "01-ТР-0123456"


@pytest.fixture
def again(load):  # noqa: F811 - a fixture
    def run(rows, **options):  # noqa: F811
        return load(rows, now=LATER, **options)

    return run


def numbered(rows, *numbers):  # noqa: F811
    return [row | {"old_number": number} for row, number in zip(rows, numbers, strict=True)]


def numbers_of(applications):
    rows = FormerRow.objects.in_bulk([one.pk for one in applications])  # noqa: F811
    return [rows[one.pk].old_number for one in applications]


def problems(report):
    return [(fault.line, fault.problem) for fault in report.faults]


def new_row(about, **cells):  # noqa: F811
    return [row | PLAIN for row in rows_of(7, **about)][6] | cells


class TestPlacesInAList:
    @pytest.fixture
    def ranks(self, load, rows):  # noqa: F811
        """The file says of each child which one it is: 1 to 6."""
        ranked = numbered(rows, *"123456")
        report = load(ranked)
        return ranked, list(Application.objects.filter(former__batch=report.batch).order_by("former__line"))

    def test_all_move_up_once_the_first_one_left(self, ranks, again):
        ranked, applications = ranks
        left = ranked[0] | {"state": "left"}
        newer = [left | {"old_number": "0"}, *numbered(ranked[1:], *"12345")]
        report = again(newer)
        assert (report.state, report.counts["changed"], problems(report)) == (State.LOADED, 6, [])
        assert numbers_of(applications[1:]) == list("12345")
        assert FormerLine.objects.filter(batch=report.batch).count() == 6
        assert sound()

    def test_all_move_up_where_the_first_one_is_taken_out(self, ranks, again):
        ranked, applications = ranks
        report = again(numbered(ranked[1:], *"12345"), take_absent=True)
        assert (report.counts["changed"], problems(report)) == (6, [])
        assert numbers_of(applications[1:]) == list("12345")
        assert sound()

    def test_nobody_does_where_the_first_one_stays(self, ranks, again):
        ranked, applications = ranks
        report = again(numbered(ranked[1:], *"12345"), skip_bad=True)
        assert problems(report) == [(line, Problem.NUMBER_TAKEN) for line in range(2, 7)]
        assert report.notes[0].values["count"] == 1
        assert numbers_of(applications) == list("123456")

    def test_two_swap_their_numbers(self, ranks, again):
        ranked, applications = ranks
        report = again(numbered(ranked, *"213456"))
        assert (report.counts["changed"], report.counts["unchanged"], report.bad) == (2, 4, 0)
        assert numbers_of(applications) == list("213456")


class TestANewChild:
    def test_not_with_the_number_of_one_who_stays(self, rows, old, about, again):  # noqa: F811
        number = rows[0]["old_number"]
        report = again([*rows[1:], new_row(about, old_number=number)], skip_bad=True)
        assert problems(report) == [(7, Problem.NUMBER_TAKEN)]
        assert FormerRow.objects.filter(old_number=number).count() == 1

    def test_with_the_number_of_one_who_leaves(self, rows, old, about, again):  # noqa: F811
        number = rows[0]["old_number"]
        report = again([*rows[1:], new_row(about, old_number=number)], take_absent=True)
        assert (report.counts["added"], report.counts["changed"], report.bad) == (1, 1, 0)
        [live] = FormerRow.objects.filter(old_number=number, application__state__in=LIVE_STATES)
        assert live.application_id != old[0].pk

    def test_an_official_takes_in_none_with_such_a_number(self, rows, old, about, again):  # noqa: F811
        number = rows[0]["old_number"]
        bad = new_row(about, old_number="2020-1", filed_at="01.01.2031")
        again([rows[0] | {"languages": "uz"}, *rows[1:], bad], skip_bad=True)
        line = FormerLine.objects.get(application=None)
        values = {"filed_at": "05.03.2018 10:00", "old_number": number}
        with pytest.raises(ValidationError) as error:
            take_in(line, values=values, reason="x", actor=employee(Role.OFFICIAL), now=LATER)
        assert str(SENTENCES[Problem.NUMBER_TAKEN][0]) in error.value.messages[0]


class TestTheSameChild:
    """First by its certificate alone; in the newer file its IIN is known."""

    @pytest.fixture
    def by_paper(self, load, rows):  # noqa: F811
        first = rows[0] | {"child_iin": "", "certificate": CERTIFICATE, "sex": "m"}
        report = load([first, *rows[1:]])
        return Application.objects.get(former__batch=report.batch, former__line=2)

    @pytest.mark.parametrize(
        "cells",
        [{"certificate": CERTIFICATE}, {"certificate": CERTIFICATE, "old_number": "2020-1"}, {}],
        ids=["certificate", "other-number", "name"],
    )
    def test_it_does_not_come_in_twice(self, rows, by_paper, again, cells):  # noqa: F811
        report = again([rows[0] | cells, *rows[1:]], skip_bad=True, take_absent=True)
        assert problems(report) == [(2, Problem.SAME_CHILD)]
        assert by_paper.number in report.faults[0].sentence
        # Nor is it missing from the file.
        assert (report.counts["changed"], report.notes) == (0, [])
        by_paper.refresh_from_db()
        assert by_paper.state == ApplicationState.WAITING

    def test_nor_by_an_official(self, rows, by_paper, again):  # noqa: F811
        bad = rows[0] | {"certificate": CERTIFICATE, "filed_at": "01.01.2031"}
        again([bad, rows[1] | {"languages": "uz"}, *rows[2:]], skip_bad=True)
        line = FormerLine.objects.get(application=None)
        with pytest.raises(ValidationError, match=by_paper.number):
            take_in(
                line,
                values={"filed_at": "05.03.2018 10:00"},
                reason="x",
                actor=employee(Role.OFFICIAL),
                now=LATER,
            )


def test_a_child_comes_in_anew_whom_a_file_dropped(rows, old, again, load):  # noqa: F811
    again(rows[1:], take_absent=True)
    report = load(rows, now=LATER + timedelta(days=1))
    assert (report.counts["added"], report.bad) == (1, 0)
    anew = Application.objects.get(former__batch=report.batch)
    assert (anew.child_id, anew.filed_at, anew.pk == old[0].pk) == (old[0].child_id, old[0].filed_at, False)
    assert sound()


class TestClaimed:
    @pytest.mark.parametrize("state", ["stop_listed", "referred"])
    def test_the_equal_file_says_nothing_of_one_that_was_held(self, load, rows, again, state):  # noqa: F811
        until = f"{(NOW + timedelta(days=40)).date():%d.%m.%Y}"
        held = [rows[0] | {"state": state, "until": until}, *rows[1:]]
        load(held)
        one = Application.objects.get(state=ApplicationState.STOP_LISTED)
        Application.objects.filter(pk=one.pk).update(filed_by=UserFactory())
        assert again(held).state == State.SAME
        longer = f"{(NOW + timedelta(days=50)).date():%d.%m.%Y}"
        report = again([held[0] | {"until": longer}, *rows[1:]])
        assert problems(report) == [(2, Problem.CLAIMED)]
