"""The cells of a list of the workplace, each with the heading of its column: on a phone a row becomes a card."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[dict[str, Any]]) -> Iterator[SafeString]:
    """Django's cells of one row (`<td …>`, `<th …>`), each with its column's heading in `data-label`.

    The boxes to tick have no words for a heading, and stay as they are.
    """
    for cell, header in zip(cells, headers, strict=False):
        has_words = "action-checkbox-column" not in header.get("class_attrib", "")
        yield _with_label(cell, capfirst(header["text"])) if has_words else cell


def _with_label(cell: SafeString, heading: str) -> SafeString:
    tag, rest = cell[: len("<td")], cell[len("<td") :]
    label = format_html(' data-label="{}"', heading)
    return mark_safe(f"{tag}{label}{rest}")  # noqa: S308 - the cell is Django's HTML, the label is escaped
