"""Complaints that nobody answered in time: the family is told who is late, and the city's officials what waits."""

from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts import audit
from accounts.employees import address_of
from accounts.models import User
from applications.complaints.turns import tell
from applications.complaints.whose import ANSWER
from applications.journal_actions import Action
from applications.models import Complaint
from applications.own_rows import has_every_locality
from bulletin.employment import able, employees_everywhere, employees_in
from bulletin.models import Locality
from notifications.services import enqueue, enqueue_to_mail
from notifications.sweeps import sweep

_KIND: Final = "staff_late_complaints"


def late(*, now: datetime) -> QuerySet[Complaint]:
    """Those whose last day is over, without an answer."""
    return Complaint.objects.filter(answered_at=None, due_at__lte=now)


def tell_of_late(*, now: datetime) -> int:
    """Tell of each complaint once that its answer is late; returns in how many localities. Safe to repeat.

    It is late from the first instant after its last day on, whether or not this has run.
    """
    untold = late(now=now).filter(late_told_at=None)
    places = Locality.objects.filter(pk__in=untold.order_by().values("locality"))
    return sweep(places, partial(_tell_of_locality, now=now))


def _tell_of_locality(locality: Locality, *, now: datetime) -> None:
    with transaction.atomic():
        untold = late(now=now).filter(locality=locality, late_told_at=None).order_by("pk")
        locked = untold.select_for_update(of=("self",), no_key=True, skip_locked=True)
        found = list(locked.select_related("user", "locality", "application", "first"))
        Complaint.objects.filter(pk__in=[one.pk for one in found]).update(late_told_at=now)
        for one in found:
            audit.record(
                Action.COMPLAINT_LATE,
                actor=None,
                subject=one.user,
                target=one.number,
                about=one,
                child=one.application.child_id if one.application else None,
                now=now,
            )
            tell(one, "complaint_late", now=now)
        if found:
            _tell_officials(locality, found, now=now)


def _tell_officials(locality: Locality, found: list[Complaint], *, now: datetime) -> None:
    """Whoever works in every locality; where nobody does, the officials of this one."""
    key = f"{_KIND}:{found[0].pk}:{now.isoformat()}"
    context = {"locality": locality, "complaints": len(found)}
    for official in officials_of_city(locality, now=now):
        enqueue(
            official,
            _KIND,
            context=context,
            dedupe_key=key,
            now=now,
            link=f"{reverse('admin:applications_complaint_changelist')}?answer=late",
        )
        if address := address_of(official):
            enqueue_to_mail(
                address,
                _KIND,
                context=context,
                language=official.language,
                dedupe_key=f"{key}:{official.pk}",
                now=now,
            )


def officials_of_city(locality: Locality, *, now: datetime) -> list[User]:
    """Who may answer and works in every locality; without any, who may answer in this one."""
    here = list(able(employees_in(locality, today=locality.day(now)), ANSWER))
    of_all = [
        *able(employees_everywhere(), ANSWER),
        *(one for one in here if has_every_locality(one, now=now)),
    ]
    return list(dict.fromkeys(of_all)) or here
