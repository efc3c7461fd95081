"""What ran out has ended before anybody reads it.

One question decides for every reader, `Application.ran_out`: pages ask it here, the press and the look at the bulletin
ask it in their statements, and the sweep handles all applications for which it is true.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from applications.benefits.claims import expire_benefits_of
from applications.bidding.offers import end_offers_of
from applications.models import CLAIMED, Application, Rules
from applications.moves import lock_application, locking, reckon
from applications.referrals.ending import expire_or_leave
from applications.referrals.stops import lift_stop
from applications.rules.ages import too_old_from
from applications.rules.interest import campaigns_ahead
from applications.states import LIVE_STATES, ApplicationState, Move, ReferralState, is_allowed
from applications.waiting.aging import age_out
from applications.waiting.campaigns import is_beyond_grace, missed_campaign
from applications.waiting.confirming import end_lapsed, lapse
from bulletin.models import Locality


def settle(application: Application, *, now: datetime) -> Application:
    """Bring an application up to `now`: what ran out (a referral, a stop, interest, age, a benefit) has ended.

    The sweep does the same every minute; this applies the rule at read time too, in case the sweep is late. Afterwards
    the application runs out later than `now` or not at all, even if nothing had to end. Only a referral whose end
    needs a working day that the calendar does not know is left as it is, to be looked at again. Returns the
    application as it is then. Raises `Refused(BUSY)`.
    """
    if not application.ran_out(now=now):
        return application
    _end_what_ran_out(application, now=now)
    with locking():
        return reckon(lock_application(application.pk), now=now)


def ran_out(*, now: datetime) -> QuerySet[Application]:
    """The applications in which something may have ended by `now`: those that `settle` looks at."""
    return Application.objects.filter(runs_out_at__lte=now).select_related("locality", "child")


def bring_forward(*, now: datetime) -> int:
    """Let no application run out later than present and announced rules say. Returns how many were brought forward.

    Call it after changing `Rules`, in the same transaction: campaigns and ages depend on them until they have begun.
    Referrals, stops and benefits don't, nor does any of this depend on the calendar of working days: their ends were
    stored when they were promised.
    """
    brought = 0
    rules = list(Rules.objects.all())
    for locality in Locality.objects.all():
        live = Application.objects.filter(locality=locality, state__in=LIVE_STATES)
        for campaign in campaigns_ahead(rules, locality=locality, now=now):
            asked = live.filter(CLAIMED, interest_confirmed_at__lt=campaign.begins_at)
            brought += _bring_forward(asked, to=campaign.ends_at)
        for birth_year in live.order_by("birth_year").values_list("birth_year", flat=True).distinct():
            end = too_old_from(birth_year, rules, locality=locality, now=now)
            brought += _bring_forward(live.filter(birth_year=birth_year), to=end)
    return brought


def _bring_forward(applications: QuerySet[Application], *, to: datetime) -> int:
    later = applications.filter(Q(runs_out_at=None) | Q(runs_out_at__gt=to))
    with locking():
        # In one order, so that transactions that lock several of them can't deadlock.
        pks = list(later.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        return later.filter(pk__in=pks).update(runs_out_at=to)


def _end_what_ran_out(application: Application, *, now: datetime) -> None:
    """Each step does nothing before its time; each may lead to the next one."""
    if application.state == ApplicationState.REFERRED:
        issued = application.referrals.filter(state=ReferralState.ISSUED).first()
        application = (expire_or_leave(issued, now=now) if issued else None) or application
    if is_allowed(Move.AGE_OUT, application.state):
        application = age_out(application, now=now)
    if application.state == ApplicationState.STOP_LISTED:
        running = application.stops.filter(lifted_at=None).first()
        application = lift_stop(running, now=now) if running else application
    if missed_campaign(application, now=now):
        application = lapse(application, now=now)
    if is_beyond_grace(application, now=now):
        application = end_lapsed(application, now=now)
    # The family is told what is left of its number, so after whatever takes that away.
    end_offers_of(application, now=now)
    expire_benefits_of(application, now=now)
