"""For how long the outbox remembers: what an SMS said for a month, that it was sent for a year.

The data policy promises these periods to families. The inbox stays: it is the family's own.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from notifications.models import Message

TEXT_KEPT_FOR = timedelta(days=30)
MESSAGE_KEPT_FOR = timedelta(days=365)
_OVER = (Message.State.SENT, Message.State.FAILED, Message.State.WITHHELD)


def old_texts(*, now: datetime) -> QuerySet[Message]:
    """SMS that are no longer under way and whose text has been kept for long enough."""
    return Message.objects.filter(state__in=_OVER, created_at__lt=now - TEXT_KEPT_FOR).exclude(text="")


def old_messages(*, now: datetime) -> QuerySet[Message]:
    """SMS that are no longer under way and of which nothing need be known any more."""
    return Message.objects.filter(state__in=_OVER, created_at__lt=now - MESSAGE_KEPT_FOR)


def purge_texts(*, now: datetime) -> int:
    """Empty the old texts; how many they were. What was emptied can't be sent again."""
    return old_texts(now=now).update(text="")


def purge_messages(*, now: datetime) -> int:
    """Delete the old messages; how many they were."""
    deleted, _per_model = old_messages(now=now).delete()
    return deleted
