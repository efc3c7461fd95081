"""The yearly confirmation of interest: confirmed, lapsed, come back, or left for good."""

from datetime import datetime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application
from applications.moves import Refused, announce, lock_application, locking, move, refuse_in_preview, trace
from applications.refusals import Refusal
from applications.rules.interest import Campaign
from applications.states import ApplicationState, Move
from applications.waiting.campaigns import is_beyond_grace, missed_campaign, running_campaign_for


def confirm_interest(application: Application, *, actor: User, now: datetime) -> Application:
    """The family still wants a place.

    While a campaign runs a waiting application is confirmed; within the grace a lapsed one waits again at its original
    date. A second press changes nothing. Raises `Refused` (PREVIEW, INTEREST_NOT_ASKED outside a campaign, GRACE_OVER,
    NOT_ALLOWED in other states).
    """
    refuse_in_preview()
    with locking():
        application = lock_application(application.pk)
        missed = missed_campaign(application, now=now)
        if missed is not None:
            # The sweep is late: what the deadline decided comes first.
            _lapse(application, missed, now=now)
        if application.state == ApplicationState.WAITING:
            if _was_just_confirmed(application, now=now):
                return application
            if running_campaign_for(application.locality, now=now) is None:
                raise Refused(Refusal.INTEREST_NOT_ASKED)
        if is_beyond_grace(application, now=now):
            raise Refused(Refusal.GRACE_OVER)
        move(application, Move.CONFIRM_INTEREST, actor=actor, now=now, interest_confirmed_at=now)
        trace(application, Action.INTEREST_CONFIRMED, actor=actor, now=now)
    return application


def lapse(application: Application, *, now: datetime) -> Application:
    """Take an application out of the queue if its family did not confirm its interest in the campaign that ended.

    Does nothing before the end of the campaign's last day, if interest was confirmed after the campaign began, or if
    the family had a place to decide on meanwhile (`campaigns.unconfirmed`). The end of the grace is promised here, as
    an instant.
    """
    with locking():
        application = lock_application(application.pk)
        missed = missed_campaign(application, now=now)
        if missed is not None:
            _lapse(application, missed, now=now)
    return application


def end_lapsed(application: Application, *, now: datetime) -> Application:
    """Close a lapsed application for good once its grace is over. Does nothing earlier, or if it was confirmed."""
    with locking():
        application = lock_application(application.pk)
        if is_beyond_grace(application, now=now):
            event = move(application, Move.END_LAPSED, actor=None, now=now, archived_at=now)
            announce(event, "interest_ended", Action.APPLICATION_ARCHIVED)
    return application


def _was_just_confirmed(application: Application, *, now: datetime) -> bool:
    campaign = running_campaign_for(application.locality, now=now)
    if campaign is not None:
        return campaign.is_confirmed(application.interest_confirmed_at)
    # By this button, and not by filing or a change; whatever came after it, like an offer.
    pressed = application.events.filter(move=Move.CONFIRM_INTEREST, at=application.interest_confirmed_at)
    return pressed.exists()


def _lapse(application: Application, campaign: Campaign, *, now: datetime) -> None:
    event = move(
        application,
        Move.LAPSE,
        actor=None,
        now=now,
        data={"campaign": campaign.year, "restorable_until": campaign.grace_ends_at.isoformat()},
    )
    announce(event, "interest_lapsed", Action.INTEREST_LAPSED, last_day=campaign.last_grace_day)
