"""Numbers of applications, referrals and phones in running text, which browsers would break in two."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_NUMBER = re.compile(r"\b\d{2}-(?:\d{6,}|\d{4}-\d{4})\b|\+7(?: [\d•]{2,4}){3,4}")


@register.filter
def unbroken(text: object) -> SafeString:
    """The text as HTML, in one piece each number: of an application (19-000417), a referral (19-4839-2017), a phone."""
    whole = _NUMBER.sub(
        r'<span class="nowrap">\g<0></span>', conditional_escape(text if isinstance(text, str) else str(text))
    )
    return mark_safe(whole)  # noqa: S308 - escaped above
