"""Numbers of applications and referrals in running text, which browsers would break at their hyphens."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_NUMBER = re.compile(r"\b\d{2}-(?:\d{6,}|\d{4}-\d{4})\b")


@register.filter
def unbroken(text: object) -> SafeString:
    """The text as HTML, with each number of an application (19-000417) or a referral (19-4839-2017) in one piece."""
    whole = _NUMBER.sub(
        r'<span class="nowrap">\g<0></span>', conditional_escape(text if isinstance(text, str) else str(text))
    )
    return mark_safe(whole)  # noqa: S308 - escaped above
