"""Two windows on one row: whoever saves what another has changed meanwhile is told, and nothing is lost."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

# The hidden fields that carry what the page was made of, and by what its consequences were reckoned.
SEEN = "_seen"
RECKONED = "_reckoned"


def mark_of(*rows: Model) -> str:
    """A mark of everything that is stored of `rows`: another one as soon as anything of it is another."""
    stored = [
        (row._meta.label_lower, field.attname, repr(field.to_python(field.value_from_object(row))))
        for row in rows
        for field in row._meta.concrete_fields
    ]
    return sha256(repr(stored).encode()).hexdigest()[:32]


class SeenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose form saves nothing over what somebody saved after it was opened.

    It then shows what is stored now beside what was typed; pressed once more, it saves. The row is locked meanwhile.
    """

    change_form_template = "admin/work/change_form.html"

    def rows_shown(self, obj: Any) -> Sequence[Model]:
        """What the page of `obj` is made of."""
        return [obj]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            obj = self.get_object(request, unquote(object_id))
            if obj is not None:
                if request.method == "POST":
                    self.model._default_manager.select_for_update(no_key=True).get(pk=obj.pk)
                    obj = self.get_object(request, unquote(object_id))
                mark = mark_of(*self.rows_shown(obj))
                vars(request)["is_outdated"] = request.POST.get(SEEN) != mark
                extra_context = {"seen": mark, **(extra_context or {})}
            response = super().changeform_view(request, object_id, form_url, extra_context)
            # Written while the row is as it was read.
            return response.render() if isinstance(response, TemplateResponse) else response

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:  # type: ignore[type-arg]
        form: type[forms.ModelForm] = super().get_form(request, obj, change, **kwargs)  # type: ignore[type-arg]
        return _outdated(form) if getattr(request, "is_outdated", False) else form


class CheckedAdmin(SeenAdmin):
    """An admin that shows what saving means, on a page of its own, before it saves."""

    check_title: Promise
    check_template: str

    def consequences(self, obj: Any) -> dict[str, Any]:
        """What the page tells, by the names that `check_template` uses. `obj` is as it would be saved."""
        raise NotImplementedError

    def reckoned_by(self) -> str:
        """A mark of what the consequences follow from, besides the row: if it is another one, they are told anew."""
        return ""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST":
            is_confirmed = "confirmed" in request.POST
            if not is_confirmed or request.POST.get(RECKONED, "") != self.reckoned_by():
                check = self._check(request, object_id, is_again=is_confirmed)
                if check is not None:
                    return check
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(request, context | {"is_checked": True}, *args, **kwargs)

    def _check(self, request: HttpRequest, object_id: str | None, *, is_again: bool) -> HttpResponse | None:
        """The page that asks, once more if what was told no longer holds.

        None if the form can't be saved, which Django's own page explains.
        """
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        form = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        if not may or (object_id and obj is None) or not form.is_valid():
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.check_title,
            "form": form,
            "seen": request.POST.get(SEEN, ""),
            "reckoned": self.reckoned_by(),
            "is_again": is_again,
            **self.consequences(form.instance),
        }
        return TemplateResponse(request, self.check_template, context)


def _outdated(form: type[forms.ModelForm]) -> type[forms.ModelForm]:  # type: ignore[type-arg]
    """The form, which refuses once and says what is stored now where something else was typed."""

    class Outdated(form):  # type: ignore[valid-type, misc]
        def full_clean(self) -> None:
            super().full_clean()
            if self.is_bound:
                self.add_error(None, _refusal(self))

    return Outdated


def _refusal(form: Any) -> list[str]:
    words = [
        _(
            "Somebody saved this after you had opened it: nothing of yours is saved. Compare, then press Save once "
            "more to put your values in the place of the present ones."
        )
    ]
    return words + [
        f"{capfirst(form.fields[name].label)}: {_stored(form, name)}" for name in form.changed_data
    ]


def _stored(form: Any, name: str) -> str:
    """What is stored of a field, as its widget would show it."""
    field = form.fields[name]
    value = field.prepare_value(form.get_initial_for_field(field, name))
    labels = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    values = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(str(one)) or _written(one) for one in values if one not in (None, "")) or "—"


def _written(value: Any) -> str:
    """A value as people write it: a time by the clock of the page, as its field shows it."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, PhoneNumber):
        return str(value.as_international)
    return str(localize(localtime(value) if isinstance(value, datetime) and is_aware(value) else value))
