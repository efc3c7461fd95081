"""Who of the demo city asked to be told of places: of today's they are told a minute later, by the worker."""

from datetime import datetime
from itertools import islice
from typing import Final

from applications.alerts.choosing import suiting_now, switch
from applications.models import Application
from applications.states import ApplicationState

# Few: each gets an SMS, and the desk shows the newest ones.
FAMILIES: Final = 5


def ask(*, now: datetime) -> None:
    """Switch alerts on for some families that wait, and for whose children there are places today."""
    waiting = Application.objects.filter(state=ApplicationState.WAITING, filed_by__is_active=True)
    in_order = waiting.select_related("filed_by", "locality").order_by("filed_at", "pk")
    suited = (one for one in in_order.iterator() if suiting_now(one, None, now=now))
    for application in islice(suited, FAMILIES):
        assert application.filed_by is not None
        switch(application, user=application.filed_by, is_on=True, now=now)
