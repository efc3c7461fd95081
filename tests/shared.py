"""Scenes that cost seconds to build and are only looked at, or changed within a test: built once for a module.

The rows lie in a transaction around those of the tests, which see them as if each had made them; whatever a test
changes is undone after it, as always. A module that uses one has no tests with transactions of their own.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import translation

Scene = TypeVar("Scene")


@contextmanager
def built_once(blocker: Any, build: Callable[[], Scene]) -> Iterator[Callable[[], Scene]]:
    """Build the scene; gives what makes a copy of it for a test. Undone at the end.

    `blocker` is pytest-django's, whose database must be set up.
    """
    cache = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}
    around = transaction.atomic()
    with blocker.unblock(), translation.override("kk"), override_settings(CACHES=cache):
        around.__enter__()
        try:
            scene = build()
        except BaseException:
            # Left open, it would break every later test of the process.
            around.__exit__(*sys.exc_info())
            raise
    yield lambda: deepcopy(scene)
    with blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)
