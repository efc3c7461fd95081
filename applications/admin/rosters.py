"""Lists of children to print, or to take as a file. Each look at one is entered, since it shows many families' data."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.models import User
from applications.admin.files import file_rows
from applications.admin.work import staff_of
from applications.csv_file import csv_response
from applications.files import making
from applications.files.makers import ROSTER
from applications.journal_actions import Action
from applications.own_rows import own_rows
from applications.rosters import held, own
from applications.rosters.rosters import Roster
from applications.rosters.sheet import XLSX_TYPE
from bulletin.models import Group, Kindergarten, Vacancy
from notifications.clock import read_clock

CSV: Final = "csv"
XLSX: Final = "xlsx"
# So many rows stand on the page; and so many may be in a file that is made while the page waits.
MOST_SHOWN: Final = 100
MOST_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class _Shown:
    """A roster on its page. `query` names what it is of, for the worker who makes its file."""

    roster: Roster
    name: str
    back: str
    query: str
    places: Collection[int]
    # Under what a look at it is entered (`held`): by that the audit finds it for a child.
    entered_as: list[str]


class RosterPages:
    """The pages, as a site of the workplace mounts them (`urls`): as a page, and with `?as=csv` or `?as=xlsx`.

    A press on a page's button lets a worker make the spreadsheet, however long the list is.
    """

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        routes: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "roster_enrolled": ("rosters/enrolled/<int:pk>/", self.enrolled),
            "roster_enrolled_in": ("rosters/enrolled/group/<int:pk>/", self.enrolled_in),
            "roster_enrolled_own": ("rosters/enrolled/", self.enrolled_own),
            "roster_awaited": ("rosters/awaited/", self.awaited),
            "roster_bids": ("rosters/bids/<uuid:pk>/", self.bids),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in routes.items()]

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def enrolled(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The children enrolled in a kindergarten, group by group."""
        reader, now = _reader(request, own.ENROLLED), read_clock()
        try:
            roster = own.enrolled(pk, reader=reader, now=now)
        except Kindergarten.DoesNotExist:
            raise Http404 from None
        back = reverse("admin:bulletin_kindergarten_change", args=[pk])
        shown = _Shown(roster, own.ENROLLED, back, f"pk={pk}", [pk], held.enrolled_in(pk))
        return self._answer(request, shown, now=now)

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def enrolled_in(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The children enrolled in one group."""
        reader, now = _reader(request, own.ENROLLED_IN), read_clock()
        try:
            roster = own.enrolled_in(pk, reader=reader, now=now)
        except Group.DoesNotExist:
            raise Http404 from None
        back = reverse("admin:bulletin_group_change", args=[pk])
        places = Kindergarten.objects.filter(groups=pk).values_list("pk", flat=True)
        entered_as = held.enrolled_in_group(pk)
        shown = _Shown(roster, own.ENROLLED_IN, back, f"pk={pk}", places, entered_as)
        return self._answer(request, shown, now=now)

    def enrolled_own(self, request: HttpRequest) -> HttpResponseBase:
        """To the list of the only kindergarten of the employee's own; to the kindergartens where there are several."""
        reader, now = _reader(request, own.ENROLLED), read_clock()
        rows = own_rows(Kindergarten.objects.order_by("pk"), user=reader, now=now)
        found = list(rows.values_list("pk", flat=True)[:2])
        if len(found) == 1:
            return HttpResponseRedirect(reverse("admin:roster_enrolled", args=found))
        return HttpResponseRedirect(reverse("admin:bulletin_kindergarten_changelist"))

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def awaited(self, request: HttpRequest) -> HttpResponseBase:
        """The families that may still come to sign, those whose last day is nearest first."""
        reader, now = _reader(request, own.AWAITED), read_clock()
        roster = own.awaited(reader=reader, now=now)
        back = reverse("admin:applications_referral_changelist")
        places = own.own_kindergartens(reader, now) if request.method == "POST" else ()
        shown = _Shown(roster, own.AWAITED, back, "", places, held.awaited_by(reader, now=now))
        return self._answer(request, shown, now=now)

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def bids(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Who asks for the places of a vacancy."""
        reader, now = _reader(request, own.BIDS), read_clock()
        try:
            roster = own.bids_of(pk, reader=reader, now=now)
        except Vacancy.DoesNotExist:
            raise Http404 from None
        back = reverse("admin:bulletin_vacancy_change", args=[pk])
        places = Kindergarten.objects.filter(groups__vacancies=pk).values_list("pk", flat=True)
        shown = _Shown(roster, own.BIDS, back, f"pk={pk}", places, held.bids_for(pk))
        return self._answer(request, shown, now=now)

    def _answer(self, request: HttpRequest, shown: _Shown, *, now: datetime) -> HttpResponseBase:
        found = shown.roster.count()
        kind = request.GET.get("as", "")
        if request.method == "POST":
            return _order(request, shown, now=now)
        if kind in (CSV, XLSX) and found > MOST_AT_ONCE:
            messages.warning(
                request, gettext("The list is too long to be made while you wait. Make a file of it below.")
            )
            return HttpResponseRedirect(f"{request.path}#files")
        _enter(request, shown, kind, now=now)
        if kind in (CSV, XLSX):
            return _file(shown, kind, now=now)
        sheet = shown.roster.first(MOST_SHOWN)
        context = {
            **self.site.each_context(request),
            "title": sheet.title,
            "sheet": sheet,
            "rows": [list(zip(sheet.headings, row, strict=True)) for row in sheet.in_words],
            "found": found,
            "is_cut": found > len(sheet.rows),
            "is_long": found > MOST_AT_ONCE,
            "files": file_rows(staff_of(request), what=f"{ROSTER}:{shown.name}", now=now, query=shown.query),
            "back": shown.back,
            "as_of": sheet.told(now),
        }
        return TemplateResponse(request, "admin/roster.html", context)


def _order(request: HttpRequest, shown: _Shown, *, now: datetime) -> HttpResponse:
    making.ask(
        staff_of(request),
        what=f"{ROSTER}:{shown.name}",
        query=shown.query,
        title=shown.roster.title,
        places=shown.places,
        now=now,
    )
    messages.success(request, gettext("The file is being made. You find it at the end of this page."))
    return HttpResponseRedirect(f"{request.path}#files")


def _enter(request: HttpRequest, shown: _Shown, kind: str, *, now: datetime) -> None:
    for key in shown.entered_as or [""]:
        audit.record(
            Action.ROSTER_TAKEN,
            actor=staff_of(request),
            target=" · ".join(filter(None, (shown.roster.title, kind if kind in (CSV, XLSX) else ""))),
            address=audit.client_address(request),
            about=key,
            now=now,
        )


def _file(shown: _Shown, kind: str, *, now: datetime) -> HttpResponseBase:
    """The whole list, which is short enough."""
    sheet = shown.roster.first(MOST_AT_ONCE)
    name = f"{shown.name}-{localtime(now, sheet.zone):%Y-%m-%d}.{kind}"
    if kind == CSV:
        return csv_response(filename=name, heading=sheet.headings, rows=sheet.in_words, delimiter=";")
    response = HttpResponse(sheet.xlsx(), content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _reader(request: HttpRequest, name: str) -> User:
    reader = staff_of(request)
    if not reader.has_perm(own.PERMISSIONS[name]):
        raise PermissionDenied
    return reader
