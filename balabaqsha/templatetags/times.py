"""A day or an instant, as every page writes it."""

from datetime import date, datetime

from django import template
from django.utils.dates import WEEKDAYS
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_aware, localtime

register = template.Library()


@register.simple_tag
def time_of(at: date | datetime | None, show: str) -> SafeString:
    """`at` by the clock of the part of the page: its `date`, `weekday` or `time`, else day and time; "" for None.

    In one step: of filters, some pages would take a hundred for their table.
    """
    if not at:
        return SafeString()
    here = localtime(at) if isinstance(at, datetime) and is_aware(at) else at
    day = f"{here:%d.%m.%Y}"
    match show:
        case "date":
            machine, shown = f"{here:%Y-%m-%d}", day
        case "weekday":
            machine, shown = f"{here:%Y-%m-%d}", f"{day}, {str(WEEKDAYS[here.weekday()]).lower()}"
        case "time":
            machine, shown = _instant(here), f"{here:%H:%M}"
        case _:
            clock = f"{here:%H:%M}"
            machine = _instant(here)
            shown = f'<span class="nowrap">{day}</span> <span class="nowrap">{clock}</span>'
    return mark_safe(f'<time datetime="{machine}">{shown}</time>')  # noqa: S308


def _instant(at: date | datetime) -> str:
    """A `<time>` of HTML takes no microseconds."""
    return (at.replace(microsecond=0) if isinstance(at, datetime) else at).isoformat()
