"""By which ways a kind of message reaches the reader of a page: no page promises an SMS that is switched off."""

from django import template

from notifications.kinds import KINDS
from notifications.ways import Recipient, ways

register = template.Library()


@register.simple_tag
def ways_on(user: Recipient, kind: str) -> str:
    """The names of the ways that are on, with commas between them; empty if the inbox alone has it."""
    return ", ".join(str(way.label) for way in ways(KINDS[kind], user))
