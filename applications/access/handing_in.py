"""Papers for an extension count from the instant at which they begin to come, however long their way and their check.

A file of a few megabytes takes minutes on a slow line, and looking into it takes seconds more. The instant is noted
when the head of the request comes, before its body is read, and while the note is fresh nothing ends the referral: a
page or a job that looked meanwhile would take the place away from a family that was in time.
"""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from applications.access.family import applications_of
from applications.models import Referral
from applications.moves import Refused, locking
from applications.states import ReferralState


def note_handing_in(user: User, application_pk: UUID, *, now: datetime) -> None:
    """Note that papers for the referral of the family's application begin to come at `now`.

    Does nothing where the referral is not valid at `now`, was extended, or belongs to others. A referral that somebody
    else holds locked for too long gets no note: its papers count from when they are looked at.
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
