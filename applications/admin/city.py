"""Files of the city: brought, checked by a worker, looked at, loaded, and undone."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import accepts
from accounts.models import User
from applications.admin.work import reason_field, staff_of
from applications.city import bringing
from applications.city.kinds import KINDS
from applications.city.queue_file import Queue
from applications.city.taking_back import at_stake
from applications.models import BroughtFile
from applications.rosters.sheet import XLSX_TYPE
from bulletin.importing.kinds import LOAD_FILES, PORTION, Kind, Outcome
from bulletin.importing.problems import Fault, Problem
from bulletin.importing.running import AnotherAtWork, Disturbed, Report, own_localities
from bulletin.importing.templates import CSV, XLSX, allowed_words, template
from bulletin.importing.undoing import UNDOABLE_FOR, TooLate, UndoneAlready, undo_batch
from bulletin.models import ImportBatch
from notifications.clock import read_clock
from notifications.pressing import pressed_on

# How many bad rows a page names, and how many batches and files.
MOST_FAULTS: Final = 200
SHOWN: Final = 20


class BringForm(forms.Form):
    """The file; what it holds is checked by a worker."""

    file = forms.FileField(label=_("File (CSV or XLSX)"), max_length=200)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            megabytes = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
            raise forms.ValidationError(
                gettext(
                    "The file is too large. The largest allowed size, MB: %(megabytes)s. Part it in several."
                )
                % {"megabytes": megabytes}
            )
        return file


class UndoForm(forms.Form):
    reason = reason_field(help_text=_("It stays in the journal. No names, no numbers of people."))


class CityPages:
    """The pages, as a site of the workplace mounts them (`urls`). Each employee sees their own files alone."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        own: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "city_files": ("city/", self.index),
            "city_file": ("city/file/<uuid:pk>/", self.brought),
            "city_links": ("city/file/<uuid:pk>/links/", self.links),
            "city_undo": ("city/batch/<int:pk>/undo/", self.undo),
            "city_kind": ("city/<slug:name>/", self.kind),
            "city_template": ("city/<slug:name>/template.<slug:ending>", self.template),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in own.items()]

    @method_decorator([never_cache, require_safe])
    def index(self, request: HttpRequest) -> HttpResponseBase:
        """Which files can be brought, which were, and what was loaded."""
        user = _loader_of(request)
        context = {
            **self.site.each_context(request),
            "title": gettext("Files of the city"),
            "kinds": [kind for kind in KINDS.values() if kind.may_be_loaded_by(user)],
            "files": [_FileRow(one) for one in BroughtFile.objects.filter(user=user)[:SHOWN]],
            "batches": [
                _BatchRow(one) for one in _batches(user).select_related("loaded_by__employee")[:SHOWN]
            ],
        }
        return TemplateResponse(request, "admin/city/index.html", context)

    @method_decorator(
        [accepts(settings.UPLOAD_FORM_MAX_BYTES), never_cache, require_http_methods(["GET", "HEAD", "POST"])]
    )
    def kind(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """What a kind of file holds, and where it is handed in."""
        user = _loader_of(request)
        kind = _kind_of(user, name)
        form = (
            BringForm(request.POST or None, request.FILES or None)
            if request.method == "POST"
            else BringForm()
        )
        if request.method == "POST" and form.is_valid():
            brought = bringing.bring(user, kind, form.cleaned_data["file"], now=read_clock())
            return HttpResponseRedirect(reverse("admin:city_file", args=[brought.pk]))
        context = {
            **self.site.each_context(request),
            "title": str(kind.title),
            "kind": kind,
            "form": form,
            "columns": [(column, allowed_words(column)) for column in kind.columns],
            "endings": (XLSX, CSV),
        }
        return TemplateResponse(request, "admin/city/kind.html", context)

    @method_decorator([never_cache, require_safe])
    def template(self, request: HttpRequest, name: str, ending: str) -> HttpResponseBase:
        """A template of the kind, in the language of the page."""
        kind = _kind_of(_loader_of(request), name)
        if ending not in (CSV, XLSX):
            raise Http404
        content_type = XLSX_TYPE if ending == XLSX else "text/csv; charset=utf-8"
        return _attachment(template(kind, ending), f"{kind.name}.{ending}", content_type)

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def brought(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """How far a file is, what would happen, and the button that lets it happen."""
        user, now = _loader_of(request), read_clock()
        brought = _own(user, pk)
        kind = _kind_of(user, brought.kind)
        if request.method == "POST":
            try:
                bringing.load(
                    brought,
                    skip_bad="skip_bad" in request.POST,
                    take_absent="take_absent" in request.POST,
                    now=now,
                )
            except bringing.NotNow:
                messages.error(request, gettext("This file can't be loaded any more. Bring it again."))
            return HttpResponseRedirect(reverse("admin:city_file", args=[brought.pk]))
        row = _FileRow(brought)
        context = {
            **self.site.each_context(request),
            "title": f"{kind.title}: {brought.name}",
            "kind": kind,
            "row": row,
            "is_loadable": bringing.is_loadable(brought, now=now),
            "absent": bringing.absent_from(brought),
            "most": MOST_FAULTS,
        }
        return TemplateResponse(request, "admin/city/file.html", context)

    @method_decorator([never_cache, pressed_on("admin:city_file", "pk")])
    def links(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """The one-time links of the employees whom a file added, this once."""
        brought = _own(_loader_of(request), pk)
        lines = bringing.take_links(brought).splitlines()
        if not lines:
            messages.error(
                request,
                gettext(
                    "The links were taken already. Make a new one on the page of an employee who has none."
                ),
            )
            return HttpResponseRedirect(reverse("admin:city_file", args=[pk]))
        text = "".join(_whole(line) for line in lines)
        return _attachment(text.encode("utf-8-sig"), "links.txt", "text/plain; charset=utf-8")

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def undo(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Take a batch back, after a question and with a reason."""
        user = _loader_of(request)
        batch = _batches(user).filter(pk=pk).first()
        kind = KINDS.get(batch.kind) if batch else None
        if batch is None or kind is None or not kind.may_be_loaded_by(user):
            raise Http404(gettext("This file is no longer there, or it is not yours."))
        faults: Any = ()
        form = UndoForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                faults = undo_batch(batch, kind, by=user, reason=reason, now=read_clock())
            except UndoneAlready:
                messages.warning(request, gettext("It was undone before."))
            except TooLate:
                words = gettext(
                    "Days for which a file can be undone: %(days)s. Correct the rest by another file."
                )
                messages.error(request, words % {"days": UNDOABLE_FOR.days})
            except (AnotherAtWork, Disturbed):
                messages.error(request, gettext("Another file is at work. Try again in a minute."))
            else:
                if not faults:
                    messages.success(request, _undone_words(kind))
            if not faults:
                return HttpResponseRedirect(reverse("admin:city_files"))
        context = {
            **self.site.each_context(request),
            "title": gettext("Undo a loaded file"),
            "batch": _BatchRow(batch),
            "stake": at_stake(batch) if batch.kind == Queue.name else None,
            "form": form,
            "faults": list(faults)[:MOST_FAULTS],
            "signed": Fault(Problem.SIGNED),
        }
        return TemplateResponse(request, "admin/city/undo.html", context)


class _FileRow:
    """A brought file as pages show it."""

    def __init__(self, file: BroughtFile) -> None:
        self.file = file
        self.kind = KINDS.get(file.kind)
        self.report = Report.of_json(file.report) if file.report else None
        self.trouble = Fault.of_json(file.trouble) if file.trouble else None
        self.is_under_way = file.state in (BroughtFile.State.WAITING, BroughtFile.State.WORKING)
        self.has_failed = file.state == BroughtFile.State.FAILED
        self.is_reconciled = file.kind == Queue.name and file.batch_id is not None
        self.is_loaded = file.step == BroughtFile.Step.LOAD and file.state == BroughtFile.State.READY

    @property
    def percent(self) -> int:
        return min(99, round(100 * self.file.done / self.file.total)) if self.file.total else 0

    @property
    def rows_done(self) -> int:
        return self.file.done * PORTION

    @property
    def counts(self) -> list[tuple[str, int, list[tuple[int, str]]]]:
        """Each outcome in words, how many rows it has, and the first of them."""
        if self.report is None:
            return []
        words = {
            Outcome.ADDED: gettext("new"),
            Outcome.CHANGED: gettext("changed"),
            Outcome.UNCHANGED: gettext("unchanged"),
            Outcome.LEFT_OUT: gettext("bad rows"),
        }
        samples = self.report.samples
        return [
            (
                word,
                self.report.counts[outcome],
                samples.get(outcome, []) if outcome != Outcome.LEFT_OUT else [],
            )
            for outcome, word in words.items()
        ]

    @property
    def faults(self) -> list[tuple[Fault, str]]:
        """The first ones, each with the heading of its column."""
        if self.report is None or self.kind is None:
            return []
        titles = {column.name: str(column.heading) for column in self.kind.columns}
        return [(fault, titles.get(fault.column, "")) for fault in self.report.faults[:MOST_FAULTS]]


class _BatchRow:
    """A batch as pages show it."""

    def __init__(self, batch: ImportBatch) -> None:
        self.batch = batch
        self.kind = KINDS.get(batch.kind)
        self.is_reconciled = batch.kind == Queue.name
        employee = getattr(batch.loaded_by, "employee", None)
        self.by = employee.short_name if employee else str(batch.loaded_by or gettext("an operator"))


def _undone_words(kind: Kind) -> str:
    if kind.name == Queue.name:
        return gettext(
            "Undone: whom this file brought in has left the queue, and what it changed has its values of before. What "
            "other files brought in stays."
        )
    return gettext("Undone: what this file made is deleted, and what it changed has its values of before.")


def _loader_of(request: HttpRequest) -> User:
    user = staff_of(request)
    if not user.has_perm(LOAD_FILES):
        raise PermissionDenied
    return user


def _kind_of(user: User, name: str) -> Kind:
    kind = KINDS.get(name)
    if kind is None:
        raise Http404
    if not kind.may_be_loaded_by(user):
        raise PermissionDenied
    return kind


def _own(user: User, pk: UUID) -> BroughtFile:
    brought = BroughtFile.objects.filter(pk=pk, user=user).select_related("batch").first()
    if brought is None:
        raise Http404(gettext("This file is no longer there, or it is not yours."))
    return brought


def _batches(user: User) -> QuerySet[ImportBatch]:
    """What was loaded by kinds that `user` may load, all of it where they work; and their own."""
    shown = Q(loaded_by=user)
    for kind in KINDS.values():
        if kind.may_be_loaded_by(user):
            places = own_localities(kind, user)
            everywhere = Q(kind=kind.name)
            shown |= everywhere if places is None else everywhere & Q(places__contained_by=places)
    return ImportBatch.objects.filter(shown)


def _whole(line: str) -> str:
    login, name, link = line.split("\t")
    return f"{login}\t{name}\t{settings.SITE_URL}{link}\r\n"


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
