"""An admin without editing: rows of the employee's own places, and buttons with a confirmation page."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import CharField, DateTimeField, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format, localize
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.as_they_were import Act, called_at
from accounts.journal_actions import Action
from accounts.masks import mask_name
from accounts.models import User
from accounts.public_text import demand_words, refuse_personal_numbers, without_names_in
from applications.admin.in_turn import InTurn, Next
from applications.bidding.stand_ins import SIGN, STAND_IN, Question, Right, rights, unable
from applications.families.asked import read
from applications.families.named import children_named
from applications.families.names import NAMES, names_around
from applications.models import Application
from applications.moves import Refused
from applications.own_rows import NOTHING, concerns_all, has_every_locality, own_rows
from applications.refusals import Refusal
from applications.states import StandIn
from applications.workplace import short_name
from bulletin.employment import places_of
from bulletin.models import Kindergarten, Locality
from children.access import guardians_of, is_own_child
from children.models import Child
from notifications.clock import estimate_clock, read_clock
from notifications.selectors import goes_later

# How many of the rows that were done, or refused for one reason, are named.
NAMED = 25
# Rules and days off are decided a year ahead; beyond this a year is a slip of the finger.
YEARS_AHEAD = 3
LINE_BREAK = SafeString("<br>")
Words = str | Promise
Rows = list[dict[str, Any]]


class SeenForm(forms.Form):
    """Carries what the confirm page showed, so that nothing else is done than was read."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class ConfirmForm(forms.Form):
    """A form with nothing but the button."""


# The permission of those who open what families handed in, and the papers made for them.
PAPERS: Final = "applications.open_papers"
# Fields in which an employee wrote why something was done to a family, maybe by its name.
TYPED: Final = frozenset({"reason", "end_reason", "decision_reason"})
# What the services behind the buttons refuse with; `why` says it in words.
REFUSALS = (Refused, ValidationError)


# A text that a family or everybody reads.
READ_BY_OTHERS = [demand_words, refuse_personal_numbers]


def reason_field(*, help_text: Any = "", label: Any = None) -> forms.CharField:
    """What an employee has to say about a decision, which others read."""
    return forms.CharField(
        label=label or _("Reason"),
        help_text=help_text,
        max_length=300,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


class ReasonForm(forms.Form):
    reason = reason_field(
        help_text=_("The family reads this text. Write what happened and what they can do.")
    )


def demand_locality_of(field: "forms.ModelChoiceField[Any]", employee: User, *, now: datetime) -> None:
    """Let only who works in every locality leave the choice empty, which means all of them."""
    if not has_every_locality(employee, now=now):
        field.required, field.empty_label = True, "—"


class PlacedForm(forms.Form):
    """Asks for one of the employee's own localities; empty is all of them, for who works in each."""

    locality = forms.ModelChoiceField(
        label=_("Locality"), queryset=Locality.objects.all(), required=False, empty_label=_("All localities")
    )

    def __init__(self, *args: Any, employee: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["locality"]
        assert isinstance(field, forms.ModelChoiceField)
        now = estimate_clock()
        field.queryset = own_rows(Locality.objects.all(), user=employee, now=now)
        demand_locality_of(field, employee, now=now)


class WaitingFilter(admin.SimpleListFilter):
    """One choice: the rows that wait for the employee who looks."""

    title = _("decision")
    parameter_name = "decision"
    choice: Promise = _("waits for your decision")

    def waiting(self, employee: User) -> QuerySet[Any]:
        """The rows that wait for `employee`."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", self.choice)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = self.waiting(staff_of(request))
        return queryset.filter(pk__in=waiting.values("pk")) if self.value() else queryset


@dataclass(frozen=True)
class Work:
    """One button on an object's page: when it is offered, what it asks for, what it does.

    `perform(obj, actor, data, now)` calls a service and may raise `Refused` or `ValidationError`, whose words are
    shown, with the filled form where there is one; `data` is the form's cleaned data. `done` are the words of success,
    or what says them of the changed object.
    `initial(obj)` fills the form with what the page has shown, `told(obj)` are further arguments of the form.
    With a `preview(obj, data, now)` the filled form is answered first by what it would do, as rows, and done only when
    that is confirmed; the preview may raise `Refused` too. `fields` names the field at which a refusal is said.
    `is_in_journal`: the service itself enters it into the object's history, in its own transaction.
    """

    name: str
    label: Words
    consequence: Words
    done: Words | Callable[[Any], Words]
    permission: str
    offered: Callable[[Any, datetime], bool]
    perform: Callable[[Any, User, dict[str, Any], datetime], Any]
    form: type[forms.BaseForm] = ConfirmForm
    danger: bool = False
    preview: Callable[[Any, dict[str, Any], datetime], Rows] | None = None
    initial: Callable[[Any], dict[str, Any]] | None = None
    told: Callable[[Any], dict[str, Any]] = lambda _obj: {}
    fields: Mapping[Refusal, str] = field(default_factory=dict)
    is_in_journal: bool = False
    # What the button of the form says, where that is another thing than its name: a request is no fact yet.
    submit: Words = ""
    # What the button says that leads to the preview; empty: "Continue".
    proceed: Words = ""

    @property
    def is_previewed(self) -> bool:
        """Whether the filled form is answered by what it would do (a template would call `preview` itself)."""
        return self.preview is not None

    def field_of(self, error: Exception) -> str | None:
        """The field at which a refusal is said; None for those that belong to no field."""
        return self.fields.get(error.reason) if isinstance(error, Refused) else None


# What forms changed stands in Django's log of changes, with the names of the fields.
OF_FORMS = frozenset({Action.ROW_ADDED, Action.ROW_CHANGED, Action.ROW_DELETED})
# How a pressed button is kept in Django's log of changes.
BUTTON = "work:"


class Happened(NamedTuple):
    """One line of an object's history; `who` is empty for the portal itself."""

    at: datetime
    who: str
    what: Words
    why: str


class WorkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only pages of the employee's own rows; `works` are the buttons of an object's page.

    Other people's objects are 404 everywhere: list, object, history, buttons, files (`applications.own_rows`).
    """

    change_form_template = "admin/work/change_form.html"
    object_history_template = "admin/work/object_history.html"
    view_on_site = False
    show_facets = admin.ShowFacets.NEVER

    works: Sequence[Work] = ()
    # What a search finds: the lookups of numbers, in full, and the one of the child by whose name a row is found.
    number_paths: Sequence[str] = ()
    child_path = ""
    # What stands instead of a column or a field that tells names, or opens papers, for who may not; "" for nothing.
    without_names: Mapping[str, str] = {}
    without_papers: Mapping[str, str] = {}

    def __init__(self, model: type[Any], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self._columns: dict[str, Callable[[Any], str | None]] = {}

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """What Django need only know to be something; `get_search_results` looks for it."""
        own = [path for path in (*self.number_paths, self.child_path) if path]
        return own or list(super().get_search_fields(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows with this number, with or without its dash, or of children with such a name, in any spelling.

        Who reads no names finds nothing by them: letter by letter a mask would fall.
        """
        if not search_term or not (self.number_paths or self.child_path):
            return super().get_search_results(request, queryset, search_term)
        asked = read(search_term)
        numbers = {asked.application, asked.referral, search_term.strip()} - {""}
        wanted: dict[str, Collection[Any]] = dict.fromkeys(self.number_paths, numbers)
        if self.child_path and asked.words and request.user.has_perm(NAMES):
            children, are_more = children_named(
                asked.words, among=queryset.order_by().values_list(self.child_path)
            )
            wanted[self.child_path] = children
            if are_more:
                messages.warning(request, gettext("Many children have such a name: type more of it."))
        # Each looked up by itself, in its own index: of conditions on several tables joined by OR the database reads
        # all rows.
        every: QuerySet[Any] = self.model._default_manager.order_by().values("pk")
        found = (every.filter(**{f"{path}__in": values}) for path, values in wanted.items())
        return queryset.filter(pk__in=every.none().union(*found, all=True)), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        if self.child_path and not request.user.has_perm(NAMES):
            found.search_help_text = gettext("A whole number. Nothing is found by names: you read none.")
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        """All fields; what employees typed of a family without its names, for who reads none."""
        names = [str(name) for name in self.get_fields(request, obj)]
        if request.user.has_perm(NAMES):
            return tuple(names)
        return tuple(self._masked(name) if name in TYPED else name for name in names)

    def _masked(self, name: str) -> Any:
        column = _field(self.model, name)
        return _masked_column(self, column) if isinstance(column, CharField) else name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    # --- whose clock -------------------------------------------------------------------------------------------

    def zone_of(self, obj: Any) -> tzinfo | None:
        """The zone of the place that a row belongs to, in which its times are told; None where it belongs to none."""
        return None

    def tell_times_of(self, obj: Any) -> None:
        """Let the rest of this request tell times as they are in the place of the object."""
        timezone.activate(self.zone_of(obj) or timezone.get_default_timezone())

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._column(name) for name in self._told(request, super().get_list_display(request))]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        # Looked up by the class's names: Django would take the first column where none is named.
        names = self.list_display_links or list(self.list_display)[:1]
        return [self._column(name) for name in self._told(request, names)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self._told(request, super().get_fields(request, obj))

    def _told(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        """The columns or fields as this employee may read them."""
        instead: dict[str, str] = {}
        for permission, others in ((NAMES, self.without_names), (PAPERS, self.without_papers)):
            if others and not request.user.has_perm(permission):
                instead |= others
        told = [instead.get(name, name) if isinstance(name, str) else name for name in names]
        return [name for name in dict.fromkeys(told) if name]

    def _column(self, name: Any) -> Any:
        """A column of the list, which tells the times of each row as they are in its place."""
        shown = _field(self.model, name)
        if not isinstance(shown, DateTimeField):
            return name
        if name not in self._columns:
            self._columns[name] = _time_column(self, shown)
        return self._columns[name]

    # --- what the object's page knows ------------------------------------------------------------------------

    def application_of(self, obj: Any) -> Application | None:
        """The application whose family's data the object's page shows: opening it enters the family's journal."""
        return None

    def child_of(self, obj: Any) -> Child | None:
        """The child about whom the buttons of the object's page decide; nobody decides about their own."""
        application = self.application_of(obj)
        return application.child if application else None

    def who_else_decides(self, request: HttpRequest, obj: Any) -> str:
        """If it is about the employee's own child: who decides instead, in words. Otherwise nothing."""
        child = self.child_of(obj)
        is_own = child is not None and is_own_child(staff_of(request), child)
        return self.words_for_guardian(staff_of(request), obj) if is_own else ""

    def words_for_guardian(self, user: User, obj: Any) -> str:
        """What an employee reads who is a guardian of the child."""
        return gettext("This is your own child: another official decides.")

    def summary(self, obj: Any) -> Rows:
        """What a confirm page shows of the object: rows of `label` and `value`."""
        return [{"label": self.opts.verbose_name, "value": str(obj)}]

    def summary_for(self, obj: Any, work: Work) -> Rows:
        """What the confirm page of one button shows: the summary, and what concerns this button alone."""
        return self.summary(obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None:
            self.tell_times_of(obj)
        if obj is not None and self.has_view_permission(request, obj):
            now = estimate_clock()
            works = self.offered(request, obj, now=now)
            other = self.who_else_decides(request, obj) if works else ""
            said = [self.why_not(request, work, obj, now=now) for work in works]
            buttons = {
                "works": [] if other else self.buttons(request, obj),
                "who_else_decides": other,
                "why_not": []
                if other
                else list(dict.fromkeys(filter(None, [self.note(request, obj), *said]))),
            }
            extra_context = {**buttons, "to_come": self._to_come(request, obj), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def whose_data(self, obj: Any) -> Iterable[User]:
        """The people whose data the object's page shows: in their journals a look at it is entered."""
        application = self.application_of(obj)
        return guardians_of(application.child) if application else []

    def name_for_family(self, obj: Any) -> str:
        """What they read there as the object."""
        application = self.application_of(obj)
        return application.number if application else ""

    def note_look(self, request: HttpRequest, obj: Any, *, target: str = "") -> None:
        """Enter a look at the object, or at a paper that belongs to it and is named in `target`."""
        audit.record_look(
            actor=staff_of(request),
            families=self.whose_data(obj),
            about=obj,
            target=target or self.name_for_family(obj),
            address=audit.client_address(request),
            now=read_clock(),
        )

    def may(self, request: HttpRequest, work: Work, obj: Any) -> bool:
        """Whether the employee has the right to do `work` with `obj`, and works everywhere that `obj` concerns."""
        user = staff_of(request)
        if not user.has_perm(work.permission):
            return False
        return not concerns_all(obj) or has_every_locality(user, now=estimate_clock())

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """Why this employee can't do an offered `work` now, in words that stand in its place; empty if they can."""
        return ""

    def note(self, request: HttpRequest, obj: Any) -> Words:
        """What this employee reads above the object, of what can be done with it."""
        return ""

    def offered(self, request: HttpRequest, obj: Any, *, now: datetime) -> list[Work]:
        """What can be done with the object in its present state by employees with these rights."""
        return [work for work in self.works if self.may(request, work, obj) and work.offered(obj, now)]

    def buttons(self, request: HttpRequest, obj: Any) -> Rows:
        now = estimate_clock()
        return [
            {"label": work.label, "url": self.work_url(obj, work.name), "danger": work.danger}
            for work in self.offered(request, obj, now=now)
            if not self.why_not(request, work, obj, now=now)
        ]

    # --- addresses -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_work"
        view = self.admin_site.admin_view(self.work_view)
        return [path("<path:object_id>/do/<slug:name>/", view, name=name), *super().get_urls()]

    def work_url(self, obj: Model, name: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_work", args=[obj.pk, name])

    # --- the confirm page ------------------------------------------------------------------------------------

    def work_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask (GET), then do (POST) one of `works`; a refusal is explained in the form, or on the object's page."""
        obj, work = self._asked_for(request, object_id, name)
        now = estimate_clock()
        is_offered = work.offered(obj, now)
        if said := self.who_else_decides(request, obj) or (
            is_offered and self.why_not(request, work, obj, now=now)
        ):
            messages.error(request, said)
            return HttpResponseRedirect(page_of(obj))
        self.tell_times_of(obj)
        initial = work.initial(obj) if work.initial else {}
        sent = request.POST.copy()
        form = work.form(sent if request.method == "POST" else None, initial=initial, **work.told(obj))
        effect: Rows = []
        if form.is_valid():
            is_preview = work.preview is not None and "confirmed" not in request.POST
            try:
                if not is_preview:
                    self._perform(request, work, obj, form.cleaned_data)
                    return HttpResponseRedirect(self._page_after(request, obj))
                assert work.preview is not None
                effect = work.preview(obj, form.cleaned_data, estimate_clock())
            except REFUSALS as error:
                # What was typed is kept, unless there was nothing to type, or pressing again can't help.
                if not form.visible_fields() or not work.offered(
                    self.get_object(request, str(obj.pk)), read_clock()
                ):
                    messages.error(request, why(error))
                    return HttpResponseRedirect(page_of(obj))
                form.add_error(work.field_of(error), why(error))
                # What is shown from here on is what is stored now: the mark of it, and what somebody else changed.
                for name_of_field, value in initial.items():
                    if form.fields[name_of_field].widget.is_hidden or _is_outdated(error):
                        sent[name_of_field] = value
        if not work.offered(obj, estimate_clock()):
            messages.error(request, Refusal.NOT_ALLOWED.at_work)
            return HttpResponseRedirect(page_of(obj))
        self.note_look(request, obj)
        _focus(form)
        is_in_turn = isinstance(self, InTurn) and self.is_in_turn(request, obj)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "to_come": self._to_come(request, obj) if is_in_turn else None,
            "title": work.label,
            "original": obj,
            "work": work,
            "form": form,
            "errors": form.errors,
            "rows": self.summary_for(obj, work),
            "effect": effect,
            "back_url": page_of(obj),
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

    # --- one after another -------------------------------------------------------------------------------------

    def _to_come(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        """The page that comes next, and how many wait besides this one."""
        following = self._following(request, obj)
        return {"url": page_of(following.row), "left": following.left} if following else None

    def _following(self, request: HttpRequest, obj: Any) -> Next | None:
        return self.to_come(request, obj) if isinstance(self, InTurn) else None

    def _page_after(self, request: HttpRequest, obj: Any) -> str:
        """Where a decision leads: to the next that waits if the employee chose so, else back to the object."""
        if "next" not in request.POST:
            return page_of(obj)
        following = self._following(request, obj)
        if following is None:
            messages.info(request, gettext("Nothing else waits for you here."))
            return page_of(obj)
        messages.info(request, gettext("Still waiting: %(count)s") % {"count": following.left})
        return page_of(following.row)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who did what to the object, and when: what the journal holds, and what was changed in a form."""
        obj = self.get_object(request, unquote(object_id))
        if obj is not None:
            self.tell_times_of(obj)
        happened = self._happened(obj) if obj is not None else []
        if obj is not None and not request.user.has_perm(NAMES):
            happened = self._without_names(obj, happened)
        return super().history_view(request, object_id, {"happened": happened, **(extra_context or {})})

    def _without_names(self, obj: Any, happened: list[Happened]) -> list[Happened]:
        """The same for who reads no names: also those that were typed into a reason."""
        return [one._replace(why=self.without_names_of(obj, one.why)) for one in happened]

    def without_names_of(self, obj: Any, text: str) -> str:
        """The text without the names of the family of whose child the object is, which are read once for the object."""
        if "names_around" not in vars(obj):
            child = self.child_of(obj)
            vars(obj)["names_around"] = names_around(child) if child else ()
        return without_names_in(text, vars(obj)["names_around"])

    def history_of(self, obj: Any) -> Sequence[Model]:
        """The rows under which the journal holds what was done to the object."""
        return [obj]

    def called(self, actor: User, name: str) -> str:
        """What the history calls whoever acted, who was called `name` then."""
        return name

    def _happened(self, obj: Model) -> list[Happened]:
        """Newest first. A button that the journal knows nothing of is remembered by its name."""
        labels = {f"{BUTTON}{work.name}": work.label for work in self.works}
        pressed = LogEntry.objects.filter(
            object_id=str(obj.pk), content_type=ContentType.objects.get_for_model(obj)
        ).select_related("user__employee")
        entries = [
            one
            for held in self.history_of(obj)
            for one in audit.history_of(held).exclude(action__in=OF_FORMS)
        ]
        acts = {(one.actor.pk, one.at) for one in entries if one.actor is not None}
        then = called_at(acts | {(one.user.pk, one.action_time) for one in pressed})
        return sorted(
            [
                # Once, though it stands in the journals of several guardians.
                *dict.fromkeys(
                    Happened(one.at, self._who(one.actor, one.at, then), one.get_action_display(), one.reason)
                    for one in entries
                ),
                *(
                    Happened(
                        one.action_time,
                        self._who(one.user, one.action_time, then),
                        labels.get(one.change_message) or one.get_change_message(),
                        "",
                    )
                    for one in pressed
                ),
            ],
            key=lambda one: one.at,
            reverse=True,
        )

    def _who(self, actor: User | None, at: datetime, then: Mapping[Act, str]) -> str:
        """Empty for the portal itself."""
        return self.called(actor, then.get((actor.pk, at), str(actor))) if actor is not None else ""

    def _asked_for(self, request: HttpRequest, object_id: str, name: str) -> tuple[Any, Work]:
        obj = self.found(request, unquote(object_id))
        work = next((work for work in self.works if work.name == name), None)
        if work is None:
            raise Http404
        if not self.may(request, work, obj):
            raise PermissionDenied
        return obj, work

    def found(self, request: HttpRequest, object_id: str, *, permission: str = "") -> Any:
        """The object at an address. Raises PermissionDenied for who reads no such list, Http404 if it is not theirs.

        With a `permission`, what is shown of it takes that one, too.
        """
        if not self.has_view_permission(request) or (permission and not request.user.has_perm(permission)):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        return obj

    def _perform(self, request: HttpRequest, work: Work, obj: Model, data: dict[str, Any]) -> None:
        goes_at = self._do(request, work, obj, data)
        said = str(work.done(obj) if callable(work.done) else work.done)
        messages.success(request, f"{said} {_when_told([goes_at])}".rstrip())

    def _do(self, request: HttpRequest, work: Work, obj: Model, data: dict[str, Any]) -> datetime | None:
        """When the family's SMS about it goes, where it waits for the day."""
        now = read_clock()
        work.perform(obj, staff_of(request), data, now)
        if not work.is_in_journal:
            self.log_change(request, obj, f"{BUTTON}{work.name}")
        which = self.sms_of(obj)
        return goes_later(which, written_at=now) if which is not None else None

    def sms_of(self, obj: Any) -> Q | None:
        """By which messages the family hears of what is done with `obj`: those about its child."""
        child = self.child_of(obj)
        return Q(about=child.pk) if child is not None else None

    # --- the same for many rows of a list ----------------------------------------------------------------------

    def look_ahead(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Read at once what will be asked of each of the rows."""

    def chosen_line(self, obj: Any) -> str:
        """A row among many, as the page that asks names it, and the message about one that was refused."""
        return str(obj)

    def chosen_facts(self, rows: Sequence[Any]) -> list[Rows]:
        """What else the page that asks shows of each of the rows, in their order."""
        return [[] for _row in rows]

    def perform_many(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        work: Work,
        *,
        action: str,
        title: Words,
        done: Words,
    ) -> HttpResponse | None:
        """An action of the list: ask, then do `work` for each of the chosen rows, in their order.

        Each stands for itself, in transactions of its own: what is refused is named with its reason, the others are
        done and named. What `work` asks for is asked once, for all. `action` is the method's name; `title` heads the
        page that asks; `done` says how many with `count`.
        """
        # Before the work: it takes rows out of a filtered list.
        rows = list(chosen)
        self.look_ahead(request, rows)
        # What is said of each row itself stands beside it, hidden; what is typed is said of all of them.
        sent = request.POST if "confirmed" in request.POST else None
        form = (ConfirmForm if work.initial else work.form)(sent)
        if not form.is_valid():
            return self._ask_about_many(request, rows, work, form=form, action=action, title=title)
        refused: dict[str, list[str]] = {}
        were_done, go_at = [], []
        for row in rows:
            line = self.chosen_line(row)
            try:
                shown = work.initial(row) if work.initial else {}
                own = {name: request.POST.get(f"{name}-{row.pk}", "") for name in shown}
                self._refuse_foreign(request, work, row)
                go_at.append(self._do(request, work, row, form.cleaned_data | own))
            except REFUSALS as error:
                refused.setdefault(why(error), []).append(line)
            else:
                were_done.append(line)
        self._say_of_many(request, done, were_done, refused=refused, go_at=go_at)
        return None

    def _ask_about_many(
        self,
        request: HttpRequest,
        rows: list[Any],
        work: Work,
        *,
        form: forms.BaseForm,
        action: str,
        title: Words,
    ) -> HttpResponse:
        now = estimate_clock()
        offered = [row for row in rows if work.offered(row, now) and self.may(request, work, row)]
        _focus(form)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "rows": [
                self._chosen(row, work, facts=facts)
                for row, facts in zip(offered, self.chosen_facts(offered), strict=True)
            ],
            "left_out": [self.chosen_line(row) for row in rows if row not in offered],
            "action": action,
            "work": work,
            "form": form,
            "errors": form.errors,
        }
        return TemplateResponse(request, "admin/work/many.html", context)

    def _refuse_foreign(self, request: HttpRequest, work: Work, row: Any) -> None:
        if not self.may(request, work, row):
            raise ValidationError(gettext("This is not yours to decide, or not yet."))

    def _chosen(self, row: Any, work: Work, *, facts: Rows) -> dict[str, Any]:
        shown = work.initial(row) if work.initial else {}
        return {
            "pk": row.pk,
            "line": self.chosen_line(row),
            "facts": facts,
            "hidden": [(f"{name}-{row.pk}", value) for name, value in shown.items()],
        }

    def _say_of_many(
        self,
        request: HttpRequest,
        done: Words,
        lines: list[str],
        *,
        refused: dict[str, list[str]],
        go_at: list[datetime | None],
    ) -> None:
        if lines:
            said = f"{str(done) % {'count': len(lines)}}. {_named(lines)}"
            told = _when_told(go_at)
            messages.success(request, f"{said}. {told}" if told else said)
        for reason, others in refused.items():
            sentence = gettext("Not done: %(count)s. %(reason)s") % {"count": len(others), "reason": reason}
            messages.error(request, f"{sentence} {_named(others)}")


class BegunByButton(WorkAdmin):
    """Rows that begin with a button: `begin` is asked of no row, shows what would happen, and makes one.

    Its form is made by `begin_form`.
    """

    begin: Work

    def begin_form(self, sent: Any, employee: User) -> forms.BaseForm:
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.begin.permission)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, show what would happen, begin."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        work = self.begin
        form = self.begin_form(request.POST if request.method == "POST" else None, staff_of(request))
        effect: Rows = []
        if form.is_valid():
            now = read_clock()
            if work.preview is not None and "confirmed" not in request.POST:
                effect = work.preview(None, form.cleaned_data, now)
            else:
                try:
                    row = work.perform(None, staff_of(request), form.cleaned_data, now)
                except ValidationError as error:
                    form.add_error(None, why(error))
                else:
                    messages.success(request, str(work.done))
                    return HttpResponseRedirect(page_of(row))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": work.label,
            "work": work,
            "form": form,
            "errors": form.errors,
            "effect": effect,
            "back_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)


def _when_told(go_at: Iterable[datetime | None]) -> str:
    """At night the portal shows what was done, and the phone does not ring: when the first SMS goes."""
    first = min((at for at in go_at if at is not None), default=None)
    if first is None:
        return ""
    return gettext("The SMS goes by day: %(at)s; on the portal it can be read already.") % {
        "at": f"{first:%d.%m.%Y %H:%M}"
    }


def _named(lines: list[str]) -> str:
    return "; ".join(lines[:NAMED]) + ("; …" if len(lines) > NAMED else "")


def _focus(form: forms.BaseForm) -> None:
    """Put the cursor into the first field that is to be filled in, or mended."""
    visible = form.visible_fields()
    for shown in ([one for one in visible if one.errors] or visible)[:1]:
        shown.field.widget.attrs["autofocus"] = True


def _is_outdated(error: Exception) -> bool:
    return isinstance(error, Refused) and error.reason == Refusal.CHANGED_MEANWHILE


class ChildColumns:
    """Columns for rows with an `application`: whose child it is. Opening a row is entered in the family's journal."""

    without_names: Mapping[str, str] = {"child": "masked_child", "full_name": "masked_child"}

    def application_of(self, obj: Any) -> Application:
        application: Application = obj.application
        return application

    def zone_of(self, obj: Any) -> tzinfo:
        return self.application_of(obj).locality.zone

    @admin.display(description=_("Child"))
    def masked_child(self, obj: Any) -> str:
        return masked(obj.application.child)

    @admin.display(description=_("Child"), ordering="application__child__last_name")
    def child(self, obj: Any) -> str:
        return short_name(obj.application.child)

    @admin.display(description=_("Child"))
    def full_name(self, obj: Any) -> str:
        return str(obj.application.child.full_name)

    @admin.display(description=_("Birth date"))
    def birth_date(self, obj: Any) -> str:
        return written(obj.application.child.birth_date)


_GROUNDS: Final[dict[StandIn, Promise]] = {
    StandIn.LATE: _(
        "The kindergarten has not answered in time: you may decide in its place. The family reads that the education "
        "department decided, and why."
    ),
    StandIn.NOBODY_ELSE: _(
        "Nobody in the kindergarten can decide, since it is about a child of their own: you decide in its place."
    ),
    StandIn.NOBODY: _("Nobody works in the kindergarten who can decide: you decide in its place."),
    StandIn.DEPARTMENT: _(
        "The kindergarten can still decide itself. If you do, it is recorded as a decision of the education department."
    ),
}


class KindergartensWork(ChildColumns, WorkAdmin):
    """Work of the kindergarten, which officials do in its place where the rules say so (`bidding.stand_ins`)."""

    # The permission of the kindergarten's own decisions; other buttons have their own.
    decided_with = SIGN
    # The lookup to the kindergarten of a row.
    kindergarten_path = ""

    def kindergarten_of(self, obj: Any) -> Kindergarten:
        raise NotImplementedError

    def may(self, request: HttpRequest, work: Work, obj: Any) -> bool:
        """What the kindergarten decides: who is employed in it, and the official who stands in for it."""
        if work.permission != self.decided_with:
            return super().may(request, work, obj)
        return self._right(request, obj).may

    def is_own_work(self, user: User) -> Q:
        """Which rows `user` decides as the kindergarten in which they are employed; a superuser all."""
        if user.is_superuser:
            return ~NOTHING
        if not user.has_perm(self.decided_with):
            return NOTHING
        own = places_of(user, today=timezone.localdate(estimate_clock())).kindergartens
        return Q(**{f"{self.kindergarten_path}__in": own})

    def look_ahead(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        # Asked for each button, and again for what stands above them.
        unknown = [row for row in rows if "right" not in vars(row)]
        now = estimate_clock()
        found = rights(
            staff_of(request),
            [
                Question(
                    self.kindergarten_of(row), self.application_of(row).child, self.is_late(row, now=now)
                )
                for row in unknown
            ],
            permission=self.decided_with,
            now=now,
        )
        for row, right in zip(unknown, found, strict=True):
            vars(row)["right"] = right

    def _right(self, request: HttpRequest, obj: Any) -> Right:
        self.look_ahead(request, [obj])
        right: Right = vars(obj)["right"]
        return right

    def is_late(self, obj: Any, *, now: datetime) -> bool:
        """Whether the kindergarten owes an answer whose time is over."""
        return False

    def note(self, request: HttpRequest, obj: Any) -> Words:
        """To an official who may decide: in whose place, and why."""
        if not self.offered(request, obj, now=estimate_clock()):
            return ""
        ground = self._right(request, obj).ground
        return _GROUNDS[ground] if ground else ""

    def words_for_guardian(self, user: User, obj: Any) -> str:
        question = Question(self.kindergarten_of(obj), self.application_of(obj).child)
        if not unable([question], permission=self.decided_with, now=estimate_clock()):
            return gettext("This is your own child: a colleague in the kindergarten decides.")
        if user.has_perm(STAND_IN):
            return super().words_for_guardian(user, obj)
        return gettext(
            "This is your own child, and nobody else in the kindergarten can decide: the education department decides."
        )


def _field(model: type[Model], name: Any) -> object:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _masked_column(page: WorkAdmin, column_of: "CharField[Any, Any]") -> Callable[[Any], str]:
    name = column_of.name

    @admin.display(description=column_of.verbose_name)
    def column(obj: Any) -> str:
        text: str = getattr(obj, name)
        return page.without_names_of(obj, text) if text else "—"

    column.__name__ = name
    return column


def _time_column(page: WorkAdmin, column_of: "DateTimeField[Any, Any]") -> Callable[[Any], str | None]:
    name = column_of.name

    @admin.display(description=column_of.verbose_name, ordering=name, empty_value="—")
    def column(obj: Any) -> str | None:
        at: datetime | None = getattr(obj, name)
        return None if at is None else localize(timezone.localtime(at, page.zone_of(obj)))

    column.__name__ = name
    return column


def staff_of(request: HttpRequest) -> User:
    """The signed-in employee; the admin site lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def why(error: Exception) -> str:
    """The words of a refusal that `Work.perform` may end with."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return error.at_work if isinstance(error, Refused) else str(error)


def masked(child: Child) -> str:
    """The initials of a child, for who reads no names."""
    return mask_name(child.last_name, child.first_name)


def tag(label: Words, *, tone: str = "neutral") -> str:
    """A state as a word; `tone` is neutral, info, success, warning or danger. Colour is never the only sign."""
    return format_html('<span class="state state--{}">{}</span>', tone, label)


def key_in(asked: str) -> int | None:
    """The key of a row that an address names; None for what can be no key."""
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None


def page_of(obj: Model) -> str:
    """The address of an object's page in the admin."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link(url: str, text: object) -> str:
    return format_html('<a href="{}">{}</a>', url, text)


def filtered(url_name: str, **query: str) -> str:
    """The address of an admin list with a filter."""
    return f"{reverse(url_name)}?{urlencode(query)}"


def day_of(at: datetime, application: Application) -> str:
    """The date of an instant where the application's family lives, as the page's language writes it."""
    return written(application.locality.day(at))


def written(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")
