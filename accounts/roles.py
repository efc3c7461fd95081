"""The roles of employees. A role is a Django group; `manage.py setup_roles` gives it its rights."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Role(TextChoices):
    """The value is the name of the group."""

    KINDERGARTEN = "kindergarten", _("kindergarten worker")
    OFFICIAL = "official", _("education department official")
    CONTACT_CENTRE = "contact_centre", _("contact centre employee")


def role_name(group: str) -> str:
    """A group's name in the reader's language; a group that is no role keeps its own name."""
    return str(Role(group).label) if group in Role.values else group


def is_official(user: "User | AnonymousUser") -> bool:
    """Whether the user acts for all kindergartens: an official or a system administrator. One query at most."""
    if not (user.is_active and user.is_staff):
        return False
    return user.is_superuser or user.groups.filter(name=Role.OFFICIAL).exists()
