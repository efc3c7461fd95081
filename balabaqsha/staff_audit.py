"""What the workplace enters into the audit by itself, for every page, ours or a library's.

Whoever adds, changes or deletes a row in a form is entered with the fields that changed; whoever opens a page that
shows a family's data is entered in that family's journal. Buttons are entered by the services behind them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts import audit
from accounts.changes import Changes, changes_in
from accounts.journal_actions import Action
from accounts.models import User
from notifications.clock import read_clock

# In a request: what its forms change.
_CHANGED: Final = "changed_by_form"
# The language in which the audit names a row, whoever changed it.
_NAMED_IN: Final = "kk"


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Goes in front of a model's admin (`balabaqsha.staff_lists.guarded`).

    Pages that show a family's data have `whose_data(obj)`, the people in whose journals a look is entered, and may have
    `name_for_family(obj)`, what they read there as the object.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        note_look(self, request, response, named="original")
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        note_look(self, request, response, named="object")
        return response

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        vars(request)[_CHANGED] = changes_in(form, is_new=add)
        for formset in formsets or []:
            _note_formset(request, formset)
        return cast("list[dict[str, Any]]", super().construct_change_message(request, form, formsets, add))

    def note_sent_again(self, request: HttpRequest, message: Any, reason: str) -> None:
        """Enter, for its recipient to read, that a message is sent again (`notifications.admin`)."""
        _note(request, Action.MESSAGE_SENT_AGAIN, message, None, subject=message.recipient, reason=reason)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _note(request, Action.ROW_ADDED, obj, vars(request).pop(_CHANGED, None))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A pressed button changes no form: its service says what was done."""
        changed = vars(request).pop(_CHANGED, None)
        if changed:
            _note(request, Action.ROW_CHANGED, obj, changed)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        for obj in queryset:
            _note(request, Action.ROW_DELETED, obj, None)
        return super().log_deletions(request, queryset)


def note_look(page: Any, request: HttpRequest, response: HttpResponse, *, named: str) -> None:
    """Enter that an employee was shown the object which `response` names so, if it holds a family's data.

    By whatever method: a form that was sent and refused shows it as well.
    """
    obj = (getattr(response, "context_data", None) or {}).get(named)
    whose: Any = getattr(page, "whose_data", None)
    if response.status_code != 200 or whose is None or not isinstance(obj, Model):
        return
    name: Any = getattr(page, "name_for_family", None)
    audit.record_look(
        actor=cast(User, request.user),
        families=cast("Iterable[User]", whose(obj)),
        about=obj,
        target=name(obj) if name else "",
        address=audit.client_address(request),
        now=read_clock(),
    )


def _note_formset(request: HttpRequest, formset: Any) -> None:
    """Rows in a table on the page of another one."""
    changed: Sequence[tuple[Any, Any]] = formset.changed_objects
    forms = {id(form.instance): form for form in formset.forms}
    for obj in formset.new_objects:
        _note(request, Action.ROW_ADDED, obj, changes_in(forms[id(obj)], is_new=True))
    for obj, _fields in changed:
        _note(request, Action.ROW_CHANGED, obj, changes_in(forms[id(obj)], is_new=False))
    for obj in formset.deleted_objects:
        _note(request, Action.ROW_DELETED, obj, None)


def _note(
    request: HttpRequest,
    action: Action,
    obj: Model,
    changes: Changes | None,
    *,
    subject: User | None = None,
    reason: str = "",
) -> None:
    with translation.override(_NAMED_IN):
        name = str(obj)
    audit.record(
        action,
        actor=cast(User, request.user),
        subject=subject or _employee(obj),
        target=name,
        reason=reason,
        about=obj,
        changes=changes,
        address=audit.client_address(request),
        now=read_clock(),
    )


def _employee(obj: Model) -> User | None:
    """The employee whom the row concerns: they read who changed it."""
    whom = obj if isinstance(obj, User) else getattr(obj, "user", None)
    return whom if isinstance(whom, User) and whom.is_staff else None
