"""A real browser against the whole portal: live server, worker, PostgreSQL, Redis and a clock that can be set."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from balabaqsha.celery import app
from tests.patience import PATIENCE
from tests.web_role import as_web_role

# Playwright's synchronous interface runs an event loop in this thread; the tests still use the database in it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

ZONE = ZoneInfo("Asia/Almaty")
PHONE_SCREEN = {"width": 390, "height": 844}
FLAGS = [
    # A page of a test lives for seconds: it never saves what optimising its scripts costs, nor threads of their own.
    "--js-flags=--no-opt --max-lazy --single-threaded",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# What a page may take on a loaded machine, for what Playwright does and for what it expects alike: less than whole
# processes, so that a page that is wrong is told sooner.
PATIENCE_MILLISECONDS = 1000 * PATIENCE // 4
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def chromium_path() -> str:
    """The system's Chromium or Chrome: `CHROMIUM`, or what is found on the path."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.fail("No Chromium or Chrome is installed. On Debian: apt-get install chromium")
    return found


@pytest.fixture(autouse=True)
def _portals_own_role(transactional_db) -> Iterator[None]:
    """What a family and an employee do in the browser is done by the role that production has."""
    with as_web_role():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield running
        # While Playwright runs, Django keeps connections of their own for this thread; nobody else would close them.
        connections.close_all()
        running.close()


@pytest.fixture
def open_context(browser, live_server) -> Iterator:
    """Opens a fresh browser profile on the portal: a phone, unless other options are given."""
    with ExitStack() as stack:

        def opened(**options: object) -> BrowserContext:
            # Without the portal's worker, but where it is tested: it asks for files beside each page.
            usual = {
                "base_url": live_server.url,
                "viewport": PHONE_SCREEN,
                "locale": "kk-KZ",
                "service_workers": "block",
            }
            context = browser.new_context(**usual | options)
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            stack.callback(context.close)
            return context

        yield opened


@pytest.fixture
def page(open_context) -> Page:
    return open_context().new_page()


@pytest.fixture
def worker(transactional_db) -> Iterator[None]:
    """A real Celery worker on the tests' database, in a thread of this process so that it shares the clock."""
    # What earlier tests of this process asked for is not this one's; nor are the SMS that they were sent.
    app.control.purge()
    settings.SMS_FILE.unlink(missing_ok=True)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield


@pytest.fixture
def summer_2019(transactional_db) -> Iterator[SimpleNamespace]:
    """The manual's clock: 26.06.2019 16:20 in Turkistan, stopped; `at(month, day, hour, minute)` sets it anew.

    Were it ticking, a slow machine would read 16:21 where the manual has 16:20, and `at` might set it back.
    """
    start = datetime(2019, 6, 26, 16, 20, tzinfo=ZONE).astimezone(UTC)
    with time_machine.travel(start, tick=False) as traveller:

        def at(month: int, day: int, hour: int, minute: int) -> None:
            traveller.move_to(datetime(2019, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC))

        yield SimpleNamespace(at=at)
