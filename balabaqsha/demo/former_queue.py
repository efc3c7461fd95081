"""A queue as a city kept it before the portal: made-up people, to be brought in by `import_queue`."""

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO

from balabaqsha.demo.people import People

COLUMNS = (
    "old_number", "locality", "filed_at", "child_iin", "certificate", "last_name", "first_name", "middle_name",
    "birth_date", "sex", "guardian_iin", "phone", "languages", "benefit", "benefit_until", "interest_confirmed_at",
    "state", "until",
)  # fmt: skip
# Of a hundred rows.
WITH_BENEFIT, WITH_STOP = 12, 1


def rows_of(
    number: int, *, places: Sequence[str], benefits: Sequence[str], today: date, seed: int = 1
) -> Iterator[dict[str, str]]:
    """So many rows, in the order of their dates; the same for the same arguments.

    `places` and `benefits` by their addresses and codes. Children are up to five by birth year on `today`.
    """
    chance = random.Random(seed)  # noqa: S311 - made-up people
    people = People(chance, taken=set())
    # The child was born a while before: filed on the day `today` at the latest.
    dates = sorted(today - timedelta(days=chance.randrange(1, 700)) for _ in range(number))
    for count, filed_on in enumerate(dates, start=1):
        parent = people.adult(today=today)
        year = chance.randrange(today.year - 5, filed_on.year)
        child = people.child(parent, birth_date=date(year, 1, 1) + timedelta(days=chance.randrange(365)))
        filed_at = datetime.combine(filed_on, time(chance.randrange(9, 18), chance.randrange(60)))
        benefit = chance.choice(benefits) if benefits and chance.randrange(100) < WITH_BENEFIT else ""
        stop = chance.randrange(100) < WITH_STOP
        yield dict.fromkeys(COLUMNS, "") | {
            "old_number": f"{filed_on.year}-{count:06}",
            "locality": chance.choice(places),
            "filed_at": f"{filed_at:%d.%m.%Y %H:%M}",
            "child_iin": child.iin,
            "last_name": child.last_name,
            "first_name": child.first_name,
            "middle_name": child.middle_name,
            "birth_date": f"{child.birth_date:%d.%m.%Y}",
            "guardian_iin": parent.iin,
            "phone": f"+7 700 {count // 10_000:03} {count // 100 % 100:02} {count % 100:02}",
            "languages": chance.choice(("kk", "kk", "kk, ru", "ru", "kk, uz")),
            "benefit": benefit,
            "benefit_until": f"{today + timedelta(days=200):%d.%m.%Y}" if benefit else "",
            "interest_confirmed_at": f"{filed_at:%d.%m.%Y}",
            "state": "stop_listed" if stop else "waiting",
            "until": f"{today + timedelta(days=9):%d.%m.%Y}" if stop else "",
        }


def write(rows: Iterable[dict[str, str]], file: IO[str]) -> None:
    """The rows as a CSV file, with their headings."""
    table = csv.DictWriter(file, COLUMNS, delimiter=";")
    table.writeheader()
    table.writerows(rows)
