"""Files that a worker made for the employee who asked: how far each is, and its download."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.models import User
from applications.admin.work import staff_of
from applications.files import making
from applications.files.makers import maker_of
from applications.journal_actions import Action
from applications.models import MadeFile
from applications.models.made_file import KEPT_FOR
from applications.rosters import held
from applications.rosters.sheet import XLSX_TYPE
from notifications.clock import read_clock

SHOWN: Final = 5


@dataclass(frozen=True)
class FileRow:
    """A file as the page that asks for it shows it."""

    file: MadeFile
    now: datetime

    @property
    def percent(self) -> int:
        return round(100 * self.file.done / self.file.total) if self.file.total else 0

    @property
    def is_ready(self) -> bool:
        return making.is_downloadable(self.file, now=self.now)

    @property
    def is_silent(self) -> bool:
        return making.is_silent(self.file, now=self.now)

    @property
    def is_under_way(self) -> bool:
        return making.is_under_way(self.file)

    @property
    def until(self) -> datetime | None:
        return self.file.ready_at + KEPT_FOR if self.file.ready_at else None


def file_rows(user: User, *, what: str, now: datetime, query: str | None = None) -> list[FileRow]:
    """The newest files of a kind that `user` asked for; with `query`, of that very thing."""
    files = making.newest_of(user, what=what, now=now)
    if query is not None:
        files = files.filter(query=query)
    return [FileRow(file, now) for file in files[:SHOWN]]


class FilePages:
    """The download, as a site of the workplace mounts it."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        return [path("files/<uuid:pk>/", self.site.admin_view(self.download), name="made_file")]

    @method_decorator([never_cache, require_safe])
    def download(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The file, for whoever asked for it and may still read what stands in it; 404 for everybody else."""
        user, now = staff_of(request), read_clock()
        file = MadeFile.objects.filter(pk=pk, user=user).first()
        if (
            file is None
            or not making.is_downloadable(file, now=now)
            or not making.may_have(file, user, now=now)
        ):
            raise Http404(gettext("This file is no longer there, or it is not yours."))
        try:
            with file.file.open("rb") as stored:
                content = stored.read()
        except FileNotFoundError:
            raise Http404(gettext("This file is no longer there, or it is not yours.")) from None
        if maker_of(file.what).names_people:
            for key in held.in_file(file.what, file.query, employee=user, now=now) or [""]:
                audit.record(
                    Action.ROSTER_TAKEN,
                    actor=user,
                    target=f"{file.title} · xlsx",
                    address=audit.client_address(request),
                    about=key,
                    now=now,
                )
        name = file.what.partition(":")[2]
        response = HttpResponse(content, content_type=XLSX_TYPE)
        response["Content-Disposition"] = (
            f'attachment; filename="{name}-{localtime(file.ready_at):%Y-%m-%d}.xlsx"'
        )
        response["X-Content-Type-Options"] = "nosniff"
        return response
