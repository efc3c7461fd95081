"""Figures that are worked out once a minute, or as seldom as they change, whoever asks."""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

SECONDS_REMEMBERED: Final = 60

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def remember(key: str, compute: Callable[[], Answer], *, seconds: int = SECONDS_REMEMBERED) -> Answer:
    """The answer of at most so many seconds ago. Without the cache it is computed again: a slow page, not an error."""
    try:
        known: Answer | None = cache.get(key)
        if known is None:
            known = compute()
            cache.set(key, known, seconds)
    except RedisError:
        logger.warning("The cache does not answer; %s is computed.", key)
        return compute()
    return known
