"""The audit: who did what, to whom, and when. A page costs the same however many entries there are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit, changes, journal
from accounts.as_they_were import Act, called_at
from accounts.audit_search import Place, Span, Wanted, entries, page, place_of
from accounts.employees import named
from accounts.journal_actions import BY_VISITORS, Action
from accounts.masks import DOT
from accounts.models import AuditEntry, User
from accounts.public_text import without_names_in
from applications.admin.work import LINE_BREAK, OF_FORMS, YEARS_AHEAD, staff_of
from applications.csv_file import csv_response
from applications.families.asked import in_words
from applications.families.concerned import MOST_NAMESAKES, TooManyNamesakes, concerned
from applications.families.names import NAMES, names_by_line, names_by_person, without_names
from applications.journal_actions import Action as FamilyAction
from applications.own_rows import has_every_locality
from applications.rosters.held import lists_of
from notifications.clock import estimate_clock, read_clock

PAGE_LENGTH: Final = 50
# A file holds no more entries: it is for a spreadsheet, which holds a million, and one person asks for it at a time.
LONGEST_FILE: Final = 100_000
_FIRST_YEAR: Final = 2000
_FIELDS: Final = ("at", "action", "who", "where", "whom", "what", "changed", "reason", "address")
# Of these an employee who reads no names reads another one.
_MASKED: Final = ("what", "reason")
_DAY: Final = timedelta(days=1)
FOUND: Final = FamilyAction.FOUND_FAMILY
# Before a subject of actions, where all of them are meant.
_ALL: Final = "all:"
# How the keys of what is about families alone begin, also where no entry of theirs is in a journal.
_OF_FAMILIES: Final = ("children.", "accounts.profile:")
_OF_LINES: Final = "applications.formerline:"
# A key has fewer digits.
_KEY: Final = 19


def _kinds() -> list[tuple[Any, Any]]:
    """What may have been done: everything about a subject, or one action."""
    by_subject = [
        (
            subject.label,
            [
                (
                    f"{_ALL}{subject.value}",
                    gettext("Everything about: %(subject)s") % {"subject": subject.label},
                ),
                *actions,
            ],
        )
        for subject, actions in journal.titles_by_subject()
        if actions
    ]
    return [("", gettext("Everything")), *by_subject]


class AuditForm(forms.Form):
    """What to look for; `wanted` is it once the form is valid."""

    who = forms.CharField(
        label=_("Who did it"),
        help_text=_("A part of the employee's name or login"),
        max_length=100,
        required=False,
    )
    q = forms.CharField(
        label=_("Whom or what it concerns"),
        help_text=_(
            "The number of an application or a referral, a whole phone number, IIN or document number, the name of a "
            "child or a guardian, or an employee's name"
        ),
        max_length=100,
        required=False,
    )
    what = forms.ChoiceField(label=_("What was done"), choices=_kinds, required=False)
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}), required=False)
    until = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}), required=False)

    def __init__(self, *args: Any, reads_names: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = Wanted()
        self._reads_names = reads_names
        if not reads_names:
            self.fields["q"].help_text = gettext(
                "The number of an application or a referral, a whole phone number, IIN or document number, or an "
                "employee's name. No family is found by a name: you read none."
            )

    def clean_since(self) -> date | None:
        return self._day("since")

    def clean_until(self) -> date | None:
        return self._day("until")

    def _day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and not _FIRST_YEAR <= day.year <= estimate_clock().year + YEARS_AHEAD:
            raise forms.ValidationError(gettext("Check the year."))
        return day

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        found: dict[str, Any] = {}
        for name, words in (("who", data.get("who", "")), ("q", data.get("q", ""))):
            try:
                found |= _people(name, " ".join(words.replace("\0", " ").split()), by_name=self._reads_names)
            except TooManyNamesakes:
                self.add_error(name, gettext("Many people have this in their name. Write more of it."))
        self.wanted = Wanted(
            **found,
            actions=_actions(data.get("what", "")),
            since=_midnight(data.get("since")),
            until=_midnight(data.get("until"), days=1),
        )
        return data


def _people(name: str, words: str, *, by_name: bool) -> dict[str, Any]:
    """What the words in that field ask for. Raises `TooManyNamesakes`."""
    if not words:
        return {}
    if name == "who":
        return {"actors": _employees(words)}
    meant = concerned(words, by_name=by_name)
    spans = [*(Span(key) for key in meant.keys), *lists_of(meant.children)]
    return {"subjects": meant.subjects, "targets": meant.targets, "spans": spans}


def _actions(what: str) -> list[str] | None:
    if not what:
        return None
    return (
        journal.actions_about(journal.Subject(what.removeprefix(_ALL))) if what.startswith(_ALL) else [what]
    )


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    """When the day begins at the portal, or so many days later; None for no day."""
    return None if day is None else timezone.make_aware(datetime.combine(day + days * _DAY, time()))


def _employees(words: str) -> list[UUID]:
    found = list(named(words).values_list("pk", flat=True)[: MOST_NAMESAKES + 1])
    if len(found) > MOST_NAMESAKES:
        raise TooManyNamesakes
    return found


@dataclass(frozen=True)
class Row:
    """An entry in the language of the page."""

    entry: AuditEntry
    who: str
    # By which an employee signs in, whatever they are called; empty for everybody else.
    login: str
    where: str
    whom: str
    what: str
    changed: list[str]
    reason: str

    @property
    def cells(self) -> list[str]:
        """The row of a file."""
        entry = self.entry
        return [
            f"{timezone.localtime(entry.at):%d.%m.%Y %H:%M:%S}",
            self.who,
            self.login,
            self.where,
            str(entry.get_action_display()),
            self.whom,
            self.what,
            "; ".join(self.changed),
            self.reason,
            entry.address or "",
        ]


def rows_of(found: Sequence[AuditEntry], *, in_full: bool = False, reads_names: bool = False) -> list[Row]:
    """Entries as employees read them; `in_full` with the values that changed. A few statements for all of them.

    Names of families are masked unless the employee `reads_names`, also those that were typed into a reason.
    """
    typed = {} if reads_names else _names_typed(found)
    acts = {(one.actor.pk, one.at) for one in found if one.actor is not None and one.actor.is_staff}
    concerned_then = {
        (one.subject.pk, one.at) for one in found if one.subject is not None and one.subject.is_staff
    }
    then = called_at(acts | concerned_then)
    institutions, names = (
        journal.institutions_of(acts),
        journal.names_of(one.about for one in found if one.about),
    )
    changed = {one.pk: (model, one.changes) for one in found if one.changes and (model := _model(one.about))}
    called = changes.rows_called(changed.values()) if in_full else {}
    return [
        Row(
            entry=one,
            who=_who(one, then),
            login=_login(one.actor),
            where=institutions.get((one.actor.pk, one.at), "") if one.actor is not None else "",
            whom=_person(one.subject, one.at, then) if one.subject is not None else "",
            what=_what(one, names.get(one.about) or _called(one, reads_names=reads_names)),
            changed=_changed(*changed[one.pk], called if in_full else None) if one.pk in changed else [],
            reason=_without_names_typed(one.reason, typed.get(one.pk, ())),
        )
        for one in found
    ]


def _names_typed(found: Sequence[AuditEntry]) -> dict[int, Collection[str] | None]:
    """By entry, which names its reason may hold: of its family, or of the line of a file (None: they were erased)."""
    by_person = names_by_person(one.subject.pk for one in found if one.reason and one.subject is not None)
    lines = {
        one.pk: int(one.about.removeprefix(_OF_LINES))
        for one in found
        if one.reason and one.about.startswith(_OF_LINES)
    }
    by_line = names_by_line(lines.values()) if lines else {}
    typed: dict[int, Collection[str] | None] = {pk: by_line.get(line) for pk, line in lines.items()}
    return typed | {one.pk: by_person[one.subject.pk] for one in found if one.reason and one.subject}


def _without_names_typed(reason: str, names: Collection[str] | None) -> str:
    return DOT * 5 if names is None else without_names_in(reason, names)


def _called(entry: AuditEntry, *, reads_names: bool) -> str:
    """What the entry calls its object: of a family that may be a name, its own or that of a file."""
    is_familys = (entry.subject is not None and not entry.subject.is_staff) or entry.about.startswith(
        _OF_FAMILIES
    )
    return without_names(entry.target) if is_familys and not reads_names else entry.target


def _changed(model: type[Model], found: changes.Changes, called: changes.Called | None) -> list[str]:
    """The names of the fields, with their values if `called` tells what rows are called."""
    if called is None:
        return changes.names_in_words(model, found)
    return changes.in_words(model, found, called=called)


def _who(entry: AuditEntry, then: Mapping[Act, str]) -> str:
    if entry.actor is not None:
        return then.get((entry.actor.pk, entry.at), str(entry.actor))
    return gettext("A visitor, not signed in") if entry.action in BY_VISITORS else gettext("Portal")


def _login(user: User | None) -> str:
    return user.username if user is not None and user.is_staff else ""


def _person(user: User, at: datetime, then: Mapping[Act, str]) -> str:
    """An employee as they were, with the login; others as they are called at work."""
    called = then.get((user.pk, at))
    return f"{called} ({user.username})" if called else str(user)


def _what(entry: AuditEntry, name: str) -> str:
    """What it was done to; of a search and of a form with what the workplace calls such things."""
    if entry.action in (Action.SEARCHED, FOUND):
        label, _space, term = entry.target.partition(" ")
        model = _model(label)
        if model is None:
            return f"{gettext('Families')}: {said}" if (said := in_words(entry.target)) else entry.target
        return f"{capfirst(model._meta.verbose_name_plural)}: {term}"
    model = _model(entry.about) if entry.action in OF_FORMS else None
    return f"{capfirst(model._meta.verbose_name)}: {name}" if model else name


def _model(key: str) -> type[Model] | None:
    """The model of what an entry is about (`audit.key_of`)."""
    try:
        return apps.get_model(key.partition(":")[0])
    except (LookupError, ValueError):
        return None


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A search instead of a list: nothing is counted, and no column sorts."""

    change_list_template = "admin/audit.html"
    # That there is a search, which is counted and entered like those of lists; it is `get_search_results`.
    search_fields = ["subject"]
    list_display = ["at", "action"]
    list_display_links = None
    sortable_by = ()
    view_on_site = False

    def has_view_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """It holds what was done in the whole city: for who works in every locality of it."""
        return super().has_view_permission(request, obj) and has_every_locality(
            staff_of(request), now=estimate_clock()
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        reads_names = request.user.has_perm(NAMES)
        return [f"masked_{name}" if name in _MASKED and not reads_names else name for name in _FIELDS]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.select_related("actor__employee", "subject__employee")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Whether anybody is found whom a number names: they read that they were looked up."""
        try:
            meant = concerned(search_term, by_name=request.user.has_perm(NAMES))
            return queryset.filter(subject__in=meant.subjects), False
        except TooManyNamesakes:
            return queryset.none(), False

    def whose_data(self, entry: AuditEntry) -> list[User]:
        """A look at the page of an entry is entered in the journal of the parent whom it concerns."""
        return [entry.subject] if entry.subject is not None and not entry.subject.is_staff else []

    # --- the search ------------------------------------------------------------------------------------------

    def refusal_of_search(self, request: HttpRequest, text: str) -> HttpResponse | None:
        """Count and enter a search; past the limit the page that answers instead.

        The site of the workplace does it, as for every list (`balabaqsha.staff_lists`); without it there is no search.
        """
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="accounts_auditentry_export"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        reads_names = request.user.has_perm(NAMES)
        form = AuditForm(request.GET, reads_names=reads_names)
        found = page(form.wanted, before=_place(request), limit=PAGE_LENGTH + 1) if form.is_valid() else []
        shown = found[:PAGE_LENGTH]
        asked = {name: request.GET.get(name, "") for name in form.fields if request.GET.get(name)}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "rows": rows_of(shown, reads_names=reads_names),
            "asked": asked,
            "older": _address(asked, place_of(shown[-1])) if len(found) > PAGE_LENGTH else "",
            "is_first": _place(request) is None,
            "newest": f"?{urlencode(asked)}",
            "longest": LONGEST_FILE,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What is asked for as a file. That it was taken is entered first; an address typed by hand takes none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:accounts_auditentry_changelist"))
        # Before the form, which looks for whose number it is.
        refused = self.refusal_of_search(request, request.POST.get("q", ""))
        if refused is not None:
            return refused
        reads_names = request.user.has_perm(NAMES)
        form = AuditForm(request.POST, reads_names=reads_names)
        if not form.is_valid():
            return self.changelist_view(request)
        audit.record(
            Action.AUDIT_EXPORTED,
            actor=staff_of(request),
            target=_described(form),
            address=audit.client_address(request),
            now=read_clock(),
        )
        heading = [
            _("Date and time"),
            _("Who did it"),
            _("Login"),
            _("Institution"),
            _("What was done"),
            _("Whom it concerns"),
            _("Object"),
            _("Changes"),
            _("Reason"),
            _("address"),
        ]
        return csv_response(
            filename=f"audit-{timezone.localtime(read_clock()):%Y-%m-%d}.csv",
            heading=[str(one) for one in heading],
            rows=_cells(form.wanted, reads_names=reads_names, language=translation.get_language()),
            delimiter=";",
        )

    # --- one entry -------------------------------------------------------------------------------------------

    @admin.display(description=_("Who did it"))
    def who(self, entry: AuditEntry) -> str:
        row = rows_of([entry])[0]
        return f"{row.who} ({row.login})" if row.login and row.login != row.who else row.who

    @admin.display(description=_("Institution"))
    def where(self, entry: AuditEntry) -> str:
        return rows_of([entry])[0].where or "—"

    @admin.display(description=_("Whom it concerns"))
    def whom(self, entry: AuditEntry) -> str:
        return rows_of([entry])[0].whom or "—"

    @admin.display(description=_("Object"))
    def what(self, entry: AuditEntry) -> str:
        return rows_of([entry], reads_names=True)[0].what or "—"

    @admin.display(description=_("Object"))
    def masked_what(self, entry: AuditEntry) -> str:
        return rows_of([entry])[0].what or "—"

    @admin.display(description=_("Reason"))
    def masked_reason(self, entry: AuditEntry) -> str:
        return rows_of([entry])[0].reason or "—"

    @admin.display(description=_("Changes"))
    def changed(self, entry: AuditEntry) -> str | SafeString:
        lines = rows_of([entry], in_full=True)[0].changed
        return format_html_join(LINE_BREAK, "{}", ((line,) for line in lines)) if lines else "—"


def _place(request: HttpRequest) -> Place | None:
    """Where the page before ended; None for the first page, and for what is no place."""
    at, _sign, key = request.GET.get("before", "").partition("~")
    try:
        instant = parse_datetime(at)
    except ValueError:
        return None
    if (
        instant is None
        or timezone.is_naive(instant)
        or not (key.isascii() and key.isdigit() and len(key) < _KEY)
    ):
        return None
    return Place(instant, int(key))


def _address(asked: dict[str, str], place: Place) -> str:
    return f"?{urlencode({**asked, 'before': f'{place.at.isoformat()}~{place.id}'})}"


def _described(form: AuditForm) -> str:
    """What was asked for, without the words, which may be anybody's number."""
    given = {name: form.cleaned_data[name] for name in ("since", "until", "what") if form.cleaned_data[name]}
    hidden = [name for name in ("who", "q") if form.cleaned_data[name]]
    return " ".join([*(f"{name}={value}" for name, value in given.items()), *hidden])


def _cells(wanted: Wanted, *, reads_names: bool, language: str | None) -> Iterator[list[str]]:
    """The rows of the file, made while it is sent, when the request's language holds no longer."""
    held: list[AuditEntry] = []
    for entry in entries(wanted, limit=LONGEST_FILE):
        held.append(entry)
        if len(held) == PAGE_LENGTH:
            yield from _told(held, reads_names=reads_names, language=language)
            held = []
    yield from _told(held, reads_names=reads_names, language=language)


def _told(found: Sequence[AuditEntry], *, reads_names: bool, language: str | None) -> list[list[str]]:
    with translation.override(language), timezone.override(timezone.get_default_timezone()):
        return [row.cells for row in rows_of(found, in_full=True, reads_names=reads_names)]
