"""Figures of the start page, which counts only as far as anybody needs."""

from django import template

from applications import workplace

register = template.Library()


@register.filter
def figure(counted: int) -> str:
    """A number of `applications.workplace` as a page shows it: "100+" where there are more than were counted."""
    most = workplace.MOST_COUNTED
    return str(counted) if counted <= most else f"{most}+"
