"""Lists of children to print, or to take as a file. Each look at one is entered, since it shows many families' data."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.timezone import localtime
from django.views.decorators.cache import never_cache

from accounts import audit
from accounts.models import User
from applications.admin.work import staff_of
from applications.csv_file import csv_response
from applications.journal_actions import Action
from applications.models import Bid, Contract
from applications.own_rows import own_rows
from applications.referrals import due
from applications.rosters import rosters
from applications.rosters.sheet import XLSX_TYPE, Sheet
from bulletin.models import Kindergarten, Vacancy
from notifications.clock import read_clock

M = TypeVar("M", bound=Model)

CSV: Final = "csv"
XLSX: Final = "xlsx"


class RosterPages:
    """The pages, as a site of the workplace mounts them (`urls`): as a page, and with `?as=csv` or `?as=xlsx`."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        own: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "roster_enrolled": ("rosters/enrolled/<int:pk>/", self.enrolled),
            "roster_awaited": ("rosters/awaited/", self.awaited),
            "roster_bids": ("rosters/bids/<uuid:pk>/", self.bids),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in own.items()]

    @method_decorator(never_cache)
    def enrolled(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The children enrolled in a kindergarten, group by group."""
        reader, now = _reader(request, "applications.view_contract"), read_clock()
        kindergarten = _own(Kindergarten.objects.select_related("locality"), pk, reader=reader, now=now)
        contracts = own_rows(Contract.objects.all(), user=reader, now=now)
        sheet = rosters.enrolled(kindergarten, contracts, reader=reader)
        return self._answer(
            request,
            sheet,
            back=reverse("admin:bulletin_kindergarten_change", args=[pk]),
            name="enrolled",
            now=now,
        )

    @method_decorator(never_cache)
    def awaited(self, request: HttpRequest) -> HttpResponseBase:
        """The families that may still come to sign, those whose last day is nearest first."""
        reader, now = _reader(request, "applications.view_referral"), read_clock()
        referrals = own_rows(due.valid_referrals(now=now), user=reader, now=now)
        sheet = rosters.awaited(referrals, reader=reader)
        return self._answer(
            request, sheet, back=reverse("admin:applications_referral_changelist"), name="awaited", now=now
        )

    @method_decorator(never_cache)
    def bids(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Who asks for the places of a vacancy."""
        reader, now = _reader(request, "applications.view_bid"), read_clock()
        vacancy = _own(
            Vacancy.objects.select_related("group__kindergarten__locality"), pk, reader=reader, now=now
        )
        bids = own_rows(Bid.objects.all(), user=reader, now=now)
        sheet = rosters.bids_of(vacancy, bids, reader=reader, now=now)
        return self._answer(
            request, sheet, back=reverse("admin:bulletin_vacancy_change", args=[pk]), name="bids", now=now
        )

    def _answer(
        self, request: HttpRequest, sheet: Sheet, *, back: str, name: str, now: datetime
    ) -> HttpResponseBase:
        kind = request.GET.get("as", "")
        audit.record(
            Action.ROSTER_TAKEN,
            actor=staff_of(request),
            target=" · ".join(filter(None, (sheet.title, kind if kind in (CSV, XLSX) else ""))),
            address=audit.client_address(request),
            now=now,
        )
        file = f"{name}-{localtime(now, sheet.zone):%Y-%m-%d}"
        if kind == CSV:
            return csv_response(
                filename=f"{file}.csv", heading=sheet.headings, rows=sheet.in_words, delimiter=";"
            )
        if kind == XLSX:
            response = HttpResponse(sheet.xlsx(), content_type=XLSX_TYPE)
            response["Content-Disposition"] = f'attachment; filename="{file}.xlsx"'
            return response
        context = {
            **self.site.each_context(request),
            "title": sheet.title,
            "sheet": sheet,
            "rows": [list(zip(sheet.headings, row, strict=True)) for row in sheet.in_words],
            "back": back,
            "as_of": sheet.told(now),
        }
        return TemplateResponse(request, "admin/roster.html", context)


def _reader(request: HttpRequest, permission: str) -> User:
    reader = staff_of(request)
    if not reader.has_perm(permission):
        raise PermissionDenied
    return reader


def _own(rows: QuerySet[M], pk: object, *, reader: User, now: datetime) -> M:
    """The object, or 404 for one of another place."""
    return get_object_or_404(own_rows(rows, user=reader, now=now), pk=pk)
