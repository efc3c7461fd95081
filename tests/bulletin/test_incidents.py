"""Incidents as officials tell them: nothing is rewritten, and no time is told that can't be."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from accounts.audit import history_of
from bulletin.incidents import (
    TOLD_FOR,
    add_note,
    incidents_since,
    open_incidents,
    overdue_incidents,
    report_incident,
)
from bulletin.journal_actions import Action
from bulletin.models import IncidentNote, ReportedIncident
from tests.factories import LocalityFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAIR = ("қазақша", "по-русски")


@pytest.fixture
def official():
    return StaffFactory()


def tell(official, *, locality=None, since=-HOUR, until=None, is_over=False, now=NOW):
    """`since` and `until` from now on."""
    return report_incident(
        locality=locality,
        title=PAIR,
        broken=PAIR,
        works=PAIR,
        done=PAIR,
        started_at=now + since,
        until=None if until is None else now + until,
        is_over=is_over,
        actor=official,
        now=now,
    )


def note(incident, official, *, after=1, until=None, is_over=False, now=NOW):
    add_note(
        incident,
        after=after,
        text=("тағы", "ещё"),
        until=None if until is None else now + until,
        is_over=is_over,
        actor=official,
        now=now,
    )


def test_the_last_note_holds_and_the_others_stay(official):
    incident = tell(official, until=HOUR)
    note(incident, official, until=2 * HOUR)
    note(incident, official, after=2, until=-HOUR / 2, is_over=True)
    told = ReportedIncident.objects.as_told().get()
    assert (told.until, told.is_over, told.last_number) == (NOW - HOUR / 2, True, 3)
    assert list(incident.notes.values_list("until", flat=True)) == [
        NOW + HOUR,
        NOW + 2 * HOUR,
        NOW - HOUR / 2,
    ]
    assert [one.action for one in history_of(incident)] == [
        Action.INCIDENT_TOLD_FURTHER,
        Action.INCIDENT_TOLD_FURTHER,
        Action.INCIDENT_TOLD,
    ]


def test_of_two_who_write_at_once_the_second_reads_the_first(official):
    incident = tell(official)
    note(incident, official, after=1)
    with pytest.raises(ValidationError):
        note(incident, official, after=1, until=-HOUR / 2, is_over=True)
    assert incident.notes.count() == 2
    # A button pressed twice.
    with pytest.raises(ValidationError):
        tell(official)
    assert ReportedIncident.objects.count() == 1


TIMES = [
    ("begun too long ago", {"since": -TOLD_FOR - HOUR}, "started_at"),
    ("planned too far ahead", {"since": TOLD_FOR + HOUR}, "started_at"),
    ("ends before it begins", {"since": -HOUR, "until": -2 * HOUR, "is_over": True}, "until"),
    ("expected in a far future", {"until": TOLD_FOR + HOUR}, "until"),
    ("over, but in the future", {"until": HOUR, "is_over": True}, "until"),
    ("over without an end", {"is_over": True}, "until"),
    ("called off with an end", {"since": HOUR, "until": 2 * HOUR, "is_over": True}, "until"),
    ("expected in the past", {"until": -HOUR / 2}, "until"),
]


@pytest.mark.parametrize(("times", "field"), [one[1:] for one in TIMES], ids=[one[0] for one in TIMES])
def test_no_time_is_told_that_cannot_be(times, field, official):
    with pytest.raises(ValidationError) as refused:
        tell(official, **times)
    assert [*refused.value.message_dict] == [field]
    assert not ReportedIncident.objects.exists()


def test_nobody_rewrites_or_deletes(official):
    incident = tell(official)
    for rows in (ReportedIncident.objects.all(), IncidentNote.objects.all()):
        for change in (lambda rows=rows: rows._raw_delete("default"), lambda rows=rows: rows.update(id=0)):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()
    assert incident.notes.count() == 1


def test_which_are_open_where_and_which_nobody_ended(official):
    here, far = LocalityFactory(), LocalityFactory(slug="far", order=9)
    everywhere, near = tell(official, until=HOUR), tell(official, locality=here)
    planned = tell(official, since=HOUR, until=2 * HOUR)
    tell(official, locality=here, since=-3 * HOUR, until=-HOUR, is_over=True)
    assert list(open_incidents(here, now=NOW)) == [everywhere, near]
    assert list(open_incidents(far, now=NOW)) == [everywhere]
    assert list(overdue_incidents(now=NOW)) == []
    later = NOW + 2 * HOUR
    assert list(open_incidents(far, now=later)) == [planned, everywhere]
    assert set(overdue_incidents(now=later)) == {planned, everywhere}
    note(planned, official, until=-HOUR / 2, is_over=True, now=later)
    assert list(open_incidents(far, now=later)) == [everywhere]


def test_it_is_told_for_ninety_days_from_its_end(official):
    ended = tell(official, since=-3 * HOUR, until=-HOUR, is_over=True)
    called_off = tell(official, since=HOUR)
    note(called_off, official, is_over=True)
    open_still = tell(official, since=-2 * HOUR)
    assert set(incidents_since(NOW - HOUR)) == {ended, called_off, open_still}
    assert set(incidents_since(NOW)) == {called_off, open_still}
    assert set(incidents_since(NOW + HOUR)) == {open_still}
