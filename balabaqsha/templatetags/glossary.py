"""Words that the glossary explains, linked where the author of a text says that a reader meets them first."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def term(text: object, entry: str) -> SafeString:
    """The text as HTML, with the words in [brackets] as a link to `entry` of the glossary; without any, all of it.

    The brackets stand in the translations, so that every language links its own form of the word.
    """
    before, _opened, rest = str(text).partition("[")
    word, closed, after = rest.partition("]")
    if not closed:
        before, word, after = "", str(text), ""
    return format_html('{}<a href="{}#{}">{}</a>{}', before, reverse("glossary"), entry, word, after)
