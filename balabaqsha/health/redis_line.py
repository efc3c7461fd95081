"""A connection to Redis for whoever must not wait for it. It knows no models, so that workers may load it early."""

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def impatient_redis() -> redis.Redis:
    """A separate connection that gives up after a second and does not try again; close it."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )
