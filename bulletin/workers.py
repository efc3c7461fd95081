"""What whoever works in a kindergarten reads in the inbox of the workplace of a decision about it."""

from datetime import datetime
from typing import Any

from accounts.models import User
from bulletin.employment import able, employees_of
from bulletin.models import Kindergarten
from notifications.services import enqueue


def tell_workers(
    kindergarten: Kindergarten,
    kind: str,
    *,
    permission: str,
    context: dict[str, Any],
    dedupe_key: str,
    link: str,
    actor: User,
    now: datetime,
) -> None:
    """Tell those with the permission who work in the kindergarten today, but not `actor`, who has just decided.

    Like `enqueue`: inside the transaction of the decision, once for a `dedupe_key`.
    """
    workers = able(employees_of(kindergarten, today=kindergarten.locality.day(now)), permission)
    for worker in workers.exclude(pk=actor.pk):
        enqueue(
            worker,
            kind,
            context={"kindergarten": kindergarten, **context},
            dedupe_key=dedupe_key,
            now=now,
            link=link,
        )
