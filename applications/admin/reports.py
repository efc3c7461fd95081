"""Reports for officials: a chart, a table, and a spreadsheet made by a worker."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from applications.admin.files import file_rows
from applications.admin.work import staff_of
from applications.files import making
from applications.files.makers import READ_REPORTS, REPORT
from applications.reports.catalogue import REPORTS, Report
from applications.reports.charts import chart_of
from applications.reports.counts import Values
from applications.reports.forms import AskedForm, own_localities
from applications.reports.tables import Table, table_of
from applications.reports.workbook import as_of, told_filters
from bulletin.employment import works_everywhere
from notifications.clock import read_clock

# How many rows the page shows, as each list does; the file has all.
MOST_ROWS: Final = 25


class ReportPages:
    """The pages, as a site of the workplace mounts them (`urls`)."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        own: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "reports": ("reports/", self.index),
            "report": ("reports/<slug:name>/", self.report),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in own.items()]

    @method_decorator(never_cache)
    def index(self, request: HttpRequest) -> HttpResponseBase:
        """Which reports there are."""
        _reader(request)
        context = {
            **self.site.each_context(request),
            "title": gettext("Reports"),
            "reports": list(REPORTS.values()),
        }
        return TemplateResponse(request, "admin/reports/index.html", context)

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def report(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """One report; a press on its button lets a worker make the file of what the address asks for."""
        reader, now = _reader(request), read_clock()
        report = REPORTS.get(name)
        if report is None:
            raise Http404
        own: dict[str, Any] = {
            "report": report,
            "localities": own_localities(reader, now=now),
            "now": now,
            "are_everywhere": works_everywhere(reader),
        }
        form = AskedForm(request.GET, **own)
        if not form.is_valid():
            # Its errors are shown above the report as it is without a choice.
            shown = AskedForm(QueryDict(), **own)
            shown.is_valid()
        else:
            shown = form
        what = f"{REPORT}:{name}"
        if request.method == "POST":
            making.ask(
                reader,
                what=what,
                query=shown.query,
                title=f"{report.title}: {shown.slice.label}",
                places=[one.pk for one in shown.asked.localities or ()],
                now=now,
            )
            messages.success(request, gettext("The file is being made. You find it at the end of this page."))
            return HttpResponseRedirect(f"{reverse('admin:report', args=[name])}?{shown.query}#files")
        table = table_of(report, shown.asked, shown.slice, most=MOST_ROWS)
        context = {
            **self.site.each_context(request),
            "title": report.title,
            "about": report.about,
            "report": report,
            "form": form,
            "slice": shown.slice,
            "filters": told_filters(shown.asked),
            "as_of": as_of(shown.asked, table.counted_at),
            "table": table,
            "left_out": table.found - len(table.rows),
            "rows": [_cells(report, row.values, label=row.label) for row in (*table.rows, table.total)],
            "files": file_rows(reader, what=what, now=now),
            "query": shown.query,
            **_drawn(report, table),
        }
        return TemplateResponse(request, "admin/reports/report.html", context)


def _reader(request: HttpRequest) -> User:
    reader = staff_of(request)
    if not reader.has_perm(READ_REPORTS):
        raise PermissionDenied
    return reader


def _cells(report: Report, values: Values, *, label: str) -> dict[str, Any]:
    return {"label": label, "cells": [(one.heading, values[one.name]) for one in report.columns]}


def _drawn(report: Report, table: Table) -> dict[str, Any]:
    """The chart, the names of its bars, and its longest bar in words."""
    headings = {one.name: one.heading for one in report.columns}
    rows = [(row.label, [row.values.get(name) for name in report.drawn]) for row in table.rows]
    largest = max(rows, key=lambda row: max(value or 0 for value in row[1]), default=None)
    return {
        "chart": chart_of(rows, of=table.found),
        "series": [headings[name] for name in report.drawn],
        "longest": {"label": largest[0], "value": max(value or 0 for value in largest[1])}
        if largest
        else None,
    }
