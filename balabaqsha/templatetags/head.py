"""What the head of a page says twice, or to machines."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_block_tag
def page_title(content: str) -> SafeString:
    """The title of the page, for the browser's window and for a link that is shared."""
    return format_html(
        '<title>{0} – Balabaqsha</title>\n  <meta property="og:title" content="{0}">', _in_attribute(content)
    )


@register.simple_block_tag
def page_description(content: str) -> SafeString:
    """What the page is about in a sentence or two, for search engines and for a link that is shared."""
    return format_html(
        '<meta name="description" property="og:description" content="{}">', _in_attribute(content)
    )


@register.filter
def to_the_second(at: datetime) -> datetime:
    """The instant without what is smaller than a second: a `<time>` of HTML takes no microseconds."""
    return at.replace(microsecond=0)


def _in_attribute(content: str) -> SafeString:
    """A block of a template, which is HTML already, on one line and without what would end an attribute."""
    return mark_safe(" ".join(content.split()).replace('"', "&quot;"))  # noqa: S308
