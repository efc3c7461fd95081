"""What a page of the workplace costs in a city of full size: `python benchmarks/workplace.py`, `make bench-workplace`.

Seeds a scratch database twice, with a tenth of a city and with a whole one: 1,000 kindergartens, 10,000 vacancies,
100,000 applications and bids, 20,000 referrals, 1,000,000 entries of the audit. Every list that an administrator, an
official of one locality of four and a worker of one kindergarten may open is asked for its first page, its last and a
search, besides the start page, lists to print and reports (by their widest cuts, each figure worked out anew), each in
turn with a page that asks for nothing. Prints a table with the slowest first and, as the last line, JSON; ends with 1
where a page takes more statements than the bar, or a list or a start page grows faster. A report counts everything in
its range: it grows with the city, and its growth is only shown. Milliseconds are shown beside their bar and fail
nothing: they are this machine's.
"""

import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import measure_at_two_sizes

SEED = Path(__file__).with_name("workplace_seed.sql")
KINDERGARTENS = 1_000
ROUNDS = 9
MILLISECONDS, STATEMENTS, GROWTH = 150, 15, 1.3
# Below this a page grows by noise alone.
GROWS_FROM_MS = 20
SURNAME = "ТЕК77"
REPORTS = "/reports/"


@dataclass
class Visited:
    """A page, and what it took in a city of each size."""

    role: str
    path: str
    milliseconds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    statements: int = 0

    @property
    def growth(self) -> float:
        return self.ratios[-1] / self.ratios[0]

    @property
    def may_not_grow(self) -> bool:
        """Whether it shows the head of something: then its cost is no matter of how much there is below."""
        return len(self.ratios) > 1 and REPORTS not in self.path

    @property
    def faults(self) -> list[str]:
        found = [f"{self.statements} statements"] if self.statements > STATEMENTS else []
        if self.may_not_grow and self.milliseconds[-1] > GROWS_FROM_MS and self.growth > GROWTH:
            found.append(f"grows {self.growth:.1f} times")
        return found


def seed(kindergartens: int) -> None:
    """The city, and nothing of an earlier one."""
    from django.db import connection

    from applications.queue.buckets import fold_buckets

    with connection.cursor() as cursor:
        # The record of who did what lets nobody empty it.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "TRUNCATE bulletin_locality, accounts_user, accounts_auditentry, children_child CASCADE"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("DROP TABLE IF EXISTS bench_group")
        cursor.execute(SEED.read_text().format(kindergartens=kindergartens))
        # As the beat does every minute: a city is not filed in one.
        fold_buckets()
        cursor.execute("VACUUM (ANALYZE)")


def hire() -> dict[str, Any]:
    """A browser for each of three employees, by their role."""
    from django.contrib.auth.models import Group
    from django.test import Client
    from django.utils import timezone
    from django_otp import DEVICE_ID_SESSION_KEY
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from accounts.models import User
    from accounts.roles import Role
    from balabaqsha.roles import set_up_roles
    from bulletin.models import Employment, Kindergarten, Locality

    set_up_roles()
    users = {"administrator": User.objects.create_superuser("administrator")}
    for role in (Role.OFFICIAL, Role.KINDERGARTEN):
        users[role.value] = User.objects.create_staff(username=role.value, password=None)
        users[role.value].groups.add(Group.objects.get(name=role))
    since = timezone.localdate()
    Employment.objects.create(user=users[Role.OFFICIAL], locality=Locality.objects.first(), since=since)
    Employment.objects.create(
        user=users[Role.KINDERGARTEN], kindergarten=Kindergarten.objects.first(), since=since
    )
    browsers = {}
    for name, user in users.items():
        device = TOTPDevice.objects.create(user=user, name="app", confirmed=True)
        browser = browsers[name] = Client(HTTP_HOST="localhost")
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = browser.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
    return browsers


def pages(browser: Any) -> Iterator[str]:
    """The start page, and each list that this employee may open: its first page, its last, and a search; reports."""
    from django.contrib import admin
    from django.urls import reverse

    from applications.reports.catalogue import REPORTS as CATALOGUE

    yield reverse("admin:index")
    if browser.get(reverse("admin:roster_awaited")).status_code == 200:
        yield reverse("admin:roster_awaited")
    if browser.get(reverse("admin:reports")).status_code == 200:
        for report in CATALOGUE.values():
            for slice_ in report.slices:
                yield f"{reverse('admin:report', args=[report.name])}?by={slice_.value}"
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = browser.get(path)
        if answer.status_code != 200:
            continue
        yield path
        html = answer.content.decode()
        numbers = [int(number) for number in re.findall(r'href="\?p=(\d+)', html)]
        if numbers:
            yield f"{path}?p={max(numbers)}"
        if 'id="searchbar"' in html:
            yield f"{path}?q={SURNAME}"


def visit(browser: Any, path: str) -> float:
    """Seconds that the page takes; of a report, without what it remembers."""
    from django.core.cache import cache

    if REPORTS in path:
        cache.clear()
    began = time.perf_counter()
    answer = browser.get(path)
    taken = time.perf_counter() - began
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return taken


def measure(visited: dict[tuple[str, str], Visited], *, kindergartens: int) -> None:
    """Every page of every role, each call beside one of a page that asks for nothing."""
    from django.contrib.auth import SESSION_KEY
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from accounts import limits
    from notifications.clock import read_clock

    say(f"seeding {kindergartens:,} kindergartens …")
    seed(kindergartens)
    empty = reverse("admin:password_change")
    for role, browser in hire().items():
        say(f"{role} …")
        for path in pages(browser):
            name = re.sub(r"p=\d+", "p=last", path)
            page = visited.setdefault((role, name), Visited(role, name))
            # There are more lists than an employee may search in an hour by what may be a document's number.
            for limit in (limits.SEARCH_PER_EMPLOYEE, limits.LOOK_UP_PER_EMPLOYEE):
                limits.clear(limit, browser.session[SESSION_KEY], now=read_clock())
            with CaptureQueriesContext(connection) as captured:
                visit(browser, path)
            page.statements = len(captured)
            turns = [(visit(browser, path), visit(browser, empty)) for _round in range(ROUNDS)]
            took, nothing = (statistics.median(column) for column in zip(*turns, strict=True))
            page.milliseconds.append(1000 * took)
            page.ratios.append(took / nothing)


def report(visited: list[Visited]) -> bool:
    """The table and the JSON; True where no page took too many statements or grew."""
    print(f"{'':68} {'ms':>6} {'÷ empty':>8} {'growth':>7} {'statements':>11}")
    for page in sorted(visited, key=lambda page: -page.milliseconds[-1]):
        slow = "  SLOW" if page.milliseconds[-1] > MILLISECONDS else ""
        faults = "".join(f"  MISSED: {fault}" for fault in page.faults)
        print(
            f"{page.role + ' ' + page.path:68} {page.milliseconds[-1]:6.0f} {page.ratios[-1]:7.1f}x "
            f"{page.growth:6.2f}x {page.statements:11}{slow}{faults}"
        )
    missed = [page for page in visited if page.faults]
    print(f"{len(visited)} pages; {len(missed)} missed a bar; bars: {STATEMENTS} statements, growth {GROWTH}")
    print(json.dumps([asdict(page) for page in visited]))
    return not missed


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    visited: dict[tuple[str, str], Visited] = {}
    measure_at_two_sizes(
        lambda size: measure(visited, kindergartens=size),
        described=__doc__,
        kindergartens=KINDERGARTENS,
        among="of the whole city",
    )
    return 0 if report(list(visited.values())) else 1


if __name__ == "__main__":
    sys.exit(main())
