"""What people write in several lines, as it is kept and shown."""

from typing import Any, Final

from django import forms

# Marks that turn the direction of what follows: an IIN or an address would be read backwards.
_DIRECTION: Final = dict.fromkeys(
    map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), None
)


class SeveralLines(forms.CharField):
    """A text whose line breaks count once, as the browser counts them, without marks of direction."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n").translate(_DIRECTION)
