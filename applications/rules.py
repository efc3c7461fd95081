"""Which periods and sizes are in force."""

from datetime import date

from django.db.models import F, Q

from applications.models import Rules
from bulletin.models import Locality


def rules_for(locality: Locality, *, day: date) -> Rules:
    """The rules in force in `locality` on `day` (a date in its zone).

    A locality's own rules win over those for all; among them the newest that has begun. Where none has, the manual's
    values hold.
    """
    in_force = (
        Rules.objects.filter(Q(locality=locality) | Q(locality=None), valid_from__lte=day)
        .order_by(F("locality").asc(nulls_last=True), "-valid_from")
        .first()
    )
    return in_force or Rules(valid_from=day)
