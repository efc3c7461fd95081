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
from accounts.officials import one_with
from applications.complaints.turns import tell
from applications.complaints.whose import ANSWER, city_officials
from applications.journal_actions import Action
from applications.models import Complaint
from bulletin.employment import able, employees_everywhere, employees_in
from notifications.services import enqueue, enqueue_to_mail
from notifications.sweeps import sweep

_KIND: Final = "staff_late_complaints"


def late(*, now: datetime) -> QuerySet[Complaint]:
    """Those whose last day is over, without an answer."""
    return Complaint.objects.filter(answered_at=None, due_at__lte=now)


def tell_of_late(*, now: datetime) -> int:
    """Tell of each complaint once that its answer is late; returns of how many. Safe to repeat.

    It is late from the first instant after its last day on, whether or not this has run.
    """
    untold = late(now=now).filter(late_told_at=None).order_by("due_at", "pk")
    # What was written in one may not be readable any more: that is read by itself.
    return sweep(untold.only("pk"), partial(_tell_of, now=now))


def _tell_of(untold: Complaint, *, now: datetime) -> None:
    with transaction.atomic():
        rows = Complaint.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        rows = rows.select_related("user", "locality", "application", "first__answered_by")
        one = rows.filter(pk=untold.pk, answered_at=None, late_told_at=None).first()
        if one is None:
            return
        one.late_told_at = now
        one.save(update_fields=["late_told_at"])
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
        _tell_officials(one, now=now)


def _tell_officials(complaint: Complaint, *, now: datetime) -> None:
    """Once a day how many are late in its locality: those who may answer it (`officials_to_tell`)."""
    locality = complaint.locality
    key = f"{_KIND}:{locality.pk}:{locality.day(now)}"
    found = late(now=now).filter(locality=locality)
    context = {"locality": locality, "complaints": found.count()}
    for official in officials_to_tell(complaint, now=now):
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


def officials_to_tell(complaint: Complaint, *, now: datetime) -> list[User]:
    """The city's officials; without any, who may answer in its locality; without them, superusers.

    Never whoever gave the first answer: the second is not theirs.
    """
    answered_by = complaint.first.answered_by if complaint.first else None
    barred = one_with(answered_by) if answered_by else set()
    place = complaint.locality
    for some in (
        city_officials(now=now),
        able(employees_in(place, today=place.day(now)), ANSWER),
        able(employees_everywhere(), ANSWER),
    ):
        if found := list(some.exclude(pk__in=barred)):
            return found
    return []
