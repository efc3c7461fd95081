"""What somebody typed, as a sentence among others."""

from django import template

register = template.Library()

_ENDS = (".", "!", "?", "…")


@register.filter
def ended(text: str) -> str:
    """`text` with a full stop, unless it ends like a sentence."""
    text = str(text).rstrip()
    return text if not text or text.endswith(_ENDS) else f"{text}."
