"""A birth date that the person registry corrected: the correction of the queue is proposed by itself.

A queue is kept by birth year, and the application keeps the year that it was filed with. Nothing moves by itself: an
official reads the proposal, and until then the family stands where it stood.
"""

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import ExtractYear

from applications.journal_actions import Action
from applications.models import Application, Correction
from applications.moves import lock_application, locking, remind, trace
from applications.states import LIVE_STATES, CorrectionState
from children.access import informed_guardians


def differing() -> QuerySet[Application]:
    """Live applications whose birth year is not the registry's, unless an official has decided that it is so.

    That is a correction from the registry's year to the present one, or one to the registry's year that was declined.
    """
    about_it = Correction.objects.filter(application=OuterRef("pk"))
    overruled = Q(
        state=CorrectionState.APPROVED,
        previous_birth_year=OuterRef("registry_year"),
        new_birth_year=OuterRef("birth_year"),
    )
    declined = Q(
        state=CorrectionState.DECLINED,
        previous_birth_year=OuterRef("birth_year"),
        new_birth_year=OuterRef("registry_year"),
    )
    return (
        Application.objects.filter(state__in=LIVE_STATES)
        .annotate(registry_year=ExtractYear("child__birth_date"))
        .exclude(birth_year=F("registry_year"))
        .exclude(Exists(about_it.filter(overruled | declined)))
        .select_related("child", "locality")
        .order_by("pk")
    )


def to_propose() -> QuerySet[Application]:
    """Those of `differing` for which no correction is waiting."""
    waiting = Correction.objects.filter(application=OuterRef("pk"), state=CorrectionState.PROPOSED)
    return differing().exclude(Exists(waiting))


def propose_registry_year(application: Application, *, now: datetime) -> Correction | None:
    """Propose the registry's birth year for an official to approve or decline, and tell the family.

    None where there is nothing to propose any more.
    """
    with locking():
        application = lock_application(application.pk)
        if not to_propose().filter(pk=application.pk).exists():
            return None
        correction = Correction.objects.create(
            application=application,
            new_birth_year=application.child.birth_year,
            previous_filed_at=application.filed_at,
            previous_birth_year=application.birth_year,
            document_date=application.locality.day(now),
            proposed_at=now,
            proposed_by=None,
        )
        guardians = informed_guardians(application.child)
        remind(
            application,
            "birth_year_differs",
            key=str(correction.pk),
            now=now,
            guardians=guardians,
            correction=correction,
        )
        trace(application, Action.CORRECTION_PROPOSED, actor=None, now=now, guardians=guardians)
    return correction
