"""What files there are: who may have each, of whose rows it is made, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import QueryDict

from accounts.models import User
from applications.models import MadeFile
from applications.reports import workbook
from applications.reports.catalogue import REPORTS
from applications.reports.forms import AskedForm, own_localities
from applications.rosters.sheet import Sheet
from applications.rosters.sheet import workbook as packed

# How many parts are ready, of how many.
Tell = Callable[[int, int], None]

READ_REPORTS: Final = "applications.read_reports"
REPORT: Final = "report"


class CannotBeMade(Exception):
    """What was asked for is no longer there, or not for this employee."""


@dataclass(frozen=True)
class Maker:
    """`places`: the keys of the places whose rows an employee may have in such a file."""

    permission: str
    places: Callable[[User, datetime], set[int]]
    write: Callable[[MadeFile, Tell, datetime], bytes]
    names_people: bool = False


def maker_of(what: str) -> Maker:
    """Who makes such a file. Raises `CannotBeMade` for a kind that there is not, or is no longer."""
    try:
        return MAKERS[what.partition(":")[0]]
    except KeyError:
        raise CannotBeMade(what) from None


def _write_report(file: MadeFile, tell: Tell, now: datetime) -> bytes:
    report = REPORTS.get(file.what.partition(":")[2])
    if report is None:
        raise CannotBeMade(file.what)
    localities = [one for one in own_localities(file.user, now=now) if one.pk in file.places]
    form = AskedForm(QueryDict(file.query), report=report, localities=localities, now=now)
    if not form.is_valid():
        raise CannotBeMade(file.query)
    total = len(workbook.slices_of(report, form.slice))

    def pages() -> Iterator[tuple[str, Sheet]]:
        for done, page in enumerate(workbook.pages_of(report, form.asked, form.slice), start=1):
            yield page
            tell(done, total)

    return packed(pages())


def _locality_keys(user: User, now: datetime) -> set[int]:
    return {one.pk for one in own_localities(user, now=now)}


MAKERS: Final = {REPORT: Maker(READ_REPORTS, _locality_keys, _write_report)}
