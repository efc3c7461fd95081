"""The portal's real settings for the bench: one more address, an empty view behind the same middlewares."""

from balabaqsha.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.portal_urls"
# What is asked of a worker goes to a queue that is thrown away.
CELERY_TASK_DEFAULT_QUEUE = "bench-rush"
