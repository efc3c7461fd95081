"""What files there are: who may have each, of whose rows it is made, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import QueryDict
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from accounts.models import User
from applications.city import reconciled_lines
from applications.city.reconciling import Outcome, Reason
from applications.models import MadeFile
from applications.reports import workbook
from applications.reports.catalogue import REPORTS
from applications.reports.forms import AskedForm, own_localities
from applications.rosters import own
from applications.rosters.rosters import BATCH, Roster, Rows
from applications.rosters.sheet import Cell, Sheet
from applications.rosters.sheet import workbook as packed

# So many lines are put into words at once.
_LINES: Final = 1_000
# How many parts are ready, of how many.
Tell = Callable[[int, int], None]

READ_REPORTS: Final = "applications.read_reports"
REPORT: Final = "report"
ROSTER: Final = "roster"
RECONCILIATION: Final = "reconciliation"


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
        return MAKERS[what] if what in MAKERS else MAKERS[what.partition(":")[0]]
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


def _write_roster(file: MadeFile, tell: Tell, now: datetime) -> bytes:
    try:
        roster = _roster_of(file, now)
    except (ObjectDoesNotExist, ValidationError, ValueError):
        raise CannotBeMade(file.what) from None
    total = -(-roster.count() // BATCH)
    rows: Rows = []
    for done, some in enumerate(roster.batches(), start=1):
        rows += some
        # Who comes meanwhile is in the list, too.
        tell(min(done, total), total)
    return roster.sheet(rows).xlsx()


def _roster_of(file: MadeFile, now: datetime) -> Roster:
    pk = QueryDict(file.query).get("pk", "")
    name = file.what.partition(":")[2]
    if name == own.ENROLLED:
        return own.enrolled(pk, reader=file.user, now=now)
    if name == own.ENROLLED_IN:
        return own.enrolled_in(pk, reader=file.user, now=now)
    if name == own.BIDS:
        return own.bids_of(pk, reader=file.user, now=now)
    return own.awaited(reader=file.user, now=now, kindergartens=file.places)


def _write_reconciliation(file: MadeFile, tell: Tell, now: datetime) -> bytes:
    """Every line of a loaded file of the former queue that the employee may read."""
    pk = QueryDict(file.query).get("batch", "")
    batch = reconciled_lines.own_batches(file.user).filter(pk=pk if pk.isdecimal() else 0).first()
    if batch is None:
        raise CannotBeMade(file.query)
    places = reconciled_lines.places_in(batch, file.user)
    kept = reconciled_lines.reconciled(batch, places, now=now)
    lines = kept.found.lines
    rows: list[list[Cell]] = []
    for start in range(0, len(lines), _LINES):
        for one in reconciled_lines.in_words(batch, lines[start : start + _LINES]):
            told = Outcome(one.compared.outcome).label
            place = [one.locality, one.birth_year, one.compared.old, one.compared.new]
            rows.append([one.line, one.old_number, *place, str(told), "; ".join(one.reasons)])
        tell(min(start + _LINES, len(lines)), len(lines))
    # Those who stand in no line of it.
    for absent in reconciled_lines.absent_in_words(reconciled_lines.absent_from(batch, places).iterator()):
        place = [absent.locality, absent.birth_year, None, None]
        rows.append([None, absent.old_number, *place, str(Reason.ABSENT.label), absent.became])
    headings = [
        _("line of the file"),
        _("number in the former queue"),
        _("Locality"),
        _("Birth year"),
        _("Place then"),
        _("Number now"),
        _("What became of it"),
        _("Reason"),
    ]
    zone = get_current_timezone()
    as_of = f"{_('As of')}: {kept.at.astimezone(zone):%d.%m.%Y %H:%M}"
    return Sheet(file.title, headings, rows, zone, notes=[as_of]).xlsx()


MAKERS: Final = {
    REPORT: Maker(READ_REPORTS, _locality_keys, _write_report),
    RECONCILIATION: Maker(reconciled_lines.READ, _locality_keys, _write_reconciliation),
    **{
        f"{ROSTER}:{name}": Maker(permission, own.own_kindergartens, _write_roster, names_people=True)
        for name, permission in own.PERMISSIONS.items()
    },
}
