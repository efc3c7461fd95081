"""What a form of the workplace changed, as the audit keeps it: the names of the fields, and values that name nobody.

What somebody typed stays out: the audit is kept for ever, and a line of text may hold anything. Dates, numbers, choices
and links to other rows are kept, as they were before and after; so are an employee's names and position, since by them
the audit says who acted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any, Final

from django import forms
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.formats import localize
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Employee
from accounts.roles import role_name

_KEPT: Final = (
    models.DateField,
    models.TimeField,
    models.IntegerField,
    models.DecimalField,
    models.BooleanField,
    models.ForeignKey,
    models.ManyToManyField,
)
# Lines of text that are kept all the same, by their model: they tell who acts.
_WHO: Final[dict[type[models.Model], set[str]]] = {
    Employee: {"last_name", "first_name", "middle_name", "position"}
}

# Fields of a form that are none of the row: those of rows that are made with it, and others.
_OF_ROWS_BESIDE: Final = {
    "groups": "accounts.user",
    "language": "accounts.user",
    "username": "accounts.user",
    "kindergarten": "bulletin.employment",
    "locality": "bulletin.employment",
    "since": "bulletin.employment",
}
_OTHER: Final = {"staff_iin": gettext_lazy("IIN of the employee"), "reason": gettext_lazy("Reason")}

# By the name of a field: the values before and after, each as texts; nothing where no value is kept.
Changes = dict[str, list[list[str]]]
# What rows are called, by their model and their key as it is kept.
Called = Mapping[tuple[type[models.Model], str], str]


def changes_in(form: forms.BaseModelForm, *, is_new: bool) -> Changes:  # type: ignore[type-arg]
    """What `form` changes; of a new row, what was filled in."""
    found: Changes = {}
    for name in form.changed_data:
        field = _field(form._meta.model, name)
        found[name] = []
        if field is not None and _is_kept(field):
            before = [] if is_new else _texts(form.get_initial_for_field(form.fields[name], name))
            found[name] = [before, _texts(getattr(form, "cleaned_data", {}).get(name))]
    return found


def rows_called(found: Iterable[tuple[type[models.Model], Changes]]) -> Called:
    """What the rows are called today to which these changes of rows of those models lead: one query for each model."""
    asked: dict[type[models.Model], set[str]] = defaultdict(set)
    for model, changes in found:
        for name, values in changes.items():
            if related := _related(_field(model, name)):
                asked[related].update(key for texts in values for key in texts)
    return {
        (model, str(row.pk)): role_name(row.name) if isinstance(row, Group) else str(row)
        for model, keys in asked.items()
        for row in model._default_manager.filter(pk__in=_possible(model, keys))
    }


def in_words(model: type[models.Model], changes: Changes, *, called: Called) -> list[str]:
    """`last day: 01.06.2026 → 30.06.2026` for each field, in the language of the page.

    A row that is not in `called` is told by its key.
    """
    return [_line(_field(model, name), name, values, called) for name, values in changes.items()]


def names_in_words(model: type[models.Model], changes: Changes) -> list[str]:
    """The names of the fields alone, in the language of the page."""
    return [_name(_field(model, name), name) for name in changes]


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any] | None":
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        beside = _OF_ROWS_BESIDE.get(name)
        return _field(apps.get_model(beside), name) if beside and model._meta.label_lower != beside else None
    return found if isinstance(found, models.Field) else None


def _is_kept(field: "models.Field[Any, Any]") -> bool:
    if isinstance(field, ArrayField):
        return _is_kept(field.base_field)
    is_who = field.name in _WHO.get(field.model, ())
    return is_who or isinstance(field, _KEPT) or bool(field.choices)


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if isinstance(value, (list, tuple, set, models.QuerySet)):
        return sorted(text for one in value for text in _texts(one))
    if isinstance(value, models.Model):
        return [str(value.pk)]
    return [value.isoformat() if isinstance(value, (date, time)) else str(value)]


def _related(field: "models.Field[Any, Any] | None") -> Any:
    """The model to whose rows the field leads, if it does."""
    return field.related_model if isinstance(field, (models.ForeignKey, models.ManyToManyField)) else None


def _possible(model: type[models.Model], keys: Iterable[str]) -> list[Any]:
    """Those of `keys` that a row of the model can have."""
    found = []
    for key in keys:
        with suppress(ValidationError):
            found.append(model._meta.pk.to_python(key))
    return found


def _line(field: "models.Field[Any, Any] | None", name: str, values: list[list[str]], called: Called) -> str:
    if not values or field is None:
        return _name(field, name)
    before, after = (_shown(field, texts, called) for texts in values)
    return f"{_name(field, name)}: {before} → {after}"


def _name(field: "models.Field[Any, Any] | None", name: str) -> str:
    return str(field.verbose_name) if field is not None else str(_OTHER.get(name, name))


def _shown(field: "models.Field[Any, Any]", texts: Iterable[str], called: Called) -> str:
    return ", ".join(_word(field, text, called) for text in texts) or "—"


def _word(field: "models.Field[Any, Any]", text: str, called: Called) -> str:
    if isinstance(field, ArrayField):
        return _word(field.base_field, text, called)
    if related := _related(field):
        return called.get((related, text), text)
    labels = {str(key): str(label) for key, label in field.flatchoices}
    if text in labels:
        return labels[text]
    try:
        value = field.to_python(text)
    except ValidationError:
        return text
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(localize(localtime(value) if isinstance(value, datetime) and is_aware(value) else value))
