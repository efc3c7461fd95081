"""What is forgotten of moves of numbers: who was refused, and then the move with both numbers."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import NumberMove
from accounts.numbers import rules


def refused_claimants(*, now: datetime) -> QuerySet[NumberMove]:
    """The refused claims whose claimant may claim again, and is still known."""
    return NumberMove.objects.filter(stopped_at__lte=now - rules.REFUSED_FOR).exclude(claimant_hash="")


def forget_claimants(*, now: datetime) -> int:
    """Forget who they were; returns how many."""
    return refused_claimants(now=now).update(claimant_identity="", claimant_hash="")


def old_moves(*, now: datetime) -> QuerySet[NumberMove]:
    """The moves that were done or stopped long ago."""
    long_ago = now - rules.KEPT_FOR
    return NumberMove.objects.filter(Q(stopped_at__lte=long_ago) | Q(done_at__lte=long_ago))


def purge_moves(*, now: datetime) -> int:
    """Delete them; returns how many. That the number changed, and when, stays in the journal of the account."""
    _rows, per_model = old_moves(now=now).delete()
    return per_model.get(NumberMove._meta.label, 0)
