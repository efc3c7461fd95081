"""A former queue with faults planted in it: of each it is known in which line it stands and what must be said.

For the demo city's file, and for the tests.
"""

from collections.abc import Callable
from typing import Any

from accounts.iin import check_digit
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.problems import Problem

# What is done to a row (and the one before it), and what must be said of it in which column.
Change = Callable[[Any, Any], dict[Any, Any]]
PLANTED: dict[str, tuple[Change, str, Problem]] = {
    "check digit": (
        lambda row, _: {"child_iin": _other_digit(row["child_iin"])},
        "child_iin",
        Problem.NOT_IIN,
    ),
    "lost zero": (lambda row, _: {"child_iin": row["child_iin"][:11]}, "child_iin", Problem.SHORT_IIN),
    "shortened": (lambda _, __: {"child_iin": "6,01123E+11"}, "child_iin", Problem.CUT_NUMBER),
    "other birth date": (
        lambda row, _: {
            "birth_date": "28" + row["birth_date"][2:]
            if row["birth_date"][:2] != "28"
            else "27" + row["birth_date"][2:]
        },
        "birth_date",
        Problem.OTHER_BIRTH_DATE,
    ),
    "twice": (
        lambda _, former: {name: former[name] for name in ("child_iin", "birth_date", "filed_at")},
        "child_iin",
        Problem.REPEATED,
    ),
    "filed in the future": (lambda _, __: {"filed_at": "01.01.2031"}, "filed_at", Problem.IN_FUTURE),
    "filed before 2000": (lambda _, __: {"filed_at": "01.01.1999"}, "filed_at", Problem.BEFORE_2000),
    "filed before the birth": (lambda _, __: {"filed_at": "01.01.2010"}, "filed_at", Problem.BEFORE_BIRTH),
    "no date": (lambda _, __: {"filed_at": "весной"}, "filed_at", Problem.NOT_DAY),
    "unknown locality": (lambda _, __: {"locality": "Атлантида"}, "locality", Problem.UNKNOWN),
    "unknown language": (lambda _, __: {"languages": "klingon"}, "languages", Problem.NOT_ALLOWED),
    "unknown benefit": (
        lambda _, __: {"benefit": "космонавты", "benefit_until": ""},
        "benefit",
        Problem.UNKNOWN,
    ),
    "ended benefit": (
        lambda _, __: {"benefit": "large-families", "benefit_until": "01.02.2018"},
        "benefit_until",
        Problem.BENEFIT_OVER,
    ),
    "end without a benefit": (
        lambda _, __: {"benefit": "", "benefit_until": "01.02.2031"},
        "benefit_until",
        Problem.NO_BENEFIT,
    ),
    "school age": (
        lambda row, _: {"birth_date": "01.02.2009", "child_iin": _iin("090201", row["child_iin"])},
        "birth_date",
        Problem.TOO_OLD,
    ),
    "empty name": (lambda _, __: {"last_name": " "}, "last_name", Problem.EMPTY),
    "unseen sign": (lambda _, __: {"first_name": "АЛ\x01ИЯ"}, "first_name", Problem.CONTROL),
    "lost letters": (lambda _, __: {"first_name": "?йг?л"}, "first_name", Problem.LOST_LETTERS),
    "no phone": (lambda _, __: {"phone": "спросить у мамы"}, "phone", Problem.NOT_PHONE),
    "unknown state": (lambda _, __: {"state": "думает"}, "state", Problem.NOT_ALLOWED),
    "stop over": (lambda _, __: {"state": "stop_listed", "until": "01.02.2018"}, "until", Problem.END_OVER),
    "referral without an end": (lambda _, __: {"state": "referred", "until": ""}, "until", Problem.NO_END),
    "stop for ever": (
        lambda _, __: {"state": "stop_listed", "until": "01.02.2031"},
        "until",
        Problem.END_TOO_FAR,
    ),
    "number twice": (
        lambda _, former: {name: former[name] for name in ("old_number", "locality")},
        "old_number",
        Problem.REPEATED,
    ),
    "nobody": (lambda _, __: {"child_iin": ""}, "child_iin", Problem.NO_IDENTITY),
    "own guardian": (lambda row, _: {"guardian_iin": row["child_iin"]}, "guardian_iin", Problem.SAME_PERSON),
    "left": (lambda _, __: {"state": "left"}, "state", Problem.LEFT),
    "too many cells": (lambda _, __: {None: ["Абай 5", "", "кв. 2"]}, "", Problem.EXTRA_CELLS),
}


def planted_rows(
    number: int, *, every: int, **about: Any
) -> tuple[list[dict[Any, Any]], dict[int, tuple[str, Problem]]]:
    """The rows of a file, with a fault in each `every`th of them; and by their line: the column and the problem.

    `about` as for `rows_of`. What is too much of a row stands under None.
    """
    rows: list[dict[Any, Any]] = []
    expected: dict[int, tuple[str, Problem]] = {}
    faults = list(PLANTED.values())
    for count, row in enumerate(rows_of(number, **about)):
        if count % every == every - 1:
            change, column, problem = faults[len(expected) % len(faults)]
            row.update(change(row, rows[-1]))
            # The first line has the headings.
            expected[count + 2] = (column, problem)
        rows.append(row)
    return rows, expected


def _other_digit(iin: str) -> str:
    return iin[:11] + str((int(iin[11]) + 1) % 10)


def _iin(day: str, iin: str) -> str:
    stem = day + iin[6:11]
    digit = check_digit(stem)
    return (
        f"{stem}{digit}"
        if digit is not None
        else _iin(day, iin[:10] + str((int(iin[10]) + 1) % 10) + iin[11])
    )
