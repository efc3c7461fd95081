"""«Нөмірім неге өзгерді?»: every change of the number with its reason, between any two days."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import parent_required
from applications.families.situation import facts_of
from applications.models import Application
from applications.queue.history import explain
from applications.queue.position import position
from applications.rules.in_force import rules_of_day
from applications.views.cabinet.forms import PeriodForm
from applications.views.people import own_application
from notifications.clock import estimate_clock


@require_safe
@parent_required
def why(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The explanation from filing to now, or between the two days asked for (both inclusive)."""
    now = estimate_clock()
    application = own_application(request, pk, now=now)
    form = PeriodForm(request.GET or None)
    since, until = _period(form, application, now=now)
    place = position(application, now=now)
    context = {
        "application": application,
        "form": form,
        "explanation": explain(application, since=since, until=until),
        "place": place,
        "facts": facts_of(place, application),
        "ratio": rules_of_day(application.locality, now).general_per_priority,
    }
    return render(request, "applications/why.html", context)


def _period(form: PeriodForm, application: Application, *, now: datetime) -> tuple[datetime, datetime]:
    """The instants between which changes are explained: whole local days, from the filing to now at most."""
    days = form.cleaned_data if form.is_valid() else {}
    zone = application.locality.zone
    filed, today = application.filed_at.astimezone(zone).date(), now.astimezone(zone).date()
    since, until = application.filed_at, now
    first, last = days.get("first_day"), days.get("last_day")
    if first and first > filed:
        since = datetime.combine(min(first, today), time(), zone) - timedelta(microseconds=1)
    if last and last < today:
        day_after = max(last, filed) + timedelta(days=1)
        until = datetime.combine(day_after, time(), zone) - timedelta(microseconds=1)
    return since, max(since, until)
