"""What ran out has ended before anybody reads it."""

from datetime import datetime

from applications.benefits.claims import expire_benefits_of
from applications.models import (
    Application,
)
from applications.referrals.due import overdue_referrals
from applications.referrals.ending import expire_referral
from applications.referrals.stops import lift_stop
from applications.states import LIVE_STATES, ApplicationState
from applications.waiting.campaigns import is_beyond_grace, missed_campaign
from applications.waiting.confirming import end_lapsed, lapse


def settle(application: Application, *, now: datetime) -> Application:
    """Bring an application up to `now`: what ran out (a referral, a stop, interest, a benefit) has ended.

    The jobs do the same every minute; this keeps the rule at read time too, when they are late. Returns the
    application as it is afterwards.
    """
    if application.state == ApplicationState.REFERRED:
        overdue = overdue_referrals(now=now).filter(application=application).first()
        application = expire_referral(overdue, now=now) if overdue else application
    if application.state == ApplicationState.STOP_LISTED:
        ended = application.stops.filter(lifted_at=None, until__lte=now).first()
        application = lift_stop(ended, now=now) if ended else application
    if missed_campaign(application, now=now):
        application = lapse(application, now=now)
    if is_beyond_grace(application, now=now):
        application = end_lapsed(application, now=now)
    if application.state in LIVE_STATES:
        application = expire_benefits_of(application, now=now)
    return application
