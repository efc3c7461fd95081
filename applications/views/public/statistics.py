"""The public statistics in full: each figure by month, birth year, language and place, as a page and as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from applications.csv_file import csv_response, file_name
from applications.reports.asked import Slice
from applications.reports.charts import chart_of
from applications.reports.published import (
    PUBLISHED,
    Figure,
    Published,
    TellingTable,
    table_of_published,
)
from applications.reports.workbook import as_of, told_filters
from applications.rosters.sheet import XLSX_TYPE, Sheet, workbook
from bulletin import selectors
from bulletin.chosen_place import chosen_locality
from bulletin.forms import ALL_PLACES
from bulletin.models import Locality
from notifications.clock import estimate_clock
from notifications.replica import reads_replica


@dataclass(frozen=True)
class Asking:
    """What an address asks for."""

    told: Published
    slice: Slice
    place: Locality | None
    places: list[Locality]

    @property
    def slices(self) -> list[Slice]:
        """What the rows may be: of one place a table of places has one row, and is offered to nobody."""
        return [
            one for one in self.told.slices if one is self.slice or not (self.place and one is Slice.LOCALITY)
        ]

    def table(self, slice_: Slice, *, now: datetime) -> TellingTable:
        return table_of_published(self.told, slice_, place=self.place, places=self.places, now=now)

    def file_name(self, table: TellingTable, ending: str) -> str:
        """Says of which figures, cut, place and day a file is."""
        place = self.place.slug if self.place else ALL_PLACES
        day = table.counted_at.astimezone(table.asked.zone).date()
        return file_name(self.told.name, "by", self.slice.value, place, day=day, ending=ending)


class NothingSuch(Http404):
    """An address of the statistics that names what there is not; `sentence` says so in the language of the page.

    Other figures than those that were asked for would be taken for them.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def query_of(slice_: Slice, place: Locality | None) -> str:
    """The end of the address that asks for them."""
    return urlencode({"place": place.slug if place else ALL_PLACES, "by": slice_.value})


def asked_place(request: HttpRequest, places: list[Locality]) -> Locality | None:
    """The place that `?place=` names, None for all of them, and without it the one that the visitor chose.

    Raises `NothingSuch`, for a period that is asked for, too.
    """
    if request.GET.get("period"):
        raise NothingSuch(
            _("The statistics are always of the last twelve months: no other period can be asked for.")
        )
    slug = request.GET.get("place", "")
    if not slug:
        return chosen_locality(request, places)
    if slug == ALL_PLACES:
        return None
    for place in places:
        if place.slug == slug:
            return place
    raise NothingSuch(_("The address names a place that the portal does not know."))


@require_safe
@reads_replica
def statistics_table(request: HttpRequest, name: str) -> HttpResponse:
    """One group of figures: a chart, the same as a table, and the way to the files."""
    asking = _asking(request, name)
    table = asking.table(asking.slice, now=estimate_clock())
    columns, drawn = asking.told.columns_by(asking.slice), asking.told.drawn_by(asking.slice)
    bars = [(row.label, [row.values[one.name] for one in drawn]) for row in table.rows]
    here = reverse("applications:statistics_table", args=[name])
    context = {
        "report": asking.told,
        "slice": asking.slice,
        "columns": columns,
        "rows": [
            {"label": row.label, "cells": [(one.heading, row.values[one.name]) for one in columns]}
            for row in (*table.rows, table.total)
        ],
        "chart": chart_of(bars, of=len(bars)),
        "series": [one.heading for one in drawn],
        "longest": _longest(bars),
        "filters": told_filters(table.asked),
        "counted_again": _counted_again(asking.told, asking.slice),
        "counted_at": table.counted_at,
        "query": query_of(asking.slice, asking.place),
        "place_tabs": [
            {
                "label": place.name if place else _("All places"),
                "url": f"{here}?{query_of(asking.slice, place)}",
                "current": place == asking.place,
            }
            for place in (None, *asking.places)
        ],
        "slice_tabs": [
            {
                "label": one.label,
                "url": f"{here}?{query_of(one, asking.place)}",
                "current": one is asking.slice,
            }
            for one in asking.slices
        ],
    }
    return render(request, "applications/statistics_table.html", context)


@require_safe
def statistics_csv(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """The table of the page as a file."""
    asking = _asking(request, name)
    table = asking.table(asking.slice, now=estimate_clock())
    sheet = _sheet(asking, asking.slice, table)
    return csv_response(
        filename=asking.file_name(table, "csv"),
        heading=sheet.headings,
        rows=sheet.in_words,
        delimiter=";",
    )


@require_safe
def statistics_xlsx(request: HttpRequest, name: str) -> HttpResponse:
    """The table of the page as a spreadsheet, and the same figures cut in every other way."""
    asking, now = _asking(request, name), estimate_clock()
    slices = sorted(asking.slices, key=lambda one: one is not asking.slice)
    tables = {one: asking.table(one, now=now) for one in slices}
    response = HttpResponse(
        workbook((str(one.label), _sheet(asking, one, table)) for one, table in tables.items()),
        content_type=XLSX_TYPE,
    )
    response["Content-Disposition"] = (
        f'attachment; filename="{asking.file_name(tables[asking.slice], "xlsx")}"'
    )
    return response


def _longest(bars: Sequence[tuple[str, Sequence[Figure]]]) -> dict[str, Any] | None:
    """The longest bar in words."""
    told = [(value, label) for label, values in bars for value in values if isinstance(value, int)]
    value, label = max(told, default=(0, ""), key=lambda one: one[0])
    return {"label": label, "value": value} if told else None


def _asking(request: HttpRequest, name: str) -> Asking:
    told = PUBLISHED.get(name)
    if told is None:
        raise Http404
    places = selectors.localities()
    return Asking(told, _asked_slice(request, told), asked_place(request, places), places)


def _asked_slice(request: HttpRequest, told: Published) -> Slice:
    by = request.GET.get("by", "")
    if not by:
        return told.slices[0]
    for slice_ in told.slices:
        if slice_.value == by:
            return slice_
    raise NothingSuch(_("These figures are not told in the rows that the address asks for."))


def _counted_again(told: Published, slice_: Slice) -> str:
    """Why the rows add up to more than what stands below them; empty where each is counted in one row."""
    of_groups = told.name == "places"
    if slice_ is Slice.LANGUAGE and not of_groups:
        return _("A family that names several languages is counted in each of them, and once in all.")
    if slice_ is Slice.YEAR and of_groups:
        return _("A place for several birth years is counted in each of them, and once in all.")
    return ""


def _sheet(asking: Asking, slice_: Slice, table: TellingTable) -> Sheet:
    columns = asking.told.columns_by(slice_)
    return Sheet(
        title=f"{asking.told.title}: {slice_.label}",
        headings=[str(slice_.label), *(str(one.heading) for one in columns)],
        rows=[(row.label, *(row.values[one.name] for one in columns)) for row in (*table.rows, table.total)],
        zone=table.asked.zone,
        notes=[
            str(asking.told.about),
            *told_filters(table.asked),
            as_of(table.asked, table.counted_at),
            _("<5: from one to four. …: not told, since a small number could be worked out from it."),
            _("Each figure is rounded by itself, so rows and columns need not add up exactly."),
            *filter(None, [_counted_again(asking.told, slice_)]),
        ],
    )
