"""The language of what people typed, for whoever hears a page read (WCAG 3.1.2)."""

import re

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()
_KAZAKH_LETTER = re.compile("[әғқңөұүһі]", re.IGNORECASE)
_WORD = re.compile("[а-яё]{2,}", re.IGNORECASE)


def tongue_of(text: str) -> str:
    """`kk`, `ru`, or nothing where the letters do not tell: a word or two without a Kazakh letter may be of either."""
    if _KAZAKH_LETTER.search(text):
        return "kk"
    return "ru" if len(_WORD.findall(text)) > 2 else ""


@register.simple_tag
def tongue(text: object, known: str = "") -> SafeString:
    """The attribute `lang` around a text that is of another language than the page, else nothing.

    `known` is the language where somebody said it; else the text's letters tell.
    """
    language = known or tongue_of(str(text or ""))
    is_other = language in ("kk", "ru") and language != get_language()
    return mark_safe(f' lang="{language}"' if is_other else "")  # noqa: S308 - one of two words of ours
