"""Papers for an extension count from the instant they begin to arrive, however long sending and checking them takes.

A file of a few megabytes takes minutes on a slow line, and checking it takes seconds more. The instant is noted when
the head of the request arrives, before its body is read. While the note is fresh nothing ends the referral: otherwise a
page or a job could take the place away meanwhile from a family that was in time.
"""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from applications.access.family import applications_of
from applications.models import Referral
from applications.moves import Refused, locking
from applications.states import ReferralState


def note_handing_in(user: User, application_pk: UUID, *, now: datetime) -> None:
    """Note that papers for the referral of the family's application begin to arrive at `now`.

    Does nothing if the referral is not valid at `now`, was extended, or belongs to others. A referral that stays
    locked for too long gets no note: its papers count from when they are checked.
    """
    valid = Referral.objects.filter(
        application__in=applications_of(user).filter(pk=application_pk),
        state=ReferralState.ISSUED,
        valid_until__gt=now,
        extension=None,
    )
    try:
        with locking():
            valid.update(handed_in_at=now)
    except Refused:
        return
