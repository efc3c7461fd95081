"""How many complaints there were, and whether they were answered in time: for everybody, by locality."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, F, Q

from applications.models import Complaint
from applications.queue.small_groups import FEW, told
from bulletin.models import Locality

COUNTED_FOR: Final = timedelta(days=365)


@dataclass(frozen=True)
class Answers:
    """The complaints of a year in one place, as everybody may see them: of fewer than five only that."""

    locality: Locality
    sent: int
    in_time: int
    late: int

    @property
    def sent_told(self) -> str:
        return told(self.sent)

    @property
    def are_parts_told(self) -> bool:
        """Whether none of the parts is so small that it might point at a family."""
        parts = (self.in_time, self.late, self.sent - self.in_time - self.late)
        return self.sent >= FEW and all(part == 0 or part >= FEW for part in parts)


def by_locality(*, now: datetime) -> list[Answers]:
    """The places in which somebody complained in the last year, in the order of the place switch. One query.

    Each row that was to be answered counts, also what was sent on to the city's officials: `late` are those that were
    answered after their last day, or whose last day is over.
    """
    in_time = Q(answered_at__lt=F("due_at"))
    late = Q(answered_at__gte=F("due_at")) | Q(answered_at=None, due_at__lte=now)
    counted = (
        Complaint.objects.filter(sent_at__gt=now - COUNTED_FOR)
        .order_by()
        .values("locality")
        .annotate(sent=Count("pk"), in_time=Count("pk", filter=in_time), late=Count("pk", filter=late))
    )
    found = {row["locality"]: row for row in counted}
    return [
        Answers(place, sent=row["sent"], in_time=row["in_time"], late=row["late"])
        for place in Locality.objects.all()
        if (row := found.get(place.pk))
    ]
