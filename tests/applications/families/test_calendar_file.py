"""What a calendar reads: parsed again, with the instants that a family has to know."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from applications.families.calendar_file import ALARMS, History, calendar_file
from applications.families.due import Due, DueKind

ALMATY = ZoneInfo("Asia/Almaty")
CHANGED = datetime(2026, 11, 20, 4, 30, 15, 123456, tzinfo=UTC)
DAYS = set(DueKind) - {DueKind.AWARD, DueKind.OPENING, DueKind.WINDOW}


def due(kind=DueKind.REFERRAL, when=date(2026, 12, 1), **fields):
    values: dict[str, Any] = {
        "about": uuid4(),
        "application": uuid4(),
        "digits": "0417",
        "path": "/x/",
        "zone": ALMATY,
    }
    return Due(kind=kind, when=when, **values | fields)


def made(*dues, language="kk", changes=3):
    with override(language):
        return calendar_file(
            dues,
            histories={one.application: History(changes, CHANGED) for one in dues},
            name="Күндер",
            zone=ALMATY,
            whole=lambda path: f"https://bala.example.kz{path}",
        )


def entries(body):
    return icalendar.Calendar.from_ical(body).events


def test_a_last_day_is_a_whole_day():
    (entry,) = entries(made(due()))
    assert entry["dtstart"].params["VALUE"] == "DATE"
    assert (entry.decoded("dtstart"), entry.decoded("dtend")) == (date(2026, 12, 1), date(2026, 12, 2))
    assert entry["transp"] == "TRANSPARENT"
    assert entry["url"] == "https://bala.example.kz/x/"


def test_an_opening_is_an_instant_wherever_it_is_read():
    at = datetime(2026, 12, 1, 10, 0, tzinfo=ALMATY)
    body = made(due(DueKind.OPENING, at.astimezone(UTC)))
    (entry,) = entries(body)
    assert entry.decoded("dtstart") == at
    # In UTC, so that no calendar has to know our zones, which have changed before.
    assert b"DTSTART:20261201T050000Z\r\n" in body
    assert "dtend" not in entry


@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize("kind", DueKind)
def test_an_entry_says_what_it_is_in_the_readers_language_and_names_nobody(kind, language):
    when = date(2026, 12, 1) if kind in DAYS else datetime(2026, 12, 1, tzinfo=UTC)
    (entry,) = entries(made(due(kind, when), language=language))
    with override(language):
        assert entry["summary"] == f"{kind.label}. №\u00a0…0417. BALABAQSHA"
    assert entry["summary"].params["LANGUAGE"] == language
    assert {alarm["description"] for alarm in entry.walk("VALARM")} <= {entry["summary"]}


def rings(entry, start):
    return sorted(
        start + alarm.decoded("trigger") for alarm in entry.walk("VALARM") if alarm["action"] == "DISPLAY"
    )


def test_days_ring_at_nine_in_the_morning():
    midnight = datetime(2026, 12, 1, tzinfo=ALMATY)
    (entry,) = entries(made(due(DueKind.INTEREST)))
    assert rings(entry, midnight) == [
        datetime(2026, 11, 24, 9, tzinfo=ALMATY),
        datetime(2026, 11, 30, 9, tzinfo=ALMATY),
        datetime(2026, 12, 1, 9, tzinfo=ALMATY),
    ]


def test_an_opening_rings_before_it():
    at = datetime(2026, 12, 1, 5, tzinfo=UTC)
    (entry,) = entries(made(due(DueKind.OPENING, at)))
    assert rings(entry, at) == [at - timedelta(hours=1), at - timedelta(minutes=10)]


@pytest.mark.parametrize("kind", DueKind)
def test_nothing_rings_in_the_night_of_a_day(kind):
    if kind in DAYS:
        assert all((datetime(2026, 12, 1) + before).hour == 9 for before in ALARMS[kind])  # noqa: DTZ001
    else:
        assert all(timedelta(hours=-1) <= before < timedelta(0) for before in ALARMS[kind])


class TestIdentity:
    def test_what_moved_is_the_same_entry_and_newer(self):
        before = due()
        moved = Due(**{**before.__dict__, "when": date(2026, 12, 9)})
        (old,), (new,) = entries(made(before)), entries(made(moved, changes=4))
        assert old["uid"] == new["uid"]
        assert (old["sequence"], new["sequence"]) == (3, 4)
        assert old.decoded("last-modified") == CHANGED.replace(microsecond=0)

    def test_other_things_are_other_entries(self):
        one = due()
        others = [
            Due(**{**one.__dict__, "kind": DueKind.OFFER}),
            Due(**{**one.__dict__, "about": uuid4()}),
        ]
        assert len({entry["uid"] for entry in entries(made(one, *others))}) == 3

    def test_the_identity_gives_no_key_of_ours_away(self):
        one = due()
        body = made(one).decode()
        assert str(one.about) not in body
        assert str(one.application) not in body

    def test_the_same_days_make_the_same_bytes_in_whatever_order(self):
        dues = [due(), due(DueKind.OPENING, CHANGED), due(DueKind.STOP)]
        assert made(*dues) == made(*reversed(dues))


def test_lines_end_and_are_folded_as_the_standard_says():
    body = made(due(DueKind.WINDOW, CHANGED), due())
    assert body.count(b"\n") == body.count(b"\r\n")
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")


def test_without_entries_it_is_a_calendar_all_the_same():
    calendar = icalendar.Calendar.from_ical(made())
    assert calendar.events == []
    assert [zone["tzid"] for zone in calendar.timezones] == ["Asia/Almaty"]
    assert calendar["x-wr-calname"] == "Күндер"


def test_a_calendar_is_asked_to_look_again_within_hours():
    body = made(due())
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n" in body
    assert b"X-PUBLISHED-TTL:PT6H\r\n" in body


def test_an_opening_says_where_and_a_last_day_does_not():
    opening, last_day = entries(made(due(DueKind.OPENING, CHANGED, kindergarten="«Айша», Абай; 1"), due()))
    assert opening["location"] == "«Айша», Абай; 1"
    assert "location" not in last_day


# No path has a backslash, which the reader takes for the beginning of an escape.
@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), max_size=80))
def test_no_path_breaks_out_of_its_line(path):
    (entry,) = entries(made(due(path=path)))
    assert entry["url"] == f"https://bala.example.kz{path}"
