"""A report as a table: its rows in their order, with names, and what they come to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext

from applications.models import BenefitCategory
from applications.reports.asked import Asked, Slice
from applications.reports.catalogue import Report, Unit
from applications.reports.counts import Counts, Values
from applications.reports.facts import Key
from applications.reports.memory import remember
from bulletin.models import AgeGroup, Kindergarten, Language

_NAMED: Final[Mapping[Slice, Any]] = {
    Slice.KINDERGARTEN: Kindergarten,
    Slice.CATEGORY: BenefitCategory,
}
_LABELLED: Final[Mapping[Slice, Any]] = {Slice.LANGUAGE: Language, Slice.AGE_GROUP: AgeGroup}


@dataclass(frozen=True)
class Row:
    """`values` by the name of the column; None where there is nothing to tell."""

    label: str
    values: Values


@dataclass(frozen=True)
class Table:
    """`found`: how many rows there are, of which `rows` may be the first. All as of `counted_at`."""

    rows: Sequence[Row]
    found: int
    total: Row
    counted_at: datetime


def table_of(report: Report, asked: Asked, slice_: Slice, *, most: int | None = None) -> Table:
    """The first `most` rows (None: all), of at most a minute ago. A few statements."""
    counted_at, rows, total = remember(_key(report, asked, slice_), lambda: _counted(report, asked, slice_))
    keys = ordered(report, replace(asked, now=counted_at), slice_, rows)
    shown = keys[:most]
    labels = labels_of(asked, slice_, shown)
    empty = _empty(report, asked, slice_)
    return Table(
        rows=[Row(labels.get(key, "—"), {**empty, **rows.get(key, {})}) for key in shown],
        found=len(keys),
        total=Row(gettext("In all"), {**empty, **total}),
        counted_at=counted_at,
    )


def _counted(report: Report, asked: Asked, slice_: Slice) -> tuple[datetime, Counts, Values]:
    rows = dict(report.count(asked, slice_))
    return asked.now, rows, rows.pop(None)


def _key(report: Report, asked: Asked, slice_: Slice) -> str:
    places = ",".join(str(one.pk) for one in asked.localities or ())
    month = asked.month.isoformat() if asked.month else ""
    return ":".join(
        ("report", report.name, slice_, places, str(asked.birth_year or ""), asked.language, month)
    )


def _empty(report: Report, asked: Asked, slice_: Slice) -> Values:
    untold = report.untold(asked, slice_)
    return {
        one.name: 0 if one.unit is Unit.COUNT and one.name not in untold else None for one in report.columns
    }


def ordered(report: Report, asked: Asked, slice_: Slice, rows: Counts) -> list[Key]:
    """Months, localities, years and kinds in their own order, the rest by their size."""
    if slice_ is Slice.MONTH:
        return list(asked.months)
    if slice_ is Slice.LOCALITY:
        return [one.pk for one in asked.localities or ()]
    if slice_ is Slice.YEAR:
        return sorted(rows, reverse=True)
    if slice_ in _LABELLED:
        return [one for one in _LABELLED[slice_].values if one in rows]
    names = (report.order_column, *report.drawn)
    return sorted(rows, key=lambda key: (*(-(rows[key].get(name) or 0) for name in names), key))


def labels_of(asked: Asked, slice_: Slice, keys: Iterable[Key]) -> dict[Key, str]:
    if slice_ is Slice.LOCALITY:
        return {one.pk: one.name for one in asked.localities or ()}
    if slice_ in _NAMED:
        return {key: str(row) for key, row in _NAMED[slice_].objects.in_bulk(list(keys)).items()}
    if slice_ in _LABELLED:
        return {key: capfirst(str(_LABELLED[slice_](key).label)) for key in keys}
    return {key: month_in_words(key) if isinstance(key, date) else str(key) for key in keys}


def month_in_words(first_day: date) -> str:
    """As the language of the page names a month of a year."""
    return capfirst(date_format(first_day, "YEAR_MONTH_FORMAT"))
