"""A day as families write it."""

import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

_LOOKS_RIGHT = re.compile(r"\d{1,2}\.\d{1,2}\.(\d{2}|\d{4})|\d{4}\.\d{1,2}\.\d{1,2}")
_FORMATS = ["%d.%m.%Y", "%d.%m.%y", "%Y.%m.%d"]


class DayField(forms.DateField):
    """A day in digits: with dots, slashes, hyphens or blanks between them, or with nothing (20122026)."""

    widget = forms.DateInput(
        attrs={"inputmode": "numeric", "size": 12, "autocomplete": "off"}, format="%d.%m.%Y"
    )
    default_error_messages = {
        "invalid": gettext_lazy("Write the date like this: 03.07.2026"),
        "no_such_day": gettext_lazy("There is no such day: check the day and the month"),
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", gettext_lazy("For example: 03.07.2026"))
        super().__init__(input_formats=_FORMATS, **options)

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str):
            value = re.sub(r"[\s./-]+", ".", value.strip())
            value = re.sub(r"^(\d{2})(\d{2})(\d{4})$", r"\1.\2.\3", value)
        try:
            return super().to_python(value)
        except ValidationError:
            if isinstance(value, str) and _LOOKS_RIGHT.fullmatch(value):
                raise ValidationError(self.error_messages["no_such_day"], code="no_such_day") from None
            raise
