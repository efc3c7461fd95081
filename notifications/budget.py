"""What SMS may cost: budgets counted in the outbox itself, and what happens once they are spent.

The day is that of the portal's zone, and has one budget. Codes for newcomers, which strangers can ask for, get a part
of it, and in any hour no more codes go to one operator or one block of numbers than people there really register with.
A recipient gets a limited number of notices a day, as many of those that can't be switched off, and of each kind that
others can cause. `notifications.kinds` says what happens to each kind.
"""

import logging
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from redis.exceptions import RedisError

from notifications.kinds import PastBudget, counts_among, kinds_past_budget
from notifications.models import Message

logger = logging.getLogger(__name__)

HOUR: Final = timedelta(hours=1)
# `+7 701` is an operator, `+7 701 777` a block of ten thousand numbers, which is as easily owned as one number.
OPERATOR_LENGTH, BLOCK_LENGTH = 5, 8
# The part of the day's budget that sparing kinds may take.
SPARING_PERCENT: Final = 50
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_SINCE: Final = "sms-budget-since"


class Level(StrEnum):
    """How much of the day's budget is spent; anything but OK needs a person."""

    OK = "ok"
    HALF = "half"
    NEARLY = "nearly spent"
    SPENT = "spent"


_FROM_PERCENT: Final = ((100, Level.SPENT), (80, Level.NEARLY), (50, Level.HALF), (0, Level.OK))


class Usage(NamedTuple):
    """How many SMS of the day's budget are sent."""

    spent: int
    budget: int

    @property
    def percent(self) -> int:
        return 100 * self.spent // self.budget if self.budget > 0 else 100

    @property
    def level(self) -> Level:
        return next(level for least, level in _FROM_PERCENT if self.percent >= least)


class BudgetSpent(Exception):
    """No code for a newcomer now; the next is possible at `retry_at`."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__()
        self.retry_at = retry_at


class Purse:
    """What one delivery may still send: counted again each time a fiftieth of what was left has been taken.

    So up to fifty workers sending at once never exceed the budget, and rarely have to count.
    """

    def __init__(self) -> None:
        self._left = 0
        self._is_spent = False
        # What is left of the part that thousands of the same may take.
        self._spared = 0
        # What was spent before the first message.
        self.before: Usage | None = None

    def is_open(self, *, is_sparing: bool = False, claimed: int, now: datetime) -> bool:
        """Whether one more message may go out; if so, it is counted. Of a kind that `is_sparing`, while half is left.

        So many are `claimed` by this worker and not handed over, that one included: they count as spent, and are not.
        """
        if self._left < 1 and not self._is_spent:
            usage = usage_of(now=now)
            spent = usage.spent - claimed
            self.before = self.before or Usage(spent, usage.budget)
            left = usage.budget - spent
            self._is_spent = left < 1
            self._left = max(1, left // 50)
            self._spared = left - usage.budget * (100 - SPARING_PERCENT) // 100
        self._left -= 1
        self._spared -= 1
        return not self._is_spent and not (is_sparing and self._spared < 0)


class HadToday:
    """How many notices some numbers have had today: counted once for all of them, and on as more are sent."""

    def __init__(self, phones: Collection[str] = (), *, now: datetime | None = None) -> None:
        """`phones` as E.164, with the instant whose day is meant."""
        self._had: Counter[tuple[str, str]] = Counter()
        if phones and now:
            sent = sent_to(phones, since=_day(now)).values_list("number", "kind")
            for phone, kind, times in sent.annotate(Count("pk")):
                self._had[phone, counts_among(kind)] += times

    def note(self, message: Message) -> None:
        """One more was sent."""
        self._had[message.to, counts_among(message.kind)] += 1

    def enough(self, message: Message) -> bool:
        """Whether the recipient of `message`, no code, has had the day's number of its like (`Kind.counts_among`)."""
        return self._had[message.to, counts_among(message.kind)] >= settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY


def usage_of(*, now: datetime) -> Usage:
    """How much of today's budget is spent, including what workers have claimed."""
    return usage(paid_today(now=now).count())


def usage(paid: int) -> Usage:
    """The same, where `paid_today` is counted already."""
    return Usage(paid, settings.SMS_BUDGET_PER_DAY)


def paid_today(*, now: datetime) -> QuerySet[Message]:
    """What counts against today's budget, with what workers have claimed."""
    return spent_since(_day(now))


def spent_since(since: datetime) -> QuerySet[Message]:
    """The number of SMS paid for: those accepted by gateways since then, and those being handed over by workers."""
    return Message.objects.filter(Q(sent_at__gte=since) | Q(state=Message.State.SENDING))


def sent_to(phones: Collection[str], *, since: datetime) -> QuerySet[Any]:
    """The SMS that have gone to these phones (E.164) since then, each with its phone as text (`number`).

    As text, since the field would parse each number anew, which takes longer than the answer.
    """
    # Not plainly by `sent_at`, which has an index: by statistics that are always a little old the planner takes it that
    # next to nothing was sent since, and would read all that was.
    went_at = Coalesce("sent_at", _NEVER)
    sent = Message.objects.alias(went_at=went_at).filter(went_at__gte=since).order_by()
    return sent.annotate(number=Cast("phone", TextField())).filter(number__in=phones)


def sent_today(*, now: datetime) -> QuerySet[Message]:
    """The SMS that gateways have accepted today."""
    return Message.objects.filter(sent_at__gte=_day(now))


def withheld_today(*, now: datetime) -> QuerySet[Message]:
    """Today's notices that went to the inbox only."""
    return Message.objects.filter(state=Message.State.WITHHELD, created_at__gte=midnight(now))


def check_newcomer(phone: str, *, now: datetime) -> None:
    """Raise `BudgetSpent` if no code may be sent to `phone` (E.164), whether or not it belongs to an account.

    All requests made at the same instant may pass together.
    """
    begun = _begun(now)
    newcomers = Message.objects.filter(kind__in=kinds_past_budget(PastBudget.REFUSED))
    today = newcomers.filter(created_at__gte=max(midnight(now), begun)).count()
    share = settings.SMS_BUDGET_PER_DAY * settings.SMS_NEWCOMERS_PERCENT // 100
    if today >= share or usage_of(now=now).level is Level.SPENT:
        raise BudgetSpent(midnight(now) + timedelta(days=1))
    asked = newcomers.filter(created_at__gt=max(now - HOUR, begun)).order_by("-created_at")
    for length, most in (
        (OPERATOR_LENGTH, settings.SMS_CODES_PER_OPERATOR_PER_HOUR),
        (BLOCK_LENGTH, settings.SMS_CODES_PER_BLOCK_PER_HOUR),
    ):
        alike = asked.filter(phone__startswith=phone[:length])
        if most < 1:
            raise BudgetSpent(now + HOUR)
        for first_of_them in alike.values_list("created_at", flat=True)[most - 1 : most]:
            raise BudgetSpent(first_of_them + HOUR)


def raise_alarm(before: Usage, *, now: datetime) -> None:
    """Log, once each, that half, four fifths or all of the day's budget has been passed since `before`."""
    after = usage_of(now=now)
    if after.level != before.level and after.percent > before.percent:
        severity = logging.ERROR if after.level is Level.SPENT else logging.WARNING
        logger.log(severity, "SMS of today: %s of %s (%s %%)", after.spent, after.budget, after.percent)


def begin_anew(*, now: datetime) -> None:
    """Count today's budgets from `now` on: for the demo's desk. Elsewhere it does nothing."""
    cache.set(_SINCE, now, timeout=24 * 60 * 60)


def _day(now: datetime) -> datetime:
    """The instant from which the budgets of the day of `now` are counted."""
    return max(midnight(now), _begun(now))


def midnight(now: datetime) -> datetime:
    """The beginning of the day of `now`."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def _begun(now: datetime) -> datetime:
    """The instant set by `begin_anew`; long ago if it was never called."""
    try:
        since: datetime | None = cache.get(_SINCE) if settings.DEMO else None
    except RedisError:
        since = None
    return since or now - timedelta(days=2)
