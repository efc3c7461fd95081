"""What the gateway and the application agree on beyond WSGI, most of it in the environment of a request."""

from enum import StrEnum
from typing import Final

# The number of processes without WEB_WORKERS, and the maximum.
WORKERS: Final = 2
MOST_WORKERS: Final = 64
# How many pages a process makes at once: Python runs in one thread, the other waits for the database meanwhile.
PAGE_THREADS: Final = 2
# Bytes of an address's path: a longer one is refused, and the access log holds no more of it. None of our own links has
# a third of that.
MOST_IN_PATH: Final = 512
# They have threads of their own: they are asked when pages hang.
HEALTH_PATH: Final = "/health/"
ALIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"
METRICS_PATH: Final = "/metrics"
PROBED_PATHS: Final = frozenset({HEALTH_PATH, ALIVE_PATH, READY_PATH, METRICS_PATH})
# When the whole request was there, by the monotonic clock, and waited for a thread.
READY_AT: Final = "balabaqsha.ready_at"
# The variable with which the library that counts learns where the processes keep their counters.
METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
# A body larger than any page accepts is announced: may it come? It may where the answer is 204 with these two headers.
# Anything else is sent to the visitor as it is. The view is not called.
QUESTION: Final = "balabaqsha.question"
LARGEST_HEADER: Final = "x-largest-body"
ACCOUNT_HEADER: Final = "x-account"
# The request is turned away, for one of the reasons below; the application finds the words. The view is not called.
REFUSAL: Final = "balabaqsha.refusal"


class Refusal(StrEnum):
    """Why a request is turned away before anything was done."""

    # The body is larger than the page accepts.
    LARGE = "large"
    # The body did not come in time.
    SLOW = "slow"
    # Too many large bodies are on their way.
    CROWDED = "crowded"
    # Too many passwords wait to be checked. The body has come.
    PASSWORDS = "passwords"
