"""The portal as several machines serve it, on this one: `make cluster` (some minutes; bounded, ends by itself).

nginx, pgbouncer, Redis with a password, PostgreSQL with a synchronous standby that public pages read from, two web
processes, a worker, deliveries, beat and the guard of the standby: all as `deploy/` configures them, each on an address
of loopback, in a folder of the drill's own. Then a family walks from the registration to a contract by HTTPS, processes
are killed under way, and a table says what came of it. Ends with 1 on any fault.

KEEP=1 leaves it standing until Ctrl-C, with its addresses.
"""

import argparse
import json
import os
import re
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from shutil import which
from threading import Event, Thread
from typing import Any, Final

from balabaqsha import local, runner
from balabaqsha.queues import WORKERS
from balabaqsha.runner import Failed, Family, Stopped
from drills import pool, proxy
from drills.accounts import hand_over, lowered
from drills.browser import Browser, Lost, Page
from drills.database import Database, Secrets

ROOT: Final = Path(__file__).resolve().parent.parent
PRIMARY, STANDBY = "127.0.0.11", "127.0.0.12"
# Counted from the first port.
PORTS: Final = {"https": 0, "http": 1, "web 1": 2, "web 2": 3, "pgbouncer": 4, "Redis": 5, "PostgreSQL": 6}
FIRST_PORT: Final = 9600
PASSWORD: Final = "құпия сөз 1"  # noqa: S105 - of a family that does not exist
EMPLOYEE: Final = ("drill", "drill-staff-pass-1")
NEEDED: Final[dict[str, Callable[[], str | None]]] = {
    "nginx": proxy.program,
    "pgbouncer": pool.program,
    "redis-server": lambda: which("redis-server"),
}
WAIT_SECONDS: Final = 60


class Cluster:
    """All of it. `start` it, and end its family."""

    def __init__(self, folder: Path, *, first_port: int, family: Family) -> None:
        self.folder, self.family, self.secrets = folder, family, Secrets()
        self.ports = {name: first_port + place for name, place in PORTS.items()}
        self.redis_password = secrets.token_hex()
        self.primary, self.standby = (
            Database(name, host, self.ports["PostgreSQL"], folder, family, self.secrets)
            for name, host in (("primary", PRIMARY), ("standby", STANDBY))
        )

    def environment(self) -> dict[str, str]:
        """What every process of the portal is given: as `portal.env` of a real one."""
        own = {
            "BALABAQSHA_DEMO": "1",
            "DEBUG": "0",
            "HTTPS": "1",
            "BEHIND_PROXY": "1",
            "ALLOWED_HOSTS": f"{proxy.NAME},127.0.0.1",
            "SITE_URL": f"https://{proxy.NAME}",
            # Nobody has a phone here.
            "STAFF_SECOND_FACTOR": "0",
            "DATABASE_URL": self.any_database("balabaqsha_web", "read-write"),
            "DATABASE_PASSWORD": self.secrets.web,
            "REPLICA_URL": self.any_database("balabaqsha_web", "standby"),
            "REDIS_URL": f"redis://:{self.redis_password}@127.0.0.1:{self.ports['Redis']}/0",
            "SMS_FILE": str(self.folder / "sms.jsonl"),
            "MEDIA_ROOT": str(self.folder / "media"),
            "LOG_FORMAT": "line",
        }
        kept = {
            name: value
            for name, value in os.environ.items()
            if "DATABASE" not in name and name != "REDIS_URL"
        }
        return local.environment(checkout=ROOT, environ=kept | own)

    def any_database(self, role: str, which_one: str) -> str:
        """The address of whichever of the two databases is of that kind."""
        hosts = f"{PRIMARY},{STANDBY}"
        return (
            f"postgres://{role}@/balabaqsha?host={hosts}&port={self.ports['PostgreSQL']}"
            f"&target_session_attrs={which_one}"
        )

    def start(self) -> None:
        """Bring up everything. Raises Failed."""
        missing = [name for name, find in NEEDED.items() if find() is None]
        if missing:
            raise Failed(f"Not installed: apt-get install {' '.join(missing)}")
        hand_over(self.folder)
        with runner.step("PostgreSQL, its standby, the guard, Redis, pgbouncer"):
            self.primary.make()
            self.standby.follow(self.primary)
            self._redis()
            self._pool()
        owner = {
            "MIGRATE_DATABASE_URL": self.primary.address("balabaqsha", self.secrets.owner),
            "DATABASE_URL": self.primary.address("balabaqsha_web", self.secrets.web),
        }
        with runner.step("Tables and a small city"):
            self._seed(self.environment() | owner)
        with runner.step("Web processes, workers, beat, nginx"):
            self._guard()
            self._portal()
            self._nginx()
            self._await_ready()

    def _redis(self) -> None:
        place = self.folder / "redis"
        place.mkdir()
        hand_over(place)
        conf = place / "redis.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            f"bind 127.0.0.1\nport {self.ports['Redis']}\nrequirepass {self.redis_password}\ndir {place}\n"
            "appendonly yes\n"
        )
        hand_over(conf)
        command = [str(which("redis-server")), str(conf)]
        self.family.start("Redis", lowered(command), log=self.folder / "redis.log")

    def _pool(self) -> None:
        place = self.folder / "pool"
        place.mkdir()
        users = place / "users.txt"
        users.touch(mode=0o600)
        users.write_text(f'"balabaqsha_web" "{self.secrets.web}"\n"pgbouncer" "{self.secrets.guard}"\n')
        hand_over(users)
        line = f"balabaqsha = host={PRIMARY} port={self.ports['PostgreSQL']} dbname=balabaqsha"
        written = pool.configure(place, database=line, listen_port=self.ports["pgbouncer"])
        command = [str(pool.program()), str(written)]
        self.pool = self.family.start("pgbouncer", lowered(command), log=self.folder / "pool.log")

    def _guard(self) -> None:
        hosts = f"{PRIMARY}:{self.ports['PostgreSQL']},{STANDBY}:{self.ports['PostgreSQL']}"
        address = f"postgres://balabaqsha_guard:{self.secrets.guard}@{hosts}/postgres?target_session_attrs=read-write"
        command = [sys.executable, "manage.py", "guard_standby"]
        self.guard = self.family.start(
            "guard", command, log=self.folder / "guard.log", GUARD_DATABASE_URL=address
        )

    def _seed(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "drills.city"]
        done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True)
        if done.returncode:
            raise Failed(done.stderr or done.stdout)

    def _portal(self) -> None:
        self.webs = [self.web(number) for number in (1, 2)]
        celery = [sys.executable, "-m", "celery", "-A", "balabaqsha"]
        for worker in WORKERS:
            self.family.start(
                worker.name, [*celery, *worker.command()], log=self.folder / f"{worker.name}.log"
            )
        beat = [*celery, "beat", "--pidfile", "", "--loglevel", "info"]
        self.family.start("beat", beat, log=self.folder / "beat.log")

    def web(self, number: int) -> runner.Child:
        """Start a web process, which comes through the pool."""
        port = self.ports[f"web {number}"]
        way = {
            "DATABASE_URL": f"postgres://balabaqsha_web@127.0.0.1:{self.ports['pgbouncer']}/balabaqsha",
            "DATABASE_POOLED": "1",
            "WEB_WORKERS": "1",
        }
        command = [sys.executable, "-m", "balabaqsha.serving", "--port", str(port)]
        return self.family.start(f"web {number}", command, log=self.folder / f"web{number}.log", **way)

    def _nginx(self) -> None:
        place = self.folder / "nginx"
        place.mkdir()
        written = proxy.configure(
            place,
            http=self.ports["http"],
            https=self.ports["https"],
            portals=[self.ports["web 1"], self.ports["web 2"]],
        )
        command = [str(proxy.program()), "-e", str(place / "error.log"), "-c", str(written)]
        self.family.start("nginx", lowered(command), log=self.folder / "nginx.log")

    def _await_ready(self) -> None:
        until(self.family, lambda: self.health()["status"] in ("ok", "warning"), "the portal is ready")

    def browser(self, **cookies: str) -> Browser:
        """A new visitor, who trusts the certificate of this cluster."""
        tls = ssl.create_default_context(cafile=str(self.folder / "nginx" / f"{proxy.NAME}.pem"))
        return Browser(self.ports["https"], tls=tls, cookies=cookies)

    def health(self) -> dict[str, Any]:
        """What `/health/` says through the proxy; only a status where nothing answers."""
        try:
            told: dict[str, Any] = json.loads(self.browser().get("/health/").text)
        except (Lost, ValueError):
            return {"status": "none"}
        return told


def until(family: Family, done: Callable[[], object], what: str, *, seconds: float = WAIT_SECONDS) -> float:
    """Wait until it is so, and say after how many seconds. Raises Failed where it does not become so."""
    began = time.monotonic()
    while not done():
        if time.monotonic() > began + seconds:
            raise Failed(f"It did not come to this within {seconds:.0f} s: {what}")
        family.pause(0.05)
    return time.monotonic() - began


# --- what is walked -------------------------------------------------------------------------------------------------


class Table:
    """What was tried, and what came of it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, bool, str]] = []

    def add(self, what: str, *, good: bool, told: str = "") -> None:
        self.rows.append((what, good, told))
        print(f"    {'ok   ' if good else 'FAULT'} {what}{': ' if told else ''}{told}", flush=True)

    @property
    def is_good(self) -> bool:
        return all(good for _what, good, _told in self.rows)


class Reader(Thread):
    """Reads pages, one after the other, until it is told to end; what came back, and how long it took."""

    def __init__(self, browser: Browser, *pages: str) -> None:
        super().__init__()
        self._browser, self._pages, self._over = browser, pages, Event()
        self.bad: list[str] = []
        self.taken: list[float] = []

    def run(self) -> None:
        while not self._over.is_set():
            page = self._pages[len(self.taken) % len(self._pages)]
            began = time.perf_counter()
            try:
                status = str(self._browser.get(page).status)
            except Lost as lost:
                status = str(lost)
            self.taken.append(1000 * (time.perf_counter() - began))
            if status != "200":
                self.bad.append(f"{page} {status}")
            self._over.wait(0.02)

    def end(self) -> str:
        """Let it end; a line about it."""
        self._over.set()
        self.join()
        slowest = f"slowest {max(self.taken):.0f} ms" if self.taken else ""
        return f"{len(self.taken)} pages, {len(self.bad)} bad {' '.join(self.bad[:3])}, {slowest}"


@contextmanager
def reading(cluster: Cluster, table: Table, what: str, *pages: str) -> Iterator[Reader]:
    """Visitors read meanwhile, and none of their pages fails."""
    readers = [Reader(cluster.browser(), *pages) for _one in range(2)]
    for reader in readers:
        reader.start()
    try:
        yield readers[0]
    finally:
        told = "; ".join(reader.end() for reader in readers)
        table.add(
            what,
            good=not any(reader.bad for reader in readers) and all(one.taken for one in readers),
            told=told,
        )


def walk(cluster: Cluster, table: Table) -> None:
    """A family's way, then one fault after the other."""
    began = time.monotonic()
    family_walks(cluster)
    table.add(
        "a family, from the registration to a contract",
        good=True,
        told=f"{time.monotonic() - began:.1f} s",
    )
    proxy_is_as_promised(cluster, table)
    pages_come_from_the_replica(cluster, table)
    replica_dies(cluster, table)
    web_dies(cluster, table)
    took = until(cluster.family, lambda: cluster.health()["status"] == "ok", "/health/ says ok", seconds=120)
    table.add("/health/ says ok at the end", good=True, told=f"after {took:.0f} s")


def family_walks(cluster: Cluster) -> None:
    """Register, add a child, file, bid; the kindergarten activates and signs. Raises Failed at the first refusal."""
    from accounts.registry import simulated_people

    father = next(
        one
        for one in simulated_people.everyone(today=date.today())  # noqa: DTZ011 - only its year
        if one.person.iin == simulated_people.MANUAL_PARENT_IIN
    )
    child = next(ward for ward in father.wards if ward.birth_date.year == date.today().year - 4)  # noqa: DTZ011
    family = cluster.browser()

    def goes(page: Page, where: str) -> str:
        if page.status != 302 or not re.search(where, page.location):
            raise Failed(f"{where} was expected; came {page.status} {page.location}\n{_errors(page.text)}")
        return page.location

    goes(family.send("/register/", phone=father.phone, consent="on"), "/register/code/")
    goes(family.send("/register/code/", code=_code(cluster)), "/register/password/")
    goes(family.send("/register/password/", password=PASSWORD, repeated=PASSWORD), "/register/account/")
    goes(family.send("/register/account/", identity=father.person.iin), "/register/account/")
    goes(family.send("/register/account/", confirm="1"), "/cabinet/")
    goes(family.send("/cabinet/children/add/", iin=child.iin, check="1"), "/check/")
    to_file = goes(family.send("/cabinet/children/add/check/", save="1", nationality=""), "for=")
    answers = {"locality": "bench", "languages": "kk", "child": to_file.partition("for=")[2], "confirm": "1"}
    filed = goes(
        family.send("/cabinet/applications/new/", **answers), r"/cabinet/applications/[0-9a-f-]{36}/"
    )
    application = filed.partition("?")[0]
    [(vacancy,)] = cluster.primary.ask("SELECT md5('v7')::uuid", database="balabaqsha")
    goes(family.send(f"{application}apply/{vacancy}/"), application)
    desk = cluster.browser()
    name, password = EMPLOYEE
    goes(desk.send("/admin/login/?next=/admin/", username=name, password=password), "/admin/")
    for table, word in (("bid", "activate"), ("referral", "sign")):
        [(key,)] = cluster.primary.ask(
            f"SELECT max(id::text) FROM applications_{table}", database="balabaqsha"
        )
        goes(desk.send(f"/admin/applications/{table}/{key}/do/{word}/"), "/admin/")
    if cluster.primary.ask("SELECT count(*) FROM applications_contract", database="balabaqsha") != [(1,)]:
        raise Failed("No contract was signed.")


def _code(cluster: Cluster) -> str:
    """The code in the newest SMS, which the worker writes into a file."""
    sent = cluster.folder / "sms.jsonl"
    until(
        cluster.family,
        lambda: sent.exists() and re.search(r"\b\d{6}\b", sent.read_text()),
        "an SMS with a code",
    )
    return str(re.findall(r"\b\d{6}\b", json.loads(sent.read_text().splitlines()[-1])["text"])[0])


def _errors(text: str) -> str:
    found = re.findall(r'class="[^"]*(?:error|message|alert)[^"]*"[^>]*>(.*?)</', text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>|\s+", " ", one) for one in found)[:500]


def proxy_is_as_promised(cluster: Cluster, table: Table) -> None:
    """HTTP/2, a redirect from http, and files that are kept."""
    https, http = cluster.ports["https"], cluster.ports["http"]
    curl = ["curl", "-sk", "-o", "/dev/null", "--max-time", "10", "-H", f"Host: {proxy.NAME}"]

    def told(*arguments: str) -> str:
        return subprocess.run([*curl, *arguments], capture_output=True, text=True).stdout

    version = told("--http2", "-w", "%{http_version} %{http_code}", f"https://127.0.0.1:{https}/")
    table.add("nginx speaks HTTP/2", good=version == "2 200", told=version)
    moved = told("-w", "%{http_code} %{redirect_url}", f"http://127.0.0.1:{http}/")
    table.add("http leads to https", good=moved.startswith(f"301 https://{proxy.NAME}"), told=moved)
    found = re.search(r'href="(/static/[^"]+\.css)"', cluster.browser().get("/").text)
    assert found
    address = f"https://127.0.0.1:{https}{found[1]}"
    for encoding in ("gzip", "br"):
        size = told("-H", f"Accept-Encoding: {encoding}", "-w", "%{size_download} %{http_code}", address)
        table.add(
            f"a style sheet by {encoding}", good=size.endswith(" 200"), told=f"{size.partition(' ')[0]} bytes"
        )
    kept = [one for one in (cluster.folder / "nginx" / "kept").rglob("*") if one.is_file()]
    table.add("nginx keeps files", good=bool(kept), told=f"{len(kept)} files")


def pages_come_from_the_replica(cluster: Cluster, table: Table) -> None:
    """What is written shows within five seconds, and the replica reads."""
    scans = "SELECT sum(idx_scan + seq_scan) FROM pg_stat_user_tables WHERE relname = 'bulletin_kindergarten'"
    visitor, name = cluster.browser(), f"Жаңа {secrets.token_hex(4)}"

    def read() -> int:
        [(count,)] = cluster.standby.ask(scans, database="balabaqsha")
        return int(count)

    before = read()
    until(
        cluster.family, lambda: visitor.get("/kindergartens/") and read() > before, "the replica is read from"
    )
    table.add("visitors' pages come from the replica", good=True)
    change = f"UPDATE bulletin_kindergarten SET name_kk = '{name}' WHERE slug = 'k1'"
    cluster.primary.ask(change, database="balabaqsha")
    took = until(
        cluster.family, lambda: name in visitor.get("/kindergartens/k1/").text, "a change shows", seconds=5
    )
    table.add("a change shows to visitors within five seconds", good=True, told=f"{1000 * took:.0f} ms")


PAGES: Final = ("/kindergartens/", "/bulletin/", "/queue/", "/statistics/")


def replica_dies(cluster: Cluster, table: Table) -> None:
    """Frozen, then killed: pages go on; commits wait ten seconds and then no more, and /health/ says so."""
    with reading(cluster, table, "pages while the replica freezes", *PAGES):
        cluster.family.pause(1)
        cluster.standby.send(signal.SIGSTOP)
        cluster.family.pause(4)
    with reading(cluster, table, "pages while the replica is killed", *PAGES):
        cluster.standby.kill()
        cluster.family.pause(2)
    took = until(
        cluster.family, lambda: cluster.health().get("standby") == "away", "/health/ says standby: away"
    )
    table.add("/health/ says that the standby is away", good=True, told=f"after {took:.0f} s")
    began = time.monotonic()
    cluster.primary.ask(
        "UPDATE bulletin_kindergarten SET phone = '1' WHERE slug = 'k2'", database="balabaqsha"
    )
    took = time.monotonic() - began
    table.add("a commit waits no more", good=took < 1, told=f"{1000 * took:.0f} ms")
    cluster.standby.start()
    took = until(cluster.family, lambda: cluster.health().get("standby") == "ok", "the standby follows again")
    table.add("the standby is back and is waited for", good=True, told=f"after {took:.0f} s")


def web_dies(cluster: Cluster, table: Table) -> None:
    """Killed while pages are read and families press: no page is lost, and no press is done twice."""
    presses = Presses(cluster)
    with reading(cluster, table, "pages while a web process is killed", *PAGES, "/"):
        presses.start()
        cluster.family.pause(1.5)
        dead = cluster.webs[0]
        dead.signal(signal.SIGKILL)
        dead.process.wait()
        cluster.family.children.remove(dead)
        cluster.family.pause(2)
        presses.end()
    done, families = presses.found()
    table.add(
        "families' presses meanwhile",
        good=presses.accepted <= done == families and presses.accepted > 0,
        told=f"{presses.sent} sent, {presses.accepted} accepted, {done} bids of {families} families",
    )
    cluster.webs[0] = cluster.web(1)


class Presses(Thread):
    """Families of the small city press for a place, each once, until it is told to end."""

    def __init__(self, cluster: Cluster, *, first: int = 1, last: int = 200) -> None:
        super().__init__()
        self._cluster, self._families, self._over = cluster, range(first, last + 1), Event()
        self.sent = self.accepted = 0
        self.accepted_by: list[int] = []
        self.answered_at: list[float] = []
        self.others: list[str] = []

    def run(self) -> None:
        for n in self._families:
            if self._over.is_set():
                return
            self.sent += 1
            if self.press(n):
                self.accepted += 1
                self.accepted_by.append(n)
                self.answered_at.append(time.monotonic())
            self._over.wait(0.05)

    def press(self, n: int) -> bool:
        """Whether the portal says that it took the bid."""
        from benchmarks.rush import key
        from drills.city import TOKEN, session_of

        cookies = {"__Host-sessionid": session_of(n), "__Host-csrftoken": TOKEN}
        application, vacancy = key(f"a{n}"), key(f"v{1 + n % 100}")
        path = f"/cabinet/applications/{application}/apply/{vacancy}/"
        try:
            page = self._cluster.browser(**cookies).post(path)
        except Lost as lost:
            self.others.append(str(lost))
            return False
        if page.status == 302 and str(application) in page.location and "login" not in page.location:
            return True
        self.others.append(f"{page.status} {page.location}")
        return False

    def end(self) -> None:
        self._over.set()
        self.join()

    def found(self, database: Database | None = None) -> tuple[int, int]:
        """How many bids the database holds of these families, and of how many."""
        numbers = ", ".join(f"'B-{n}'" for n in self._families)
        question = (
            "SELECT count(*), count(DISTINCT b.application_id) FROM applications_bid b "
            f"JOIN applications_application a ON a.id = b.application_id WHERE a.number IN ({numbers})"
        )
        [(done, families)] = (database or self._cluster.primary).ask(question, database="balabaqsha")
        return done, families


# --- the drill ------------------------------------------------------------------------------------------------------


@contextmanager
def standing(*, first_port: int) -> Iterator[Cluster]:
    """A cluster that runs, with Django set up beside it for what it knows; nothing is left of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        family = Family(environment={})
        runner.watch_signals(family.stop_wish)
        cluster = Cluster(Path(name), first_port=first_port, family=family)
        family.environment = cluster.environment()
        os.environ.update(family.environment)
        try:
            cluster.start()
            yield cluster
        finally:
            print("Stopping ...", flush=True)
            family.end()


def drill(todo: Callable[[Cluster, Table], None], *, first_port: int, keep: bool) -> int:
    """Bring it up, do it, tell what came of it; the exit code."""
    table = Table()
    try:
        with standing(first_port=first_port) as cluster:
            try:
                todo(cluster, table)
            except Failed as failure:
                table.add("the walk", good=False, told=str(failure))
            if keep:
                print(addresses(cluster), flush=True)
                while True:
                    cluster.family.pause(0.5)
                    cluster.family.check_alive()
    except Stopped:
        return 0 if keep and table.is_good else 1
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    print("nothing failed" if table.is_good else "see FAULT above")
    return 0 if table.is_good else 1


def addresses(cluster: Cluster) -> str:
    """Where everything is."""
    lines = [f"curl -k -H 'Host: {proxy.NAME}' https://127.0.0.1:{cluster.ports['https']}/"]
    lines += [f"{name:12} 127.0.0.1:{port}" for name, port in cluster.ports.items() if name != "PostgreSQL"]
    for one in (cluster.primary, cluster.standby):
        lines.append(f"{one.name:12} {one.as_superuser(database='balabaqsha')}")
    return "\n".join(["", *(f"    {line}" for line in lines), ""])


def arguments(documentation: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave it standing until Ctrl-C")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help=f"the first of its ports ({FIRST_PORT})")
    return parser.parse_args()


def main() -> int:
    chosen = arguments(__doc__)
    return drill(walk, first_port=chosen.port, keep=chosen.keep)


if __name__ == "__main__":
    sys.exit(main())
