"""How long the outbox remembers: the text of an SMS or an e-mail for a month, the fact that it was sent for a year.

The data policy promises these periods to families. The inbox stays: it is the family's own.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from notifications.models import (
    GatewayMinute,
    Mail,
    Message,
    Outgoing,
    PushMessage,
    PushSubscription,
    TelegramMessage,
)

TEXT_KEPT_FOR = timedelta(days=30)
MESSAGE_KEPT_FOR = timedelta(days=365)
MINUTES_KEPT_FOR = timedelta(days=90)
OVER = (
    Outgoing.State.SENT,
    Outgoing.State.DELIVERED,
    Outgoing.State.UNDELIVERED,
    Outgoing.State.FAILED,
    Outgoing.State.WITHHELD,
    Outgoing.State.MERGED,
)


def old_texts(*, now: datetime) -> QuerySet[Message]:
    """SMS that are no longer under way and whose text has been kept long enough."""
    return Message.objects.filter(state__in=OVER, created_at__lt=now - TEXT_KEPT_FOR).exclude(text="")


def old_messages(*, now: datetime) -> QuerySet[Message]:
    """SMS that are no longer under way and need not be kept at all any more."""
    return Message.objects.filter(state__in=OVER, created_at__lt=now - MESSAGE_KEPT_FOR)


def purge_texts(*, now: datetime) -> int:
    """Empty the old texts; returns how many. A message without its text can't be sent again."""
    return old_texts(now=now).update(text="")


def purge_messages(*, now: datetime) -> int:
    """Delete the old messages; returns how many."""
    deleted, _per_model = old_messages(now=now).delete()
    return deleted


def old_mails(*, now: datetime) -> QuerySet[Mail]:
    """E-mails that are no longer under way, a month after they were written: the inbox holds what they said."""
    return Mail.objects.filter(state__in=OVER, created_at__lt=now - TEXT_KEPT_FOR)


def purge_mails(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = old_mails(now=now).delete()
    return deleted


def old_telegrams(*, now: datetime) -> QuerySet[TelegramMessage]:
    """The same of what went to Telegram."""
    return TelegramMessage.objects.filter(state__in=OVER, created_at__lt=now - TEXT_KEPT_FOR)


def purge_telegrams(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = old_telegrams(now=now).delete()
    return deleted


def old_pushes(*, now: datetime) -> QuerySet[PushMessage]:
    """The same of what went to screens."""
    return PushMessage.objects.filter(state__in=OVER, created_at__lt=now - TEXT_KEPT_FOR)


def purge_pushes(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = old_pushes(now=now).delete()
    return deleted


def lost_devices(*, now: datetime) -> QuerySet[PushSubscription]:
    """Devices whose browser gave their address up a month ago: until then their owner reads so."""
    return PushSubscription.objects.filter(gone_at__lt=now - TEXT_KEPT_FOR)


def purge_devices(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = lost_devices(now=now).delete()
    return deleted


def old_minutes(*, now: datetime) -> QuerySet[GatewayMinute]:
    """The counts of how gateways did in minutes that nobody looks at any more; they name nobody."""
    return GatewayMinute.objects.filter(minute__lt=now - MINUTES_KEPT_FOR)


def purge_minutes(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = old_minutes(now=now).delete()
    return deleted
