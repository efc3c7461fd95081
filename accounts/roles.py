"""The roles of employees. A role is a Django group; `manage.py setup_roles` gives it its rights."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """The value is the name of the group."""

    KINDERGARTEN = "kindergarten", _("kindergarten worker")
    OFFICIAL = "official", _("education department official")
    CONTACT_CENTRE = "contact_centre", _("contact centre employee")
    AUDITOR = "auditor", _("auditor")
    ADMINISTRATOR = "system_administrator", _("system administrator")


def role_name(group: str) -> str:
    """A group's name in the reader's language; a group that is no role keeps its own name."""
    return str(Role(group).label) if group in Role.values else group
