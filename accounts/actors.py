"""Who did what the journal holds, in words that families may read."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.journal_actions import BY_VISITORS
from accounts.models import AuditEntry
from accounts.roles import role_name


def who_did(entry: AuditEntry, *, institutions: Mapping[tuple[UUID, datetime], str]) -> str:
    """Who did it, as families read it: of employees the role and the institution, not the name; empty for parents.

    `institutions` are those of `journal.institutions_of`; load `actor` with its groups.
    """
    if entry.actor is None:
        return gettext("A visitor, not signed in") if entry.action in BY_VISITORS else gettext("Portal")
    if not entry.actor.is_staff:
        return ""
    roles = [role_name(group.name) for group in entry.actor.groups.all()]
    where = institutions.get((entry.actor.pk, entry.at), "")
    return capfirst(", ".join(filter(None, [*roles, where]))) or gettext("Employee")
