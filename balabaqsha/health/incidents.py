"""Incidents: times in which a part of the portal stood still, noted by the portal itself, a row for each.

A worker looks once a minute. While no worker does, nothing can be noted: the next one that does notes the whole gap.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from balabaqsha.health.line import Silent
from balabaqsha.health.report import judge, read_facts
from balabaqsha.models import Incident
from bulletin.incidents import TOLD_FOR

# A worker that is restarted misses a look or two.
LONGEST_PAUSE: Final = timedelta(minutes=5)
ANSWER_SECONDS: Final = 5.0
WATCH: Final = "balabaqsha.tasks.watch_itself"

# What `judge` says of each part, and when that is an incident for families.
STANDS_STILL: Final[Mapping[Incident.Part, Callable[[Mapping[str, Any]], bool]]] = {
    Incident.Part.MESSAGES: lambda words: words["outbox"] != "ok" or words["sms_gateways"] == "alarm",
    Incident.Part.WORK: lambda words: words["sweeps"] != "ok" or words["workers"] == "missing",
}


def watch(*, now: datetime) -> None:
    """Begin an incident for each part that stands still, end those that are over, and forget those of long ago.

    Does nothing while the database does not answer: the next look notes the gap.
    """
    try:
        facts = read_facts(seconds=ANSWER_SECONDS)
    except Silent:
        return
    words = judge(facts)
    looked_at = facts.sweeps.get(WATCH, now)
    with transaction.atomic():
        for part, stands_still in STANDS_STILL.items():
            running = Incident.objects.filter(part=part, ended_at=None)
            if not stands_still(words):
                running.update(ended_at=now)
            elif not running.exists():
                Incident.objects.create(part=part, started_at=now)
        if now - looked_at > LONGEST_PAUSE:
            Incident.objects.filter(part=Incident.Part.WORK, ended_at=None).update(started_at=looked_at)
            if not Incident.objects.filter(part=Incident.Part.WORK, ended_at=None).exists():
                Incident.objects.create(part=Incident.Part.WORK, started_at=looked_at, ended_at=now)
        Incident.objects.filter(ended_at__lt=now - TOLD_FOR).delete()
