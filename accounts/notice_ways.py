"""A parent's ways: where notices reach them, what they choose for each topic, and trying one out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import transaction
from django.db.models import Max

from accounts import audit, limits
from accounts.journal_actions import Action
from accounts.limits import Allowed
from accounts.models import User
from notifications.choosing import bring_in_line
from notifications.hours import Hours
from notifications.kinds import KINDS, Channel, Topic
from notifications.models import Mail, Message, PushMessage, TelegramMessage
from notifications.services import enqueue_by
from notifications.troubles import Trouble
from notifications.ways import Way, address_of, always_on, is_offered, is_on, what_differs


class Choice(NamedTuple):
    """What a parent may choose for one topic."""

    topic: Topic
    always: Way | None
    offered: list[Way]
    on: list[Way]


def open_ways(user: User) -> list[Way]:
    """The ways by which notices can reach `user` now."""
    return [way for way in Way if address_of(user, way)]


def choices_of(user: User) -> list[Choice]:
    """What there is to choose, a line for each topic of which something is told by other ways than the inbox."""
    there = open_ways(user)
    choices = []
    for topic in _told_by_other_ways():
        always = always_on(topic, user)
        offered = [way for way in there if way is not always and is_offered(topic, way)]
        on = [way for way in offered if is_on(topic, way, user)]
        choices.append(Choice(topic, always, offered, on))
    return choices


def choose(
    user: User,
    chosen: Mapping[Topic, Iterable[Way]],
    *,
    quiet: Hours | None,
    second_phone_if_lost: bool,
    address: str | None,
    now: datetime,
) -> None:
    """Keep what `user` chose: for each topic of `chosen` the ways that are on, of those that were offered.

    A way that leads nowhere now keeps what was chosen for it before. What waits to go out is brought in line.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        wanted = {
            (choice.topic, way): way in chosen[choice.topic]
            for choice in choices_of(locked)
            if choice.topic in chosen
            for way in choice.offered
        }
        locked.chosen_ways = user.chosen_ways = what_differs(wanted, locked)
        locked.second_phone_if_lost = user.second_phone_if_lost = second_phone_if_lost
        locked.quiet_from, locked.quiet_to = user.quiet_from, user.quiet_to = quiet or (None, None)
        locked.save(update_fields=["chosen_ways", "second_phone_if_lost", "quiet_from", "quiet_to"])
        bring_in_line(locked, now=now)
        audit.record(Action.WAYS_CHOSEN, actor=locked, subject=locked, address=address, now=now)


def last_success(user: User) -> dict[Way, datetime | None]:
    """When something last went out to `user` by each way, as far back as the outbox goes."""
    sms = Message.objects.filter(recipient=user)
    rows: dict[Way, Any] = {
        Way.SMS: sms.filter(is_copy=False),
        Way.EMAIL: Mail.objects.filter(recipient=user),
        Way.TELEGRAM: TelegramMessage.objects.filter(recipient=user),
        Way.PUSH: PushMessage.objects.filter(recipient=user),
        Way.SECOND_PHONE: sms.filter(is_copy=True),
    }
    return {way: of_way.aggregate(at=Max("sent_at"))["at"] for way, of_way in rows.items()}


def is_bot_blocked(user: User) -> bool:
    """Whether `user` has no chat because the last message to it found the bot blocked."""
    if user.telegram:
        return False
    last = TelegramMessage.objects.filter(recipient=user).order_by("-created_at").first()
    return last is not None and last.error == Trouble.BLOCKED


def send_test(user: User, way: Way, *, now: datetime) -> Allowed | None:
    """Send `user` a test message this way; None if it leads nowhere, and not ok if they tried too often."""
    if not address_of(user, way):
        return None
    allowed = limits.allow(limits.TESTS_PER_ACCOUNT, str(user.pk), now=now)
    if allowed.ok:
        with transaction.atomic():
            enqueue_by(way, user, "test_message", context={}, dedupe_key=uuid4().hex, now=now)
    return allowed


def _told_by_other_ways() -> list[Topic]:
    told = {kind.topic for kind in KINDS.values() if Channel.SMS in kind.channels}
    return [topic for topic in Topic if topic in told]
