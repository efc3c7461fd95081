"""What waits of a kindergarten's public page, for its page in the workplace."""

from django import template

from applications.decisions.profiles import waiting_of
from applications.models import ProfileProposal
from bulletin.models import Kindergarten

register = template.Library()


@register.simple_tag
def waiting_page(kindergarten: Kindergarten) -> ProfileProposal | None:
    """The proposal of its page that waits for an official."""
    return waiting_of(kindergarten)
