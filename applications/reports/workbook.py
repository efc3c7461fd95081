"""A report as a spreadsheet: what the page shows, and the same figures cut in every other way."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.timezone import localtime
from django.utils.translation import gettext

from applications.reports.asked import Asked, Slice
from applications.reports.catalogue import Report
from applications.reports.tables import table_of
from applications.rosters.sheet import Sheet
from bulletin.models import Language


def slices_of(report: Report, first: Slice) -> list[Slice]:
    """The pages of the spreadsheet: the one that is asked for, then the others."""
    return [first, *(one for one in report.slices if one is not first)]


def pages_of(report: Report, asked: Asked, first: Slice) -> Iterator[tuple[str, Sheet]]:
    """Each page when it is ready, with its name."""
    for slice_ in slices_of(report, first):
        yield str(slice_.label), sheet_of(report, asked, slice_)


def sheet_of(report: Report, asked: Asked, slice_: Slice) -> Sheet:
    """The table with all its rows, under the sentences that say what is counted."""
    table = table_of(report, asked, slice_)
    return Sheet(
        title=f"{report.title}: {slice_.label}",
        headings=[str(slice_.label), *(str(one.heading) for one in report.columns)],
        rows=[
            (row.label, *(row.values[one.name] for one in report.columns))
            for row in (*table.rows, table.total)
        ],
        zone=asked.zone,
        notes=[str(report.about), *told_filters(asked), as_of(asked, table.counted_at)],
    )


def told_filters(asked: Asked) -> list[str]:
    """What is asked for, in words: the period, and whatever narrows it."""
    # The present month is counted until now.
    last = min(asked.ends.date() - timedelta(days=1), asked.now.astimezone(asked.zone).date())
    first = asked.months[0]
    told = [
        f"{gettext('Period')}: {first:%d.%m.%Y} – {last:%d.%m.%Y}",
        f"{gettext('Localities')}: {', '.join(one.name for one in asked.localities or ())}",
    ]
    if asked.birth_year:
        told.append(f"{gettext('Birth year')}: {asked.birth_year}")
    if asked.language:
        told.append(f"{gettext('Language of upbringing')}: {Language(asked.language).label}")
    return told


def as_of(asked: Asked, counted_at: datetime) -> str:
    """The minute of the figures."""
    return f"{gettext('As of')}: {localtime(counted_at, asked.zone):%d.%m.%Y %H:%M}"
