"""Rules for every list of the workplace, ours or a library's: the site puts them in front of each admin.

An employee sees the rows of own kindergartens and localities (`applications.own_rows`): in lists, on pages, behind
buttons, among the choices of forms and filters and in suggestions. What concerns every locality is changed only by who
works in all of them.

Django filters a list by any column named in the address, even by columns that no page shows; hidden values can then be
found out letter by letter. Here an address filters and sorts only by what the page itself offers.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.core.exceptions import BadRequest, FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import Field, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.models import User
from accounts.suggestions import SuggestedSelect
from applications.own_rows import FOR_ALL, TABLE, concerns_all, has_every_locality, own_rows
from balabaqsha.first_rows import FirstRows
from balabaqsha.staff_audit import AuditedAdmin
from balabaqsha.staff_help import ABOUT
from balabaqsha.staff_searches import TooManySearches, note_search
from notifications.clock import estimate_clock

logger = logging.getLogger(__name__)

# Names that Django uses for something else (its "group" is a role): with a capital letter they are ours alone.
_TWO_MEANINGS: Final = {"group"}


class GuardedAdmin(AuditedAdmin):
    """Goes in front of a model's admin; see `guarded`."""

    paginator = FirstRows
    # What a page costs is above all what its rows cost to write: nobody compares more than fit on a screen.
    list_per_page = 25
    # Of all rows, whatever was searched for: a count of the whole table beside every search.
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return own_rows(super().get_queryset(request), user=_employee(request), now=estimate_clock())

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """What is not there, or not theirs, is not found."""
        raise Http404

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """The rows that a form offers for a foreign key."""
        offered = super().get_field_queryset(db, db_field, request)
        if db_field.related_model not in TABLE:
            return offered
        rows = db_field.related_model._default_manager.using(db) if offered is None else offered
        return own_rows(rows.all(), user=_employee(request), now=estimate_clock())

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django's, with a field that suggests rows and shows again whatever was sent."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = SuggestedSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """A filter by related rows offers those that the employee may see."""
        return [
            (one, OwnRelatedFilter) if isinstance(one, str) and _is_placed(self.model, one) else one
            for one in super().get_list_filter(request)
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and (
            self.model not in FOR_ALL or _has_every_locality(request)
        )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def _is_theirs(self, request: HttpRequest, obj: Model | None) -> bool:
        concerns = self.model in FOR_ALL if obj is None else concerns_all(obj)
        return not concerns or _has_every_locality(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a search is counted first, and past the limit a page says when to try again."""
        if self.has_view_or_change_permission(request) and self.get_search_fields(request):
            refused = self.refusal_of_search(request, request.GET.get(SEARCH_VAR, ""))
            if refused is not None:
                return refused
        return super().changelist_view(request, self._headed(self.opts.verbose_name_plural, extra_context))

    def refusal_of_search(self, request: HttpRequest, text: str) -> HttpResponse | None:
        """Count and enter a search that is about to be made here; past the limit the page that answers instead."""
        try:
            note_search(request, in_list=self, text=text)
        except TooManySearches as refusal:
            return self._too_many(request, refusal.retry_at)
        return None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        name = self.opts.verbose_name
        heading = name if object_id else gettext("New: %(name)s") % {"name": name}
        return super().changeform_view(request, object_id, form_url, self._headed(heading, extra_context))

    def _headed(self, heading: Any, extra_context: dict[str, Any] | None) -> dict[str, Any]:
        """Django puts the name into a sentence, which Kazakh and Russian would have to inflect."""
        about = ABOUT.get(self.opts.label_lower)
        return {"title": capfirst(heading), "about": about, **(extra_context or {})}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [self._shown(request, name) for name in super().get_readonly_fields(request, obj)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django's, each field once; a row that the employee may only read as a word is no link to its page."""
        words = {shown.__name__: shown for shown in self.get_readonly_fields(request, obj) if callable(shown)}
        return [
            (
                name,
                {**options, "fields": list(dict.fromkeys(words.get(one, one) for one in options["fields"]))},
            )
            for name, options in super().get_fieldsets(request, obj)
        ]

    def _shown(self, request: HttpRequest, name: Any) -> Any:
        """`name`, or what says the same in words if Django would link to a page that this employee may not open."""
        column = next((field for field in self.opts.fields if field.name == name), None)
        page = self.admin_site._registry.get(column.related_model) if column is not None else None  # type: ignore[arg-type]
        if column is None or page is None or page.has_view_permission(request):
            return name
        return _in_words(column)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        chosen = super().get_changelist(request, **kwargs)
        # Before what a list of its own does with its rows.
        own = () if chosen is ChangeList else (chosen,)
        return type(chosen.__name__, (GuardedList, *own, KeyedList), {"__module__": chosen.__module__})

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, or `IncorrectLookupParameters` for values that no database accepts: days out of range, NUL."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            if not request.GET:
                raise
            logger.warning("%s: values that can't be looked up: %s", self, type(error).__name__)
            raise IncorrectLookupParameters from None

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *location: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """The action on the chosen rows; BadRequest if something chosen is not a row's key.

        Rows that left the list meanwhile, or never were the employee's, are counted in words; without others the list
        comes back.
        """
        try:
            chosen = {self.opts.pk.to_python(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)}
        except ValidationError:
            raise BadRequest("a row that can't be one") from None
        left = queryset.filter(pk__in=chosen).count() if chosen else 0
        if left < len(chosen):
            words = gettext("Not in this list any more, or not yours: %(count)s")
            messages.warning(request, words % {"count": len(chosen) - left})
            if not left:
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *location, **kwargs)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Django's, with the names of the fields as the catalogues have them, so that the history can translate them.

        Django writes labels, which begin with a capital letter and are therefore in no catalogue.
        """
        changes: list[dict[str, Any]] = super().construct_change_message(request, form, formsets, add)
        models = [self.model, *(formset.model for formset in formsets or [])]
        with translation.override(None):
            known = [str(field.verbose_name) for model in models for field in _written_fields(model)]
        names = {capfirst(name): name for name in known if name not in _TWO_MEANINGS}
        for details in (details for change in changes for details in change.values()):
            if "fields" in details:
                details["fields"] = [names.get(label, label) for label in details["fields"]]
        return changes

    def _too_many(self, request: HttpRequest, retry_at: datetime | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Too many searches"),
            "retry_at": retry_at,
        }
        return TemplateResponse(request, "admin/too_many_searches.html", context, status=429)


class OwnRelatedFilter(RelatedFieldListFilter):
    """A filter by related rows, of which the employee reads only their own."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        own = own_rows(
            field.related_model._default_manager.all(), user=_employee(request), now=estimate_clock()
        )
        ordering = self.field_admin_ordering(field, request, model_admin)
        limit = {"pk__in": own.order_by().values("pk")}
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=limit)


class WatchedAutocomplete(AutocompleteJsonView):
    """Suggestions while typing; each word counts as a search in the list they come from."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().get(request, *args, **kwargs)
        except TooManySearches:
            return JsonResponse({"error": gettext("Too many searches")}, status=429)

    def get_queryset(self) -> QuerySet[Any]:
        note_search(self.request, in_list=self.model_admin, text=self.term)
        return super().get_queryset()


class KeyedList(ChangeList):
    """A list of one page, too, is read by the keys that were found, not searched for once more."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


class GuardedList(ChangeList):
    """A list that is filtered and sorted only by what its page offers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django adds what brings back to this page to each row's address, and looks up among all addresses whether
        # that is a list's own: a fifth of what a page of a search costs.
        self._way_back, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: Model) -> str:
        """Django's address of a row's page, which leads back to this page of the list."""
        address = super().url_for_result(result)
        return f"{address}?{self._way_back}" if self._way_back else address

    def get_filters(self, request: HttpRequest) -> Any:
        """Django's, unless the address has something that none of the offered filters uses."""
        given: dict[str, list[str]] = self.get_filters_params()
        found = super().get_filters(request)
        for name in found[2]:
            if not (self._is_day(name, given) or self._limits_a_popup(name, given.get(name, []))):
                raise DisallowedModelAdminLookup(f"Filtering by {name} not allowed")
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column that is not sortable on the page: Django hides its arrow but would still sort by it."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def _is_day(self, name: str, given: dict[str, list[str]]) -> bool:
        """Whether Django made this lookup of a year, month or day in the bar above the list."""
        by = self.date_hierarchy
        return f"{by}__year" in given and name in (f"{by}__gte", f"{by}__lt")

    def _limits_a_popup(self, name: str, values: list[str]) -> bool:
        """Whether a foreign key's `limit_choices_to` says so: the windows in which its rows are chosen ask for it."""
        for limit in self.model._meta.related_fkey_lookups:
            wanted = url_params_from_lookup_dict(limit() if callable(limit) else limit)
            if name in wanted and all(value == wanted[name] for value in values):
                return True
        return False


def is_offered_for_choice(site: admin.AdminSite, request: HttpRequest) -> bool:
    """Whether a choice field's search while typing belongs to a form that the employee may fill in.

    Django answers it for every foreign key, even if no form offers such a search.
    """
    wanted = tuple(request.GET.get(name, "") for name in ("app_label", "model_name", "field_name"))
    for owner in site._registry.values():
        if not (owner.has_add_permission(request) or owner.has_change_permission(request)):
            continue
        for form in (owner, *owner.get_inline_instances(request)):
            opts = form.model._meta
            if any(
                wanted == (opts.app_label, opts.model_name, name)
                for name in form.get_autocomplete_fields(request)
            ):
                return True
    return False


def _employee(request: HttpRequest) -> User:
    """The signed-in employee; whoever is none has no rows."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _has_every_locality(request: HttpRequest) -> bool:
    """Asked once for each request."""
    known: bool | None = getattr(request, "has_every_locality", None)
    if known is None:
        known = has_every_locality(_employee(request), now=estimate_clock())
        request.has_every_locality = known  # type: ignore[attr-defined]
    return known


def _is_placed(model: type[Model], path: str) -> bool:
    """Whether the lookup leads to rows that belong to places."""
    for name in path.split(LOOKUP_SEP):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        if not field.is_relation or field.related_model is None:
            return False
        model = field.related_model
    return model in TABLE


def _written_fields(model: type[Model]) -> "list[Field[Any, Any]]":
    return [*model._meta.fields, *model._meta.many_to_many]


@cache
def _in_words(column: "Field[Any, Any]") -> Callable[[Any], str]:
    @admin.display(description=column.verbose_name)
    def in_words(obj: Any) -> str:
        return str(getattr(obj, column.name) or "—")

    in_words.__name__ = column.name
    return in_words


@cache
def guarded(admin_class: "type[admin.ModelAdmin[Any]]") -> "type[admin.ModelAdmin[Any]]":
    """The same admin, under its own name, behind `GuardedAdmin`."""
    if issubclass(admin_class, GuardedAdmin):
        return admin_class
    return type(admin_class.__name__, (GuardedAdmin, admin_class), {"__module__": admin_class.__module__})
