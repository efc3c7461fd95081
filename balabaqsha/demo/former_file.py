"""The file of the demo city's former queue: families of the registry, who can claim, and every kind of fault once."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import xlsxwriter

from accounts.registry import Person, simulated_people
from accounts.registry.simulated_people import SimulatedPerson
from applications.city.queue_file import Queue
from balabaqsha.demo.former_faults import PLANTED, planted_rows
from balabaqsha.demo.former_queue import COLUMNS
from balabaqsha.demo.places import PLACES
from bulletin.importing.columns import by_name
from bulletin.importing.templates import CSV, XLSX

FAMILIES: Final = 20
# One row in so many has a fault.
_EVERY: Final = 10
# By birth year: filed before everybody else of the file.
_AGES: Final = range(3, 6)


def claimable(*, today: date) -> list[tuple[SimulatedPerson, Person]]:
    """Those of the registry who stand in the file with one child each, by the phone that the state knows as theirs."""
    found: list[tuple[SimulatedPerson, Person]] = []
    taken: set[str] = set()
    for entry in simulated_people.everyone(today=today):
        of_age = [child for child in entry.wards if today.year - child.birth_date.year in _AGES]
        if entry.person.iin and of_age and of_age[0].iin not in taken:
            taken.add(of_age[0].iin)
            found.append((entry, of_age[0]))
    return found[:FAMILIES]


def rows_of_file(*, today: date) -> list[dict[Any, str]]:
    """The rows, the same all day long; what is too much of a row stands under None."""
    rows, _expected = planted_rows(
        _EVERY * len(PLANTED),
        every=_EVERY,
        places=[place.slug for place in PLACES],
        benefits=["large-families"],
        today=today,
    )
    return [*_of_registry(today), *rows]


def content(ending: str, *, today: date) -> bytes:
    """The file as CSV or as a workbook, with its headings in the language of the reader."""
    columns = by_name(Queue.columns)
    table = [[str(columns[name].heading) for name in COLUMNS]]
    table += [[*(row[name] for name in COLUMNS), *row.get(None, ())] for row in rows_of_file(today=today)]
    return {CSV: _text, XLSX: _workbook}[ending](table)


def _of_registry(today: date) -> Iterator[dict[Any, str]]:
    for number, (entry, child) in enumerate(claimable(today=today), start=1):
        # After the birth, and before everybody else of the file.
        filed_at = datetime.combine(date(today.year - 3, 7, 1) + timedelta(days=number), time(9, number))
        yield dict.fromkeys(COLUMNS, "") | {
            "old_number": f"{filed_at.year}-{900_000 + number}",
            "locality": PLACES[0].slug,
            "filed_at": f"{filed_at:%d.%m.%Y %H:%M}",
            "child_iin": child.iin,
            "last_name": child.last_name,
            "first_name": child.first_name,
            "middle_name": child.middle_name,
            "birth_date": f"{child.birth_date:%d.%m.%Y}",
            "guardian_iin": entry.person.iin,
            "phone": entry.phone,
            "languages": "kk, ru",
            "state": "waiting",
        }


def _text(table: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(table)
    return text.getvalue().encode("utf-8-sig")


def _workbook(table: list[list[str]]) -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate(table):
            for at, cell in enumerate(cells):
                sheet.write_string(line, at, cell)
    return kept.getvalue()
