"""The field of a form of the workplace that suggests rows while one types; what was sent may be anything."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Model


def is_key_of(model: type[Model], value: Any) -> bool:
    """Whether a row of `model` may have this key; the database makes an error of what can't be one.

    That are letters, a NUL, numbers out of range, and more digits than Python reads.
    """
    try:
        model._meta.pk.clean(value, None)
    except (ValidationError, ValueError):
        return False
    return True


class SuggestedSelect(AutocompleteSelect):
    """Django's, which shows again what was sent, if it can be a row's key."""

    def optgroups(self, name: str, value: Iterable[Any], attrs: dict[str, Any] | None = None) -> Any:
        model: type[Model] = self.field.remote_field.model
        return super().optgroups(name, [one for one in value if is_key_of(model, one)], attrs)
