"""What every test may ask for."""

import atexit
import fcntl
import gc
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import django.test.utils
import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from django.utils import translation

from accounts.models import User
from balabaqsha import settings as portal_settings
from balabaqsha.roles import set_up_roles
from tests.emptying import empty_instead_of_flushing
from tests.factories import UserFactory
from tests.redis_server import OwnRedis, short_folder
from tests.template import copied
from tests.unseen import render_noted

# What a page was given is kept for the test once, and not again for each of the sixty pieces that it is made of.
django.test.utils.instrumented_test_render = render_noted
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
atexit.register(shutil.rmtree, settings.TEST_FOLDER, ignore_errors=True)

empty_instead_of_flushing()

# On a loaded machine an example may take long without being wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


# Until all tests are collected, everything that is made stays.
gc.disable()

# The marks of tests that take long.
LONG = ("browser", "concurrency")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Of the processes that test at once one collects first: in a fresh checkout each would compile every module."""
    lock = Path(settings.VAR_DIR) / "collecting.lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Then all the others together.
            fcntl.flock(file, fcntl.LOCK_SH)
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait for a browser or for other processes begin: the tests that are left at the end are short ones."""
    items.sort(key=lambda item: not any(map(item.get_closest_marker, LONG)))


def pytest_collection_finish() -> None:
    """Spare the collector what lives as long as the run: walking it again and again costs a tenth of the time.

    What a page makes is mostly gone before the collector would look at it, so it looks seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 5, 10)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker) -> ExitStack:
    """Until it is closed, a database that is created is a copy of the one that was migrated before."""
    with django_db_blocker.unblock():
        copying = ExitStack()
        copying.enter_context(copied())
        return copying


@pytest.fixture(scope="session")
def django_db_setup(django_db_modify_db_settings, django_db_setup, django_db_blocker) -> None:
    """The test database, with the roles that `set_up` makes in every portal: they stay, made once."""
    with django_db_blocker.unblock():
        django_db_modify_db_settings.close()
        set_up_roles()


def begin_anew(*_cache: object) -> None:
    """Forget all that this process has counted and cached, by another prefix of its keys.

    It is given to the cache that is there: one made anew would connect anew, in every test.
    """
    prefix = settings.CACHES["default"]["KEY_PREFIX"] = uuid.uuid4().hex
    for cache in caches.all(initialized_only=True):
        cache.key_prefix = prefix


# Django's own empties the Redis that parallel tests share: what another process counts would be gone under its hands.
RedisCache.clear = begin_anew  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """Each test counts its limits from zero."""
    begin_anew()


@pytest.fixture
def redis_away(settings) -> None:
    """Limits find nobody who counts; the address is new, as is what is known of it."""
    settings.REDIS_URL = f"redis://:{uuid.uuid4().hex}@127.0.0.1:1/0"


@pytest.fixture
def own_redis(settings) -> Iterator[OwnRedis]:
    """A running Redis for limits that the test may stop, and that is waited for as long as in the portal."""
    settings.REDIS_SECONDS = portal_settings.REDIS_SECONDS
    with short_folder() as folder:
        server = OwnRedis(Path(folder))
        server.start()
        settings.REDIS_URL = server.url
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def _no_peer_known(monkeypatch) -> None:
    """No test rests because a peer failed in another one."""
    monkeypatch.setattr("notifications.peers.calls._peers", {})


@pytest.fixture(autouse=True)
def _kazakh() -> Iterator[None]:
    """Every test begins in Kazakh: a page that an earlier test asked for in Russian leaves its language behind."""
    with translation.override("kk"):
        yield


@pytest.fixture
def parent(db) -> User:
    """A parent with a profile."""
    return UserFactory.create()


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which the given user has signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def parent_client(parent, client_of) -> Client:
    return client_of(parent)


@pytest.fixture
def clock():
    """The clock of the manual's walk, stopped: 26.06.2019 16:20 in Turkistan (then UTC+6). `clock.move_to` moves it."""
    with time_machine.travel(datetime(2019, 6, 26, 10, 20, tzinfo=UTC), tick=False) as traveller:
        yield traveller
